"""A connection's inputs, as the engine shows them, typed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import cast

from pulumi_airbyte.configurations import ConfigurationError, name_of, parse, shown
from pulumi_airbyte.stream_keys import key_in
from pydantic import JsonValue

from lotus_infra.errors import LotusError
from lotus_infra.plan.preview import is_hidden

FieldPath = tuple[str, ...]
_KNOWN = frozenset({"name", "namespace", "syncMode", "cursorField", "primaryKey", "selectedFields"})


__all__ = ["Stream", "name_of", "shown", "streams", "tokens"]


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream of a connection, in the provider's canonical form: what the server drops or fills in is left out.

    Attributes:
        key: the text that stands for its namespace and name, as the provider makes it.
        name: as the source calls it.
        namespace: the source's namespace; empty for none.
        sync_mode: the public API's name for both modes, such as `incremental_append`.
        cursor_field: path of the cursor; empty where there is none.
        primary_key: paths of the key's fields.
        selected_fields: names, sorted; None for all that the source has.
        others: properties that no stream file can say, such as `mappers`, each as JSON.
    """

    key: str
    name: str
    namespace: str
    sync_mode: str
    cursor_field: FieldPath
    primary_key: tuple[FieldPath, ...]
    selected_fields: tuple[str, ...] | None
    others: Mapping[str, JsonValue]


def streams(inputs: Mapping[str, JsonValue]) -> dict[str, Stream] | None:
    """The streams of a connection's inputs by key; None where they are secret, as those are whose mapper holds a key.

    Raises:
        LotusError: the property `configurations` is there and is no list of streams.
    """
    told = inputs.get("configurations")
    if told is None:
        return {}
    if is_hidden(told):
        return None
    try:
        trees = parse(told, stored=True)
    except ConfigurationError as error:
        raise LotusError(f"a connection's configurations {error}", "make the preview anew") from None
    return {key: _stream(key, cast("Mapping[str, JsonValue]", tree)) for key, tree in trees.items()}


def tokens(inputs: Mapping[str, JsonValue], known: Collection[str]) -> dict[str, JsonValue]:
    """The backfill tokens of a connection's inputs, by the keys of its streams."""
    told = inputs.get("backfills")
    return {key_in(key, known): token for key, token in told.items()} if isinstance(told, dict) else {}


def _stream(key: str, tree: Mapping[str, JsonValue]) -> Stream:
    selected = tree.get("selectedFields")
    return Stream(
        key=key,
        name=str(tree["name"]),
        namespace=str(tree.get("namespace") or ""),
        sync_mode=str(tree["syncMode"]),
        cursor_field=_path(tree.get("cursorField")),
        primary_key=tuple(_path(each) for each in _list(tree.get("primaryKey"))),
        selected_fields=None if selected is None else _path(selected),
        others={name: value for name, value in tree.items() if name not in _KNOWN},
    )


def _list(value: JsonValue) -> list[JsonValue]:
    return list(value) if isinstance(value, list | tuple) else []


def _path(value: JsonValue) -> FieldPath:
    return tuple(str(each) for each in _list(value))
