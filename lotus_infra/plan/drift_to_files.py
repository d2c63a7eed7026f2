"""Changes of a connection's streams as edits of stream files."""

import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from airbyte_model.modes import KEYLESS_MODES, MODES
from airbyte_model.streams import Stream, name_of, shown
from pydantic import BaseModel, JsonValue, TypeAdapter

from lotus_infra import naming
from lotus_infra.lake.diagnostics import field_name
from lotus_infra.lake.discovered import Discovered
from lotus_infra.lake.json_text import Edit, child
from lotus_infra.lake.lake import DESTINATIONS_FOLDER, Lake, SourceFolder, StreamFile
from lotus_infra.lake.models import Configuration, DestinationConfig, Field, Schedule, SourceConfig, StreamConfig
from lotus_infra.lake.references import Reference, is_reference, parse
from lotus_infra.naming import is_identifier
from lotus_infra.plan.drift import ANOTHER_SECRET, DEFAULTS, STREAMS, Difference, Drift, Drifted, Place, Verdict
from lotus_infra.plan.preview import HIDDEN
from lotus_infra.plan.streams import streams

Document = dict[str, JsonValue]
Facts = Callable[[str, str], Discovered | None]
"""Gives what a source was found to have of a stream; None where that isn't known."""
PUT_BACK: Final = "`lotus up --refresh` puts it back"
NO_FILE_SAYS = "no file of the lake says it"
_FIELD: Final = TypeAdapter(Field)
_EVERY: Final = "every field is selected in Airbyte, and a stream file names its fields"
_NAMED: Final = "the patch names those that are known; the next `lotus up --refresh` selects them by name"
_SETTINGS: Final = {
    "namespaceFormat": "namespace",
    "prefix": "prefix",
    "nonBreakingSchemaUpdatesBehavior": "non_breaking_changes",
    "notifySchemaChanges": "notify_schema_changes",
}
"""Properties of a connection that a source's file has under a name of its own."""


@dataclass(frozen=True, slots=True)
class FileEdit:
    """An edit of a file, which is relative to the lake's folder."""

    file: str
    edit: Edit


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is still to be made, relative to the lake's folder."""

    file: str
    document: Document


@dataclass(frozen=True, slots=True)
class Left:
    """What is left to do by hand.

    Attributes:
        where: the object, and the place in it.
        what: why no edit of a file does it.
        remedy: what to do instead.
    """

    where: str
    what: str
    remedy: str


Part = FileEdit | NewFile | Left


def shown_place(place: Place) -> str:
    """A place as people read it: `orders.fields.total_tax`, `stream orders`, `configuration.start_date`."""
    if place[:1] == (STREAMS,):
        stream = shown(place[1])
        return f"stream {stream}" if len(place) == 2 else f"{stream}.{field_name(place[2:])}"
    return field_name(place)


def left(one: Drifted, difference: Difference | Place, what: str, remedy: str = PUT_BACK) -> Left:
    """What is left to do at a place of an object."""
    place = difference.place if isinstance(difference, Difference) else difference
    where = f"{one.kind} {one.name}"
    return Left(f"{where}: {shown_place(place)}" if place else where, what, remedy)


def _order(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


STREAM_ORDER: Final = _order(StreamConfig)


SOURCE_ORDER: Final = _order(SourceConfig)


DESTINATION_ORDER: Final = _order(DestinationConfig)


def actor_parts(
    one: Drifted, changed: Iterable[Difference], file: str, written: Configuration, order: tuple[str, ...]
) -> Iterator[Part]:
    """What taking over the changes comes to.

    Args:
        one: the source or destination.
        changed: what changed in Airbyte.
        file: its file.
        written: the configuration as the file has it, with references.
        order: the keys of such a file in their order.
    """
    for each in changed:
        match each.place:
            case ("name",):
                yield FileEdit(file, Edit(("name",), each.live, order))
            case ("configuration", *path):
                yield _configuration(one, each, tuple(path), written, file)
            case _:
                yield left(one, each, NO_FILE_SAYS)


def _configuration(one: Drifted, change: Difference, path: Place, written: Configuration, file: str) -> Part:
    if change.live is None:
        return FileEdit(file, Edit(("configuration", *_topmost_missing(one.live.get("configuration"), path)), None))
    reference = _reference(written, path)
    if reference is not None:
        return _by_reference(one, change, reference)
    if _is_secret(change.live):
        remedy = (
            "`pulumi config set --secret lotus:<name> <value>`, and refer to it in "
            f'{file} as {{"$secret": "<name>"}}; or {PUT_BACK}'
        )
        return left(one, change, "it is a secret, which Airbyte does not show", remedy)
    return FileEdit(file, Edit(("configuration", *path), change.live))


def _topmost_missing(live: JsonValue, path: Place) -> Place:
    """The shortest part of a path that is not live: an object goes as a whole where nothing of it is left."""
    for depth, key in enumerate(path, start=1):
        found = child(live, key)
        if not found:
            return path[:depth]
        live = found[0]
    return path


def _reference(written: JsonValue, path: Place) -> Reference | None:
    """The reference that the file has at a place, or on the way to it."""
    for key in path:
        found = child(written, key)
        if not found:
            return None
        written = found[0]
        if is_reference(written):
            read = parse(written)
            return read if isinstance(read, Reference) else None
    return None


def _by_reference(one: Drifted, change: Difference, reference: Reference) -> Left:
    if reference.part is not None:
        what = f"the file takes it from the landing zone ({reference.part})"
        return left(one, change, what, f"change lotus:landingZone of the stack; or {PUT_BACK}")
    value = change.live if isinstance(change.live, str) else json.dumps(change.live)
    secret = reference.secret or _is_secret(change.live)
    given = f"--secret lotus:{reference.name}" if secret else f"lotus:{reference.name} -- {shlex.quote(value)}"
    return left(one, change, "the file takes it from the stack", f"`pulumi config set {given}`; or {PUT_BACK}")


def _is_secret(value: JsonValue) -> bool:
    """Whether a value is one that is not shown, or has one in it."""
    return value == ANOTHER_SECRET or HIDDEN in json.dumps(value)


_PAIRS: Final = {word: pair for pair, word in MODES.items()}


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


def connection_parts(
    one: Drifted, changed: Iterable[Difference], source: SourceFolder, config: SourceConfig, facts: Facts
) -> Iterator[Part]:
    """What taking over the changes comes to, but for the label, which is made of two others."""
    live = {**DEFAULTS, **one.live}
    by_stream: dict[str, list[Difference]] = {}
    for each in changed:
        match each.place:
            case (key, stream, *_) if key == STREAMS:
                by_stream.setdefault(stream, []).append(each)
            case ("schedule",):
                yield from _schedule(live.get("schedule"), source.file, config)
            case ("name",):
                continue
            case ("status",):
                yield left(one, each, "no file switches a connection off", f"switch it on in Airbyte; or {PUT_BACK}")
            case (key,) if key in _SETTINGS and (key != "namespaceFormat" or _is_custom(live)):
                yield FileEdit(source.file, Edit((_SETTINGS[key],), live.get(key), SOURCE_ORDER))
            case _:
                yield left(one, each, NO_FILE_SAYS)
    there = streams(one.live) or {}
    for stream, differences in by_stream.items():
        yield from stream_parts(one, differences, there.get(stream), source, facts)


def _is_custom(live: dict[str, JsonValue]) -> bool:
    return live.get("namespaceDefinition") == "custom_format"


def _schedule(live: JsonValue, file: str, config: SourceConfig) -> Iterator[FileEdit]:
    """The edits of those keys of the schedule that differ."""
    wanted = _keys_of(live)
    written = config.schedule.model_dump(exclude_none=True)
    if "schedule" not in config.model_fields_set:
        yield FileEdit(file, Edit(("schedule",), dict(wanted), SOURCE_ORDER))
        return
    order = tuple(Schedule.model_fields)
    for key in order:
        if wanted.get(key) != written.get(key):
            yield FileEdit(file, Edit(("schedule", key), wanted.get(key), order))


def _keys_of(live: JsonValue) -> dict[str, str]:
    """A canonical schedule as a source's file has it."""
    schedule = live if isinstance(live, dict) else {"scheduleType": "manual"}
    every = str(schedule.get("basicTiming", "")).lower().removeprefix("every ")
    keys = {
        "type": schedule.get("scheduleType"),
        "cron": schedule.get("cronExpression"),
        "time_zone": schedule.get("cronTimeZone"),
        "every": every,
    }
    return {key: str(value) for key, value in keys.items() if value}


__all__ = ["Facts", "Left", "Takeover", "takeover"]


@dataclass(frozen=True, slots=True)
class Takeover:
    """What taking over everything comes to.

    Attributes:
        edits: edits of each file, by its name in the lake's folder.
        new: new files, likewise.
        left: what no file can say.
    """

    edits: dict[str, list[Edit]]
    new: dict[str, Document]
    left: tuple[Left, ...]


def takeover(drift: Drift, lake: Lake, facts: Facts) -> Takeover:
    """What taking over all that changed in Airbyte comes to.

    What code changed too, and what is not applied yet, is left as code has it.

    Args:
        drift: what differs.
        lake: the lake, without problems.
        facts: what sources were found to have.
    """
    edits: dict[str, list[Edit]] = {}
    new: dict[str, Document] = {}
    by_hand: list[Left] = []
    for part in [*(part for one in drift.objects for part in _parts(one, lake, facts)), *_labels(drift, lake)]:
        match part:
            case FileEdit():
                edits.setdefault(part.file, []).append(part.edit)
            case NewFile():
                new[part.file] = part.document
            case Left():
                by_hand.append(part)
    return Takeover(edits, new, tuple(by_hand))


def _parts(one: Drifted, lake: Lake, facts: Facts) -> Iterator[Part]:
    for each in one.differences:
        if each.verdict is Verdict.BOTH:
            yield left(one, each, "code has changed it too", "decide which of the two is right, and write it there")
    changed = [each for each in one.differences if each.verdict is Verdict.CHANGED]
    source = next((folder for folder in lake.sources if folder.name == one.name), None)
    destination = lake.destinations.get(one.name)
    if one.gone:
        remedy = "`lotus up --refresh` makes it again; where it is to stay away, delete its files"
        yield left(one, (), "it was deleted", remedy)
    elif one.kind == "destination" and destination is not None:
        file = f"{DESTINATIONS_FOLDER}/{one.name}.json"
        yield from actor_parts(one, changed, file, destination.configuration, DESTINATION_ORDER)
    elif one.kind == "source" and source is not None and source.config is not None:
        yield from actor_parts(one, changed, source.file, source.config.configuration, SOURCE_ORDER)
    elif one.kind == "connection" and source is not None and source.config is not None:
        yield from connection_parts(one, changed, source, source.config, facts)
    else:
        yield from (left(one, each, NO_FILE_SAYS) for each in changed)


def _labels(drift: Drift, lake: Lake) -> Iterator[Left]:
    """Connections whose label in Airbyte is not the one that the files will make."""
    moved = {(one.kind, one.name): each for one in drift.objects for each in one.differences if _is_renamed(each)}
    for source in lake.sources:
        destination = source.config.destination if source.config is not None else ""
        before = (source.label, lake.destination_label(destination))
        keys = (("source", source.name), ("destination", destination))
        after = [str(moved[key].live) if key in moved else label for key, label in zip(keys, before, strict=True)]
        label, own = naming.connection_label(*after), ("connection", source.name)
        there = drift.labels.get(own)
        if there not in {None, label} and (own in moved or tuple(after) != before):
            what = f'it is called "{there}", and what the files will call it is "{label}"'
            yield Left(f"connection {source.name}: name", what, f"rename its source or destination; or {PUT_BACK}")


def _is_renamed(change: Difference) -> bool:
    return change.place == ("name",) and change.verdict is Verdict.CHANGED
