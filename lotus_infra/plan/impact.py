"""The effect of an update on data, as frozen objects: `lotus comment` prints it, `lotus gate` judges it.

It has the kinds of objects that a stack contains, by the engine's types, and which kinds hold data. How the effect is
computed from a preview is in `lotus_infra.plan.analysis`. The attributes are keys of `lotus comment --json`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Self, get_args

from airbyte_model.streams import shown

from lotus_infra.lake.models import Engine
from lotus_infra.plan.preview import Step

SOURCE: Final = "airbyte:index/source:Source"
DESTINATION: Final = "airbyte:index/destination:Destination"
CONNECTION: Final = "airbyte:index/connection:Connection"
DLT_SOURCE: Final = "lotus:dlt:Source"
"""The component of a source that dlt reads. Its inputs are those of a connection, with the source's configuration."""
SOURCE_DEFINITION: Final = "airbyte:index/sourceDefinition:SourceDefinition"
DESTINATION_DEFINITION: Final = "airbyte:index/destinationDefinition:DestinationDefinition"
DECLARATIVE_DEFINITION: Final = "airbyte:index/declarativeSourceDefinition:DeclarativeSourceDefinition"
TAG: Final = "airbyte:index/tag:Tag"
OAUTH_CREDENTIALS: Final = "airbyte:index/oauthCredentials:OauthCredentials"
PERMISSION: Final = "airbyte:index/permission:Permission"
BUCKET: Final = "aws:s3/bucket:Bucket"
LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
Area = Literal["Airbyte", "S3", "Dagster", "other"]
Change = Literal["added", "removed", "replaced", "changed"]
Effect = Literal["destroys", "exposes", "touches data", "look", "safe"]
"""The effect of a change, worst first. `look` is a change that is not known to be harmless."""
Verdict = Literal["failed", "destroys", "exposes", "touches data", "look", "safe", "nothing changes"]
PROVIDER: Final = "pulumi:providers:"
"""The beginning of the type of a provider: its configuration decides which server every object is on."""
EFFECTS: Final = get_args(Effect)

_AREAS: Final[dict[str, Area]] = {"airbyte": "Airbyte", "aws": "S3", "kubernetes": "Dagster"}
_KINDS: Final = {
    SOURCE: "source",
    DESTINATION: "destination",
    CONNECTION: "connection",
    DLT_SOURCE: "source",
    SOURCE_DEFINITION: "connector",
    DESTINATION_DEFINITION: "connector",
    DECLARATIVE_DEFINITION: "connector",
    TAG: "tag",
    BUCKET: "bucket",
    "kubernetes:postgresql.cnpg.io/v1:Cluster": "database",
    "kubernetes:core/v1:PersistentVolumeClaim": "volume",
    "kubernetes:core/v1:Namespace": "namespace",
}


def kind_of(step: Step) -> str:
    """The kind of a step's object: a word such as `bucket`, else the end of the engine's type, such as `Release`."""
    kind = kind_of_type(step.type)
    return f"{kind} provider" if is_provider(step) else kind


def kind_of_type(type_: str) -> str:
    """The kind of an engine's type."""
    return _KINDS.get(type_, type_.rsplit(":", maxsplit=1)[-1])


def area_of(step: Step) -> Area:
    """The area of the stack that a step's object belongs to."""
    return _AREAS.get(step.type.removeprefix(PROVIDER).partition(":")[0], "other")


def is_object(step: Step) -> bool:
    """Whether the step is about an object outside the engine: components, providers and the stack are not.

    A source that dlt reads is one: no server has it, but its component decides which rows land.
    """
    return step.type == DLT_SOURCE or not step.type.startswith(("lotus:", "pulumi:"))


def is_provider(step: Step) -> bool:
    """Whether the step is about a provider: it is no object, but all of its objects depend on it."""
    return step.type.startswith(PROVIDER)


def worst(effects: Iterable[Effect]) -> Effect:
    """The worst of some effects; `safe` for none."""
    return min(effects, key=EFFECTS.index, default="safe")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a change does, by the table of verdicts.

    Attributes:
        effect: how bad it is.
        what: what happens, in words, after the object's name; empty if there is nothing to say.
    """

    effect: Effect
    what: str


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """A property that differs.

    Attributes:
        name: its path, such as `configuration.start_date`, or its name in prose, such as `sync mode`.
        before: the old value as text; empty for none.
        after: the new value as text; empty for none.
    """

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StreamImpact:
    """A stream that is added, removed or changed.

    Attributes:
        key: the text that stands for its namespace and name.
        change: added, removed or changed.
        added_fields: newly selected fields; empty for an added stream.
        removed_fields: fields that are no longer selected.
        settings: the differing properties, such as sync mode, cursor and key; of an added stream, their values.
        cursor: what happens to its cursor, in words; empty if it has none.
        remarks: what happens to its existing rows.
    """

    key: str
    change: Change
    added_fields: tuple[str, ...] = ()
    removed_fields: tuple[str, ...] = ()
    settings: tuple[PropertyChange, ...] = ()
    cursor: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The stream's name, with its namespace if it has one."""
        return shown(self.key)


@dataclass(frozen=True, slots=True)
class CursorImpact:
    """What happens to the cursors of a connection's incremental streams.

    Attributes:
        kept: streams that resume from their cursor.
        lost: streams that lose it, with the reason.
        reread: streams that are re-read from the beginning, because the program requests it.
    """

    kept: tuple[str, ...] = ()
    lost: Mapping[str, str] | None = None
    reread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """The rows that a connection's jobs have read so far, of all its streams: the server does not count by stream.

    Attributes:
        jobs: the number of jobs that counted rows.
        rows: the sum of their rows.
    """

    jobs: int
    rows: int


@dataclass(frozen=True, slots=True)
class Refresh:
    """A stream that is re-read from the beginning.

    Attributes:
        stream: its name.
        why: the reason, such as its new token.
        history: the history of its connection; None if Airbyte was not asked.
        how: how it is carried out, if not by a job of Airbyte.
    """

    stream: str
    why: str
    history: History | None
    how: str = ""


@dataclass(frozen=True, slots=True)
class ObjectImpact:
    """An object that changes, other than a source or a connection.

    Attributes:
        kind: its kind, such as `destination`.
        name: its name in the program.
        area: the area of the stack that it belongs to.
        change: the change; `left alone` if the stack only forgets the object.
        settings: the differing properties; without values outside Airbyte, where the secret ones are unknown.
        secrets: paths of secrets that differ.
        said: messages of the engine and the provider about it.
        effect: the worst effect that is no loss.
        notes: why it is not safe; the gate has the losses.
    """

    kind: str
    name: str
    area: Area
    change: Change | Literal["left alone"]
    settings: tuple[PropertyChange, ...] = ()
    secrets: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    effect: Effect = "safe"
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Details:
    """What changes about a source or a connection, beside its streams.

    Attributes:
        settings: the differing properties.
        secrets: paths of secrets that differ.
        said: messages of the engine and the provider about it.
        effect: the worst effect of differing properties that is no loss.
        notes: why they are not safe; the gate has the losses.
    """

    settings: tuple[PropertyChange, ...] = ()
    secrets: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    effect: Effect = "safe"
    notes: tuple[Finding, ...] = ()

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several as one."""
        return cls(
            tuple(each for part in parts for each in part.settings),
            tuple(each for part in parts for each in part.secrets),
            tuple(each for part in parts for each in part.said),
            worst(part.effect for part in parts),
            tuple(dict.fromkeys(each for part in parts for each in part.notes)),
        )


@dataclass(frozen=True, slots=True)
class ConnectionImpact:
    """A connection that changes, or whose source does.

    Attributes:
        name: its name in the program, such as `shopify` or `shopify/daily`.
        change: its change.
        streams: the streams that are added, removed or changed, by name.
        cursors: what happens to the cursors.
        refreshes: streams that are re-read from the beginning.
        remarks: what else happens to its rows.
        details: the rest.
        models: the names of the streams' files whose rows may change, each with whether its stream is removed.
        engine: what reads it; the streams of a source that dlt reads count as its only connection.
    """

    name: str
    change: Change
    streams: tuple[StreamImpact, ...] = ()
    cursors: CursorImpact = CursorImpact()
    refreshes: tuple[Refresh, ...] = ()
    remarks: tuple[str, ...] = ()
    details: Details = Details()
    models: Mapping[str, bool] = field(default_factory=dict)
    engine: Engine = "airbyte"

    @property
    def touches_data(self) -> bool:
        """Whether other rows land than before, or elsewhere."""
        return bool(
            self.change != "changed"
            or self.streams
            or self.refreshes
            or self.remarks
            or self.cursors.lost
            or self.details.effect == "touches data"
        )


@dataclass(frozen=True, slots=True)
class SourceImpact:
    """A source and its connections.

    Attributes:
        name: the source's folder.
        change: the change of the source; `changed` also if only a connection of it changes.
        own: what changes about the source itself.
        connections: its connections that change, by name.
    """

    name: str
    change: Change
    own: Details
    connections: tuple[ConnectionImpact, ...]

    @property
    def details(self) -> Details:
        """What changes about the source and its connections."""
        return Details.joined([self.own, *(each.details for each in self.connections)])

    @property
    def lost(self) -> int:
        """The number of cursors that its connections lose."""
        return sum(len(each.cursors.lost or ()) for each in self.connections)

    @property
    def touches_data(self) -> bool:
        """Whether other rows land than before, or elsewhere."""
        return (
            self.change != "changed"
            or self.own.effect == "touches data"
            or any(each.touches_data for each in self.connections)
        )


@dataclass(frozen=True, slots=True)
class Loss:
    """An object that is deleted or loses data for good, or whose data is exposed.

    Attributes:
        kind: `source`, `stream`, `bucket` and so on.
        name: its name in the program; a stream's is `<source>/<stream>`, with its namespace if it has one.
        what: what happens, in words.
        refused: whether an update refuses it unless the stack acknowledges it.
        also: other names that acknowledge it: that of a stream's file, and the stream's own without its namespace.
        effect: `destroys`, or `exposes`: others may get its data, or it goes to another place.
    """

    kind: str
    name: str
    what: str
    refused: bool = False
    also: tuple[str, ...] = ()
    effect: Literal["destroys", "exposes"] = "destroys"

    @property
    def object(self) -> str:
        """The object as an acknowledgement names it: `stream shopify/orders`."""
        return f"{self.kind} {self.name}"

    @property
    def objects(self) -> frozenset[str]:
        """All names that acknowledge it: a stream may also be named as its file is."""
        return frozenset(f"{self.kind} {name}" for name in (self.name, *self.also))


@dataclass(frozen=True, slots=True)
class Impact:
    """The effect of an update on data.

    Attributes:
        stack: the stack; empty if it is unknown.
        complete: whether the preview finished.
        errors: the preview's errors.
        sources: the sources that change, by name.
        others: the other objects that change, by area, kind and name.
        losses: the losses that need an acknowledgement.
    """

    stack: str
    complete: bool
    errors: tuple[str, ...]
    sources: tuple[SourceImpact, ...]
    others: tuple[ObjectImpact, ...]
    losses: tuple[Loss, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst effect. An incomplete preview has failed, because its missing steps could lose anything."""
        if not self.complete:
            return "failed"
        if not (self.losses or self.sources or self.others):
            return "nothing changes"
        effects: list[Effect] = [loss.effect for loss in self.losses]
        effects += ["touches data" if each.touches_data else each.details.effect for each in self.sources]
        return worst([*effects, *(each.effect for each in self.others)])
