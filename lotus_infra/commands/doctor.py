"""`lotus doctor`: check everything that a run of a stack needs, with a remedy for each failed check.

Versions, the backend and its locks, the content of the state, the servers and their clocks. A check that cannot run is
a result too, so that it never hides the others. Nothing is changed, except by `--unlock`.
"""

import importlib.metadata
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

import click
from airbyte_model.json_values import JsonObject
from airbyte_model.secrets import MASK, Schemas, marks_secret, schemas_inside, schemas_of
from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.settings import RetryPolicy
from pulumi_airbyte.provider.properties import SECRET_SIGNATURE, SIGNATURE
from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from lotus_infra import naming
from lotus_infra.clients.airbyte import AirbyteWorkspace, airbyte_workspace
from lotus_infra.clients.kubernetes import Cluster
from lotus_infra.clients.locks import Machine, advice, backend_store, locks_of, owner_state, plan_unlock
from lotus_infra.clients.pulumi import Engine
from lotus_infra.clients.state import TYPES, PendingOperation, Resource, State
from lotus_infra.clients.storage import Bucket
from lotus_infra.commands.options import JSON, ONE_STACK, STREAMS
from lotus_infra.config import production
from lotus_infra.config.backend import Backend
from lotus_infra.config.stack import PROJECT_FILE, Project
from lotus_infra.errors import LotusError, has_credentials, masked_urls
from lotus_infra.lake.diagnostics import escape_unprintable, format_path, pluralize
from lotus_infra.urns import Urn

OLDEST_PYTHON: Final = (3, 11)
SDKS: Final = {"aws": "pulumi-aws", "kubernetes": "pulumi-kubernetes"}
"""The Python packages of the plugins that the engine downloads, by the plugins' names."""
MAX_SKEW: Final = timedelta(seconds=60)
"""Servers refuse tokens and signatures that are some minutes off; a minute is well below that."""
FEW_RETRIES: Final = RetryPolicy(attempts=2)
"""A run retries for longer. The doctor reports a server that is down within a minute."""
READ_SECONDS: Final = 30.0
ACTOR_KINDS: Final[dict[str, Literal["source", "destination"]]] = {
    TYPES["source"]: "source",
    TYPES["destination"]: "destination",
}
"""The kinds of resources whose configuration may have secrets, by the resource's type."""

Area = Literal["versions", "configuration", "backend", "locks", "state", "airbyte", "landing", "cluster", "clock"]
Level = Literal["ok", "warning", "broken"]
Specification = Callable[[Literal["source", "destination"], str, str], JsonObject | None]
"""A connector's JSON Schema by kind, definition id and workspace id; None if the server does not provide it."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check.

    Attributes:
        area: The area that it belongs to.
        state: Its level; a warning does not fail the command.
        what: What was found, without a full stop and without the credentials of URLs.
        remedy: What to do about it; empty if the check passed.
    """

    area: Area
    state: Level
    what: str
    remedy: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "what", masked_urls(self.what))
        object.__setattr__(self, "remedy", masked_urls(self.remedy))


@dataclass(frozen=True)
class StackContext:
    """The stack to check.

    Attributes:
        directory: The lake's folder.
        project: The project around it.
        stack: One of its stacks that has a file.
        environment: The environment's variables.
    """

    directory: Path
    project: Project
    stack: str
    environment: Mapping[str, str]

    @cached_property
    def run(self) -> production.Run:
        """The run of the stack, as the guard compares it; raises as `Project.run`. It reads every source's file."""
        return self.project.run(self.stack)

    @classmethod
    def of(cls, directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ) -> "StackContext":
        """Select the named stack, else that of `$PULUMI_STACK`, else the project's only stack.

        Raises:
            LotusError: The project is not found, or no stack is selected.
        """
        project = Project.needed(directory)
        return cls(directory, project, project.select(stack, environment), environment)

    @property
    def engine(self) -> Engine:
        """The engine, without the guard of production stacks: its problems are results of the check `backend`."""
        return Engine(self.project, self.stack, self.environment, guarded=False)


@dataclass(frozen=True)
class Examination:
    """A stack and the results of its checks."""

    stack: str
    findings: Sequence[CheckResult]

    @property
    def ok(self) -> bool:
        """Whether no check is broken."""
        return all(finding.state != "broken" for finding in self.findings)


@click.command()
@ONE_STACK
@click.option("--unlock", "unlocking", is_flag=True, help="Remove the stack's locks whose owners are dead.")
@click.option(
    "--host-is-gone",
    "gone",
    multiple=True,
    metavar="NAME",
    help="With --unlock: this host no longer exists; treat its runs as dead.",
)
@click.option("--yes", is_flag=True, help="With --unlock: do not ask for confirmation.")
@STREAMS
@JSON
def doctor(
    stack: str | None, gone: tuple[str, ...], directory: Path, *, unlocking: bool, yes: bool, as_json: bool
) -> None:
    """Check everything that a run of the stack needs; exit with 1 if a check is broken.

    Checks versions, the backend and its locks, the content of the state, every server, and clocks. Nothing is changed,
    except with --unlock, which only looks at locks.

    Example: lotus doctor --stack prod
    """
    if not unlocking and (yes or gone):
        raise click.UsageError("--yes and --host-is-gone require --unlock")
    case = StackContext.of(directory, stack)
    if unlocking:
        _unlock(case, gone, yes=yes, as_json=as_json)
        return
    examined = examine(case)
    click.echo(json.dumps(as_document(examined), indent=2) if as_json else render(examined), nl=as_json)
    if not examined.ok:
        sys.exit(1)


def _unlock(case: StackContext, gone: tuple[str, ...], *, yes: bool, as_json: bool) -> None:
    planned = plan_unlock(case.project, case.stack, gone, case.environment)
    for line in planned.lines(datetime.now(UTC)) or ["the stack is not locked"]:
        click.echo(escape_unprintable(line), err=as_json)
    planned.refuse_remaining()
    if planned.removable and not yes:
        click.confirm("Remove them", abort=True, err=as_json)
    planned.remove_locks()
    removed = [lock.key for lock in planned.removable]
    if as_json:
        click.echo(json.dumps({"ok": True, "stack": case.stack, "removed": removed}, indent=2))
    elif removed:
        click.echo(f"removed {pluralize(len(removed), 'lock')}; next: `lotus up --stack {case.stack}`")


def examine(case: StackContext) -> Examination:
    """Run every check."""
    return Examination(case.stack, tuple(_check_all(case)))


def _check_all(case: StackContext) -> Iterator[CheckResult]:
    yield from versions(case)
    configured = tuple(configuration(case))
    yield from configured
    if configured:
        return
    refused = tuple(guard(case))
    yield from refused
    yield from credentials_in_urls(case)
    yield from open_places(case)
    if refused:
        what = "no server is checked, because a check could call another one than the files name"
        yield _warning("backend", what, "correct the problems above first")
        return
    yield from backend(case)
    yield from locks(case)
    try:
        reached: AirbyteWorkspace | None = airbyte_workspace(case.directory, case.stack, case.environment)
    except LotusError as error:
        reached = None
        yield _broken("airbyte", error.message, error.hint)
    yield from state(case, reached)
    if reached is not None:
        yield from airbyte(reached)
    yield from landing(case)
    yield from cluster(case)


def _ok(area: Area, what: str) -> CheckResult:
    return CheckResult(area, "ok", what)


def _warning(area: Area, what: str, remedy: str) -> CheckResult:
    return CheckResult(area, "warning", what, remedy)


def _broken(area: Area, what: str, remedy: str) -> CheckResult:
    return CheckResult(area, "broken", what, remedy)


# Versions, backend and locks


class _Plugin(BaseModel):
    """An entry of `pulumi plugin ls --json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    version: str | None = None


def versions(case: StackContext) -> Iterator[CheckResult]:
    """Compare Python, the engine and the plugins with the packages of the locked environment."""
    python = sys.version.split()[0]
    yield (
        _ok("versions", f"Python {python}")
        if sys.version_info >= OLDEST_PYTHON
        else _broken("versions", f"Python {python} is too old", "install 3.11 or newer, then `make setup`")
    )
    wanted = importlib.metadata.version("pulumi")
    # Neither command accepts --stack.
    engine = replace(case.engine, stack="")
    try:
        found = engine.output("version").strip().removeprefix("v")
        plugins = _plugins(engine.output("plugin", "ls", "--json"))
    except LotusError as error:
        yield _broken("versions", error.message, error.hint or "`make engine` finds or builds it")
        return
    if found == wanted:
        yield _ok("versions", f"pulumi {found}, same as its package")
    else:
        remedy = "`make engine` finds or builds the package's version"
        yield _broken("versions", f"pulumi on PATH is {found}, but its package is {wanted}", remedy)
    for name, package in SDKS.items():
        yield _plugin(name, importlib.metadata.version(package), plugins)


def _plugins(listed: str) -> list[_Plugin]:
    try:
        return TypeAdapter(list[_Plugin]).validate_json(listed)
    except ValidationError:
        raise LotusError("`pulumi plugin ls` does not print a list of plugins", "run it by hand") from None


def _plugin(name: str, wanted: str, plugins: Sequence[_Plugin]) -> CheckResult:
    found = sorted(str(each.version).removeprefix("v") for each in plugins if each.name == name)
    if wanted in found:
        return _ok("versions", f"plugin {name} {wanted}, same as its package")
    installed = f"only {', '.join(found)}" if found else "none"
    what = f"plugin {name}: the package is {wanted}, installed is {installed}"
    # Not broken: the engine downloads a missing plugin.
    return _warning("versions", what, f"the next run downloads it, or `pulumi plugin install resource {name} {wanted}`")


def configuration(case: StackContext) -> Iterator[CheckResult]:
    """Every mistake in the stack's configuration, which all other checks depend on."""
    for problem in case.project.read(case.stack).problems:
        what = f"{problem.file}:{problem.line}: {format_path(problem.path) or '(file)'}: {problem.what}"
        yield _broken("configuration", what, problem.remedy)


def guard(case: StackContext) -> Iterator[CheckResult]:
    """The problems for which every run of a production stack is refused."""
    for problem in production.problems(case.run, case.environment):
        what, _, remedy = problem.rpartition(": ")
        yield _broken("backend", what, remedy)


def backend(case: StackContext) -> Iterator[CheckResult]:
    """Where the state is, and whether it is readable."""
    run = case.run
    used = Backend.chosen(run.declared.backend, case.environment)
    if not used.url:
        yield _broken("backend", "no backend is configured", f"write backend.url into {PROJECT_FILE}")
        return
    where = f"the state is in {used.url}, selected by {used.chosen_by}"
    try:
        place = backend_store(case.project, case.environment)
        if place is not None:
            next(iter(place.folders(".pulumi/")), None)
    except (LotusError, OSError) as error:
        yield _broken("backend", f"{where}, and can't be read: {error}", "see `pulumi whoami --verbose`")
        return
    local = "" if used.is_shared or run.is_production else " (on this machine only)"
    yield _ok("backend", where + local)


def open_places(case: StackContext) -> Iterator[CheckResult]:
    """Places of a production stack that credentials and kubeconfigs of this machine decide, and that it could name."""
    run = case.run
    if not run.is_production:
        return
    zone, cluster = run.values.zone, run.values.cluster
    if zone is not None and zone.server == "aws" and not zone.account:
        remedy = "`pulumi config set --path lotus:landingZone.account <id>`"
        yield _warning("backend", "the stack names no AWS account, so that this shell's credentials decide", remedy)
    if cluster is not None and cluster.context and not cluster.server:
        what = (
            f"the stack does not name its cluster's address, so that the kubeconfig decides what {cluster.context} is"
        )
        yield _warning("backend", what, "`pulumi config set --path lotus:dagster.cluster.server <url>`")


def credentials_in_urls(case: StackContext) -> Iterator[CheckResult]:
    """Addresses with a user, a password or a token: whoever may read the file or the environment has them."""
    run = case.run
    used = Backend.chosen(run.declared.backend, case.environment)
    addresses = [(f"the backend's address, set by {used.chosen_by},", used.url)]
    for key, value in case.project.read(case.stack).entries.values.items():
        addresses += [(f"{path} of the stack", text) for path, text in _texts(value, key)]
    for where, text in addresses:
        if has_credentials(text):
            remedy = "take them out, and set them as values of their own, with --secret, or in the environment"
            yield _warning("backend", f"{where} has credentials in its URL, {text}", remedy)


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """The plain texts in a value of a stack's file, by path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")


def locks(case: StackContext) -> Iterator[CheckResult]:
    """Who holds the stack's lock. A dead owner is broken, because it blocks every run; others are warnings."""
    machine = Machine.here()
    try:
        place = backend_store(case.project, case.environment)
        found = locks_of(place, case.run.project, case.stack) if place is not None else []
    except (LotusError, OSError):
        return  # `backend` has reported it.
    for lock in found:
        owner = owner_state(lock, machine)
        what = f"{lock.owner} holds the lock, for {lock.age(datetime.now(UTC))}"
        result = _broken if owner == "dead" else _warning
        yield result("locks", what, advice(lock, owner))
    if place is not None and not found:
        yield _ok("locks", "the stack is not locked")


# The state


def state(case: StackContext, reached: AirbyteWorkspace | None) -> Iterator[CheckResult]:
    """Check the content of the state, with its secrets decrypted in memory if the key is available."""
    export = case.engine.run("stack", "export", "--show-secrets")
    if export.exit_code != 0:
        encrypted = case.engine.run("stack", "export")
        if encrypted.exit_code != 0:
            yield _broken("state", f"the state can't be read: {encrypted.reason}", "`pulumi stack ls` lists the stacks")
            return
        why = export.reason.splitlines()[-1]
        remedy = "set PULUMI_CONFIG_PASSPHRASE, or log in to the key's provider"
        yield _warning("state", f"secrets can't be decrypted: {why}", remedy)
        export = encrypted
    project = case.run.project
    if reached is None:
        yield from check_state(export.stdout, project, case.stack, lambda *_: None)
        return
    with closing(Airbyte(reached.settings)) as server:
        yield from check_state(export.stdout, project, case.stack, _specifications(server))


def _specifications(server: Airbyte) -> Specification:
    def specification(
        kind: Literal["source", "destination"], definition_id: str, workspace_id: str
    ) -> JsonObject | None:
        try:
            return server.specification(kind, definition_id, workspace_id)
        except AirbyteError:
            return None

    return specification


def check_state(exported: str, project: str, stack: str, specification: Specification) -> Iterator[CheckResult]:
    """Check an exported state.

    Args:
        exported: The output of `pulumi stack export`, with or without `--show-secrets`.
        project: The project that it should belong to.
        stack: The stack that it should belong to.
        specification: Provides connectors' specifications.
    """
    try:
        parsed = State.parse(exported, stack)
    except LotusError:
        yield _broken("state", "the state is not an export of pulumi", "`pulumi stack export` shows it")
        return
    resources = parsed.resources
    found = [
        *(_pending(each) for each in parsed.pending_operations),
        *_foreign(resources, f"urn:pulumi:{stack}::{project}::"),
        *_masked(resources),
        *_in_plain_text(resources, specification),
    ]
    yield from found
    if not found:
        yield _ok("state", f"{len(resources)} resources, no pending operation, no mask, no secret in plain text")


def _pending(each: PendingOperation) -> CheckResult:
    remedy = "`pulumi up` resumes it; if it stays, run `pulumi refresh --clear-pending-creates`"
    return _warning("state", f"{each.type} {Urn.parse(each.resource.urn).shown} is a pending operation", remedy)


def _foreign(resources: Sequence[Resource], start: str) -> Iterator[CheckResult]:
    others = sorted({Urn.parse(each.urn).project for each in resources if not each.urn.startswith(start)})
    if others:
        what = f"the state has resources of another project or stack: {', '.join(others)}"
        yield _broken("state", what, f"backend.url of {PROJECT_FILE} names the wrong state: apply nothing to it")


def _masked(resources: Sequence[Resource]) -> Iterator[CheckResult]:
    for each in resources:
        paths = sorted(set(_masks(each.inputs)) | set(_masks(each.outputs)))
        if paths:
            what = f"{Urn.parse(each.urn).shown} has Airbyte's mask instead of a value at {', '.join(paths)}"
            yield _broken("state", what, "set the secret itself in the stack, then `pulumi up`")


def _in_plain_text(resources: Sequence[Resource], specification: Specification) -> Iterator[CheckResult]:
    for each in resources:
        kind = ACTOR_KINDS.get(each.type)
        if kind is None:
            continue
        shown = Urn.parse(each.urn).shown
        definition_id, workspace_id = (str(each.inputs.get(key, "")) for key in ("definitionId", "workspaceId"))
        schema = specification(kind, definition_id, workspace_id)
        if schema is None:
            what = f"the secret fields of {shown} are unknown: no connector specification"
            yield _warning("state", what, "make Airbyte's Config API reachable")
            continue
        parts = (each.inputs.get("configuration"), each.outputs.get("configuration"))
        paths = sorted({path for part in parts for path in _plain_secrets(part, schemas_of(schema))})
        if paths:
            what = f"{shown} has plain-text values that its connector calls secret: {', '.join(paths)}"
            remedy = 'refer to it by {"$secret": …} in its file, `pulumi up`, and change the secret'
            yield _broken("state", what, remedy)


def _masks(value: JsonValue, path: str = "") -> Iterator[str]:
    """The property paths at which a value, encrypted or not, is the server's mask."""
    if _is_secret(value):
        value = _decrypted(value)
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _masks(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _masks(item, f"{path}[{index}]")
    elif value == MASK:
        yield path


def _plain_secrets(value: JsonValue, schemas: Schemas, path: str = "") -> Iterator[str]:
    """The property paths of unencrypted values that any of the schemas' branches marks as `airbyte_secret`."""
    if _is_secret(value) or value is None:
        return
    if marks_secret(schemas):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _plain_secrets(item, schemas_inside(schemas, key), f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        items = schemas_inside(schemas, 0)
        for index, item in enumerate(value):
            yield from _plain_secrets(item, items, f"{path}[{index}]")


def _is_secret(value: JsonValue) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET_SIGNATURE


def _decrypted(value: JsonValue) -> JsonValue:
    """The value of a secret; None if it was exported encrypted."""
    text = value.get("plaintext") if isinstance(value, dict) else None
    decrypted: JsonValue = json.loads(text) if isinstance(text, str) else None
    return decrypted


# Servers


def airbyte(target: AirbyteWorkspace) -> Iterator[CheckResult]:
    """Both of Airbyte's APIs, with the credentials of a run."""
    settings = replace(target.settings, retry=FEW_RETRIES, read_seconds=READ_SECONDS)
    where = settings.public_url
    with closing(Airbyte(settings)) as server:
        try:
            workspace = server.get_workspace(target.workspace_id)
            sources = server.list_actors("source", target.workspace_id)
        except AirbyteError as error:
            yield _broken("airbyte", error.message, error.hint or "see Airbyte's log")
            return
        yield _ok(
            "airbyte", f"{where} shows the workspace {workspace.name} and its {pluralize(len(sources), 'source')}"
        )
        yield from clock(f"Airbyte at {where}", server.server_time, datetime.now(UTC))
        try:
            instance = server.instance("The doctor needs")
        except AirbyteError as error:
            hint = error.hint or "without it, connectors' specifications are unavailable"
            yield _warning("airbyte", error.message, hint)
            return
        yield _ok("airbyte", f"{settings.config_url} answers: Airbyte {instance.version}, {instance.edition}")


def landing(case: StackContext) -> Iterator[CheckResult]:
    """The landing bucket, with this shell's credentials. Airbyte's connection checks cover Airbyte's own."""
    zone = case.project.settings(case.stack).lotus.landing_zone
    if zone is None:
        return
    bucket = Bucket(zone.landing, zone.region, zone.endpoint)
    try:
        server_time, now = bucket.server_time(), datetime.now(UTC)
        first = next(iter(bucket.list_objects(f"{naming.LANDING_PATH}/")), None)
    except LotusError as error:
        yield _broken("landing", error.message, error.hint)
        return
    files = "has files" if first is not None else "has no files yet"
    yield _ok("landing", f"this shell's identity may list {naming.LANDING_PATH}/ of {zone.landing}, which {files}")
    yield from clock(f"the S3 server of {zone.landing}", server_time, now)


def cluster(case: StackContext) -> Iterator[CheckResult]:
    """Whether the pods of the stack's Dagster are ready."""
    try:
        settings = case.project.dagster(case.stack)
    except LotusError as error:
        yield _broken("cluster", error.message, error.hint or "`lotus check` has details")
        return
    if settings is None:
        return
    namespace = settings.namespace.name
    try:
        reached = Cluster.reached_by(settings.cluster.kubeconfig, settings.cluster.context)
        pods = reached.pods(namespace, naming.DAGSTER)
    except LotusError as error:
        yield _broken("cluster", error.message, error.hint)
        return
    waiting = [pod for pod in pods if not pod.ready]
    if waiting:
        what = f"{len(waiting)} of {pluralize(len(pods), 'pod')} of the namespace {namespace} are not ready"
        yield _warning("cluster", what, "`lotus verify` shows the reasons")
    else:
        yield _ok("cluster", f"the namespace {namespace} has {pluralize(len(pods), 'pod')}, all ready")


def clock(whose: str, server_time: str, now: datetime) -> Iterator[CheckResult]:
    """Compare a server's clock with this machine's.

    Args:
        whose: The server in words.
        server_time: Its time as an HTTP date, to the second; no result if it is empty.
        now: This machine's time of that answer.
    """
    try:
        there = parsedate_to_datetime(server_time).astimezone(UTC)
    except ValueError:
        return
    skew = abs(there - now)
    if skew > MAX_SKEW:
        direction = "ahead of" if there > now else "behind"
        what = f"the clock of {whose} is {int(skew.total_seconds())} s {direction} this machine's"
        yield _broken("clock", what, "set both by NTP: servers refuse signatures and tokens with another time")
    else:
        yield _ok("clock", f"the clock of {whose} is within {int(MAX_SKEW.total_seconds())} s of this machine's")


# Output


def render(examined: Examination) -> str:
    """The results as text, in the order of the checks, and their number by level."""
    lines = [
        f"{each.state:<8} {each.area:<9} {each.what}{f': {each.remedy}' if each.remedy else ''}"
        for each in examined.findings
    ]
    counts: Counter[str] = Counter(finding.state for finding in examined.findings)
    numbers = ", ".join(f"{counts[level]} {level}" for level in ("broken", "warning", "ok") if counts[level])
    return "".join(f"{escape_unprintable(line)}\n" for line in [*lines, f"{examined.stack}: {numbers}"])


def as_document(examined: Examination) -> dict[str, JsonValue]:
    """The results as one JSON document."""
    return {
        "ok": examined.ok,
        "stack": examined.stack,
        "findings": [dict(asdict(finding)) for finding in examined.findings],
    }
