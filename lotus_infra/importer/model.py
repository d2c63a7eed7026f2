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
StreamIdentity = tuple[str | None, str]
"""Namespace and name of a stream in its source; no namespace is None."""
SourceSchema = Mapping[str, Discovered]
"""The discovered streams of a source, by the names of their files."""
Resources = Mapping[str, str]
"""CPU and memory in Kubernetes' units, by the public API's names, such as `memory_limit`."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the user must know before files are written.

    Attributes:
        kind: What happens to the subject.
        subject: Such as `source "Shopify"`.
        what: The fact.
        remedy: What to do; empty if nothing is needed.
        id: The object's id in Airbyte; empty if it is about another subject.
    """

    kind: NoteKind
    subject: str
    what: str
    remedy: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Allocation:
    """The CPU and memory of a connector's jobs; empty for Airbyte's own default.

    Attributes:
        default: Of all jobs.
        jobs: Of some kinds of jobs.
    """

    default: Resources = field(default_factory=dict)
    jobs: Mapping[str, Resources] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.default or self.jobs)


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
        allocation: The CPU and memory of its jobs.
    """

    kind: ActorKind
    id: str
    label: str
    definition_id: str
    workspace_id: str
    configuration: Mapping[str, JsonValue] = field(repr=False)
    address: str = ""
    typed: bool = False
    allocation: Allocation = Allocation()

    @property
    def subject(self) -> str:
        """The subject of its notes."""
        return f'{self.kind} "{self.label}"'


@dataclass(frozen=True, slots=True)
class ExistingMapper:
    """A transformation of a stream's records.

    Attributes:
        type: Its kind, in the public API's word.
        configuration: Its settings, in the public API's form; a key is a mask, or a value that must not leave this
            object.
    """

    type: str
    configuration: Mapping[str, JsonValue] = field(repr=False)


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
        mappers: The transformations of its records, in order.
        include_files: Whether the files that records refer to are copied.
        object_name: The destination's object that it is written into; None if the destination chooses.
        unsupported: Settings that a stream file can't express, as words.
    """

    name: str
    mode: str
    namespace: str | None = None
    cursor: FieldPath = ()
    key: tuple[FieldPath, ...] = ()
    fields: tuple[str, ...] | None = None
    mappers: tuple[ExistingMapper, ...] = ()
    include_files: bool = False
    object_name: str | None = None
    unsupported: tuple[str, ...] = ()

    @property
    def identity(self) -> StreamIdentity:
        """Its namespace and name in the source."""
        return self.namespace, self.name


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
        status: `active` or `inactive`; another one can't be imported.
        namespace_definition: Where the namespace at the destination comes from, in the public API's word.
        namespace_format: The format of a custom namespace; empty for none.
        prefix: The prefix of its streams' names.
        non_breaking_changes: The policy, in the public API's word.
        notify_schema_changes: None if unknown.
        tags: The names of its tags, in alphabetical order.
        resources: The CPU and memory of its syncs, by the Config API's names; empty for Airbyte's own default.
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
    namespace_definition: str = "destination"
    namespace_format: str = ""
    prefix: str = ""
    non_breaking_changes: str = "ignore"
    notify_schema_changes: bool | None = None
    tags: tuple[str, ...] = ()
    resources: Resources = field(default_factory=dict)
    unsupported: tuple[str, ...] = ()
    address: str = ""

    @property
    def subject(self) -> str:
        """The subject of its notes."""
        return f'connection "{self.label}"'


@dataclass(frozen=True, slots=True)
class ExistingTag:
    """A tag of a workspace, which connections have.

    Attributes:
        id: Its id in Airbyte.
        label: Its name in Airbyte.
        address: Its address in the Terraform state; empty if it is not in one.
    """

    id: str
    label: str
    address: str = ""

    @property
    def subject(self) -> str:
        """The subject of its notes."""
        return f'tag "{self.label}"'


@dataclass(frozen=True, slots=True)
class ExistingDefinition:
    """A connector of a workspace's own: an image, or a manifest of the low-code framework.

    Attributes:
        kind: Of a source or of a destination.
        id: Its id in Airbyte, which sources and destinations name.
        label: Its name in Airbyte.
        workspace_id: Its workspace.
        repository: The image's repository; empty for a manifest.
        version: The image's tag, or the version of the manifest.
        manifest: The manifest; None for an image.
        modes: The sync modes that a destination supports.
        address: Its address in the Terraform state; empty if it is not in one.
    """

    kind: ActorKind
    id: str
    label: str
    workspace_id: str
    repository: str = ""
    version: str = ""
    manifest: Mapping[str, JsonValue] | None = field(default=None, repr=False)
    modes: tuple[str, ...] = ()
    address: str = ""

    @property
    def type(self) -> str:
        """The name of its resource type."""
        return "declarativeSourceDefinition" if self.manifest is not None else f"{self.kind}Definition"

    @property
    def subject(self) -> str:
        """The subject of its notes."""
        return f'{self.kind} connector "{self.label}"'


ExistingObject = ExistingActor | ExistingConnection


@dataclass(frozen=True, slots=True)
class Existing:
    """All existing objects.

    Attributes:
        actors: Sources and destinations.
        connections: Connections.
        tags: Tags of the workspace.
        definitions: The workspace's own connectors.
        schemas: Schemas of sources, by the source's id; a Terraform state has those of selected streams only.
        notes: Notes of the reader.
        confirmed: Whether the server was asked, so that configurations have the connectors' own form.
        discovered: The ids of the sources whose schema is complete.
        specifications: Specifications of connectors that the server returned, by definition id.
    """

    actors: tuple[ExistingActor, ...]
    connections: tuple[ExistingConnection, ...]
    tags: tuple[ExistingTag, ...] = ()
    definitions: tuple[ExistingDefinition, ...] = ()
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


def unsupported_connection_settings(*, mail: bool = False, backfills: bool = False) -> tuple[str, ...]:
    """The settings of a connection that files can't express, as words.

    Args:
        mail: Whether it reports schema changes by mail.
        backfills: Whether Airbyte reads a stream again when it adds a column.
    """
    settings = {"its notices by mail": mail, "its backfills of new columns": backfills}
    return tuple(words for words, has in settings.items() if has)


def resources_of(requirements: Mapping[str, object] | None) -> Resources:
    """The CPU and memory that requirements set; an empty value is Airbyte's own default."""
    return {key: value for key, value in (requirements or {}).items() if isinstance(value, str) and value}


def allocation_of(given: Mapping[str, object] | None) -> Allocation:
    """The CPU and memory of a connector, from the public API's form or Terraform's."""
    default, listed = (given or {}).get("default"), None
    for key in ("jobSpecific", "job_specific"):
        listed = listed or (given or {}).get(key)
    jobs: dict[str, Resources] = {}
    for each in listed if isinstance(listed, list) else []:
        kind = each.get("jobType") or each.get("job_type")
        found = resources_of(each.get("resourceRequirements") or each.get("resource_requirements"))
        jobs |= {kind: found} if found else {}
    return Allocation(resources_of(default if isinstance(default, Mapping) else None), jobs)


def selected_fields(paths: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The top-level fields of a field selection, and its nested part, which stream files can't express, as words."""
    present = [path for path in paths if path]
    nested = sorted({".".join(path) for path in present if len(path) > 1})
    names = tuple(dict.fromkeys(path[0] for path in present))
    return names, (f"the nested selection of {', '.join(nested)}",) if nested else ()


def described(schema: SourceSchema, stream: StreamIdentity) -> Discovered | None:
    """A stream as its source offers it; None if that is unknown."""
    return next((each for each in schema.values() if (each.namespace or None, each.stream) == stream), None)
