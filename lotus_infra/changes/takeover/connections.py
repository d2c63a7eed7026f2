"""Changes of a connection as edits of its source's file."""

from collections.abc import Iterable, Iterator
from typing import Final

from pydantic import JsonValue

from lotus_infra.changes.drift import Difference, Drifted
from lotus_infra.changes.leaves import DEFAULTS, STREAMS
from lotus_infra.changes.streams import streams
from lotus_infra.changes.takeover.actors import NO_FILE_SAYS
from lotus_infra.changes.takeover.parts import PUT_BACK, SOURCE_ORDER, Facts, FileEdit, Part, left
from lotus_infra.changes.takeover.streams import stream_parts
from lotus_infra.streams.edit import Edit
from lotus_infra.streams.lake import SourceFolder
from lotus_infra.streams.model import Schedule, SourceConfig

_SETTINGS: Final = {
    "namespaceFormat": "namespace",
    "prefix": "prefix",
    "nonBreakingSchemaUpdatesBehavior": "non_breaking_changes",
    "notifySchemaChanges": "notify_schema_changes",
}
"""Properties of a connection that a source's file has under a name of its own."""


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
