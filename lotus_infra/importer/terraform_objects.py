"""What a Terraform state says of Airbyte: which of its instances are objects there, read by their provider's reader."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from lotus_infra.errors import LotusError
from lotus_infra.importer import terraform_oss, terraform_public
from lotus_infra.importer.model import ActorKind, Existing, Facts, FoundActor, FoundConnection, Note
from lotus_infra.importer.terraform import Instance
from lotus_infra.lake.diagnostics import counted

PROVIDERS: Final = (terraform_oss.PROVIDER, terraform_public.PROVIDER)
CONNECTION: Final = "airbyte_connection"
REMOVE: Final = "leave it to Terraform, or forget it there: terraform state rm '{}'"


def existing(instances: Sequence[Instance], name: str) -> Existing:
    """The objects of Airbyte in a state.

    Args:
        instances: All that the state has.
        name: What the user calls the state.

    Raises:
        LotusError: It has none.
    """
    ours = [each for each in instances if each.provider in PROVIDERS and each.managed]
    actors: list[FoundActor] = []
    connections: list[FoundConnection] = []
    facts: dict[str, Facts] = {}
    notes: list[Note] = []
    for each in ours:
        kind = _kind(each.type)
        try:
            if each.type == CONNECTION:
                connections.append(_connection(each))
                facts |= _facts(each, connections[-1])
            elif kind is not None:
                actors.append(
                    terraform_oss.actor(each, kind)
                    if each.provider == terraform_oss.PROVIDER
                    else terraform_public.actor(each, kind)
                )
            else:
                notes.append(
                    Note("left", each.address, f"{each.type} has no place in a lake", REMOVE.format(each.address))
                )
        except (ValueError, TypeError):
            # What was wrong is not repeated: it may be a secret.
            notes.append(Note("left", each.address, f"is not as {each.provider} writes it", "run terraform refresh"))
    if not actors and not connections:
        known = " and ".join(PROVIDERS)
        raise LotusError(f"{name} has no sources, destinations or connections", f"known are those of {known}")
    return Existing(tuple(actors), tuple(connections), facts, (*notes, *_others(instances)))


def _kind(type_name: str) -> ActorKind | None:
    kinds: tuple[ActorKind, ...] = ("source", "destination")
    for kind in kinds:
        start = f"airbyte_{kind}"
        if type_name == start or (type_name.startswith(f"{start}_") and not _supporting(type_name)):
            return kind
    return None


def _supporting(type_name: str) -> bool:
    """Whether a type is about connectors: `airbyte_source_definition` and the like."""
    return "_definition" in type_name or type_name.endswith("_oauth")


def _connection(instance: Instance) -> FoundConnection:
    return (
        terraform_oss.connection(instance)
        if instance.provider == terraform_oss.PROVIDER
        else terraform_public.connection(instance)
    )


def _facts(instance: Instance, connection: FoundConnection) -> Mapping[str, Facts]:
    found = terraform_oss.facts(instance) if instance.provider == terraform_oss.PROVIDER else {}
    return {connection.source_id: found} if found else {}


def _others(instances: Sequence[Instance]) -> Iterator[Note]:
    """What else is in the state, counted."""
    looked_up = [each for each in instances if each.provider in PROVIDERS and not each.managed]
    if looked_up:
        yield Note(
            "told", "data sources", f"{counted(len(looked_up), 'data source')} of Airbyte's provider need nothing"
        )
    foreign = Counter(each.provider for each in instances if each.provider not in PROVIDERS and each.managed)
    for provider, number in sorted(foreign.items()):
        yield Note("told", f"provider {provider}", f"{counted(number, 'resource')} stay with Terraform")
