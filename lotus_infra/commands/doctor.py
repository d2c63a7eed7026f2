"""`lotus doctor`: looks at all that a run of a stack needs, and says of each what it found and what to do about it.

It changes nothing. What can't be looked at is a finding too, and never the end of the others.
"""

import importlib.metadata
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice
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
from lotus_infra.clients.airbyte import Target, target
from lotus_infra.clients.kubernetes import Cluster
from lotus_infra.clients.locks import Machine, advice, fate_of, locks_of, place_of, plan
from lotus_infra.clients.pulumi import Engine
from lotus_infra.clients.state import TYPES, PendingOperation, Resource, State
from lotus_infra.clients.storage import Bucket
from lotus_infra.commands.options import JSON, ONE_STACK, STREAMS
from lotus_infra.config import production
from lotus_infra.config.dagster import DagsterSettings
from lotus_infra.config.production import Backend, Zone
from lotus_infra.config.stack import PROJECT_FILE, Project
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import counted, printable
from lotus_infra.urns import Urn

Area = Literal["versions", "backend", "locks", "state", "airbyte", "landing", "cluster", "clock"]
Level = Literal["ok", "warning", "broken"]
SKEW: Final = timedelta(seconds=60)
"""Tokens and signatures are refused after some minutes; a minute is well before that."""
ONE_LOOK: Final = RetryPolicy(attempts=2)
ANSWER_SECONDS: Final = 30.0
Specification = Callable[[str, str, str], JsonObject | None]
"""A connector's JSON Schema by kind, definition and workspace; None where the server does not give it."""
SDKS: Final = {"aws": "pulumi-aws", "kubernetes": "pulumi-kubernetes"}
"""The packages of the plugins that the engine fetches, by the plugins' names."""
OLDEST_PYTHON: Final = (3, 11)


@click.command()
@ONE_STACK
@click.option("--unlock", "unlocking", is_flag=True, help="Remove the stack's locks whose owners are gone.")
@click.option("--host-is-gone", "gone", multiple=True, metavar="NAME", help="With --unlock: what ran there is gone.")
@click.option("--yes", is_flag=True, help="With --unlock: don't ask.")
@STREAMS
@JSON
def doctor(
    stack: str | None, gone: tuple[str, ...], directory: Path, *, unlocking: bool, yes: bool, as_json: bool
) -> None:
    """Look at all that a run of the stack needs; exit with 1 if something is broken.

    Versions, the backend and who holds its lock, what is in the state, every server, and clocks. It changes nothing
    but with --unlock, which looks at locks alone.

    Example: lotus doctor --stack prod
    """
    if not unlocking and (yes or gone):
        raise click.UsageError("--yes and --host-is-gone go with --unlock")
    case = Case.of(directory, stack)
    if unlocking:
        _unlock(case, gone, yes=yes, as_json=as_json)
        return

    examined = examine(case)
    click.echo(json.dumps(as_document(examined), indent=2) if as_json else render(examined), nl=as_json)
    if not examined.ok:
        sys.exit(1)


def _unlock(case: "Case", gone: tuple[str, ...], *, yes: bool, as_json: bool) -> None:

    planned = plan(case.project, case.stack, gone, case.environment)
    for line in planned.lines(datetime.now(UTC)) or ["nobody holds the stack's lock"]:
        click.echo(printable(line), err=as_json)
    planned.refuse_if_any_is_kept()
    if planned.gone and not yes:
        click.confirm("Remove them", abort=True, err=as_json)
    planned.carry_out()
    removed = [lock.key for lock in planned.gone]
    if as_json:
        click.echo(json.dumps({"ok": True, "stack": case.stack, "removed": removed}, indent=2))
    elif removed:
        click.echo(f"removed {counted(len(removed), 'lock')}; next: `lotus up --stack {case.stack}`")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Something that was looked at.

    Attributes:
        area: What it belongs to.
        state: Whether it is as it should be; a warning breaks nothing.
        what: What was found, without a full stop.
        remedy: What to do about it; empty where it is well.
    """

    area: Area
    state: Level
    what: str
    remedy: str = ""


def ok(area: Area, what: str) -> CheckResult:
    """Something that is well."""
    return CheckResult(area, "ok", what)


def warning(area: Area, what: str, remedy: str) -> CheckResult:
    """Something to know of."""
    return CheckResult(area, "warning", what, remedy)


def broken(area: Area, what: str, remedy: str) -> CheckResult:
    """Something that has to be mended."""
    return CheckResult(area, "broken", what, remedy)


def is_well(findings: Iterable[CheckResult]) -> bool:
    """Whether nothing is broken."""
    return all(finding.state != "broken" for finding in findings)


def airbyte(target: Target, now: datetime) -> Iterator[CheckResult]:
    """Both of Airbyte's APIs, with the credentials that a run would have."""
    settings = replace(target.settings, retry=ONE_LOOK, read_seconds=ANSWER_SECONDS)
    where = settings.public_url
    with closing(Airbyte(settings)) as server:
        try:
            found = server.get_workspace(target.workspace_id)
            sources = server.list_actors("source", target.workspace_id)
        except AirbyteError as error:
            yield broken("airbyte", error.message, error.hint or "see Airbyte's log")
            return
        yield ok("airbyte", f"{where} shows the workspace {found.name} and its {counted(len(sources), 'source')}")
        yield from clock(f"Airbyte at {where}", server.server_time, now)
        try:
            instance = server.instance("The doctor needs")
        except AirbyteError as error:
            yield warning("airbyte", error.message, error.hint or "connectors' specifications can't be had without")
            return
        yield ok("airbyte", f"{settings.config_url} answers: Airbyte {instance.version}, {instance.edition}")


def landing(zone: Zone, now: datetime) -> Iterator[CheckResult]:
    """The landing bucket, with this shell's credentials: Airbyte's own are tried by Airbyte's connection checks."""
    bucket = Bucket(zone.landing, zone.region, zone.endpoint)
    try:
        told = bucket.server_time()
        some = list(islice(bucket.listed(f"{naming.LANDING_PATH}/"), 1))
    except LotusError as error:
        yield broken("landing", error.message, error.hint)
        return
    holds = "has files" if some else "has no files yet"
    yield ok("landing", f"{zone.landing} lets this shell's identity list {naming.LANDING_PATH}/, which {holds}")
    yield from clock(f"the S3 server of {zone.landing}", told, now)


def cluster(settings: DagsterSettings) -> CheckResult:
    """The cluster of the stack's Dagster."""
    namespace = settings.namespace.name
    try:
        reached = Cluster.reached_by(settings.cluster.kubeconfig, settings.cluster.context)
        pods = reached.pods(namespace, naming.DAGSTER)
    except LotusError as error:
        return broken("cluster", error.message, error.hint)
    waiting = [pod for pod in pods if not pod.ready]
    if waiting:
        what = f"{len(waiting)} of {counted(len(pods), 'pod')} of {namespace} are not ready"
        return warning("cluster", what, "`lotus verify` says why")
    return ok("cluster", f"the namespace {namespace} has {counted(len(pods), 'pod')}, all ready")


def clock(whose: str, told: str, now: datetime) -> Iterator[CheckResult]:
    """How far a server's clock is from this machine's.

    Args:
        whose: The server in words.
        told: Its time as HTTP writes it, to the second; empty where it does not tell.
        now: When it was asked, here.
    """
    area: Area = "clock"
    try:
        there = parsedate_to_datetime(told).astimezone(UTC)
    except ValueError:
        return
    apart = abs(there - now)
    if apart > SKEW:
        what = (
            f"the clock of {whose} is {int(apart.total_seconds())} s {'before' if there > now else 'behind'} this one"
        )
        yield broken(area, what, "set both by NTP: signatures and tokens with another time are refused")
    else:
        yield ok(area, f"{whose} has the same time, within {int(SKEW.total_seconds())} s")


KINDS: Final = {TYPES[kind]: kind for kind in ("source", "destination")}


def findings_of(exported: str, project: str, stack: str, specification: Specification) -> Iterator[CheckResult]:
    """What a state tells of itself.

    Args:
        exported: As `pulumi stack export` prints it, with or without `--show-secrets`.
        project: Whose state it should be.
        stack: And of which stack.
        specification: Gives connectors' specifications.
    """
    try:
        state = State.parse(exported, stack)
    except LotusError:
        yield broken("state", "the state is not what pulumi exports", "`pulumi stack export` shows it")
        return
    resources = state.resources
    found = [
        *(_pending(each) for each in state.pending_operations),
        *_foreign(resources, f"urn:pulumi:{stack}::{project}::"),
        *_masks(resources),
        *_plain(resources, specification),
    ]
    yield from found
    if not found:
        yield ok("state", f"{len(resources)} resources, no operation under way, no mask, no secret in plain text")


def _pending(each: PendingOperation) -> CheckResult:
    remedy = "`pulumi up` goes on with it; then `pulumi refresh --clear-pending-creates` if it stays"
    return warning("state", f"{each.type} {Urn.parse(each.resource.urn).shown} was begun and never ended", remedy)


def _foreign(resources: Sequence[Resource], start: str) -> Iterator[CheckResult]:
    others = sorted({Urn.parse(each.urn).project for each in resources if not each.urn.startswith(start)})
    if others:
        what = f"the state has resources of another project or stack: {', '.join(others)}"
        yield broken("state", what, "backend.url of Pulumi.yaml names the wrong state; nothing may be applied to it")


def _masks(resources: Sequence[Resource]) -> Iterator[CheckResult]:
    for each in resources:
        paths = sorted(set(masks(each.inputs)) | set(masks(each.outputs)))
        if paths:
            what = f"{Urn.parse(each.urn).shown} has Airbyte's mask as the value of {', '.join(paths)}"
            yield broken("state", what, "give the secret itself in the stack, then `pulumi up`")


def _plain(resources: Sequence[Resource], specification: Specification) -> Iterator[CheckResult]:
    for each in resources:
        kind = KINDS.get(each.type)
        if kind is None:
            continue
        ids = (str(each.inputs.get(key, "")) for key in ("definitionId", "workspaceId"))
        schema = specification(kind, *ids)
        if schema is None:
            yield warning(
                "state",
                f"the secrets of {Urn.parse(each.urn).shown} are not known",
                "is Airbyte's Config API reachable?",
            )
            continue
        told = (plain_secrets(part.get("configuration"), schema) for part in (each.inputs, each.outputs))
        paths = sorted({path for some in told for path in some})
        if paths:
            what = f"{Urn.parse(each.urn).shown} has in plain text what its connector calls secret: {', '.join(paths)}"
            yield broken("state", what, 'refer to it by {"$secret": …} in its file, `pulumi up`, and change the secret')


def masks(value: JsonValue, path: str = "") -> Iterator[str]:
    """Every path at which the server's mask stands in place of a value, be it encrypted or not."""
    if _is_secret(value):
        value = _opened(value)
    if isinstance(value, dict):
        for key, item in value.items():
            yield from masks(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from masks(item, f"{path}[{index}]")
    elif value == MASK:
        yield path


def plain_secrets(value: JsonValue, schema: JsonObject) -> Iterator[str]:
    """Every path at which a text lies open that the schema calls `airbyte_secret` in any of its branches."""
    yield from _open(value, schemas_of(schema), "")


def _open(value: JsonValue, schemas: Schemas, path: str) -> Iterator[str]:
    if _is_secret(value) or value is None:
        return
    if marks_secret(schemas):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _open(item, schemas_inside(schemas, key), f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        items = schemas_inside(schemas, 0)
        for index, item in enumerate(value):
            yield from _open(item, items, f"{path}[{index}]")


def _is_secret(value: JsonValue) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET_SIGNATURE


def _opened(value: JsonValue) -> JsonValue:
    """What is inside of a secret; None where it was exported encrypted."""
    text = value.get("plaintext") if isinstance(value, dict) else None
    opened: JsonValue = json.loads(text) if isinstance(text, str) else None
    return opened


@dataclass(frozen=True)
class Examined:
    """A stack that was looked at.

    Attributes:
        stack: Its name.
        findings: What was found.
    """

    stack: str
    findings: Sequence[CheckResult]

    @property
    def ok(self) -> bool:
        """Whether nothing is broken."""
        return is_well(self.findings)


@dataclass(frozen=True)
class Case:
    """What is looked at.

    Attributes:
        directory: The lake's folder.
        project: The project around it.
        stack: One of its stacks, which has a file.
        environment: The environment's variables.
    """

    directory: Path
    project: Project
    stack: str
    environment: Mapping[str, str]

    @classmethod
    def of(cls, directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ) -> "Case":
        """The stack that is meant: the named one, that of `$PULUMI_STACK`, or the project's only one.

        Raises:
            LotusError: There is no project, or it is not clear which stack is meant.
        """
        project = Project.needed(directory)
        return cls(directory, project, project.select(stack, environment), environment)

    @property
    def engine(self) -> Engine:
        """The engine; it runs whatever the guard says, which is told as findings."""
        return Engine(self.project, self.stack, self.environment, guarded=False)


def examine(case: Case) -> Examined:
    """Look at everything."""
    return Examined(case.stack, tuple(_findings(case)))


def _findings(case: Case) -> Iterator[CheckResult]:
    yield from versions(case)
    yield from backend(case)
    yield from locks(case)
    try:
        reached: Target | None = target(case.directory, case.stack, case.environment)
    except LotusError as error:
        reached = None
        yield broken("airbyte", error.message, error.hint)
    yield from state(case, reached)
    if reached is not None:
        yield from airbyte(reached, _now())
    yield from _landing(case)
    yield from _cluster(case)


def versions(case: Case) -> Iterator[CheckResult]:
    """Python, the engine, and the plugins beside their packages."""
    here = sys.version.split()[0]
    yield (
        ok("versions", f"Python {here}")
        if sys.version_info >= OLDEST_PYTHON
        else broken("versions", f"Python {here} is too old", "install 3.11 or newer, then `make setup`")
    )
    wanted = importlib.metadata.version("pulumi")
    of_no_stack = replace(case.engine, stack="")
    try:
        found = of_no_stack.asked("version").strip().removeprefix("v")
        plugins = _plugins(of_no_stack.asked("plugin", "ls", "--json"))
    except LotusError as error:
        yield broken("versions", error.message, error.hint or "`make engine` finds or builds it")
        return
    if found == wanted:
        yield ok("versions", f"pulumi {found}, as its package")
    else:
        remedy = "`make engine` finds or builds that one"
        yield broken("versions", f"pulumi on PATH is {found}, and its package is {wanted}", remedy)
    for name, package in SDKS.items():
        yield _plugin(name, importlib.metadata.version(package), plugins)


class _Plugin(BaseModel):
    """A line of `pulumi plugin ls --json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    version: str | None = None


def _plugins(listed: str) -> list[_Plugin]:
    try:
        return TypeAdapter(list[_Plugin]).validate_json(listed)
    except ValidationError:
        raise LotusError("`pulumi plugin ls` lists no plugins", "does it run by hand?") from None


def _plugin(name: str, wanted: str, plugins: Sequence[_Plugin]) -> CheckResult:
    found = sorted(str(each.version).removeprefix("v") for each in plugins if each.name == name)
    if wanted in found:
        return ok("versions", f"the plugin {name} {wanted}, as its package")
    has = f"only {', '.join(found)}" if found else "none"
    what = f"of the plugin {name}, the package is {wanted}, and installed is {has}"
    return warning("versions", what, f"the next run fetches it, or `pulumi plugin install resource {name} {wanted}`")


def backend(case: Case) -> Iterator[CheckResult]:
    """Where the state is, and whether the guard lets this stack run on it."""
    run = case.project.run(case.stack)
    used = Backend.chosen(run.declared.backend, case.environment)
    problems = production.problems(run, case.environment)
    for problem in problems:
        what, _, remedy = problem.rpartition(": ")
        yield broken("backend", what, remedy)
    if not used.url:
        yield broken("backend", "nothing says where the state is", f"write backend.url into {PROJECT_FILE}")
        return
    said = f"the state is in {used.url}, by {used.chosen_by}"
    try:
        place = place_of(case.project, case.environment)
        if place is not None:
            next(iter(place.folders(".pulumi/")), None)
    except (LotusError, OSError) as error:
        yield broken("backend", f"{said}, and can't be read: {error}", "see `pulumi whoami --verbose`")
        return
    if not used.is_shared and not run.is_production:
        said += " (this machine alone has it)"
    yield ok("backend", said)


def locks(case: Case) -> Iterator[CheckResult]:
    """Who holds the stack's lock."""
    machine = Machine.here()
    try:
        place = place_of(case.project, case.environment)
        found = locks_of(place, case.project.run(case.stack).project, case.stack) if place is not None else []
    except (LotusError, OSError):
        return  # That the backend can't be read has been told.
    for lock in found:
        fate = fate_of(lock, machine)
        what = f"{lock.owner} holds the lock, for {lock.age(_now())}"
        make = broken if fate == "dead" else warning
        yield make("locks", what, advice(lock, fate))
    if place is not None and not found:
        yield ok("locks", "nobody holds the stack's lock")


def state(case: Case, reached: Target | None) -> Iterator[CheckResult]:
    """What is in the state."""
    export = case.engine.ran("stack", "export", "--show-secrets")
    if export.exit_code != 0:
        plain = case.engine.ran("stack", "export")
        if plain.exit_code != 0:
            yield broken("state", f"the state can't be read: {plain.reason}", "`pulumi stack ls` lists the stacks")
            return
        why = export.reason.splitlines()[-1]
        yield warning("state", f"secrets can't be opened: {why}", "set PULUMI_CONFIG_PASSPHRASE, or log in to the key")
        export = plain
    project = case.project.run(case.stack).project
    if reached is None:
        yield from findings_of(export.stdout, project, case.stack, _nobody)
        return
    with closing(Airbyte(reached.settings)) as server:
        yield from findings_of(export.stdout, project, case.stack, _Specifications(server))


def _nobody(_kind: str, _definition_id: str, _workspace_id: str) -> JsonObject | None:
    return None


@dataclass(frozen=True)
class _Specifications:
    server: Airbyte

    def __call__(self, kind: str, definition_id: str, workspace_id: str) -> JsonObject | None:
        named: Literal["source", "destination"] = "source" if kind == "source" else "destination"
        try:
            return self.server.specification(named, definition_id, workspace_id)
        except AirbyteError:
            return None


def _landing(case: Case) -> Iterator[CheckResult]:
    zone = production.Values.of(case.project.values(case.stack)).zone
    if zone is not None:
        yield from landing(zone, _now())


def _cluster(case: Case) -> Iterator[CheckResult]:
    try:
        settings = case.project.dagster(case.stack)
    except LotusError as error:
        yield broken("cluster", error.message, error.hint or "`lotus check` says more")
        return
    if settings is not None:
        yield cluster(settings)


def _now() -> datetime:
    return datetime.now(UTC)


def render(examined: Examined) -> str:
    """Findings as text, in the order in which they were made."""
    lines = [
        f"{each.state:<8} {each.area:<9} {each.what}{f': {each.remedy}' if each.remedy else ''}"
        for each in examined.findings
    ]
    counts: Counter[str] = Counter(finding.state for finding in examined.findings)
    told = ", ".join(f"{counts[state]} {state}" for state in ("broken", "warning", "ok") if counts[state])
    return "".join(f"{printable(line)}\n" for line in [*lines, f"{examined.stack}: {told}"])


def as_document(examined: Examined) -> dict[str, JsonValue]:
    """Findings as one JSON document."""
    return {
        "ok": examined.ok,
        "stack": examined.stack,
        "findings": [dict(asdict(finding)) for finding in examined.findings],
    }
