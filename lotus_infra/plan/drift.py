"""Compare code, state and live objects three ways, by object and property path.

One run of `pulumi preview --refresh --json --show-sames` has all three: its refresh steps have the state as it is
stored, and the program's steps have the live object as the old resource and the code as the new one.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Final, cast

from airbyte_model.secrets import MASK
from airbyte_model.streams import Stream
from airbyte_model.streams import shown as shown_stream
from pydantic import JsonValue

from lotus_infra.lake.diagnostics import format_path
from lotus_infra.plan.impact import CONNECTION, DLT_SOURCE, is_object, kind_of_type
from lotus_infra.plan.preview import HIDDEN, UNKNOWN, Preview, PropertyPath, ResourceState, Step
from lotus_infra.plan.streams import backfill_tokens, streams

ANOTHER_SECRET: Final = "[another secret]"
"""Stands for a value that differs from a secret and is not shown either."""
A_THIRD_SECRET: Final = "[a third secret]"
"""Stands for a value that differs from both, so that code and live object do not look alike."""
TO_CHANGE: Final = "[to be changed]"
"""Stands for the code's value if the engine plans a change, but the inputs do not differ."""
STREAMS: Final = "streams"
"""First key of a path into a stream; the second is the stream's key."""
CONNECTION_DEFAULTS: Final[Mapping[str, JsonValue]] = {
    "namespaceDefinition": "destination",
    "namespaceFormat": "",
    "prefix": "",
    "nonBreakingSchemaUpdatesBehavior": "ignore",
    "status": "active",
}
"""Values of properties that a connection leaves out (pulumi_airbyte, provider/connection_inputs.py)."""
_WHOLE_OBJECT: Final[PropertyPath] = ()
_ALL_STREAMS: Final[PropertyPath] = ("configurations",)
"""The one path of a connection's streams if they are secret."""
_EVERY_FIELD: Final = "every field"
_CONVERTED: Final = frozenset({"configurations", "schedule", "backfills", "tags"})
"""Properties of a connection whose JSON is converted before it is compared."""
_AIRBYTE: Final = "airbyte:index/"
_NOT_OF_THE_PROGRAM: Final = frozenset({"refresh", "read", "read-replacement", "discard", "discard-replaced"})
"""Operations that the engine adds to the program's own."""
# The provider explains changes in Airbyte by messages with these beginnings (pulumi_airbyte, provider/connection.py and
# actor.py), because a diff has no place for a reason, and hides whether the old or the new secret is the live one.
_LOCKED: Final = "it is locked in Airbyte"
_CHANGED_SECRETS: Final = re.compile(r"(?P<paths>.+): changed outside the program, ")
_CHANGE_IN_AIRBYTE: Final = re.compile(
    rf"(?:{_LOCKED}|it is switched off in Airbyte|(?:field .+ of|stream) .+ was added in Airbyte |"
    rf"{_CHANGED_SECRETS.pattern})"
)

Inputs = Mapping[str, JsonValue]
PropertyValues = dict[PropertyPath, JsonValue]


class DriftKind(StrEnum):
    """Which of code and live object differs from the state. Values are printed, names are in `lotus drift --json`."""

    CHANGED = "changed outside"
    BOTH = "changed in both"
    NOT_APPLIED = "not applied yet"
    ALIKE = "already done by hand"


@dataclass(frozen=True, slots=True)
class PropertyDrift:
    """A property that differs between code, state and live object. None means that there is no such property.

    Attributes:
        path: the property's path; empty for the object as a whole.
        code: the program's value.
        state: the value of the last update.
        live: the live value.
        perhaps_server: whether Airbyte itself may have made the change; a manual edit looks the same.
    """

    path: PropertyPath
    code: JsonValue
    state: JsonValue
    live: JsonValue
    perhaps_server: bool = False

    @property
    def kind(self) -> DriftKind:
        """Which side changed since the last update."""
        if _is_same(self.live, self.state):
            return DriftKind.NOT_APPLIED
        if _is_same(self.code, self.state):
            return DriftKind.CHANGED
        return DriftKind.ALIKE if _is_same(self.code, self.live) else DriftKind.BOTH


@dataclass(frozen=True, slots=True)
class DriftedObject:
    """An object that differs between code, state and Airbyte.

    Attributes:
        kind: `source`, `destination`, `connection`, `connector` or `tag`; the engine's type for any other.
        name: its name in the program.
        differences: the properties that differ; at least one.
        notes: the provider's messages about changes in Airbyte.
        live: the live inputs; empty if the object is gone.
    """

    kind: str
    name: str
    differences: tuple[PropertyDrift, ...]
    notes: tuple[str, ...]
    live: Inputs

    @property
    def gone(self) -> bool:
        """Whether it was deleted outside the program, which still declares it."""
        return any(each.path == _WHOLE_OBJECT and each.kind is DriftKind.CHANGED for each in self.differences)


@dataclass(frozen=True, slots=True)
class Drift:
    """The differences of a stack.

    Attributes:
        objects: the objects that differ, in the order of the program's steps.
        labels: the live names of Airbyte's objects, by kind and name in the program.
    """

    objects: tuple[DriftedObject, ...]
    labels: Mapping[tuple[str, str], str]

    @property
    def ok(self) -> bool:
        """Whether code and live objects agree. If only the state is behind, the next refresh updates it."""
        return all(each.kind is DriftKind.ALIKE for one in self.objects for each in one.differences)

    def count(self, kind: DriftKind) -> int:
        """The number of differences of a kind."""
        return sum(each.kind is kind for one in self.objects for each in one.differences)


@dataclass(frozen=True, slots=True)
class _Resource:
    """The three versions of a resource; None if a version does not have it."""

    type: str
    name: str
    urn: str
    code: ResourceState | None
    state: ResourceState | None
    live: ResourceState | None
    steps: tuple[Step, ...]

    @property
    def is_airbyte(self) -> bool:
        return self.type.startswith(_AIRBYTE)

    @property
    def kind(self) -> str:
        return kind_of_type(self.type).lower() if self.is_airbyte or self.type == DLT_SOURCE else self.type


def drift_of(preview: Preview) -> Drift:
    """Compare the three versions in a preview that was made with `--refresh --show-sames`."""
    resources = tuple(_resources(preview.steps))
    objects = (_drifted_object(each, preview.messages_of(each.urn)) for each in resources)
    labels = {
        (each.kind, each.name): str(each.live.inputs.get("name"))
        for each in resources
        if each.live is not None and each.is_airbyte
    }
    return Drift(tuple(each for each in objects if each.differences), labels)


def _resources(steps: Sequence[Step]) -> Iterator[_Resource]:
    stored = {step.urn: step.old for step in steps if step.op == "refresh"}
    of_program: dict[str, list[Step]] = {}
    for step in steps:
        if step.op not in _NOT_OF_THE_PROGRAM:
            of_program.setdefault(step.urn, []).append(step)
    any_step = {step.urn: step for step in steps}
    for urn in dict.fromkeys([*of_program, *stored]):
        step, own = any_step[urn], of_program.get(urn, [])
        if not is_object(step):
            continue
        live = next((each.old for each in own if each.old is not None), None)
        code = next((each.new for each in own if each.new is not None), None)
        yield _Resource(step.type, step.name, urn, code, stored.get(urn), live, tuple(own))


def _drifted_object(resource: _Resource, messages: Sequence[str]) -> DriftedObject:
    notes = tuple(dict.fromkeys(each for each in messages if _CHANGE_IN_AIRBYTE.match(each)))
    differences = tuple(_compare(resource, notes)) or tuple(_planned_changes(resource))
    live = resource.live.inputs if resource.live is not None else {}
    return DriftedObject(resource.kind, resource.name, differences, notes, live)


def _compare(resource: _Resource, notes: Sequence[str]) -> Iterator[PropertyDrift]:
    if resource.code is None or resource.state is None or resource.live is None:
        yield PropertyDrift(
            _WHOLE_OBJECT, _presence(resource.code), _presence(resource.state), _presence(resource.live)
        )
        return
    is_unchanged = all(step.quiet for step in resource.steps)
    if is_unchanged and not resource.is_airbyte:
        # A refresh of another provider may write equal values in another form. Its own diff is right about them.
        return
    values_of = _values_reader(resource)
    live = values_of(resource.live.inputs)
    code = live if is_unchanged else _with_live_unknowns(values_of(resource.code.inputs), live)
    versions = _at_equal_depth(code, values_of(resource.state.inputs), live)
    planned = {path for step in resource.steps for path in step.detailed_diff}
    changed_secrets = {path for note in notes for path in _changed_secrets(note)}
    for path in dict.fromkeys(path for version in versions for path in version):
        ours, stored, theirs = _without_secrets([version.get(path) for version in versions])
        if ours == stored == theirs == HIDDEN and format_path(path) in planned:
            # The engine hides all three values, and its diff lists the path, so two of them differ.
            is_live = format_path(path) in changed_secrets
            ours, theirs = (HIDDEN, ANOTHER_SECRET) if is_live else (ANOTHER_SECRET, HIDDEN)
        if not (_is_same(ours, stored) and _is_same(stored, theirs)):
            yield PropertyDrift(path, ours, stored, theirs, _is_perhaps_server(path, "; ".join(notes)))


def _presence(version: ResourceState | None) -> JsonValue:
    return None if version is None else True


def _values_reader(resource: _Resource) -> Callable[[Inputs], PropertyValues]:
    if resource.type not in {CONNECTION, DLT_SOURCE}:
        return property_values
    # Streams that are secret in one version can't be compared in any.
    versions = (resource.code, resource.state, resource.live)
    hidden = any(version is not None and streams(version.inputs) is None for version in versions)
    return partial(connection_values, hidden=hidden)


def _planned_changes(resource: _Resource) -> Iterator[PropertyDrift]:
    """The engine's planned changes, where no input differs: for example, a failed backfill is repeated."""
    for step in resource.steps:
        for path in step.detailed_diff:
            yield PropertyDrift((path,), TO_CHANGE, None, None)


def _changed_secrets(note: str) -> Sequence[str]:
    """The paths of secrets that changed in Airbyte, in the provider's form."""
    found = _CHANGED_SECRETS.match(note)
    return found["paths"].split(", ") if found else ()


def _is_perhaps_server(path: PropertyPath, notes: str) -> bool:
    match path:
        case ("status",):
            return "a breaking change" in notes or _LOCKED in notes
        case (_, stream, "fields", field):
            return f"field {field} of {shown_stream(stream)} was added in Airbyte (" in notes
        case (_, stream):
            return f"stream {shown_stream(stream)} was added in Airbyte (" in notes
    return False


def _is_same(one: JsonValue, other: JsonValue) -> bool:
    # Python's 1 == True is not JSON's.
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _without_secrets(values: Sequence[JsonValue]) -> list[JsonValue]:
    """The three values of one path. If one is a secret, the others are hidden too: each was or will be the secret."""
    hidden = [HIDDEN if value == MASK else value for value in values]
    if HIDDEN not in hidden:
        return hidden
    return [value if value is None or value == HIDDEN else ANOTHER_SECRET for value in hidden]


def hide_difference(difference: PropertyDrift) -> PropertyDrift:
    """A difference without its values: equal ones stay equal."""
    shown: list[JsonValue] = []
    values = (difference.state, difference.code, difference.live)
    for index, value in enumerate(values):
        same = next((shown[before] for before in range(index) if _is_same(values[before], value)), None)
        names = [name for name in (HIDDEN, ANOTHER_SECRET, A_THIRD_SECRET) if name not in shown]
        shown.append(None if value is None else same or names[0])
    state, code, live = shown
    return replace(difference, code=code, state=state, live=live)


# The values of a resource's inputs


def property_values(inputs: Inputs) -> PropertyValues:
    """The values of a resource's inputs by path, without nulls; a list is one value."""
    return {path: value for path, value in _flattened(inputs, ()) if value is not None}


def _flattened(value: JsonValue | Inputs, path: PropertyPath) -> Iterator[tuple[PropertyPath, JsonValue]]:
    if isinstance(value, Mapping) and (value or not path):
        for key, inner in value.items():
            # The engine keeps notes on the defaults of a bridged provider under such keys.
            if not key.startswith("__"):
                yield from _flattened(inner, (*path, key))
    else:
        yield path, cast("JsonValue", value)


def connection_values(inputs: Inputs, *, hidden: bool = False) -> PropertyValues:
    """The values of a connection's inputs and streams by path, with defaults.

    Args:
        inputs: the connection's inputs.
        hidden: whether its streams are secret in one of the compared versions; then they are one value.
    """
    plain = {key: value for key, value in {**CONNECTION_DEFAULTS, **inputs}.items() if key not in _CONVERTED}
    found = property_values(plain) | {("schedule",): _schedule_text(inputs.get("schedule"))}
    tags = inputs.get("tags")
    if tags:
        found["tags",] = _tag_names(tags)
    known = None if hidden else streams(inputs)
    if known is None:
        return found | {_ALL_STREAMS: HIDDEN}
    for key, stream in known.items():
        found |= {(STREAMS, key, *path): value for path, value in _stream_values(stream) if value is not None}
    for key, token in backfill_tokens(inputs, known).items():
        # A token of a stream that is not in the connection requests nothing.
        if token and key in known:
            found[STREAMS, key, "backfill"] = token
    return found


def _tag_names(tags: JsonValue) -> JsonValue:
    """The names of tags, in alphabetical order: the server gives them in any."""
    if not isinstance(tags, list):
        return tags
    return [*sorted(str(tag.get("name")) for tag in tags if isinstance(tag, dict))]


def _schedule_text(schedule: JsonValue) -> str:
    """A canonical schedule as short text: `cron 0 0 * * * ?`, `every 1 hours`, `manual`."""
    if not isinstance(schedule, dict):
        return "manual"
    kind = schedule.get("scheduleType")
    if kind == "basic":
        return str(schedule.get("basicTiming")).lower()
    parts = [kind, schedule.get("cronExpression"), schedule.get("cronTimeZone")]
    return " ".join(str(part) for part in parts if part)


def _stream_values(stream: Stream) -> Iterator[tuple[PropertyPath, JsonValue]]:
    """The values of a stream by path within it; True stands for the presence of the stream or of a field."""
    yield (), True
    yield ("sync_mode",), stream.sync_mode
    yield ("cursor_field",), ".".join(stream.cursor_field) or None
    yield ("primary_key",), ", ".join(".".join(path) for path in stream.primary_key) or None
    yield ("namespace",), stream.namespace or None
    if stream.selected_fields is None:
        yield ("fields",), _EVERY_FIELD
    for field in stream.selected_fields or ():
        yield ("fields", field), True
    yield from (((key,), cast("JsonValue", value)) for key, value in stream.others.items())


def _with_live_unknowns(code: PropertyValues, live: PropertyValues) -> PropertyValues:
    """The code's values, with the live value for each one that only the update knows."""
    return {path: live.get(path) if UNKNOWN in str(value) else value for path, value in code.items()}


def _at_equal_depth(*versions: PropertyValues) -> tuple[PropertyValues, ...]:
    """The versions with each stream at the depth that all of them have.

    A stream that one version lacks becomes one difference, without its properties. If one version selects every field
    of a stream, all its fields become one difference.
    """
    present = {path for version in versions for path in version if _is_stream(path)}
    lacking = {path for path in present if not all(path in version for version in versions)}
    every_field = {path for version in versions for path, value in version.items() if value == _EVERY_FIELD}
    return tuple(_collapsed(version, lacking, every_field) for version in versions)


def _collapsed(
    version: PropertyValues, lacking: Collection[PropertyPath], every_field: Collection[PropertyPath]
) -> PropertyValues:
    kept = {path: value for path, value in version.items() if _is_stream(path) or path[:2] not in lacking}
    for fields in sorted({*every_field} & {path[:3] for path in kept}):
        names = [path[3] for path in kept if path[:3] == fields and len(path) > 3]
        kept = {path: value for path, value in kept.items() if path[:3] != fields or len(path) == 3}
        kept.setdefault(fields, ", ".join(names))
    return kept


def _is_stream(path: PropertyPath) -> bool:
    return len(path) == 2 and path[0] == STREAMS
