"""Secret marks on configurations, by the connector's specification; and masks, which are no values."""

import threading
from collections.abc import Iterator
from typing import Final

from airbyte_model.secrets import MASK, Schemas, marks_secret, schemas_inside, schemas_of

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.errors import Forbidden, NotFound
from pulumi_airbyte.client.models import ActorKind
from pulumi_airbyte.provider.properties import Properties, Property, Secret, secret, unwrap
from pulumi_airbyte.provider.reconcile import all_secret, same
from pulumi_airbyte.values import JsonObject, Path

MASK_ADVICE: Final = (
    "is the server's mask, not a value: give the secret itself (from the stack's encrypted configuration)"
)
SERVER_FAILS: Final = 500
TOO_MANY: Final = 429


class Specifications:
    """Connector specifications, fetched once each. Servers without a reachable Config API have none to give."""

    def __init__(self, airbyte: Airbyte) -> None:
        self._airbyte = airbyte
        self._known: dict[tuple[ActorKind, str], JsonObject | None] = {}
        self._changing: set[tuple[ActorKind, str]] = set()
        self._lock = threading.Lock()

    def get(self, kind: ActorKind, definition_id: str, workspace_id: str) -> JsonObject | None:
        """The connector's JSON Schema, or None where there is none to be had.

        Raises:
            AirbyteError: the server is failing, so that there may be one: the next call asks again.
        """
        with self._lock:
            key = (kind, definition_id)
            if key not in self._known:
                if not self._airbyte.has_config_api:
                    return None
                try:
                    self._known[key] = self._airbyte.specification(kind, definition_id, workspace_id)
                except (Forbidden, NotFound):
                    self._known[key] = None
                except AirbyteError as error:
                    if _is_failing(error):
                        raise
                    return None
            return self._known[key]

    def expect(self, kind: ActorKind, definition_id: str, *, change: bool) -> None:
        """Record whether this run changes a definition: until it has, the server has the old specification."""
        with self._lock:
            (self._changing.add if change else self._changing.discard)((kind, definition_id))

    def changing(self, kind: ActorKind, definition_id: str) -> bool:
        """Whether this run changes a definition, and has not yet."""
        with self._lock:
            return (kind, definition_id) in self._changing

    def forget(self, kind: ActorKind, definition_id: str) -> None:
        """Ask for a specification again: its definition was changed."""
        with self._lock:
            self._changing.discard((kind, definition_id))
            self._known.pop((kind, definition_id), None)

    def fetched(self, kind: ActorKind, definition_id: str) -> JsonObject | None:
        """The connector's JSON Schema, where this run has asked for it and it is not about to change."""
        with self._lock:
            key = (kind, definition_id)
            return None if key in self._changing else self._known.get(key)


def _is_failing(error: AirbyteError) -> bool:
    """Whether the server could not answer now; any other refusal is its answer."""
    return error.status is None or error.status >= SERVER_FAILS or error.status == TOO_MANY


def with_secrets_marked(value: Property, schema: JsonObject) -> Property:
    """The configuration with every leaf secret that the schema calls `airbyte_secret` in any of its branches."""
    return _marked(value, schemas_of(schema))


def _marked(value: Property, schemas: Schemas) -> Property:
    if marks_secret(schemas) and value is not None:
        return secret(value)
    if isinstance(value, Secret):
        return value
    if isinstance(value, dict):
        return {key: _marked(item, schemas_inside(schemas, key)) for key, item in value.items()}
    if isinstance(value, list):
        items = schemas_inside(schemas, 0)
        return [_marked(item, items) for item in value]
    return value


def with_new_secret(value: Property, before: Property, readable: frozenset[str] = frozenset()) -> Property:
    """The configuration with every text and number secret that is new or changed.

    Without a specification any of them may be a secret. Booleans can't be one.

    Args:
        value: the configuration.
        before: as the state has it; its places keep what they are.
        readable: keys of the root that hold no secret, such as the connector's type.
    """
    now, was = unwrap(value), unwrap(before)
    if isinstance(value, Secret) or same(now, was):
        return value
    if isinstance(now, dict):
        known = was if isinstance(was, dict) else {}
        return {key: item if key in readable else with_new_secret(item, known.get(key)) for key, item in now.items()}
    if isinstance(now, list):
        items: list[Property] = was if isinstance(was, list) and len(was) == len(now) else [None] * len(now)
        return [with_new_secret(item, known) for item, known in zip(now, items, strict=True)]
    return Secret(now) if isinstance(now, str | int | float) and not isinstance(now, bool) else now


def secrets_at_leaves(value: Property) -> Property:
    """The tree with each secret object or list replaced by one whose leaves are secret."""
    if isinstance(value, Secret):
        return all_secret(unwrap(value))
    if isinstance(value, dict):
        return {key: secrets_at_leaves(item) for key, item in value.items()}
    if isinstance(value, list):
        return [secrets_at_leaves(item) for item in value]
    return value


def masks(value: Property, path: Path = ()) -> Iterator[Path]:
    """Every path at which the server's mask stands in place of a value."""
    inner = unwrap(value)
    if isinstance(inner, dict):
        for key, item in inner.items():
            yield from masks(item, (*path, key))
    elif isinstance(inner, list):
        for index, item in enumerate(inner):
            yield from masks(item, (*path, index))
    elif inner == MASK:
        yield path


def without_nulls(properties: Properties) -> Properties:
    """The object without keys whose value is null, at every depth; the server drops them too."""
    return {key: _clean(item) for key, item in properties.items() if unwrap(item) is not None}


def _clean(value: Property) -> Property:
    return without_nulls(value) if isinstance(value, dict) else value
