"""Compare the live objects of a workspace with those that a program has and declares. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from pulumi_airbyte.client.models import Actor, Connection, Definition, DefinitionKind, Tag

Kind = Literal[
    "source",
    "destination",
    "connection",
    "source_definition",
    "destination_definition",
    "declarative_source_definition",
    "tag",
]
DEFINITION_KINDS: Final[dict[DefinitionKind, Kind]] = {
    "source": "source_definition",
    "destination": "destination_definition",
    "declarative_source": "declarative_source_definition",
}
Standing = Literal["managed", "adoptable", "duplicate", "orphan"]
STANDINGS: Final[tuple[Standing, ...]] = ("managed", "adoptable", "duplicate", "orphan")


@dataclass(frozen=True)
class Declared:
    """An object that a program declares, by its names on the server, since its id may be unknown.

    Attributes:
        kind: its kind.
        name: its display name.
        source: display name of a connection's source.
        destination: display name of a connection's destination.
    """

    kind: Kind
    name: str
    source: str = ""
    destination: str = ""


@dataclass(frozen=True)
class Found:
    """A live object.

    Attributes:
        kind: its kind.
        id: its id.
        name: its display name.
        source_id: id of a connection's source.
        destination_id: id of a connection's destination.
    """

    kind: Kind
    id: str
    name: str
    source_id: str = ""
    destination_id: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """Its identity within the workspace."""
        return self.kind, self.name, self.source_id, self.destination_id


@dataclass(frozen=True)
class Audited:
    """A live object and its standing.

    Attributes:
        found: the object.
        standing: `managed`: in the program's state; `adoptable`: declared but not in the state, so that the next run
            adopts it; `duplicate`: another live object has the same identity; `orphan`: anything else.
        twins: ids of the other live objects with its identity.
    """

    found: Found
    standing: Standing
    twins: tuple[str, ...] = ()


def audit(live: Iterable[Found], managed: Collection[str], declared: Collection[Declared]) -> list[Audited]:
    """The standing of each live object, sorted by standing, kind and name.

    Args:
        live: the objects of one workspace, in any order.
        managed: ids in the program's state.
        declared: all objects that the program declares.
    """
    found = sorted(live, key=lambda item: item.kind == "connection")
    classifier = _Classifier(found, frozenset(managed), frozenset(declared))
    audited = [classifier.classified(item) for item in found]
    return sorted(audited, key=lambda item: (STANDINGS.index(item.standing), item.found.identity, item.found.id))


class _Classifier:
    """Classifies objects one by one, sources and destinations first: a connection's standing depends on theirs."""

    def __init__(self, live: list[Found], managed: frozenset[str], declared: frozenset[Declared]) -> None:
        self._managed = managed
        self._declared = declared
        self._names = {item.id: item.name for item in live}
        self._counts = Counter(item.identity for item in live)
        self._live = live
        self._kept = set(managed)

    def classified(self, item: Found) -> Audited:
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


def listed(
    sources: Iterable[Actor],
    destinations: Iterable[Actor],
    connections: Iterable[Connection],
    definitions: Iterable[tuple[DefinitionKind, Definition]] = (),
    tags: Iterable[Tag] = (),
) -> list[Found]:
    """The client's lists of a workspace as objects of the audit."""
    return [
        *(Found("source", each.actor_id, each.name) for each in sources),
        *(Found("destination", each.actor_id, each.name) for each in destinations),
        *(
            Found("connection", each.connection_id, each.name, each.source_id, each.destination_id)
            for each in connections
        ),
        *(Found(DEFINITION_KINDS[kind], each.definition_id, each.name) for kind, each in definitions),
        *(Found("tag", each.tag_id, each.name) for each in tags),
    ]
