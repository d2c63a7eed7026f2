"""Which source goes with which connection and destination: a lake's folder is one of each."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from lotus_infra import naming
from lotus_infra.migrate.model import Existing, FoundActor, FoundConnection, Note

RENAME = "give each a name of its own in Airbyte, and run it again"


@dataclass(frozen=True, slots=True)
class Pair:
    """What becomes one folder, and the destination that it names."""

    source: FoundActor
    connection: FoundConnection
    destination: FoundActor


def paired(existing: Existing) -> tuple[tuple[Pair, ...], tuple[Note, ...]]:
    """The pairs by the source's label, and what is left over."""
    found = _Pairing(existing)
    pairs = tuple(found.pairs())
    used = {pair.destination.id for pair in pairs}
    for each in existing.of_kind("destination"):
        if each.id not in used and not found.is_ambiguous(each):
            what = "is not written to by anything that is taken over"
            found.notes.append(Note("left", each.subject, what, "delete it in Airbyte, or leave it there"))
    return pairs, tuple(found.notes)


class _Pairing:
    def __init__(self, existing: Existing) -> None:
        self.existing = existing
        self.notes: list[Note] = []
        self._labels = Counter((each.kind, each.label.casefold()) for each in existing.actors)

    def is_ambiguous(self, actor: FoundActor) -> bool:
        """Whether another of its kind has its label."""
        return self._labels[actor.kind, actor.label.casefold()] > 1

    def pairs(self) -> Iterator[Pair]:
        destinations = {each.id: each for each in self.existing.of_kind("destination")}
        for each in self.existing.actors:
            if self.is_ambiguous(each):
                what = f"({each.id}) has a name that another {each.kind} has too"
                self.notes.append(Note("left", each.subject, what, RENAME))
        for source in self.existing.of_kind("source"):
            chosen = None if self.is_ambiguous(source) else self._connection(source)
            destination = destinations.get(chosen.destination_id) if chosen is not None else None
            if chosen is None:
                continue
            if destination is None or self.is_ambiguous(destination):
                what = "its destination is not among what is taken over"
                self.notes.append(Note("left", source.subject, what, "see what is said of the destination"))
            else:
                yield Pair(source, chosen, destination)

    def _connection(self, source: FoundActor) -> FoundConnection | None:
        """The one connection of a source: that with the conventional label, else the first that runs, by label."""
        labels = {
            each.id: naming.connection_label(source.label, each.label) for each in self.existing.of_kind("destination")
        }
        own = sorted(
            (each for each in self.existing.connections if each.source_id == source.id),
            key=lambda each: (
                each.label != labels.get(each.destination_id),
                each.status != "active",
                each.label,
                each.id,
            ),
        )
        if not own:
            what = "has no connection, and a folder of a lake is a source with its connection"
            self.notes.append(Note("left", source.subject, what, "connect it in Airbyte, or delete it there"))
            return None
        for other in own[1:]:
            what = f"reads {source.subject} too, and a folder has one connection: {own[0].label} is taken"
            remedy = "make another source for it in Airbyte, or delete it there"
            self.notes.append(Note("left", f"{other.subject} ({other.id})", what, remedy))
        return own[0]
