"""A stack's Airbyte, and what of the lake is live in it: for commands that ask for more than the files.

How to reach it comes from where the plugin has it from: the stack's configuration, and for what that leaves out or
keeps encrypted the environment. So a command talks to the Airbyte that `pulumi up` talks to.
"""

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from pulumi_airbyte.client import Airbyte, AirbyteError, ClientSettings
from pulumi_airbyte.client.environment import ENVIRONMENT, auth_from, completed, settings_from
from pulumi_airbyte.client.models import Actor, Connection, Job

from lotus_infra import naming
from lotus_infra.config.stack import PROJECT_FILE, STACK_VARIABLE, Project, is_encrypted
from lotus_infra.errors import LotusError
from lotus_infra.lake.lake import Lake, SourceFolder, find_source
from lotus_infra.lake.loader import load_lake

WORKSPACE: Final = "lotus:workspaceId"
WORKSPACE_VARIABLE: Final = "AIRBYTE_WORKSPACE_ID"
_KEYS: Final = (*ENVIRONMENT, "configUrl", "tokenUrl")
MOST_JOBS: Final = 1000
"""So many of the workspace's newest jobs are read, a hundred a call; then the connections that are left, one by one."""


class Target(NamedTuple):
    """Which Airbyte, and which of its workspaces."""

    settings: ClientSettings
    workspace_id: str


@dataclass(frozen=True)
class Live:
    """A lake and the Airbyte that it is deployed to; each list of it is read once.

    Attributes:
        airbyte: The server.
        workspace_id: The workspace that holds the lake's objects.
        lake: The lake, as its files say.
    """

    airbyte: Airbyte
    workspace_id: str
    lake: Lake

    def chosen(self, names: Sequence[str], *, every: bool) -> tuple[str, ...]:
        """The names of the sources that are meant: those that are named, or every one.

        Raises:
            LotusError: Both or neither is asked for.
        """
        known = tuple(source.name for source in self.lake.sources)
        if every and names:
            raise LotusError("sources are named beside --all", "leave one of the two out")
        if not every and not names:
            raise LotusError("no source is named", f"name one of {', '.join(known)}, or ask for --all")
        return known if every else tuple(names)

    def folders(self, names: Sequence[str]) -> tuple[SourceFolder, ...]:
        """The sources of these names, each once.

        Raises:
            LotusError: There is no such source, or its file can't be read.
        """
        folders = tuple(find_source(self.lake, name) for name in dict.fromkeys(names))
        for folder in folders:
            if folder.config is None:
                raise LotusError(f"{folder.file} can't be used", "`lotus check` says why")
        return folders

    def source_id(self, source: SourceFolder) -> str:
        """The id of the source that has the label.

        Raises:
            LotusError: None has it, or several have.
            AirbyteError: The list can't be had.
        """
        return _only("source", source.label, self._labelled(source), "--source-id")

    def connection_id(self, source: SourceFolder) -> str:
        """The id of the source's connection; raises as `connection`."""
        return self.connection(source).connection_id

    def connection(self, source: SourceFolder) -> Connection:
        """The source's connection: its only one, or else the one that has the label.

        Raises:
            LotusError: There is none, or several fit.
            AirbyteError: A list can't be had.
        """
        labelled = set(self._labelled(source))
        if not labelled:
            self.source_id(source)
        destination = source.config.destination if source.config is not None else ""
        label = naming.connection_label(source.label, self.lake.destination_label(destination))
        own = {each.connection_id: each for each in self._connections if each.source_id in labelled}
        fitting = own if len(own) == 1 else [key for key, each in own.items() if each.name == label] or own
        return own[_only("connection", label, list(fitting), "--connection-id")]

    def _labelled(self, source: SourceFolder) -> list[str]:
        return [actor.actor_id for actor in self._sources if actor.name == source.label]

    @cached_property
    def _sources(self) -> list[Actor]:
        return self.airbyte.list_actors("source", self.workspace_id)

    @cached_property
    def _connections(self) -> list[Connection]:
        return self.airbyte.list_connections(self.workspace_id)


def _only(kind: str, label: str, ids: Sequence[str], option: str) -> str:
    if not ids:
        raise LotusError(f'Airbyte has no {kind} "{label}" in this workspace', "`pulumi up` makes it")
    if len(ids) > 1:
        raise LotusError(
            f'Airbyte has several {kind}s "{label}"', f"choose one with {option}: {', '.join(sorted(ids))}"
        )
    return ids[0]


@contextmanager
def told() -> Iterator[None]:
    """Within it, what Airbyte refuses is an error that the user is told like any other."""
    try:
        yield
    except AirbyteError as error:
        raise LotusError(error.message, error.hint) from None


@contextmanager
def connected(directory: Path, stack: str | None) -> Iterator[Live]:
    """The lake in a folder, and the Airbyte of a stack.

    Raises:
        LotusError: The lake can't be loaded, or how to reach the Airbyte is not known.
    """
    lake = load_lake(directory).lake
    settings, workspace_id = target(directory, stack)
    with closing(Airbyte(settings)) as airbyte:
        yield Live(airbyte, workspace_id, lake)


def target(directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ) -> Target:
    """Which Airbyte a stack is deployed to.

    Args:
        directory: The lake's folder, inside its Pulumi project.
        stack: The stack; else that of `$PULUMI_STACK`, else the only one of the project.
        environment: The environment's variables.

    Raises:
        LotusError: Something is missing, with all that is and how to set it; or a value makes no sense.
    """
    chosen, values, others = _stack(directory, stack, environment)
    plain = {key: _text(value) for key, value in values.items() if not is_encrypted(value)}
    given = {key: plain[f"airbyte:{key}"] for key in _KEYS if plain.get(f"airbyte:{key}")}
    workspace_id = _workspace(plain.get(WORKSPACE) or environment.get(WORKSPACE_VARIABLE, ""))
    missing = list(_missing(completed(given, environment), values))
    if not workspace_id:
        missing.append(_either_way(WORKSPACE, "<the id in the workspace's address>", WORKSPACE_VARIABLE))
    if missing:
        named = environment.get(STACK_VARIABLE)
        if chosen:
            whose = f"the stack {chosen} and the environment do"
        elif named and not others:
            whose = f"no {PROJECT_FILE} is at or above {directory} to read the stack {named}, and the environment does"
        else:
            whose = "no stack is chosen, and the environment does"
        choose = f"choose a stack ({', '.join(f'--stack {name}' for name in others)}), or " if others else ""
        raise LotusError(f"{whose} not say how to reach Airbyte", choose + "; ".join(missing))
    try:
        return Target(settings_from(given, environment), workspace_id)
    except ValueError as error:
        raise LotusError(str(error), "mend it in the stack's configuration or in the environment") from None


class _Stack(NamedTuple):
    """A stack that is chosen and what its file sets, or those to choose from."""

    name: str = ""
    values: Mapping[str, object] = MappingProxyType({})
    others: tuple[str, ...] = ()


def _stack(directory: Path, stack: str | None, environment: Mapping[str, str]) -> _Stack:
    project = Project.needed(directory) if stack else Project.around(directory)
    if project is None:
        return _Stack()
    names = project.select_all(stack, environment)
    return _Stack(names[0], project.values(names[0])) if len(names) == 1 else _Stack(others=names)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _missing(texts: Mapping[str, str], values: Mapping[str, object]) -> Iterator[str]:
    """What of the server's address and credentials is missing, each with how to set it."""
    auth = auth_from(texts)
    works = auth.mode != "none" and not auth.problem()
    sealed = [key for key in _KEYS if is_encrypted(values.get(f"airbyte:{key}")) and key not in texts]
    for key in sealed:
        if key not in ENVIRONMENT:
            yield f"airbyte:{key} is encrypted: set it without --secret"
        elif key == "serverUrl" or not works:
            yield f"airbyte:{key} is encrypted: export {ENVIRONMENT[key]}"
    if not texts.get("serverUrl") and "serverUrl" not in sealed and auth.mode == "none":
        yield _either_way("airbyte:serverUrl", "https://<host>/api/public/v1", ENVIRONMENT["serverUrl"])
    if auth.problem() and not sealed:
        yield auth.problem()


def _either_way(key: str, value: str, variable: str) -> str:
    return f"`pulumi config set {key} {value}` or export {variable}"


def _workspace(text: str) -> str:
    """A workspace's id; empty for none, and for the zeros that stand in a stack's file until someone sets it."""
    try:
        return str(UUID(text)) if UUID(text).int else ""
    except ValueError:
        return ""


def last_jobs(airbyte: Airbyte, workspace_id: str, connections: Collection[str]) -> dict[str, Job]:
    """The newest job of each connection, by the connection's id; one that never had any is missing.

    Raises:
        AirbyteError: The lists can't be had.
    """
    wanted, found, seen = frozenset(connections), dict[str, Job](), 0
    for job in islice(airbyte.jobs(workspace_id=workspace_id), MOST_JOBS):
        seen += 1
        found.setdefault(job.connection_id, job)
        if wanted <= found.keys():
            break
    if seen == MOST_JOBS:
        for each in sorted(wanted - found.keys()):
            found.update((each, job) for job in islice(airbyte.jobs(connection_id=each), 1))
    kept = {each: found[each] for each in sorted(wanted & found.keys())}
    return kept | _refreshes(airbyte, workspace_id, wanted, kept)


def _refreshes(airbyte: Airbyte, workspace_id: str, wanted: frozenset[str], found: dict[str, Job]) -> dict[str, Job]:
    """The refreshes that are newer than these jobs; the server lists them apart."""
    oldest = min((job.job_id for job in found.values()), default=0) if wanted <= found.keys() else 0
    newer: dict[str, Job] = {}
    for job in islice(airbyte.jobs(workspace_id=workspace_id, kind="refresh"), MOST_JOBS):
        if job.job_id < oldest:
            break
        other = newer.get(job.connection_id) or found.get(job.connection_id)
        if job.connection_id in wanted and (other is None or job.job_id > other.job_id):
            newer[job.connection_id] = job
    return newer
