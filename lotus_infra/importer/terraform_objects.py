"""The Airbyte objects of a Terraform state, each parsed by the reader of its provider."""

import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from lotus_infra.errors import LotusError
from lotus_infra.importer import terraform_oss, terraform_public
from lotus_infra.importer.model import ActorKind, Existing, ExistingActor, ExistingConnection, Note, SourceSchema
from lotus_infra.importer.terraform import Instance
from lotus_infra.lake.diagnostics import pluralize


class _Reader(NamedTuple):
    """The functions that parse the objects of one provider."""

    actor: Callable[[Instance, ActorKind], ExistingActor]
    connection: Callable[[Instance], ExistingConnection]
    source_schema: Callable[[Instance], SourceSchema]


_READERS: Final[Mapping[str, _Reader]] = {
    terraform_oss.PROVIDER: _Reader(
        terraform_oss.parse_actor, terraform_oss.parse_connection, terraform_oss.parse_source_schema
    ),
    # The public API's connections have no schema of their source.
    terraform_public.PROVIDER: _Reader(terraform_public.parse_actor, terraform_public.parse_connection, lambda _: {}),
}
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
    actors: list[ExistingActor] = []
    connections: list[ExistingConnection] = []
    schemas: dict[str, SourceSchema] = {}
    notes: list[Note] = []
    for each in instances:
        reader = _READERS.get(each.provider)
        if reader is None or not each.managed:
            continue
        kind = _actor_kind(each.type)
        try:
            if each.type == _CONNECTION:
                connections.append(reader.connection(each))
                if schema := reader.source_schema(each):
                    schemas[connections[-1].source_id] = schema
            elif kind is not None:
                actors.append(reader.actor(each, kind))
            else:
                what = f"{each.type} has no place in a lake"
                notes.append(Note("left", each.address, what, _REMOVE.format(shlex.quote(each.address))))
        except (ValueError, TypeError, RecursionError):
            # The error is not repeated: it may contain a secret.
            notes.append(Note("left", each.address, f"is not as {each.provider} writes it", "run terraform refresh"))
    if not actors and not connections:
        supported = " and ".join(_READERS)
        raise LotusError(f"{name} has no sources, destinations or connections", f"supported providers: {supported}")
    return Existing(tuple(actors), tuple(connections), schemas, (*notes, *_other_instances(instances)))


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
