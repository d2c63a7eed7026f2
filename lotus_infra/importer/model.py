"""Existing Airbyte objects as the importer sees them, whether a Terraform state or the server described them.

Independent of both origins: each reader makes these types, and the plan uses only them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from airbyte_model.json_values import JsonObject
from pydantic import JsonValue

from lotus_infra.lake.discovered import Discovered
from lotus_infra.lake.models import FieldPath, Schedule

ActorKind = Literal["source", "destination"]
NoteKind = Literal["left", "changes", "told"]
"""`left` is not imported; `changes` is imported, and the first `pulumi up` changes it; `told` is information only."""
SourceSchema = Mapping[str, Discovered]
"""The discovered streams of a source, by name."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the user must know before files are written.

    Attributes:
        kind: What happens to the subject.
        subject: Such as `source "Shopify"`.
        what: The fact.
        remedy: What to do; empty if nothing is needed.
    """

    kind: NoteKind
    subject: str
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ExistingActor:
    """A source or a destination.

    Attributes:
        kind: Which of the two.
        id: Its id in Airbyte.
        label: Its name in Airbyte.
        definition_id: Its connector's definition; empty if unknown.
        workspace_id: Its workspace.
        configuration: The connector's configuration; secrets are masks, or values that must not leave this object.
        address: Its address in the Terraform state; empty if it is not in one.
        typed: Whether the configuration has the shape of a typed Terraform resource (`terraform_public`).
        unsupported: Settings that files can't express and that the first `pulumi up` removes, as words.
    """

    kind: ActorKind
    id: str
    label: str
    definition_id: str
    workspace_id: str
    configuration: Mapping[str, JsonValue] = field(repr=False)
    address: str = ""
    typed: bool = False
    unsupported: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The subject of its notes."""
        return f'{self.kind} "{self.label}"'


@dataclass(frozen=True, slots=True)
class ExistingStream:
    """A selected stream of a connection.

    Attributes:
        name: The source's name of it.
        namespace: The source's namespace of it.
        mode: The source and destination mode as one word of the public API; empty if it has none.
        cursor: The path of the cursor.
        key: The paths of the key's fields.
        fields: The selected top-level fields; None if all are selected.
        unsupported: Settings that a stream file can't express, as words.
    """

    name: str
    mode: str
    namespace: str | None = None
    cursor: FieldPath = ()
    key: tuple[FieldPath, ...] = ()
    fields: tuple[str, ...] | None = None
    unsupported: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExistingConnection:
    """A connection.

    Attributes:
        id: Its id in Airbyte.
        label: Its name in Airbyte.
        source_id: Its source.
        destination_id: Its destination.
        streams: The selected streams.
        schedule: When it syncs; None if the schedule is invalid.
        status: `active` or `inactive`.
        namespace: Where it writes, in the public API's words: `source`, `destination`, or the custom format.
        prefix: The prefix of its streams' names.
        non_breaking_changes: The policy, in the public API's word.
        notify_schema_changes: None if unknown.
        unsupported: Settings that files can't express and that the first `pulumi up` removes, as words.
        address: Its address in the Terraform state; empty if it is not in one.
    """

    id: str
    label: str
    source_id: str
    destination_id: str
    streams: tuple[ExistingStream, ...]
    schedule: Schedule | None
    status: str = "active"
    namespace: str = "destination"
    prefix: str = ""
    non_breaking_changes: str = "ignore"
    notify_schema_changes: bool | None = None
    unsupported: tuple[str, ...] = ()
    address: str = ""

    @property
    def subject(self) -> str:
        """The subject of its notes."""
        return f'connection "{self.label}"'


ExistingObject = ExistingActor | ExistingConnection


@dataclass(frozen=True, slots=True)
class Existing:
    """All existing objects.

    Attributes:
        actors: Sources and destinations.
        connections: Connections.
        schemas: Schemas of sources, by the source's id; a Terraform state has those of selected streams only.
        notes: Notes of the reader.
        confirmed: Whether the server was asked, so that configurations have the connectors' own form.
        discovered: The ids of the sources whose schema is complete.
        specifications: Specifications of connectors that the server returned, by definition id.
    """

    actors: tuple[ExistingActor, ...]
    connections: tuple[ExistingConnection, ...]
    schemas: Mapping[str, SourceSchema] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    confirmed: bool = False
    discovered: frozenset[str] = frozenset()
    specifications: Mapping[str, JsonObject] = field(default_factory=dict)

    @property
    def objects(self) -> tuple[ExistingObject, ...]:
        """Actors and connections."""
        return (*self.actors, *self.connections)

    def of_kind(self, kind: ActorKind) -> tuple[ExistingActor, ...]:
        """The sources or the destinations, by label."""
        return tuple(
            sorted((each for each in self.actors if each.kind == kind), key=lambda each: (each.label, each.id))
        )

    def with_notes(self, notes: tuple[Note, ...]) -> Self:
        """A copy with more notes."""
        return replace(self, notes=(*self.notes, *notes))

    def with_schemas(self, schemas: Mapping[str, SourceSchema]) -> Self:
        """A copy with more sources discovered."""
        return replace(self, schemas={**self.schemas, **schemas}, discovered=self.discovered | schemas.keys())

    def with_specifications(self, specifications: Mapping[str, JsonObject]) -> Self:
        """A copy with more specifications of connectors."""
        return replace(self, specifications={**self.specifications, **specifications})


def unsupported_connection_settings(
    *, tags: bool = False, mail: bool = False, resources: bool = False, backfills: bool = False
) -> tuple[str, ...]:
    """The settings of a connection that files can't express, as words.

    Args:
        tags: Whether it has tags.
        mail: Whether it reports schema changes by mail.
        resources: Whether it has its own CPU and memory.
        backfills: Whether Airbyte reads a stream again when it adds a column.
    """
    settings = {
        "its tags": tags,
        "its notices by mail": mail,
        "its CPU and memory": resources,
        "its backfills of new columns": backfills,
    }
    return tuple(words for words, has in settings.items() if has)


def selected_fields(paths: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The top-level fields of a field selection, and its nested part, which stream files can't express, as words."""
    present = [path for path in paths if path]
    nested = sorted({".".join(path) for path in present if len(path) > 1})
    names = tuple(dict.fromkeys(path[0] for path in present))
    return names, (f"the nested selection of {', '.join(nested)}",) if nested else ()
