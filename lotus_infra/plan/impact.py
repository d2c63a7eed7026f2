"""What a run does to data, as frozen objects: what `lotus comment` shows and `lotus gate` judges."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import JsonValue

from lotus_infra.plan.preview import HIDDEN, UNKNOWN, ResourceState, Step, is_hidden

SOURCE: Final = "airbyte:index/source:Source"
DESTINATION: Final = "airbyte:index/destination:Destination"
CONNECTION: Final = "airbyte:index/connection:Connection"
BUCKET: Final = "aws:s3/bucket:Bucket"
LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
Area = Literal["Airbyte", "S3", "Dagster", "other"]
_AREAS: Final[dict[str, Area]] = {"airbyte": "Airbyte", "aws": "S3", "kubernetes": "Dagster"}
_KINDS: Final = {
    SOURCE: "source",
    DESTINATION: "destination",
    CONNECTION: "connection",
    BUCKET: "bucket",
    "kubernetes:postgresql.cnpg.io/v1:Cluster": "database",
    "kubernetes:core/v1:PersistentVolumeClaim": "volume",
    "kubernetes:core/v1:Namespace": "namespace",
}
HOLDERS: Final = frozenset({"bucket", "database", "namespace", "volume"})
"""Kinds that hold data themselves: one that is made anew is empty."""
Change = Literal["added", "removed", "replaced", "changed"]
Verdict = Literal["failed", "destroys", "touches data", "safe", "nothing changes"]
CONFIGURATION: Final = "configuration."
"""What a connector is told begins so: it decides which rows there are, and where they go."""
LONGEST: Final = 80
_PART: Final = re.compile(r'\["(?P<quoted>(?:[^"\\]|\\.)*)"\]|\[(?P<index>\d+)\]|(?P<plain>[^.\[]+)')
Place = tuple[str, ...]


def kind_of(step: Step) -> str:
    """What people call it: a word for what holds data, and for all else the engine's own, such as `Release`."""
    return _KINDS.get(step.type) or step.type.rsplit(":", maxsplit=1)[-1]


def area_of(step: Step) -> Area:
    """What it belongs to."""
    return _AREAS.get(step.type.partition(":")[0], "other")


def is_object(step: Step) -> bool:
    """Whether there is something outside the engine, unlike with components, providers and the stack itself."""
    return not step.type.startswith(("lotus:", "pulumi:"))


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that differs.

    Attributes:
        name: its path, such as `configuration.start_date`.
        before: as text; empty for none.
        after: likewise.
    """

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StreamImpact:
    """A stream that comes, goes or changes.

    Attributes:
        name: as its connection calls it.
        change: what becomes of it.
        added_fields: fields that it gains; none of a stream that comes.
        removed_fields: fields that it loses.
        settings: its sync mode, cursor, key and so on, where they differ.
        cursor: what becomes of its cursor, in words; empty where it has none.
        remarks: what becomes of rows that are there.
    """

    name: str
    change: Change
    added_fields: tuple[str, ...] = ()
    removed_fields: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    cursor: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cursors:
    """What becomes of the cursors of a source's incremental streams.

    Attributes:
        kept: streams that go on where they are.
        lost: why the others don't, by stream.
        anew: streams that are read from the beginning because somebody asked for it.
    """

    kept: tuple[str, ...] = ()
    lost: Mapping[str, str] | None = None
    anew: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """What the jobs of a connection have brought so far, all its streams together: the server counts no finer.

    Attributes:
        jobs: how many have counted rows.
        rows: as many.
    """

    jobs: int
    rows: int


@dataclass(frozen=True, slots=True)
class Refresh:
    """A stream that is read from the beginning.

    Attributes:
        stream: which.
        why: what asks for it.
        history: of its connection; None where nobody asked Airbyte.
    """

    stream: str
    why: str
    history: History | None


@dataclass(frozen=True, slots=True)
class ObjectImpact:
    """Something that changes as a whole.

    Attributes:
        kind: what it is, such as `destination`.
        name: its name in the program.
        area: whom it belongs to.
        change: what becomes of it; `stays` is what the stack only lets go of.
        settings: values that differ; of what may hold a secret somewhere, their paths alone.
        secrets: paths of secrets that differ.
        said: what the engine and the provider said of it.
    """

    kind: str
    name: str
    area: Area
    change: Change | Literal["left alone"]
    settings: tuple[Setting, ...] = ()
    secrets: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def touches_data(self) -> bool:
        """Whether rows land elsewhere than before."""
        told = any(setting.name.startswith(CONFIGURATION) for setting in self.settings)
        return self.kind == "destination" and (self.change == "replaced" or told)


@dataclass(frozen=True, slots=True)
class SourceImpact:
    """A source with its connection.

    Attributes:
        name: the folder.
        change: what becomes of the source; `changed` also where only its connection does.
        connection: what becomes of the connection.
        streams: those that come, go or change, by name.
        settings: of the source and of its connection.
        secrets: paths of secrets that differ.
        cursors: what becomes of them.
        refreshes: streams that are read from the beginning.
        remarks: what else there is to know about rows.
        said: what the engine and the provider said of it.
    """

    name: str
    change: Change
    connection: Change
    streams: tuple[StreamImpact, ...]
    settings: tuple[Setting, ...]
    secrets: tuple[str, ...]
    cursors: Cursors
    refreshes: tuple[Refresh, ...]
    remarks: tuple[str, ...]
    said: tuple[str, ...]

    @property
    def touches_data(self) -> bool:
        """Whether other rows land than before, or elsewhere. A new secret alone is to read the same."""
        return bool(
            self.change != "changed"
            or self.connection != "changed"
            or self.streams
            or self.refreshes
            or self.remarks
            or self.cursors.lost
            or any(setting.name.startswith(CONFIGURATION) for setting in self.settings)
        )


@dataclass(frozen=True, slots=True)
class Loss:
    """An object that goes, or that loses what nobody brings back.

    Attributes:
        kind: `source`, `stream`, `bucket` and so on.
        name: its name in the program; a stream's is `<source>/<stream>`, with its namespace where it has one.
        what: what happens, in words.
        refused: whether an update refuses it unless the stack acknowledges it.
        by_file: a stream as its file names it, without its namespace; empty for anything else.
    """

    kind: str
    name: str
    what: str
    refused: bool = False
    by_file: str = ""

    @property
    def object(self) -> str:
        """As people acknowledge it: `stream shopify/orders`."""
        return f"{self.kind} {self.name}"

    @property
    def objects(self) -> frozenset[str]:
        """All ways to acknowledge it: a stream also as its file names it."""
        return frozenset({self.object, f"{self.kind} {self.by_file or self.name}"})


@dataclass(frozen=True, slots=True)
class Impact:
    """What a run does.

    Attributes:
        stack: whose run it is; empty where nothing tells.
        complete: whether the preview came to its end.
        errors: what went wrong in it.
        sources: those that change, by name.
        others: all else that changes, by area, kind and name.
        losses: what needs somebody's word.
    """

    stack: str
    complete: bool
    errors: tuple[str, ...]
    sources: tuple[SourceImpact, ...]
    others: tuple[ObjectImpact, ...]
    losses: tuple[Loss, ...]

    @property
    def verdict(self) -> Verdict:
        """The whole in one word."""
        if not self.complete:
            return "failed"
        if self.losses:
            return "destroys"
        if any(each.touches_data for each in self.sources) or any(each.touches_data for each in self.others):
            return "touches data"
        return "safe" if self.sources or self.others else "nothing changes"


def places(step: Step) -> Iterator[Place]:
    """The paths of properties that differ, as the provider compared them, in alphabetical order."""
    told = [place_of(path) for path in step.detailed_diff] or [(name,) for name in step.diff_reasons]
    yield from sorted(told)


def place_of(path: str) -> Place:
    """A property path in its parts: `a.b[0]["c.d"]` is `a`, `b`, `0`, `c.d`."""
    found = _PART.finditer(path)
    return tuple(
        _unquoted(part["quoted"]) if part["quoted"] is not None else part["index"] or part["plain"] for part in found
    )


def _unquoted(text: str) -> str:
    """A quoted part as it is meant: the provider quotes as JSON does, the engine only quotation marks."""
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text.replace('\\"', '"')


def is_secret(step: Step, place: Place) -> bool:
    """Whether what is in a place, or what it is in, is a secret before or after."""
    return any(_hides(_inputs(state), place) for state in (step.old, step.new))


def setting(step: Step, place: Place) -> Setting:
    """What a place that is no secret held, and will hold."""
    old, new = (_value(_inputs(state), place) for state in (step.old, step.new))
    return Setting(".".join(place), shown(old), shown(new))


def shown(value: JsonValue) -> str:
    """A value as short text; empty for none."""
    if value is None:
        return ""
    if _hides(value, ()):
        return HIDDEN
    if value == UNKNOWN:
        return "known once it is made"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _inputs(state: ResourceState | None) -> Mapping[str, JsonValue]:
    return state.inputs if state is not None else {}


def _value(inputs: Mapping[str, JsonValue], place: Place) -> JsonValue:
    node: JsonValue = dict(inputs)
    for part in place:
        node = _inner(node, part)
    return node


def _inner(node: JsonValue, part: str) -> JsonValue:
    if isinstance(node, list):
        return node[int(part)] if part.isdigit() and int(part) < len(node) else None
    return node.get(part) if isinstance(node, dict) else None


def _hides(value: JsonValue | Mapping[str, JsonValue], place: Place) -> bool:
    """Whether a secret is on the way to a place, or anywhere below it."""
    node: JsonValue = value if isinstance(value, list | str | int | float | bool | None) else dict(value)
    for part in place:
        if is_hidden(node):
            return True
        node = _inner(node, part)
    return is_hidden(node) or any(_hides(inner, ()) for inner in _members(node))


def _members(node: JsonValue) -> list[JsonValue]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []
