"""Connectors outside of the lake: the definitions that an Airbyte server has, and a connector's own `spec` command."""

import shlex
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, cast
from uuid import uuid4

from airbyte_model.suggestions import nearest
from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.models import ConnectorDefinition, DefinitionKind
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.errors import LotusError
from lotus_infra.lake.discovered import Connector

ActorKind = Literal["source", "destination"]
_SECONDS: Final = 300
"""An image may have to be pulled first."""


@dataclass(frozen=True, slots=True)
class ServerConnector:
    """A connector that a server has.

    Attributes:
        definition_id: The id of its definition.
        version: Its version; None if the server does not tell.
    """

    definition_id: str
    version: str | None


def kind_of(connector: str) -> ActorKind:
    """The kind of a connector, from its name."""
    return cast("ActorKind", connector.partition("-")[0])


def find_definition(airbyte: Airbyte, connector: str, workspace_id: str, definition_id: str = "") -> ServerConnector:
    """Find the definition of a connector on a server: by its id, by the name of its image, or by its label.

    Raises:
        LotusError: There is none, or several.
        AirbyteError: The definitions can't be listed.
    """
    kind = kind_of(connector)
    listed = {each.definition_id: each for each in airbyte.connector_definitions(kind, workspace_id)}
    if definition_id:
        if definition_id not in listed:
            hint = f"`lotus connector add {connector}` finds it by its name"
            raise LotusError(f"Airbyte has no {kind} definition {definition_id} in this workspace", hint)
        return ServerConnector(definition_id, listed[definition_id].version or None)
    found = _by_image(airbyte, connector, workspace_id)
    if not found:
        label = connector.partition("-")[2].replace("-", "_")
        found = [each.definition_id for each in listed.values() if naming.identifier(each.name, kind) == label]
    if not found:
        raise LotusError(f'Airbyte has no connector "{connector}" in this workspace', _hint(connector, listed.values()))
    if len(found) > 1:
        hint = f"choose {' or '.join(sorted(found))}: {_by_id(connector)}"
        raise LotusError(f'Airbyte has several connectors "{connector}"', hint)
    version = listed[found[0]].version if found[0] in listed else ""
    return ServerConnector(found[0], version or None)


def _hint(connector: str, listed: Iterable[ConnectorDefinition]) -> str:
    """What to do about a connector that a server lacks."""
    # Without the kind, which would make any two names alike.
    kind = kind_of(connector)
    names = {naming.identifier(each.name, kind).replace("_", "-") for each in listed}
    near = nearest(connector.partition("-")[2], names)
    if near:
        return f'did you mean "{kind}-{near}"?'
    return (
        f"name its definition: {_by_id(connector)}, or bring the connector itself: "
        f"`lotus connector add {connector} --manifest FILE`, "
        f"or `lotus connector add {connector} --image REPOSITORY:TAG --from FILE`"
    )


def _by_id(connector: str) -> str:
    return f"`lotus connector add {connector} --definition-id ID`"


def _by_image(airbyte: Airbyte, connector: str, workspace_id: str) -> list[str]:
    """The ids of the definitions whose image has the connector's name; none if the server can't list images."""
    try:
        images = airbyte.every_definition(kind_of(connector), workspace_id)
    except AirbyteError:
        return []
    return [each.definition_id for each in images if (each.docker_repository or "").rpartition("/")[2] == connector]


def own_body(
    connector: Connector, manifest: dict[str, JsonValue] | None
) -> tuple[DefinitionKind, dict[str, JsonValue]]:
    """The definition of a connector of one's own, as the API takes it.

    Args:
        connector: The connector.
        manifest: The content of its manifest; None for an image.
    """
    body: dict[str, JsonValue] = {"name": connector.name or connector.connector}
    if connector.image is None:
        return "declarative_source", {**body, "manifest": manifest or {}}
    image = {"dockerRepository": connector.image.repository, "dockerImageTag": connector.image.tag}
    return kind_of(connector.connector), {**body, **image}


@contextmanager
def own_definition(
    airbyte: Airbyte, workspace_id: str, kind: DefinitionKind, body: dict[str, JsonValue], tell: Callable[[str], object]
) -> Iterator[str]:
    """The definition of a connector of one's own: the one that Airbyte has under its name, or else a temporary one.

    Args:
        airbyte: The server.
        workspace_id: The workspace.
        kind: The kind of definition.
        body: As `own_body` makes it.
        tell: Takes a message if the definition can't be deleted.

    Yields:
        The definition's id.

    Raises:
        AirbyteError: It can't be found or created.
    """
    known = [each for each in airbyte.every_definition(kind, workspace_id) if each.name == body["name"]]
    if known:
        yield known[0].definition_id
        return
    name = _temporary(str(body["name"]))
    try:
        with _interrupted_by_sigterm():
            yield airbyte.create_definition(kind, workspace_id, {**body, "name": name}).definition_id
    finally:
        try:
            for each in airbyte.every_definition(kind, workspace_id):
                if each.name == name:
                    airbyte.delete_definition(kind, each.definition_id, workspace_id)
        except AirbyteError as error:
            tell(f'Airbyte may still have the definition "{name}": delete it ({error.message})')


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM interrupt as Ctrl-C does: a job that a CI system cancels leaves nothing in Airbyte."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _temporary(name: str) -> str:
    """A name of this run alone, by which it finds an object whose creation was not answered."""
    return f"{name} (temporary, {uuid4().hex[:8]})"


def server_specification(
    airbyte: Airbyte, connector: str, definition_id: str, workspace_id: str
) -> tuple[dict[str, JsonValue], tuple[str, ...]]:
    """The specification of a connector, and the modes of a destination.

    Raises:
        AirbyteError: The server has no Config API, or not this definition.
    """
    found = airbyte.full_specification(kind_of(connector), definition_id, workspace_id)
    return found.connection_specification, tuple(found.destination_sync_modes)


def printed_specification(command: str) -> str:
    """What a connector prints when its `spec` command is run.

    Args:
        command: The connector's executable with its arguments, such as `source-faker` or `docker run --rm mine:1.0`.

    Raises:
        LotusError: It can't be run, or fails.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise LotusError(f"the command {command} can't be read ({error})", "correct its quotes") from None
    if not words:
        raise LotusError("the command is empty", "name the connector's executable, such as source-faker")
    try:
        done = subprocess.run(  # noqa: S603, the user's own command
            [*words, "spec"], capture_output=True, text=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        raise LotusError(f"{words[0]} can't be run ({error.strerror})", "name the connector's executable") from None
    except subprocess.TimeoutExpired:
        raise LotusError(f"{words[0]} spec takes over {_SECONDS} s", "run it by itself, and see why") from None
    except UnicodeDecodeError:
        raise LotusError(f"{words[0]} spec prints no text", "name the connector's executable") from None
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise LotusError(f"{words[0]} spec failed with {done.returncode}", "".join(last) or "run it by itself")
    return done.stdout


@contextmanager
def temporary_source(airbyte: Airbyte, body: dict[str, JsonValue], tell: Callable[[str], object]) -> Iterator[str]:
    """A source in Airbyte that is deleted when the context ends, also by an error, Ctrl-C or SIGTERM.

    Args:
        airbyte: The server.
        body: The source; its name gets an ending of its own.
        tell: Takes a message if the source can't be deleted.

    Yields:
        The source's id.

    Raises:
        AirbyteError: It can't be created.
    """
    name, workspace_id = _temporary(str(body["name"])), str(body["workspaceId"])
    created = ""
    try:
        with _interrupted_by_sigterm():
            created = airbyte.create_actor("source", {**body, "name": name}).actor_id
            yield created
    finally:
        _delete_source(airbyte, workspace_id, name, created, tell)


def _delete_source(airbyte: Airbyte, workspace_id: str, name: str, known: str, tell: Callable[[str], object]) -> None:
    """Delete a temporary source; a failure hides no other error."""
    try:
        listed = [] if known else airbyte.list_actors("source", workspace_id)
        for actor_id in [known] if known else [each.actor_id for each in listed if each.name == name]:
            airbyte.delete_actor("source", actor_id)
    except AirbyteError as error:
        tell(f'Airbyte may still have the source "{name}": delete it ({error.message})')
