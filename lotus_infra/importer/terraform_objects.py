"""The Airbyte objects of a Terraform state, each parsed by the reader of its provider."""

import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from lotus_infra.errors import LotusError
from lotus_infra.importer import terraform_oss, terraform_public
from lotus_infra.importer.model import (
    ActorKind,
    Existing,
    ExistingActor,
    ExistingConnection,
    ExistingDefinition,
    ExistingTag,
    Note,
    SourceSchema,
)
from lotus_infra.importer.terraform import Instance
from lotus_infra.lake.diagnostics import pluralize


class _Reader(NamedTuple):
    """The functions that parse the objects of one provider."""

    actor: Callable[[Instance, ActorKind], ExistingActor]
    connection: Callable[[Instance], ExistingConnection]
    source_schema: Callable[[Instance], SourceSchema]
    tags: Callable[[Instance], tuple[ExistingTag, ...]]
    definition: Callable[[Instance, ActorKind], ExistingDefinition]


_READERS: Final[Mapping[str, _Reader]] = {
    terraform_oss.PROVIDER: _Reader(
        terraform_oss.parse_actor,
        terraform_oss.parse_connection,
        terraform_oss.parse_source_schema,
        # Its connections have no tags.
        lambda _: (),
        terraform_oss.parse_definition,
    ),
    terraform_public.PROVIDER: _Reader(
        terraform_public.parse_actor,
        terraform_public.parse_connection,
        # The public API's connections have no schema of their source.
        lambda _: {},
        terraform_public.parse_tags,
        terraform_public.parse_definition,
    ),
}
_DEFINITIONS: Final[Mapping[str, ActorKind]] = {
    "airbyte_source_definition": "source",
    "airbyte_destination_definition": "destination",
    "airbyte_declarative_source_definition": "source",
}
"""The types of a workspace's own connectors."""
_CONNECTION: Final = "airbyte_connection"
_ACTOR_KINDS: Final[tuple[ActorKind, ...]] = ("source", "destination")
_REMOVE: Final = "leave it to Terraform, or remove it from its state: terraform state rm {}"


def airbyte_objects(instances: Sequence[Instance], name: str) -> Existing:
    """The Airbyte objects of a state.

    Args:
        instances: All instances of the state.
        name: The state's name, for errors.

    Raises:
        LotusError: The state has no Airbyte objects.
    """
    found = _Found()
    for each in instances:
        reader = _READERS.get(each.provider)
        if reader is None or not each.managed:
            continue
        try:
            found.add(each, reader)
        except (ValueError, TypeError, RecursionError):
            # The error is not repeated: it may contain a secret.
            found.note(each, f"is not as {each.provider} writes it", "run terraform refresh")
    if not found.actors and not found.connections:
        supported = " and ".join(_READERS)
        raise LotusError(f"{name} has no sources, destinations or connections", f"supported providers: {supported}")
    return Existing(
        tuple(found.actors),
        tuple(found.connections),
        tuple(found.tags.values()),
        tuple(found.definitions),
        found.schemas,
        notes=(*found.notes, *_other_instances(instances)),
    )


@dataclass
class _Found:
    """The objects of a state so far."""

    actors: list[ExistingActor] = field(default_factory=list)
    connections: list[ExistingConnection] = field(default_factory=list)
    tags: dict[str, ExistingTag] = field(default_factory=dict)
    definitions: list[ExistingDefinition] = field(default_factory=list)
    schemas: dict[str, SourceSchema] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def add(self, instance: Instance, reader: _Reader) -> None:
        """Add an instance of one of Airbyte's providers.

        Raises:
            ValueError: Its attributes are not the provider's.
        """
        kind = _actor_kind(instance.type)
        if instance.type == _CONNECTION:
            connection = reader.connection(instance)
            self.connections.append(connection)
            self.tags |= {tag.id: tag for tag in reader.tags(instance)}
            if schema := reader.source_schema(instance):
                # Each connection has the schemas of its own streams.
                self.schemas[connection.source_id] = {**self.schemas.get(connection.source_id, {}), **schema}
        elif instance.type in _DEFINITIONS:
            self.definitions.append(reader.definition(instance, _DEFINITIONS[instance.type]))
        elif kind is not None:
            self.actors.append(reader.actor(instance, kind))
        else:
            remedy = _REMOVE.format(shlex.quote(instance.address))
            self.note(instance, f"{instance.type} has no place in a lake", remedy)

    def note(self, instance: Instance, what: str, remedy: str) -> None:
        """Add a note on an instance that is not imported."""
        self.notes.append(Note("left", instance.address, what, remedy))


def _actor_kind(type_name: str) -> ActorKind | None:
    # Types about connectors are no actors: `airbyte_source_definition`, `airbyte_source_oauth`.
    if "_definition" in type_name or type_name.endswith("_oauth"):
        return None
    starts = {kind: f"airbyte_{kind}" for kind in _ACTOR_KINDS}
    return next((kind for kind, start in starts.items() if f"{type_name}_".startswith(f"{start}_")), None)


def _other_instances(instances: Sequence[Instance]) -> Iterator[Note]:
    """Notes that count the data sources, and the resources of other providers."""
    data_sources = [each for each in instances if each.provider in _READERS and not each.managed]
    if data_sources:
        what = f"{pluralize(len(data_sources), 'data source')} of Airbyte's provider need no import"
        yield Note("told", "data sources", what)
    others = Counter(each.provider for each in instances if each.provider not in _READERS and each.managed)
    for provider, number in sorted(others.items()):
        yield Note("told", f"provider {provider}", f"{pluralize(number, 'resource')} stay with Terraform")
