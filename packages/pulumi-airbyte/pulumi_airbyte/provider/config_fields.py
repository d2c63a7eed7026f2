"""Properties of a connection that only the Config API writes: which they are, and their forms. Pure.

A connection's program says what it wants of them; one that it does not mention stays as the server has it.
"""

import json
from collections.abc import Iterable
from typing import Final

from pulumi_airbyte.client.config_connections import ConfigConnection
from pulumi_airbyte.provider.properties import Properties, Property, is_known, reveal, unwrap
from pulumi_airbyte.provider.resource import Failure
from pulumi_airbyte.provider.schedule import config_request, takes_config_api
from pulumi_airbyte.values import JsonObject, JsonValue

SCHEDULE: Final = "schedule"
SETTINGS: Final[Properties] = {
    "notifySchemaChanges": False,
    "notifySchemaChangesByEmail": False,
    "backfillPreference": "disabled",
    "resourceRequirements": {},
}
"""Properties that the public API does not have, with what the server has by default and what un-sets them."""
RESOURCES: Final = (
    "cpu_request",
    "cpu_limit",
    "memory_request",
    "memory_limit",
    "ephemeral_storage_request",
    "ephemeral_storage_limit",
)
NOTE: Final = "settings"
"""What the note of an unfinished connection is to have written: names of properties."""


def settings_of(inputs: Properties) -> frozenset[str]:
    """The properties among the inputs that the public API does not have."""
    return frozenset(SETTINGS) & inputs.keys()


def config_keys(tree: Properties, keys: Iterable[str]) -> frozenset[str]:
    """The keys that the Config API is to write; a schedule that the public API writes too is not among them."""
    return frozenset(key for key in keys if key in SETTINGS or (key == SCHEDULE and takes_config_api(tree.get(key))))


def as_first_posted(tree: Properties) -> Properties:
    """What the POST of a connection makes, before the Config API has written the rest.

    A connection that is to have a schedule of the Config API has none until then, so that it starts nothing.
    """
    later = config_keys(tree, tree)
    return {key: value for key, value in tree.items() if key not in later}


def reasons(tree: Properties, keys: Iterable[str]) -> dict[str, str]:
    """What needs the Config API in words, by property."""
    wanted = sorted(config_keys(tree, keys))
    return {key: takes_config_api(tree[key]) if key == SCHEDULE else f"{key} of connections" for key in wanted}


def config_body(tree: Properties, keys: Iterable[str]) -> JsonObject:
    """What to send to the Config API (ConnectionUpdate); empty where nothing is to be sent."""
    body: dict[str, JsonValue] = {}
    for key in sorted(config_keys(tree, keys)):
        if key == SCHEDULE:
            body |= config_request(tree[key])
        else:
            body[key] = reveal(tree.get(key, SETTINGS[key]))
    return body


def live_settings(found: ConfigConnection, wanted: Iterable[str]) -> Properties:
    """What the server has of the wanted settings."""
    resources: Properties = {key: value for key, value in (found.resource_requirements or {}).items() if value}
    live: Properties = {
        "notifySchemaChanges": bool(found.notify_schema_changes),
        "notifySchemaChangesByEmail": bool(found.notify_schema_changes_by_email),
        "backfillPreference": found.backfill_preference or "disabled",
        "resourceRequirements": resources,
    }
    return {key: live[key] for key in wanted}


def without_defaults(settings: Properties, managed: Iterable[str]) -> Properties:
    """Settings but those that nobody manages and that are as the server makes them."""
    kept = frozenset(managed)
    return {key: value for key, value in settings.items() if key in kept or value != SETTINGS[key]}


def canonical_settings(tree: Properties) -> Properties:
    """The tree without nulls and without marks of secrets inside its resources."""
    given = unwrap(tree.get("resourceRequirements"))
    if not isinstance(given, dict):
        return tree
    plain: dict[str, Property] = {key: unwrap(item) for key, item in given.items() if unwrap(item) is not None}
    return {**tree, "resourceRequirements": plain}


def resource_failures(inputs: Properties) -> list[Failure]:
    """What the server would refuse, or lose, in resources."""
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
    """What an unfinished connection keeps, so that the next update writes these."""
    return {NOTE: sorted(keys)}


def noted(outputs: Properties) -> frozenset[str]:
    """What an unfinished connection is still to have written."""
    text = unwrap(outputs.get("unfinished"))
    found = json.loads(text) if isinstance(text, str) else {}
    return frozenset(map(str, found.get(NOTE, []))) if isinstance(found, dict) else frozenset()
