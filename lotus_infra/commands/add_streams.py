"""The files of new streams, from the discovered schema of their source."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast, get_args

from airbyte_model.modes import KEYLESS_MODES, MODES, PAIRS, is_incremental
from airbyte_model.suggestions import suggestion
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.errors import LotusError
from lotus_infra.lake.discovered import Defaults, Discovered, Options
from lotus_infra.lake.models import ALL_FIELDS, Field, FieldPath, TypeName

_PREFERRED: Final = ("incremental_append", "full_refresh_overwrite", "full_refresh_append")
"""The modes of new streams, the first that source and destination have: appended rows keep their history."""

_NO_CURSOR: Final = "`lotus add stream` takes one with --cursor, or another mode with --sync-mode"


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How a new stream is synced; what is not given is the source's own.

    Attributes:
        fields: The top-level fields; None for all of them.
        mode: The sync mode in Airbyte's word, such as `incremental_append`; empty for the default.
        cursor: The path of the cursor; empty for the source's.
        key: The paths of the key; empty for the source's.
    """

    fields: tuple[str, ...] | None = None
    mode: str = ""
    cursor: FieldPath = ()
    key: tuple[FieldPath, ...] = ()


_FORMATS: Final = {"date": "date", "date-time": "date-time", "time": "time"}
_TYPES: Final = tuple(each for each in get_args(TypeName) if each != "null")


def described(stream: str, fields: Sequence[str] | None, *, cursor: FieldPath, key: Sequence[FieldPath]) -> Discovered:
    """A stream that no discovery knows, as the user describes it.

    Args:
        stream: Its name in the source.
        fields: The fields with their types, such as `id:integer` and `updated_at:date-time`; None for all.
        cursor: The path of its cursor; empty for none.
        key: The paths of its key.

    Raises:
        LotusError: A field has no type, or an unknown one.
    """
    found: dict[str, Field] = {}
    for each in fields or ():
        name, _, kind = each.rpartition(":")
        if not name or kind not in {*_TYPES, *_FORMATS}:
            what = f'"{each}" has no type that is known' if name else f'the field "{each}" has no type'
            known = ", ".join((*_TYPES, *_FORMATS))
            raise LotusError(what, f"write {name or each}: and one of {known}, or leave --fields out to take all")
        found[name] = Field("string", format=kind) if kind in _FORMATS else Field(cast("TypeName", kind))
    return Discovered(
        stream=stream,
        options=Options(sync_modes=("full_refresh", "incremental")),
        defaults=Defaults(primary_key=tuple(key), cursor_field=cursor),
        fields=found,
    )


def choose(
    offered: Mapping[str, Discovered], names: Sequence[str], namespaces: Sequence[str], *, every: bool
) -> dict[str, Discovered]:
    """The chosen streams of a source, by the name of their discovered file.

    Args:
        offered: The source's streams.
        names: The names of streams in the source.
        namespaces: The only namespaces to choose from; empty for all.
        every: Whether to choose all streams.

    Raises:
        LotusError: A stream or a namespace does not exist, or a name is in several namespaces and none is given.
    """
    known = {each.namespace for each in offered.values() if each.namespace}
    for namespace in namespaces:
        if namespace not in known:
            hint = suggestion(namespace, known, f"it has {', '.join(sorted(known)) or 'none'}")
            raise LotusError(f'the source has no namespace "{namespace}"', hint)
    within = {file: each for file, each in offered.items() if not namespaces or each.namespace in namespaces}
    if every:
        return within
    chosen: dict[str, Discovered] = {}
    for name in dict.fromkeys(names):
        found = {file: each for file, each in within.items() if each.stream == name}
        if not found:
            streams = sorted({each.stream for each in within.values()})
            shown = ", ".join(streams[:20]) + (f" and {len(streams) - 20} more" if len(streams) > 20 else "")
            raise LotusError(f'the source has no stream "{name}"', suggestion(name, streams, f"it has {shown}"))
        if len(found) > 1 and not namespaces:
            listed = ", ".join(sorted(each.namespace or "none" for each in found.values()))
            raise LotusError(f'the source has "{name}" in several namespaces: {listed}', "choose with --namespace")
        chosen |= found
    return chosen


def file_names(chosen: Mapping[str, Discovered], taken: Collection[str]) -> dict[str, Discovered]:
    """The chosen streams by the names of their files: made from the discovered file's, with a number where it is taken.

    Args:
        chosen: The streams, by the name of their discovered file.
        taken: Names of existing files.
    """
    named: dict[str, Discovered] = {}
    for file, stream in chosen.items():
        base = file if naming.is_identifier(file) else naming.stream_file(stream.stream, stream.namespace or "")
        numbered = (base if number == 1 else f"{base}_{number}" for number in range(1, len(chosen) + len(taken) + 2))
        named[next(name for name in numbered if name not in named and name not in taken)] = stream
    return named


def stream_text(stream: Discovered, options: StreamOptions, destination_modes: Collection[str]) -> str:
    """The text of a new stream's file.

    Args:
        stream: The stream as its source offers it.
        options: How it is synced.
        destination_modes: The modes in which the destination can write; empty if they are unknown.

    Raises:
        LotusError: The source has not these fields, or nothing that the mode needs.
    """
    mode = options.mode or _default_mode(stream, destination_modes)
    cursor = (options.cursor or stream.defaults.cursor_field) if is_incremental(mode) else ()
    if is_incremental(mode) and not cursor:
        raise LotusError(f'the source has no cursor for "{stream.stream}"', _NO_CURSOR)
    own_key = stream.source_defined_primary_key or stream.defaults.primary_key
    key = () if mode in KEYLESS_MODES else options.key or own_key
    sync_mode, destination_sync_mode = PAIRS[mode]
    document: dict[str, JsonValue] = {"$schema": "../.schema/stream.json", "stream": stream.stream}
    if stream.namespace:
        document["namespace"] = stream.namespace
    document |= {"sync_mode": sync_mode, "destination_sync_mode": destination_sync_mode}
    if key:
        document["primary_key"] = [list(path) for path in key]
    if cursor:
        document["cursor_field"] = list(cursor)
    document["fields"] = _fields(stream, options.fields, [path[0] for path in (*key, cursor) if path])
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _default_mode(stream: Discovered, destination_modes: Collection[str]) -> str:
    has_cursor = bool(stream.defaults.cursor_field) and "incremental" in stream.options.sync_modes
    for mode in _PREFERRED:
        source, destination = PAIRS[mode]
        if (source != "incremental" or has_cursor) and (not destination_modes or destination in destination_modes):
            return mode
    hint = f"`lotus add stream` takes one with --sync-mode: {', '.join(MODES.values())}"
    raise LotusError(f'the destination has none of the usual modes for "{stream.stream}"', hint)


def _fields(stream: Discovered, names: tuple[str, ...] | None, needed: Iterable[str]) -> JsonValue:
    """The fields of a file: all, or these with those of key and cursor first.

    Raises:
        LotusError: The source has not one of them.
    """
    if names is None:
        return ALL_FIELDS
    for name in names:
        if name not in stream.fields:
            hint = suggestion(name, stream.fields, "`lotus discover` shows the fields of the source")
            raise LotusError(f'"{stream.stream}" has no field "{name}"', hint)
    chosen = dict.fromkeys([*(name for name in needed if name in stream.fields), *names])
    document = stream.model_dump(mode="json", exclude_none=True)["fields"]
    return {name: document[name] for name in chosen}
