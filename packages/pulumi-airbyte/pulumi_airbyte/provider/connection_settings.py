"""Properties of a connection that only the Config API has: their forms, and the calls that read and write them.

A property that the program does not set stays as it is on the server.
"""

import contextlib
import json
from collections.abc import Iterable
from typing import Final

from airbyte_model.choices import RESOURCES

from pulumi_airbyte.client.config_connections import ConfigConnection, SettledConnection
from pulumi_airbyte.client.errors import AirbyteError
from pulumi_airbyte.client.models import Connection
from pulumi_airbyte.provider.gone import no_more
from pulumi_airbyte.provider.properties import Properties, Property, is_known, reveal, unwrap
from pulumi_airbyte.provider.resource import Failure, Server
from pulumi_airbyte.provider.schedule import config_request, takes_config_api
from pulumi_airbyte.provider.target import Known
from pulumi_airbyte.values import JsonObject, JsonValue

SCHEDULE: Final = "schedule"
SETTINGS: Final[Properties] = {
    "notifySchemaChanges": False,
    "notifySchemaChangesByEmail": False,
    "backfillPreference": "disabled",
    "resourceRequirements": {},
}
"""Properties that the public API lacks, with the server's defaults. Sending the default un-sets a property."""
NOTE: Final = "settings"
"""Key in the output `unfinished`: names of properties that still have to be written."""
SET_URL = "set configUrl to its root, e.g. https://airbyte.example.com/api/v1"


def settings_of(inputs: Properties) -> frozenset[str]:
    """The inputs that the public API lacks."""
    return frozenset(SETTINGS) & inputs.keys()


def config_keys(tree: Properties, keys: Iterable[str]) -> frozenset[str]:
    """The keys that the Config API has to write. A schedule is one of them only if the public API can't write it."""
    return frozenset(key for key in keys if key in SETTINGS or (key == SCHEDULE and takes_config_api(tree.get(key))))


def as_first_posted(tree: Properties) -> Properties:
    """The tree that the POST of a connection creates, before the Config API writes the rest.

    If the Config API has to write the schedule, the connection has none until then, so that no sync starts early.
    """
    later = config_keys(tree, tree)
    return {key: value for key, value in tree.items() if key not in later}


def reasons(tree: Properties, keys: Iterable[str]) -> dict[str, str]:
    """Why the Config API is needed, by property."""
    wanted = sorted(config_keys(tree, keys))
    return {key: takes_config_api(tree[key]) if key == SCHEDULE else f"{key} of connections" for key in wanted}


def config_body(tree: Properties, keys: Iterable[str]) -> JsonObject:
    """The body for the Config API (ConnectionUpdate); empty if it has nothing to write."""
    body: dict[str, JsonValue] = {}
    for key in sorted(config_keys(tree, keys)):
        if key == SCHEDULE:
            body |= config_request(tree[key])
        else:
            body[key] = reveal(tree.get(key, SETTINGS[key]))
    return body


def live_settings(found: ConfigConnection, wanted: Iterable[str]) -> Properties:
    """The live values of these settings."""
    resources: Properties = {key: value for key, value in (found.resource_requirements or {}).items() if value}
    live: Properties = {
        "notifySchemaChanges": bool(found.notify_schema_changes),
        "notifySchemaChangesByEmail": bool(found.notify_schema_changes_by_email),
        "backfillPreference": found.backfill_preference or "disabled",
        "resourceRequirements": resources,
    }
    return {key: live[key] for key in wanted}


def without_defaults(settings: Properties, managed: Iterable[str]) -> Properties:
    """The settings that are managed, or that differ from the server's default."""
    kept = frozenset(managed)
    return {key: value for key, value in settings.items() if key in kept or value != SETTINGS[key]}


def canonical_settings(tree: Properties) -> Properties:
    """The tree without nulls and secret marks inside `resourceRequirements`."""
    given = unwrap(tree.get("resourceRequirements"))
    if not isinstance(given, dict):
        return tree
    plain: dict[str, Property] = {key: unwrap(item) for key, item in given.items() if unwrap(item) is not None}
    return {**tree, "resourceRequirements": plain}


def resource_failures(inputs: Properties) -> list[Failure]:
    """Failures for `resourceRequirements` that the server would refuse or drop."""
    given = unwrap(inputs.get("resourceRequirements"))
    if not isinstance(given, dict):
        return []
    failures = []
    for key, value in sorted(given.items()):
        path, plain = f"resourceRequirements.{key}", unwrap(value)
        if key not in RESOURCES:
            failures.append(Failure(path, f"is no resource: known are {', '.join(RESOURCES)}"))
        elif is_known(plain) and not isinstance(plain, str | None):
            failures.append(Failure(path, "must be a text in Kubernetes' spelling, such as '500m' or '2Gi'"))
    return failures


def note(keys: Iterable[str]) -> JsonObject:
    """The record of settings that the next update has to write."""
    return {NOTE: sorted(keys)}


def noted(outputs: Properties) -> frozenset[str]:
    """The settings that an unfinished connection still lacks."""
    text = unwrap(outputs.get("unfinished"))
    found = json.loads(text) if isinstance(text, str) else {}
    return frozenset(map(str, found.get(NOTE, []))) if isinstance(found, dict) else frozenset()


def config_failures(server: Server, tree: Properties) -> list[Failure]:
    """Failures for properties that need the Config API, if its address is unknown."""
    airbyte = server.airbyte
    if airbyte.has_config_api or not airbyte.has_address:
        return []
    why = f"need Airbyte's Config API, and its address is not known: {SET_URL}"
    return [Failure(key, f"{what} {why}") for key, what in reasons(tree, tree).items()]


def require_config_api(server: Server, tree: Properties, keys: set[str]) -> None:
    """Make sure, before any write, that the Config API answers if it is needed.

    Raises:
        AirbyteError: it does not answer; the message names the properties that need it.
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
    """Write the Config API's part of these properties, and all settings of the tree; return the connection.

    Args:
        server: the server.
        found: the public API's answer.
        tree: the new canonical tree.
        keys: the properties to write.

    Raises:
        NotFound: the connection was deleted.
        AirbyteError: the Config API refuses; the connection stays as the public API wrote it.
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
    """Add the settings that the program manages to a connection that was read; an import adds those that are set.

    Raises:
        AirbyteError: the Config API failed, and the program manages settings.
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
    """The Config API's record of a connection; None if it can't be read."""
    if server.airbyte.has_config_api:
        with contextlib.suppress(AirbyteError):
            return _asked(server, found)
    return None


def _asked(server: Server, found: Connection) -> ConfigConnection:
    return server.inventory.settings.get(found.connection_id, found.workspace_id)


def _with(found: Connection, settings: Properties) -> SettledConnection:
    return SettledConnection.model_validate({**dict(found), "settings": settings})
