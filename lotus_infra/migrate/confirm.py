"""A Terraform state beside what the server has: the state says which objects are meant, the server what they are."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from lotus_infra.migrate.compare import listed, seen_otherwise
from lotus_infra.migrate.model import Existing, Found, FoundActor, Note


def confirmed(state: Existing, live: Existing) -> Existing:
    """The objects of a state as the server has them.

    An import takes what the server has, and so do the files: where Terraform's state says otherwise, somebody has
    changed it since, and is told.
    """
    there = {each.id: each for each in live.objects}
    meant = {each.id: each for each in state.objects}
    actors = tuple(replace(each, address=meant[each.id].address) for each in live.actors if each.id in meant)
    connections = tuple(replace(each, address=meant[each.id].address) for each in live.connections if each.id in meant)
    notes = (*state.notes, *live.notes, *_compared(meant, there))
    return Existing(actors, connections, {**state.facts, **live.facts}, notes, confirmed=True)


def _compared(meant: Mapping[str, Found], there: Mapping[str, Found]) -> Iterator[Note]:
    for identity, each in meant.items():
        now = there.get(identity)
        if now is None:
            what = "is in Terraform's state, and not in this workspace of Airbyte any more"
            yield Note("left", _subject(each), what, f"terraform state rm '{each.address}'")
        elif places := seen_otherwise(each, now):
            what = f"is not as Terraform's state has it ({listed(places)})"
            yield Note("told", _subject(each), what, "the files say what Airbyte has now")
    for identity, each in there.items():
        if identity not in meant:
            remedy = "`lotus migrate --from live` takes it over too"
            yield Note("left", each.subject, "is in Airbyte, and not in Terraform's state", remedy)


def _subject(each: Found) -> str:
    named = f'"{each.label}"' if each.label else each.id
    kind = each.kind if isinstance(each, FoundActor) else "connection"
    return f"{kind} {named} ({each.address})"
