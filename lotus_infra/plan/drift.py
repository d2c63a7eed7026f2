"""Code, state and live, three ways: what differs between them, object by object and place by place.

One run of `pulumi preview --refresh --json --show-sames` tells all three: its refresh steps have the state as it is
kept, and the program's steps have what is live as the old and what code says as the new. Pure.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final, cast

from airbyte_model.secrets import MASK
from airbyte_model.streams import Stream
from airbyte_model.streams import shown as shown_stream
from pydantic import JsonValue

from lotus_infra.lake.diagnostics import field_name
from lotus_infra.plan.impact import is_object
from lotus_infra.plan.preview import HIDDEN, UNKNOWN, Preview, ResourceState, Step
from lotus_infra.plan.streams import backfill_tokens, streams

Place = tuple[str, ...]
Places = dict[Place, JsonValue]
Inputs = Mapping[str, JsonValue]
STREAMS: Final = "streams"
"""The first step of a place in a stream; the second is the stream's key."""
SECRET_STREAMS: Final[Place] = ("configurations",)
"""The place of all streams of a connection, where they are secret."""
ALL_FIELDS: Final = "every field"
OBJECT: Final[Place] = ()
"""The place of the object as a whole."""
DEFAULTS: Final[Inputs] = {
    "namespaceDefinition": "destination",
    "namespaceFormat": "",
    "prefix": "",
    "nonBreakingSchemaUpdatesBehavior": "ignore",
    "status": "active",
}
"""What a connection has that does not say so (pulumi_airbyte, provider/connection_inputs.py)."""
_APART: Final = frozenset({"configurations", "schedule", "backfills"})
AIRBYTE: Final = "airbyte:index/"
ANOTHER_SECRET: Final = "[another secret]"
TO_CHANGE: Final = "[to be changed]"
_NOT_THE_PROGRAMS: Final = frozenset({"refresh", "read", "read-replacement", "discard", "discard-replaced"})
_LOCKED: Final = "it is locked in Airbyte"
_OTHER_SECRETS: Final = re.compile(r"(?P<places>.+): changed outside the program, ")
_IN_AIRBYTE: Final = re.compile(
    rf"(?:{_LOCKED}|it is switched off in Airbyte|(?:field .+ of|stream) .+ was added in Airbyte |"
    rf"{_OTHER_SECRETS.pattern})"
)
"""How the provider begins what it says of changes in Airbyte (pulumi_airbyte, provider/connection.py and actor.py)."""


def places(inputs: Inputs) -> Places:
    """The places of any resource: each leaf of its inputs; a list is one leaf."""
    return {place: value for place, value in _leaves(inputs, ()) if value is not None}


def connection_places(inputs: Inputs, *, hidden: bool = False) -> Places:
    """The places of a connection, defaults included, and those of its streams.

    Args:
        inputs: of the connection.
        hidden: its streams are secret in one of the versions that are compared, and so are one place.
    """
    plain = {key: value for key, value in {**DEFAULTS, **inputs}.items() if key not in _APART}
    found = places(plain) | {("schedule",): schedule_text(inputs.get("schedule"))}
    known = None if hidden else streams(inputs)
    if known is None:
        return found | {SECRET_STREAMS: HIDDEN}
    for key, stream in known.items():
        found |= {(STREAMS, key, *inner): value for inner, value in _stream(stream) if value is not None}
    for key, token in backfill_tokens(inputs, known).items():
        if token and (STREAMS, key) in found:
            found[STREAMS, key, "backfill"] = token
    return found


def schedule_text(schedule: JsonValue) -> str:
    """A schedule in canonical form as people write it: `cron 0 0 * * * ?`, `every 1 hours`, `manual`."""
    if not isinstance(schedule, dict):
        return "manual"
    kind = schedule.get("scheduleType")
    if kind == "basic":
        return str(schedule.get("basicTiming")).lower()
    parts = [kind, schedule.get("cronExpression"), schedule.get("cronTimeZone")]
    return " ".join(str(part) for part in parts if part)


def _stream(stream: Stream) -> Iterator[tuple[Place, JsonValue]]:
    yield (), True
    yield ("sync_mode",), stream.sync_mode
    yield ("cursor_field",), ".".join(stream.cursor_field) or None
    yield ("primary_key",), ", ".join(".".join(path) for path in stream.primary_key) or None
    yield ("namespace",), stream.namespace or None
    if stream.selected_fields is None:
        yield ("fields",), ALL_FIELDS
    for field in stream.selected_fields or ():
        yield ("fields", field), True
    yield from (((key,), cast("JsonValue", value)) for key, value in stream.others.items())


def _leaves(value: JsonValue | Inputs, place: Place) -> Iterator[tuple[Place, JsonValue]]:
    if isinstance(value, Mapping) and (value or not place):
        for key, inner in value.items():
            # The engine's own notes on what a bridged provider filled in.
            if not key.startswith("__"):
                yield from _leaves(inner, (*place, key))
    else:
        yield place, value  # type: ignore[misc]


class Verdict(StrEnum):
    """Who has moved away from what was applied last."""

    CHANGED = "changed outside"
    BOTH = "changed in both"
    NOT_APPLIED = "not applied yet"
    ALIKE = "already done by hand"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place at which the three are not the same; None where one of them has nothing there.

    Attributes:
        place: where in the object; empty for the object as a whole.
        code: what the program says.
        state: what was applied last.
        live: what there is.
        perhaps_server: whether Airbyte can have made the change by itself; an edit by hand looks alike.
    """

    place: Place
    code: JsonValue
    state: JsonValue
    live: JsonValue
    perhaps_server: bool = False

    @property
    def verdict(self) -> Verdict:
        """Who has moved."""
        if _same(self.live, self.state):
            return Verdict.NOT_APPLIED
        if _same(self.code, self.state):
            return Verdict.CHANGED
        return Verdict.ALIKE if _same(self.code, self.live) else Verdict.BOTH


@dataclass(frozen=True, slots=True)
class Drifted:
    """An object that is not everywhere the same.

    Attributes:
        kind: `source`, `destination` or `connection`; its type where it is not one of Airbyte's.
        name: its name in the program.
        differences: at least one.
        notes: what the provider says of changes in Airbyte.
        live: its inputs as they are live; empty where it is gone.
    """

    kind: str
    name: str
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    live: Inputs

    @property
    def gone(self) -> bool:
        """Whether it was deleted behind the program, which still wants it."""
        return any(each.place == OBJECT and each.verdict is Verdict.CHANGED for each in self.differences)


@dataclass(frozen=True, slots=True)
class Drift:
    """What differs.

    Attributes:
        objects: those that are not everywhere the same, in the engine's order of the program.
        labels: what each of Airbyte's objects that is live is called there, by kind and name.
    """

    objects: tuple[Drifted, ...]
    labels: Mapping[tuple[str, str], str]

    @property
    def ok(self) -> bool:
        """Whether code and live agree; that the state is behind what both say is mended by the next refresh."""
        return all(each.verdict is Verdict.ALIKE for one in self.objects for each in one.differences)

    def count(self, verdict: Verdict) -> int:
        """How many differences are of one verdict."""
        return sum(each.verdict is verdict for one in self.objects for each in one.differences)


@dataclass(frozen=True, slots=True)
class _Three:
    """A resource in its three versions; None where one of them does not have it."""

    type: str
    name: str
    urn: str
    code: ResourceState | None
    state: ResourceState | None
    live: ResourceState | None
    steps: tuple[Step, ...]

    @property
    def kind(self) -> str:
        """What people call it."""
        return self.type.rsplit(":", maxsplit=1)[-1].lower() if self.type.startswith(AIRBYTE) else self.type


def drift_of(preview: Preview) -> Drift:
    """What differs, from a preview with a refresh that shows what stays the same."""
    resources = tuple(_resources(preview.steps))
    found = [_drifted(each, preview.messages_of(each.urn)) for each in resources]
    labels = {
        (each.kind, each.name): str(each.live.inputs.get("name"))
        for each in resources
        if each.live is not None and each.type.startswith(AIRBYTE)
    }
    return Drift(tuple(one for one in found if one.differences), labels)


def _resources(steps: Sequence[Step]) -> Iterator[_Three]:
    kept = {step.urn: step.old for step in steps if step.op == "refresh"}
    wanted: dict[str, list[Step]] = {}
    for step in steps:
        if step.op not in _NOT_THE_PROGRAMS:
            wanted.setdefault(step.urn, []).append(step)
    known = {step.urn: step for step in steps}
    for urn in dict.fromkeys([*wanted, *kept]):
        some = known[urn]
        if not is_object(some):
            continue
        own = wanted.get(urn, [])
        live = next((step.old for step in own if step.old is not None), None)
        code = next((step.new for step in own if step.new is not None), None)
        yield _Three(some.type, some.name, urn, code, kept.get(urn), live, tuple(own))


def _drifted(one: _Three, said: Sequence[str]) -> Drifted:
    notes = tuple(dict.fromkeys(each for each in said if _IN_AIRBYTE.match(each)))
    differences = tuple(_differences(one, notes)) or tuple(_unexplained(one))
    return Drifted(one.kind, one.name, differences, notes, one.live.inputs if one.live is not None else {})


def _differences(one: _Three, notes: Sequence[str]) -> Iterator[Difference]:
    if one.code is None or one.state is None or one.live is None:
        yield Difference(OBJECT, _is_there(one.code), _is_there(one.state), _is_there(one.live))
        return
    foreign = not one.type.startswith(AIRBYTE)
    stays = all(step.quiet for step in one.steps)
    if foreign and stays:
        # What a refresh reads of others is put in many ways; their own providers see no difference in it.
        return
    read = _connection_reader(one) if one.kind == "connection" else places
    live = read(one.live.inputs)
    code = live if stays else _without_unknowns(read(one.code.inputs), live)
    versions = _alike_deep(code, read(one.state.inputs), live)
    changed = {path for step in one.steps for path in step.detailed_diff}
    outside = {place for note in notes for place in _secrets_changed_outside(note)}
    for place in dict.fromkeys(place for version in versions for place in version):
        ours, kept, theirs = _shown([version.get(place) for version in versions])
        if ours == kept == theirs == HIDDEN and field_name(place) in changed:
            ours, theirs = (HIDDEN, ANOTHER_SECRET) if field_name(place) in outside else (ANOTHER_SECRET, HIDDEN)
        if not (_same(ours, kept) and _same(kept, theirs)):
            yield Difference(place, ours, kept, theirs, _perhaps_server(place, "; ".join(notes)))


def _secrets_changed_outside(note: str) -> Sequence[str]:
    """The places whose secret is another one in Airbyte: the engine hides old and new alike, and the provider says."""
    found = _OTHER_SECRETS.match(note)
    return found["places"].split(", ") if found else ()


def _connection_reader(one: _Three) -> Callable[[Inputs], Places]:
    """What reads a connection's places: streams that are secret in one version can't be compared in any."""
    versions = (one.code, one.state, one.live)
    hidden = any(version is not None and streams(version.inputs) is None for version in versions)
    return partial(connection_places, hidden=hidden)


def _unexplained(one: _Three) -> Iterator[Difference]:
    """What the engine is to change although the inputs tell no difference, such as a backfill that failed."""
    for step in one.steps:
        for path in step.detailed_diff:
            yield Difference((path,), TO_CHANGE, None, None)


def _is_there(version: ResourceState | None) -> JsonValue:
    return None if version is None else True


def _alike_deep(*versions: Places) -> tuple[Places, ...]:
    """The versions with each stream as deep as all of them have it.

    A stream that one of them does not have is one difference, and where one selects every field, so are its fields.
    """
    known = {place for version in versions for place in version if len(place) == 2 and place[0] == STREAMS}
    lacking = {place for place in known if not all(place in version for version in versions)}
    whole = {place for version in versions for place, value in version.items() if value == ALL_FIELDS}
    return tuple(_folded(version, lacking, whole) for version in versions)


def _folded(version: Places, lacking: AbstractSet[Place], whole: AbstractSet[Place]) -> Places:
    kept = {place: value for place, value in version.items() if len(place) == 2 or place[:2] not in lacking}
    for place in sorted(whole & {place[:3] for place in kept}):
        names = [inner[3] for inner in kept if inner[:3] == place and len(inner) > 3]
        kept = {inner: value for inner, value in kept.items() if inner[:3] != place or len(inner) == 3}
        kept.setdefault(place, ", ".join(names))
    return kept


def _without_unknowns(code: Places, live: Places) -> Places:
    """Code with what is live in place of what only an `up` can tell."""
    return {place: live.get(place) if UNKNOWN in str(value) else value for place, value in code.items()}


def _perhaps_server(place: Place, notes: str) -> bool:
    match place:
        case ("status",):
            return "a breaking change" in notes or _LOCKED in notes
        case (_, stream, "fields", field):
            return f"field {field} of {shown_stream(stream)} was added in Airbyte (" in notes
        case (_, stream):
            return f"stream {shown_stream(stream)} was added in Airbyte (" in notes
    return False


def _same(one: JsonValue, other: JsonValue) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _shown(values: Sequence[JsonValue]) -> list[JsonValue]:
    """Values of one place without secrets: what Airbyte hides counts as what the engine hides, and hides the others."""
    shown = [HIDDEN if value == MASK else value for value in values]
    if HIDDEN not in shown:
        return shown
    return [value if value in {None, HIDDEN} else ANOTHER_SECRET for value in map(_text_or_none, shown)]


def _text_or_none(value: JsonValue) -> str | None:
    return value if value is None or isinstance(value, str) else ANOTHER_SECRET
