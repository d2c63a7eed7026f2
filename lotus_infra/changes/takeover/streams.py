"""Changes of a connection's streams as edits of stream files."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from airbyte_model.modes import KEYLESS_MODES, MODES
from airbyte_model.streams import Stream, name_of
from pydantic import JsonValue, TypeAdapter

from lotus_infra.changes.drift import Difference, Drifted
from lotus_infra.changes.leaves import STREAMS
from lotus_infra.changes.takeover.parts import PUT_BACK, STREAM_ORDER, Document, Facts, FileEdit, NewFile, Part, left
from lotus_infra.naming import is_identifier
from lotus_infra.streams.edit import Edit
from lotus_infra.streams.facts import Discovered
from lotus_infra.streams.fields import Field
from lotus_infra.streams.lake import SourceFolder, StreamFile

_PAIRS: Final = {word: pair for pair, word in MODES.items()}
_FIELD: Final = TypeAdapter(Field)
_EVERY: Final = "every field is selected in Airbyte, and a stream file names its fields"
_NAMED: Final = "the patch names those that are known; the next `lotus up --refresh` selects them by name"


def stream_parts(
    one: Drifted, changes: Sequence[Difference], live: Stream | None, source: SourceFolder, facts: Facts
) -> Iterator[Part]:
    """What taking over the changes of one stream comes to.

    Args:
        one: the connection.
        changes: what changed in Airbyte of this stream; at least one.
        live: the stream as it is live; None where it was taken out.
        source: the source's folder.
        facts: what the source was found to have.
    """
    place = changes[0].place[:2]
    namespace, stream = name_of(place[1])
    file = next((each for each in source.streams if each.name == stream), None)
    name = f"{source.name}/{stream}.json"
    discovered = facts(source.name, stream) if is_identifier(stream) else None
    if live is None:
        yield FileEdit(name, Edit(("selected",), False, STREAM_ORDER))
    elif not is_identifier(stream):
        yield left(one, place, "no stream file can have this name")
    elif discovered is not None and (discovered.namespace or None) != namespace:
        yield left(one, place, "the stream file of this name is of another namespace")
    elif file is not None:
        there = any(each.place == place for each in changes)
        yield from _Taken(one, file, live, discovered).parts([] if there else changes)
    else:
        yield from _new(one, live, name, discovered, source.name)


class _Taken:
    """A stream file that is to say what is live."""

    def __init__(self, one: Drifted, file: StreamFile, live: Stream, discovered: Discovered | None) -> None:
        self.one, self.file, self.live, self.discovered = one, file, live, discovered

    def parts(self, changes: Iterable[Difference]) -> Iterator[Part]:
        """What the changes come to; all that differs from the file, where none is named."""
        config, live = self.file.config, self.live
        places = [each.place[2:] for each in changes]
        if not places:
            yield from self._again()
            wanted = set(_wanted(live, self.discovered) or config.fields)
            places = [("sync_mode",), ("cursor_field",), ("primary_key",)]
            places += [("fields", name) for name in sorted(wanted ^ config.fields.keys())]
            places += [("fields",)] if live.selected_fields is None else []
        for place in dict.fromkeys(places):
            yield from self._at(place)

    def _again(self) -> Iterator[Part]:
        """The stream is selected again."""
        yield self._edit("selected", True)
        if isinstance(self.file.config.backfill, str):
            what = f"its token {self.file.config.backfill} asks for a read from the beginning"
            yield left(self.one, (STREAMS, self.live.key, "backfill"), what, "take it out where that is not wanted")

    def _at(self, place: tuple[str, ...]) -> Iterator[Part]:
        config, live = self.file.config, self.live
        match place:
            case ("sync_mode",):
                yield from self._mode()
            case ("cursor_field",):
                if live.sync_mode.startswith("incremental") and live.cursor_field != config.cursor_field:
                    yield self._edit("cursor_field", list(live.cursor_field) or None)
            case ("primary_key",):
                if live.sync_mode not in KEYLESS_MODES and live.primary_key != config.primary_key:
                    yield self._edit("primary_key", [list(path) for path in live.primary_key] or None)
            case ("fields",):
                for name in self.discovered.fields if self.discovered is not None else ():
                    if name not in config.fields:
                        yield self._field(name)
                yield left(self.one, (STREAMS, live.key, "fields"), _EVERY, _NAMED)
            case ("fields", name):
                yield self._field(name)
            case _:
                yield left(self.one, (STREAMS, live.key, *place), "no stream file says it")

    def _mode(self) -> Iterator[Part]:
        pair = _PAIRS.get(self.live.sync_mode)
        if pair is None:
            yield left(self.one, (STREAMS, self.live.key, "sync_mode"), f"{self.live.sync_mode} is no mode of files")
            return
        config = self.file.config
        if config.sync_mode != pair[0]:
            yield self._edit("sync_mode", pair[0])
        if config.destination_sync_mode != pair[1]:
            yield self._edit("destination_sync_mode", pair[1])

    def _field(self, name: str) -> Part:
        """The field is taken in where it is live, and taken out otherwise."""
        selected = self.live.selected_fields
        if selected is not None and name not in selected:
            return FileEdit(self.file.file, Edit(("fields", name), None))
        known = self.discovered.fields if self.discovered is not None else {}
        if name not in known:
            return left(self.one, (STREAMS, self.live.key, "fields", name), *_untyped(self.file.source))
        return FileEdit(self.file.file, Edit(("fields", name), _document(known[name]), tuple(known)))

    def _edit(self, key: str, value: JsonValue) -> FileEdit:
        return FileEdit(self.file.file, Edit((key,), value, STREAM_ORDER))


def _new(one: Drifted, live: Stream, file: str, discovered: Discovered | None, source: str) -> Iterator[Part]:
    """A stream that the lake has no file of."""
    pair = _PAIRS.get(live.sync_mode)
    if pair is None or discovered is None:
        reason = _untyped(source) if discovered is None else (f"{live.sync_mode} is no mode of files", PUT_BACK)
        yield left(one, (STREAMS, live.key), *reason)
        return
    names = _wanted(live, discovered) or ()
    for name in names:
        if name not in discovered.fields:
            yield left(one, (STREAMS, live.key, "fields", name), *_untyped(source))
    document: Document = {
        "$schema": "../.schema/stream.json",
        "stream": live.name,
        "sync_mode": pair[0],
        "destination_sync_mode": pair[1],
        "primary_key": [list(path) for path in live.primary_key],
        "cursor_field": list(live.cursor_field),
        "fields": {name: _document(field) for name, field in discovered.fields.items() if name in names},
    }
    yield NewFile(file, {key: value for key, value in document.items() if value})
    if live.selected_fields is None:
        yield left(one, (STREAMS, live.key, "fields"), _EVERY, _NAMED)


def _wanted(live: Stream, discovered: Discovered | None) -> Sequence[str] | None:
    """The fields that are live by name; None where nobody knows them."""
    if live.selected_fields is not None or discovered is None:
        return live.selected_fields
    return tuple(discovered.fields)


def _untyped(source: str) -> tuple[str, str]:
    return "its type is nowhere known", f"run `lotus discover {source}`, and this again"


def _document(field: Field) -> JsonValue:
    """A field as a stream file has it; that it may be null goes without saying."""
    return _without_null(_FIELD.dump_python(field, mode="json", exclude_none=True))


def _without_null(value: JsonValue) -> JsonValue:
    if not isinstance(value, dict):
        return value
    inner = {key: _without_null(each) for key, each in value.items()}
    names = inner.get("type")
    if isinstance(names, list):
        kept = [name for name in names if name != "null"]
        inner["type"] = kept[0] if len(kept) == 1 else kept or "null"
    return inner
