"""`lotus doctor`: looks at all that a run of a stack needs, and says of each what it found and what to do about it.

It changes nothing. What can't be looked at is a finding too, and never the end of the others.
"""

import importlib.metadata
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.values import JsonObject
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from lotus_infra import guard
from lotus_infra.backend import Backend
from lotus_infra.errors import LotusError
from lotus_infra.ops import doctor_servers, doctor_state
from lotus_infra.ops.airbyte import Target, target
from lotus_infra.ops.engine import Engine
from lotus_infra.ops.findings import Finding, broken, is_well, ok, warning
from lotus_infra.ops.locks import Machine, advice, fate_of, locks_of, place_of
from lotus_infra.ops.stacks import PROJECT_FILE, Project

SDKS: Final = {"aws": "pulumi-aws", "kubernetes": "pulumi-kubernetes"}
"""The packages of the plugins that the engine fetches, by the plugins' names."""
OLDEST_PYTHON: Final = (3, 11)


@dataclass(frozen=True)
class Examined:
    """A stack that was looked at.

    Attributes:
        stack: Its name.
        findings: What was found.
    """

    stack: str
    findings: Sequence[Finding]

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
        return cls(directory, project, project.chosen(stack, environment), environment)

    @property
    def engine(self) -> Engine:
        """The engine; it runs whatever the guard says, which is told as findings."""
        return Engine(self.project, self.stack, self.environment, guarded=False)


def examine(case: Case) -> Examined:
    """Look at everything."""
    return Examined(case.stack, tuple(_findings(case)))


def _findings(case: Case) -> Iterator[Finding]:
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
        yield from doctor_servers.airbyte(reached, _now())
    yield from _landing(case)
    yield from _cluster(case)


def versions(case: Case) -> Iterator[Finding]:
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


def _plugin(name: str, wanted: str, plugins: Sequence[_Plugin]) -> Finding:
    found = sorted(str(each.version).removeprefix("v") for each in plugins if each.name == name)
    if wanted in found:
        return ok("versions", f"the plugin {name} {wanted}, as its package")
    has = f"only {', '.join(found)}" if found else "none"
    what = f"of the plugin {name}, the package is {wanted}, and installed is {has}"
    return warning("versions", what, f"the next run fetches it, or `pulumi plugin install resource {name} {wanted}`")


def backend(case: Case) -> Iterator[Finding]:
    """Where the state is, and whether the guard lets this stack run on it."""
    run = case.project.run(case.stack)
    used = Backend.chosen(run.declared.backend, case.environment)
    problems = guard.problems(run, case.environment)
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


def locks(case: Case) -> Iterator[Finding]:
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


def state(case: Case, reached: Target | None) -> Iterator[Finding]:
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
        yield from doctor_state.findings_of(export.stdout, project, case.stack, _nobody)
        return
    with closing(Airbyte(reached.settings)) as server:
        yield from doctor_state.findings_of(export.stdout, project, case.stack, _Specifications(server))


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


def _landing(case: Case) -> Iterator[Finding]:
    zone = guard.Values.of(case.project.values(case.stack)).zone
    if zone is not None:
        yield from doctor_servers.landing(zone, _now())


def _cluster(case: Case) -> Iterator[Finding]:
    try:
        settings = case.project.dagster(case.stack)
    except LotusError as error:
        yield broken("cluster", error.message, error.hint or "`lotus check` says more")
        return
    if settings is not None:
        yield doctor_servers.cluster(settings)


def _now() -> datetime:
    return datetime.now(UTC)
