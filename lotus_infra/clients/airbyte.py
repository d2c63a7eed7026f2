"""The Airbyte of a stack: how to reach it, and which of its objects belong to the lake's files.

The server's address and credentials come from the places where the provider plugin has them: the stack's configuration,
and the environment for what that leaves out or encrypts. So a command uses the Airbyte that `pulumi up` uses.
"""

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, cast

from airbyte_model.specifications import Specification
from pulumi_airbyte.client import Airbyte, AirbyteError, ClientSettings
from pulumi_airbyte.client.environment import ENVIRONMENT, auth_from, completed, settings_from
from pulumi_airbyte.client.models import Actor, Job
from pulumi_airbyte.client.models import Connection as LiveConnection
from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr, TypeAdapter, ValidationError

from lotus_infra import naming
from lotus_infra.clients.pulumi import Engine
from lotus_infra.config import production
from lotus_infra.config.settings import NAMESPACE, StackSettings
from lotus_infra.config.stack import PROJECT_FILE, STACK_VARIABLE, Project
from lotus_infra.config.stack_files import encrypted_places
from lotus_infra.config.workspaces import SERVER, WORKSPACE, known_id
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import JsonPath
from lotus_infra.lake.json_text import child
from lotus_infra.lake.lake import Connection, Lake, SourceFolder, choose_connections, find_source
from lotus_infra.lake.loader import load_stack_lake
from lotus_infra.lake.secrecy import hidden_texts

WORKSPACE_VARIABLE: Final = "AIRBYTE_WORKSPACE_ID"
_KEYS: Final = (*ENVIRONMENT, "configUrl", "tokenUrl")
_MOST_JOBS: Final = 1000
"""The number of a workspace's newest jobs to read, at a hundred a call, before connections are read one by one."""


class AirbyteWorkspace(NamedTuple):
    """An Airbyte server, and one of its workspaces."""

    settings: ClientSettings
    workspace_id: str


@dataclass(frozen=True)
class ConnectedLake:
    """A lake, and the Airbyte that it is deployed to. Each of Airbyte's lists is read once, when it is first needed.

    Attributes:
        airbyte: The server.
        workspace_id: The workspace that holds the lake's objects.
        lake: The lake's files.
    """

    airbyte: Airbyte
    workspace_id: str
    lake: Lake

    def select_sources(self, names: Sequence[str], *, every: bool) -> tuple[str, ...]:
        """The names of the selected sources, or of single connections: the given ones, or all that Airbyte reads.

        Raises:
            LotusError: Both or neither is requested.
        """
        return select_sources(self.lake, names, every=every)

    def connections(self, selectors: Sequence[str]) -> tuple[Connection, ...]:
        """The connections of sources, `shopify`, or single ones, `shopify/daily`, each once.

        Raises:
            LotusError: A source or a connection does not exist, or a source's file is invalid.
        """
        return choose_connections(self.lake, selectors)

    def folders(self, names: Sequence[str]) -> tuple[SourceFolder, ...]:
        """The sources with these names, each once.

        Raises:
            LotusError: A source does not exist, or its file is invalid.
        """
        folders = tuple(find_source(self.lake, name) for name in dict.fromkeys(names))
        for folder in folders:
            if folder.config is None:
                raise LotusError(f"{folder.file} can't be used", "`lotus check` has details")
        return folders

    def source_id(self, source: SourceFolder) -> str:
        """The id of the Airbyte source with the label of a folder.

        Raises:
            LotusError: No source has the label, or several have it; or Airbyte does not read it.
            AirbyteError: The sources can't be listed.
        """
        refuse_other_engine(source)
        return _single_id("source", source.label, self._ids_with_label(source), "--source-id")

    def connection(self, connection: Connection) -> LiveConnection:
        """The Airbyte connection of one of the lake: by its label, or the only one of a source that has one.

        Raises:
            LotusError: There is no such connection, or its label does not single one out.
            AirbyteError: The objects can't be listed.
        """
        source = find_source(self.lake, connection.source)
        refuse_other_engine(source)
        labelled = set(self._ids_with_label(source))
        if not labelled:
            # A missing source is the better message than a missing connection.
            self.source_id(source)
        label = self.lake.connection_label(source, connection)
        own = {each.connection_id: each for each in self._connections if each.source_id in labelled}
        fitting = [key for key, each in own.items() if each.name == label]
        if len(source.connections) == 1:
            # Its label may have been changed in Airbyte.
            fitting = list(own) if len(own) == 1 else fitting or list(own)
        return own[_single_id("connection", label, fitting, "--connection-id")]

    def _ids_with_label(self, source: SourceFolder) -> list[str]:
        return [actor.actor_id for actor in self._sources if actor.name == source.label]

    @cached_property
    def _sources(self) -> list[Actor]:
        found = self.airbyte.list_actors("source", self.workspace_id)
        # Airbyte's messages may repeat a setting, and it masks only what a specification calls secret.
        specs = {
            each.known_id: Specification.usable(each.spec)
            for each in self.lake.connectors.values()
            if each is not None and each.known_id is not None
        }
        for actor in found:
            self.airbyte.redactor.learn(hidden_texts(actor.configuration or {}, specs.get(actor.definition_id)))
        return found

    @cached_property
    def _connections(self) -> list[LiveConnection]:
        return self.airbyte.list_connections(self.workspace_id)


def refuse_other_engine(source: SourceFolder) -> None:
    """Refuse a source that Airbyte does not know.

    Raises:
        LotusError: Another engine reads it.
    """
    if source.engine != "airbyte":
        what = f"Airbyte does not read the source {source.name}: it has a module for {source.reader.label}"
        raise LotusError(what, f"its runs are those of the job {naming.dlt_job(source.name)} in Dagster")


def select_sources(lake: Lake, names: Sequence[str], *, every: bool) -> tuple[str, ...]:
    """The names of the selected sources of a lake, or of single connections: the given ones, or all sources.

    Raises:
        LotusError: Both or neither is requested.
    """
    known = tuple(source.name for source in lake.sources)
    if every and names:
        raise LotusError("both sources and --all are given", "leave one of the two out")
    if not every and not names:
        raise LotusError("no source is selected", f"name one of {', '.join(known)}, or pass --all")
    return known if every else tuple(names)


@contextmanager
def connected(
    directory: Path, stack: str | None, *, begins: bool = False, lake: Lake | None = None
) -> Iterator[ConnectedLake]:
    """The lake of a stack, connected to the stack's Airbyte.

    Args:
        directory: The lake's folder.
        stack: The stack, as in `airbyte_workspace`.
        begins: Whether files are about to be written: the lake may have no sources yet, or no folder, and the stack may
            have values of further names.
        lake: The stack's lake, if it is loaded already.

    Raises:
        LotusError: The lake can't be loaded, or Airbyte's address or credentials are unknown.
    """
    if lake is None:
        lake = load_stack_lake(directory, Project.selected(directory, stack, os.environ), begun=not begins)
    find = beginning_workspace if begins else airbyte_workspace
    settings, workspace_id = find(directory, stack)
    with closing(Airbyte(settings)) as airbyte:
        airbyte.redactor.expect(lambda: stack_secrets(directory, stack))
        yield ConnectedLake(airbyte, workspace_id, lake)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn `AirbyteError` into `LotusError`, which commands print without a traceback."""
    try:
        yield
    except AirbyteError as error:
        raise LotusError(error.message, error.hint) from None


def airbyte_workspace(
    directory: Path,
    stack: str | None,
    environment: Mapping[str, str] = os.environ,
    *,
    workspace: str = "",
    guarded: bool = True,
) -> AirbyteWorkspace:
    """The Airbyte server and workspace that a stack is deployed to.

    Args:
        directory: The lake's folder, inside its Pulumi project.
        stack: The stack; else `$PULUMI_STACK`, else the project's only stack.
        environment: The environment's variables.
        workspace: The id of another workspace than the stack's.
        guarded: Whether to refuse a production stack that may not run like this.

    Raises:
        LotusError: Settings are missing (the message lists each with how to set it), or a value is invalid; or the
            stack may not run like this.
    """
    selection = _select_stack(directory, stack, environment)
    return _workspace_of(selection, directory, environment, workspace, guarded=guarded)


def beginning_workspace(directory: Path, stack: str | None) -> AirbyteWorkspace:
    """The Airbyte of a stack that may have values for files which are about to be written.

    Raises:
        LotusError: As `airbyte_workspace`.
    """
    return _workspace_of(_select_stack(directory, stack, os.environ, begins=True), directory, os.environ)


def _workspace_of(
    selection: "_StackSelection",
    directory: Path,
    environment: Mapping[str, str],
    workspace: str = "",
    *,
    guarded: bool = True,
) -> AirbyteWorkspace:
    settings = selection.settings
    if selection.run is not None and selection.run.is_production:
        if guarded:
            production.check(selection.run, environment)
        _refuse_places_of_the_environment(selection, workspace)
    given = _given(settings)
    own = settings.lotus.workspace_id if settings is not None else None
    workspace_id = known_id(workspace or own or environment.get(WORKSPACE_VARIABLE, ""))
    missing = list(_missing_settings(completed(given, environment), settings))
    if not workspace_id:
        missing.append(_config_or_variable(WORKSPACE, "<the id in the workspace's address>", WORKSPACE_VARIABLE))
    if missing:
        where = _searched_places(selection, directory, environment.get(STACK_VARIABLE))
        options = ", ".join(f"--stack {name}" for name in selection.others)
        choose = f"choose a stack ({options}), or " if options else ""
        raise LotusError(f"{where} not configure a connection to Airbyte", choose + "; ".join(missing))
    try:
        return AirbyteWorkspace(settings_from(given, environment), workspace_id)
    except ValueError as error:
        raise LotusError(str(error), "correct it in the stack's configuration or in the environment") from None


def stack_secrets(
    directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ
) -> frozenset[str] | None:
    """The values that a stack has encrypted, which Airbyte's connectors have and may quote.

    Only the engine can decrypt them, which takes a second and needs the stack's key.

    Args:
        directory: The lake's folder.
        stack: The stack, as in `airbyte_workspace`.
        environment: The environment's variables.

    Returns:
        The values; None if they can't be decrypted, or no stack is selected.
    """
    project = Project.around(directory)
    try:
        names = project.select_all(stack, environment) if project is not None else ()
        if project is None or len(names) != 1:
            return None
        values = project.read(names[0]).entries.values
        places = [(key, path) for key, value in values.items() for path in encrypted_places(value)]
        if not places:
            return frozenset()
        decrypted = _decrypted(project, stack or environment.get(STACK_VARIABLE) or names[0], environment)
    except LotusError:
        return None
    return frozenset(text for key, path in places for text in _text_at(decrypted.get(key), path))


def stack_texts(
    directory: Path, stack: str | None, names: Collection[str], environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The values that a stack has of these names below `lotus:`, as texts; those that it does not have are left out.

    Args:
        directory: The lake's folder.
        stack: The stack, as in `airbyte_workspace`.
        names: The names, such as `shopify_api_password`.
        environment: The environment's variables.

    Raises:
        LotusError: A value is encrypted, and the engine can't decrypt it.
    """
    project = Project.around(directory)
    stacks = project.select_all(stack, environment) if project is not None else ()
    if project is None or len(stacks) != 1:
        return {}
    values = project.read(stacks[0]).entries.values
    keys = {name: f"{NAMESPACE}:{name}" for name in names if f"{NAMESPACE}:{name}" in values}
    if any(list(encrypted_places(values[key])) for key in keys.values()):
        chosen = stack or environment.get(STACK_VARIABLE) or stacks[0]
        known: Mapping[str, JsonValue] = _decrypted(project, chosen, environment)
    else:
        known = cast("Mapping[str, JsonValue]", values)
    return {name: text for name, key in keys.items() for text in _text_at(known.get(key), ())}


def _decrypted(project: Project, stack: str, environment: Mapping[str, str]) -> dict[str, JsonValue]:
    """A stack's configuration by full key, decrypted by the engine.

    Raises:
        LotusError: The engine can't decrypt it.
    """
    engine = Engine(project, stack, environment, guarded=False)
    try:
        shown = _CONFIGURATION.validate_json(engine.output("config", "--show-secrets", "--json"))
    except ValidationError:
        raise LotusError("the output of `pulumi config --json` can't be read", "update the engine") from None
    return {key: each.object_value if each.object_value is not None else each.value for key, each in shown.items()}


class _Value(BaseModel):
    """A value in the output of `pulumi config --json` (`configValueJSON` in pulumi, pkg/cmd/pulumi/config)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    value: str | None = None
    object_value: JsonValue = Field(default=None, alias="objectValue")


_CONFIGURATION: Final = TypeAdapter(dict[str, _Value])


def _text_at(value: JsonValue, path: JsonPath) -> Iterator[str]:
    """The text of the part at a path; nothing if there is none."""
    for step in path:
        found = child(value, step)
        if not found:
            return
        value = found[0]
    yield value if isinstance(value, str) else json.dumps(value)


def last_jobs(airbyte: Airbyte, workspace_id: str, connections: Collection[str]) -> dict[str, Job]:
    """The newest job of each connection, by the connection's id; a connection without jobs is left out.

    One list of the workspace's jobs covers most connections in a few calls.

    Raises:
        AirbyteError: The jobs can't be listed.
    """
    wanted, found, read = frozenset(connections), dict[str, Job](), 0
    for job in islice(airbyte.jobs(workspace_id=workspace_id), _MOST_JOBS):
        read += 1
        found.setdefault(job.connection_id, job)
        if wanted <= found.keys():
            break
    if read == _MOST_JOBS:
        for each in sorted(wanted - found.keys()):
            found.update((each, job) for job in islice(airbyte.jobs(connection_id=each), 1))
    kept = {each: found[each] for each in sorted(wanted & found.keys())}
    return kept | _newer_refreshes(airbyte, workspace_id, wanted, kept)


def last_success(airbyte: Airbyte, connection_id: str) -> Job | None:
    """The newest job of a connection that has read rows and succeeded; None if there is none.

    Raises:
        AirbyteError: The jobs can't be listed.
    """
    # The server lists syncs and refreshes separately.
    found = [
        job
        for kind in ("sync", "refresh")
        for job in islice(airbyte.jobs(connection_id=connection_id, kind=kind, status="succeeded"), 1)
    ]
    return max(found, key=lambda job: job.job_id, default=None)


def _newer_refreshes(
    airbyte: Airbyte, workspace_id: str, wanted: frozenset[str], found: Mapping[str, Job]
) -> dict[str, Job]:
    """The newest refresh of each connection whose last job is older; the server lists refreshes separately."""
    oldest = min((job.job_id for job in found.values()), default=0) if wanted <= found.keys() else 0
    newer: dict[str, Job] = {}
    for job in islice(airbyte.jobs(workspace_id=workspace_id, kind="refresh"), _MOST_JOBS):
        # Ids grow with time, and the newest come first.
        if job.job_id < oldest:
            break
        other = newer.get(job.connection_id) or found.get(job.connection_id)
        if job.connection_id in wanted and (other is None or job.job_id > other.job_id):
            newer[job.connection_id] = job
    return newer


def _single_id(kind: str, label: str, ids: Sequence[str], option: str) -> str:
    if not ids:
        raise LotusError(f'Airbyte has no {kind} "{label}" in this workspace', "`pulumi up` creates it")
    if len(ids) > 1:
        raise LotusError(
            f'Airbyte has several {kind}s "{label}"', f"choose one with {option}: {', '.join(sorted(ids))}"
        )
    return ids[0]


class _StackSelection(NamedTuple):
    """The selected stack and its configuration, or the names to choose from."""

    name: str = ""
    settings: StackSettings | None = None
    others: tuple[str, ...] = ()
    run: production.Run | None = None


def _select_stack(
    directory: Path, stack: str | None, environment: Mapping[str, str], *, begins: bool = False
) -> _StackSelection:
    project = Project.needed(directory) if stack else Project.around(directory)
    if project is None:
        return _StackSelection()
    project = replace(project, begins=begins)
    names = project.select_all(stack, environment)
    if len(names) != 1:
        return _StackSelection(others=names)
    settings = project.settings(names[0])
    return _StackSelection(names[0], settings, run=project.run(names[0], settings))


def _given(settings: StackSettings | None) -> dict[str, str]:
    """The plain settings of the provider in a stack, by their keys."""
    keys = settings.airbyte.model_dump(by_alias=True, exclude_none=True) if settings is not None else {}
    texts = {key: value.get_secret_value() if isinstance(value, SecretStr) else value for key, value in keys.items()}
    return {key: texts[key] for key in _KEYS if texts.get(key)}


def _refuse_places_of_the_environment(selection: _StackSelection, workspace: str) -> None:
    """Refuse a production stack whose server or workspace the environment would name.

    Raises:
        LotusError: The stack does not set one of them, or encrypts it.
    """
    settings = selection.settings
    server, own = (settings.airbyte.server_url, settings.lotus.workspace_id) if settings is not None else (None, None)
    plain = {SERVER: server, WORKSPACE: workspace or own}
    for key, variable in ((SERVER, ENVIRONMENT["serverUrl"]), (WORKSPACE, WORKSPACE_VARIABLE)):
        if not plain[key]:
            what = f"the stack {selection.name} is production, and has no plain {key}, so that ${variable} would decide"
            raise LotusError(what, f"`pulumi config set --stack {selection.name} --plaintext {key} <value>`")


def _searched_places(selection: _StackSelection, directory: Path, variable: str | None) -> str:
    """The start of the message about missing settings: the places that were read."""
    if selection.name:
        return f"the stack {selection.name} and the environment do"
    if variable and not selection.others:
        return f"no {PROJECT_FILE} is at or above {directory} to read the stack {variable}, and the environment does"
    return "no stack is selected, and the environment does"


def _missing_settings(given: Mapping[str, str], settings: StackSettings | None) -> Iterator[str]:
    """The missing parts of the server's address and credentials, each as what to do about it."""
    auth = auth_from(given)
    authenticates = auth.mode != "none" and not auth.problem()
    sealed = settings.encrypted if settings is not None else frozenset[str]()
    encrypted = [key for key in _KEYS if f"airbyte:{key}" in sealed and key not in given]
    for key in encrypted:
        if key not in ENVIRONMENT:
            yield f"airbyte:{key} is encrypted: `pulumi config set --plaintext airbyte:{key} <value>`"
        elif key == "serverUrl" or not authenticates:
            yield f"airbyte:{key} is encrypted: export {ENVIRONMENT[key]}"
    # Without an address, credentials are for Airbyte Cloud.
    if not given.get("serverUrl") and "serverUrl" not in encrypted and auth.mode == "none":
        yield _config_or_variable(SERVER, "https://<host>/api/public/v1", ENVIRONMENT["serverUrl"])
    if auth.problem() and not encrypted:
        yield auth.problem()


def _config_or_variable(key: str, value: str, variable: str) -> str:
    return f"`pulumi config set {key} {value}` or export {variable}"
