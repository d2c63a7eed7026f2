"""Every live object of a workspace held against what a program has and declares. Pure: records in, a report out."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from pulumi_airbyte.client.models import Actor, Connection

Kind = Literal["source", "destination", "connection"]
Standing = Literal["managed", "adoptable", "duplicate", "orphan"]
STANDINGS: Final[tuple[Standing, ...]] = ("managed", "adoptable", "duplicate", "orphan")


@dataclass(frozen=True)
class Declared:
    """An object that a program declares, by the names that it has on the server: ids may not be known yet.

    Attributes:
        kind: what it is.
        name: its display name.
        source: of a connection, the display name of its source.
        destination: of a connection, the display name of its destination.
    """

    kind: Kind
    name: str
    source: str = ""
    destination: str = ""


@dataclass(frozen=True)
class Found:
    """A live object.

    Attributes:
        kind: what it is.
        id: its id.
        name: its display name.
        source_id: of a connection.
        destination_id: of a connection.
    """

    kind: Kind
    id: str
    name: str
    source_id: str = ""
    destination_id: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes it this object within its workspace."""
        return self.kind, self.name, self.source_id, self.destination_id


@dataclass(frozen=True)
class Audited:
    """A live object and where it stands.

    Attributes:
        found: the object.
        standing: `managed`: the program has it; `adoptable`: the program declares it, has none, and its next run takes
            it over; `duplicate`: another live object has the same identity; `orphan`: anything else.
        twins: ids of the other live objects of its identity.
    """

    found: Found
    standing: Standing
    twins: tuple[str, ...] = ()


def audit(live: Iterable[Found], managed: Collection[str], declared: Collection[Declared]) -> list[Audited]:
    """Where each live object stands, in order of standing, kind and name.

    Args:
        live: the objects of one workspace; connections may come before their ends.
        managed: ids of what the program has.
        declared: what it declares, whether it has it or not.
    """
    found = sorted(live, key=lambda item: item.kind == "connection")
    judge = _Judge(found, frozenset(managed), frozenset(declared))
    audited = [judge.judged(item) for item in found]
    return sorted(audited, key=lambda item: (STANDINGS.index(item.standing), item.found.identity, item.found.id))


class _Judge:
    """Judges one object after the other, sources and destinations first: a connection can't stand without them."""

    def __init__(self, live: list[Found], managed: frozenset[str], declared: frozenset[Declared]) -> None:
        self._managed = managed
        self._declared = declared
        self._names = {item.id: item.name for item in live}
        self._counts = Counter(item.identity for item in live)
        self._live = live
        self._kept = set(managed)

    def judged(self, item: Found) -> Audited:
        standing = self._standing(item)
        if standing == "adoptable":
            self._kept.add(item.id)
        alone = self._counts[item.identity] == 1
        twins = () if alone else tuple(sorted(each.id for each in self._live if each.identity == item.identity))
        return Audited(item, standing, tuple(twin for twin in twins if twin != item.id))

    def _standing(self, item: Found) -> Standing:
        if item.id in self._managed:
            return "managed"
        if self._counts[item.identity] > 1:
            return "duplicate"
        ends = (item.source_id, item.destination_id) if item.kind == "connection" else ()
        means = Declared(item.kind, item.name, *(self._names.get(end, "") for end in ends))
        return "adoptable" if means in self._declared and all(end in self._kept for end in ends) else "orphan"


def listed(sources: Iterable[Actor], destinations: Iterable[Actor], connections: Iterable[Connection]) -> list[Found]:
    """The lists of a workspace as the audit takes them."""
    return [
        *(Found("source", each.actor_id, each.name) for each in sources),
        *(Found("destination", each.actor_id, each.name) for each in destinations),
        *(
            Found("connection", each.connection_id, each.name, each.source_id, each.destination_id)
            for each in connections
        ),
    ]
