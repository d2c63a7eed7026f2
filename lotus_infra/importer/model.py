"""What exists, whoever told of it: actors, connections, their streams, and what is to be said about them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from pydantic import JsonValue

from lotus_infra.lake.discovered import Discovered
from lotus_infra.lake.models import FieldPath, Schedule

ActorKind = Literal["source", "destination"]
NoteKind = Literal["left", "changes", "told"]
"""`left` is not taken over; `changes` is, and the first `pulumi up` changes it; `told` is only told."""
Facts = Mapping[str, Discovered]
"""What a source has, by the stream's name."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a person must know before anything is written.

    Attributes:
        kind: What becomes of the subject.
        subject: Such as `source "Shopify"`.
        what: What is so.
        remedy: What to do; empty where nothing is.
    """

    kind: NoteKind
    subject: str
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class FoundActor:
    """A source or a destination.

    Attributes:
        kind: Which of the two.
        id: Its id in Airbyte.
        label: What people see.
        definition_id: Its connector's definition.
        workspace_id: The workspace that holds it.
        configuration: As the connector has it; secrets are masks, or values that must go no further.
        address: Where Terraform has it; empty where it does not.
        typed: Whether the configuration has Terraform's own shape of choices, which `choices` undoes.
        loses: What it has that files can't say, and that the first `pulumi up` takes off, each in words.
    """

    kind: ActorKind
    id: str
    label: str
    definition_id: str
    workspace_id: str
    configuration: Mapping[str, JsonValue] = field(repr=False)
    address: str = ""
    typed: bool = False
    loses: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """What a note calls it."""
        return f'{self.kind} "{self.label}"'


@dataclass(frozen=True, slots=True)
class FoundStream:
    """A selected stream of a connection.

    Attributes:
        name: As the source calls it.
        namespace: The source's own namespace of it.
        mode: Source and destination mode in the public API's one word; empty where it has none.
        cursor: The path of the cursor.
        key: The paths of the key's fields.
        fields: The selected top-level fields; None where every field is taken.
        beyond: What it has that a stream file can't say, each in words.
    """

    name: str
    mode: str
    namespace: str | None = None
    cursor: FieldPath = ()
    key: tuple[FieldPath, ...] = ()
    fields: tuple[str, ...] | None = None
    beyond: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundConnection:
    """A connection.

    Attributes:
        id: Its id in Airbyte.
        label: What people see.
        source_id: What it reads.
        destination_id: What it writes.
        status: `active` or `inactive`.
        schedule: When it syncs; None where that is not understood.
        namespace: As the public API spells where data goes: `source`, `destination`, or the format itself.
        prefix: Put before the streams' names.
        non_breaking_changes: The public API's word for it.
        notify_schema_changes: None where that is not known.
        loses: What it has that files can't say, and that the first `pulumi up` takes off, each in words.
        streams: The selected streams.
        address: Where Terraform has it.
    """

    id: str
    label: str
    source_id: str
    destination_id: str
    streams: tuple[FoundStream, ...]
    schedule: Schedule | None
    status: str = "active"
    namespace: str = "destination"
    prefix: str = ""
    non_breaking_changes: str = "ignore"
    notify_schema_changes: bool | None = None
    loses: tuple[str, ...] = ()
    address: str = ""

    @property
    def subject(self) -> str:
        """What a note calls it."""
        return f'connection "{self.label}"'


Found = FoundActor | FoundConnection


@dataclass(frozen=True, slots=True)
class Existing:
    """All that exists.

    Attributes:
        actors: Sources and destinations.
        connections: Connections.
        facts: What sources have, by the source's id, where that is known; a state knows of selected streams alone.
        discovered: The ids of sources of which the facts are all that there is.
        notes: What the reader could not take in.
        confirmed: Whether the server was asked.
    """

    actors: tuple[FoundActor, ...]
    connections: tuple[FoundConnection, ...]
    facts: Mapping[str, Facts] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    confirmed: bool = False
    discovered: frozenset[str] = frozenset()

    @property
    def objects(self) -> tuple[Found, ...]:
        """All of them."""
        return (*self.actors, *self.connections)

    def of_kind(self, kind: ActorKind) -> tuple[FoundActor, ...]:
        """The sources or the destinations, by label."""
        return tuple(
            sorted((each for each in self.actors if each.kind == kind), key=lambda each: (each.label, each.id))
        )

    def with_facts(self, facts: Mapping[str, Facts], notes: tuple[Note, ...] = ()) -> Self:
        """The same with sources discovered."""
        discovered = self.discovered | facts.keys()
        return replace(self, facts={**self.facts, **facts}, notes=(*self.notes, *notes), discovered=discovered)


def settings_lost(
    *, tags: bool = False, mail: bool = False, resources: bool = False, backfills: bool = False
) -> tuple[str, ...]:
    """What a connection has that files can't say, in words.

    Args:
        tags: Whether it has tags.
        mail: Whether people are told of changes of the schema by mail.
        resources: Whether it has CPU and memory of its own.
        backfills: Whether Airbyte reads a stream anew when it adds a column.
    """
    told = {
        "its tags": tags,
        "its notices by mail": mail,
        "its CPU and memory": resources,
        "its backfills of new columns": backfills,
    }
    return tuple(words for words, has in told.items() if has)


def selection(paths: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The top-level fields of a selection, and what of it is nested, in words."""
    listed = [path for path in paths if path]
    nested = sorted({".".join(path) for path in listed if len(path) > 1})
    names = tuple(dict.fromkeys(path[0] for path in listed))
    return names, (f"the nested selection of {', '.join(nested)}",) if nested else ()
