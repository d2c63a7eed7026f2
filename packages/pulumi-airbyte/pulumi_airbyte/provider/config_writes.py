"""What the Config API adds to a connection: asked for where a program wants it, written after the public API's part."""

import contextlib

from pulumi_airbyte.client.config_connections import ConfigConnection, SettledConnection
from pulumi_airbyte.client.errors import AirbyteError
from pulumi_airbyte.client.models import Connection
from pulumi_airbyte.provider.config_fields import (
    SETTINGS,
    config_body,
    live_settings,
    noted,
    reasons,
    settings_of,
    without_defaults,
)
from pulumi_airbyte.provider.gone import no_more
from pulumi_airbyte.provider.properties import Properties
from pulumi_airbyte.provider.resource import Failure, Server
from pulumi_airbyte.provider.target import Known

SET_URL = "set configUrl to its root, e.g. https://airbyte.example.com/api/v1"


def config_failures(server: Server, tree: Properties) -> list[Failure]:
    """What can't be written because the program names no Config API."""
    airbyte = server.airbyte
    if airbyte.has_config_api or not airbyte.has_address:
        return []
    why = f"need Airbyte's Config API, and its address is not known: {SET_URL}"
    return [Failure(key, f"{what} {why}") for key, what in reasons(tree, tree).items()]


def require_config_api(server: Server, tree: Properties, keys: set[str]) -> None:
    """Before anything is written, be sure of the Config API where it is needed.

    Raises:
        AirbyteError: it does not answer; the message names what needs it.
    """
    needing = ", ".join(reasons(tree, keys).values())
    if not needing:
        return
    needed_by = f"{needing[0].upper()}{needing[1:]} need"
    try:
        server.airbyte.instance(needed_by)
    except AirbyteError as error:
        text = f"{needed_by} Airbyte's Config API, which does not answer: {error.message}"
        raise AirbyteError(text, f"{SET_URL[0].upper()}{SET_URL[1:]}, or leave them out.", error.status) from error


def settled(server: Server, found: Connection, tree: Properties, keys: set[str]) -> Connection:
    """The connection once the Config API has written what the public one can't; all that is wanted of its settings.

    Args:
        server: where it is.
        found: what the public API answered.
        tree: what is wanted.
        keys: the properties to write.

    Raises:
        NotFound: the connection was deleted.
        AirbyteError: the Config API refuses, and the connection is as the public API has left it.
    """
    wanted = settings_of(tree)
    body = config_body(tree, keys | wanted)
    if not body:
        return found
    answer = server.airbyte.update_config_connection(found.connection_id, body)
    if answer.status == "deprecated":
        raise no_more(f'The connection "{found.name}" ({found.connection_id})')
    plain = found.model_copy(update={"schedule": answer.schedule})
    server.inventory.connections.put(plain)
    server.inventory.settings.put(answer)
    return _with(plain, live_settings(answer, wanted))


def with_settings(server: Server, found: Connection, known: Known) -> Connection:
    """A connection that was read, with the settings that its program has; an import takes those that are set.

    Raises:
        AirbyteError: the Config API does not say what the program has to know.
    """
    managed, importing = settings_of(known.inputs), not known.inputs
    wanted = SETTINGS.keys() if importing else managed | (noted(known.outputs) & SETTINGS.keys())
    if not wanted:
        return found
    asked = server_says(server, found) if importing else _asked(server, found)
    if asked is None:
        return found
    return _with(found, without_defaults(live_settings(asked, wanted), managed))


def server_says(server: Server, found: Connection) -> ConfigConnection | None:
    """What the Config API says of a connection; None where it can't be asked."""
    if server.airbyte.has_config_api:
        with contextlib.suppress(AirbyteError):
            return _asked(server, found)
    return None


def _asked(server: Server, found: Connection) -> ConfigConnection:
    return server.inventory.settings.get(found.connection_id, found.workspace_id)


def _with(found: Connection, settings: Properties) -> SettledConnection:
    return SettledConnection.model_validate({**dict(found), "settings": settings})
