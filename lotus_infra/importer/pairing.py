"""Pairs of existing sources and connections: which objects become one folder of the lake, and under which names.

A folder is one source with its connections; each connection names a destination. An object that can't be part of one
gets a note.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lotus_infra import naming
from lotus_infra.importer.model import Existing, ExistingActor, ExistingConnection, Note

_RENAME: Final = "rename one of them in Airbyte, and run it again"
_STATUSES: Final = {"active", "inactive"}
_UNWRITABLE: Final[Mapping[str, tuple[str, str]]] = {
    "locked": (
        "is locked in Airbyte, which refuses every change",
        "unlock it on its page in Airbyte, and run it again",
    ),
    "deprecated": ("is deleted in Airbyte", "remove it from Terraform's state"),
}
"""Why a connection of another status can't be imported, and what to do."""


@dataclass(frozen=True, slots=True)
class Link:
    """A connection of a source, with its destination."""

    connection: ExistingConnection
    destination: ExistingActor

    @property
    def subject(self) -> str:
        """The subject of notes on one of several connections; names in Airbyte may repeat."""
        return f"{self.connection.subject} ({self.connection.id})"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A source and its connections, which become one folder."""

    source: ExistingActor
    links: tuple[Link, ...]

    def subject(self, link: Link) -> str:
        """The subject of a note on why a connection is not imported: the source if nothing of it is imported then."""
        return link.subject if len(self.links) > 1 else self.source.subject


def pair_sources(existing: Existing) -> tuple[tuple[Pipeline, ...], tuple[Note, ...]]:
    """The pipelines by the source's label, and notes on the objects that are in none."""
    pairing = _Pairing(existing)
    pipelines = tuple(pairing.pipelines())
    used = {link.destination.id for each in pipelines for link in each.links}
    for each in existing.of_kind("destination"):
        if each.id not in used and not pairing.is_ambiguous(each):
            what = "is the destination of no imported connection"
            pairing.notes.append(Note("left", each.subject, what, "delete it in Airbyte, or leave it there", each.id))
    return pipelines, tuple(pairing.notes)


@dataclass
class _Pairing:
    existing: Existing
    notes: list[Note] = field(default_factory=list)

    def __post_init__(self) -> None:
        # A lake's labels are unique without regard to case.
        self._labels = Counter((each.kind, each.label.casefold()) for each in self.existing.actors)
        self._destinations = {each.id: each for each in self.existing.of_kind("destination")}

    def is_ambiguous(self, actor: ExistingActor) -> bool:
        """Whether another actor of its kind has its label."""
        return self._labels[actor.kind, actor.label.casefold()] > 1

    def pipelines(self) -> Iterator[Pipeline]:
        for each in self.existing.actors:
            if self.is_ambiguous(each):
                what = f"({each.id}) has the same name as another {each.kind}"
                self.notes.append(Note("left", each.subject, what, _RENAME, each.id))
        for source in self.existing.of_kind("source"):
            links = () if self.is_ambiguous(source) else self._links(source)
            if links:
                yield Pipeline(source, links)

    def _links(self, source: ExistingActor) -> tuple[Link, ...]:
        """The connections that can be imported: that with the conventional label first, then active ones, by label."""
        own = [each for each in self.existing.connections if each.source_id == source.id]
        if not own:
            what = "has no connection, which a lake's folder needs"
            self.notes.append(
                Note("left", source.subject, what, "connect it in Airbyte, or delete it there", source.id)
            )
        links = []
        for each in own:
            destination, reason = self._destinations.get(each.destination_id), self._refusal(each)
            if destination is not None and reason is None:
                links.append(Link(each, destination))
            elif reason is not None:
                subject = source.subject if len(own) == 1 else f"{each.subject} ({each.id})"
                self.notes.append(Note("left", subject, *reason, each.id))
        return tuple(sorted(links, key=lambda each: _order(source, each)))

    def _refusal(self, connection: ExistingConnection) -> tuple[str, str] | None:
        """Why a connection can't be imported, and what to do; None if it can."""
        if connection.status not in _STATUSES:
            unknown = f"has the status {connection.status}", "change it in Airbyte, and run it again"
            what, remedy = _UNWRITABLE.get(connection.status, unknown)
            return f"its connection {what}", remedy
        destination = self._destinations.get(connection.destination_id)
        if destination is None:
            remedy = "delete the connection in Airbyte if its destination is deleted there"
            return "its destination is not imported", remedy
        if self.is_ambiguous(destination):
            return "its destination is not imported", "see the note on the destination"
        return None


def _order(source: ExistingActor, link: Link) -> tuple[bool, bool, str, str]:
    connection = link.connection
    default = naming.connection_label(source.label, link.destination.label)
    return connection.label != default, connection.status != "active", connection.label, connection.id


def connection_names(folder: str, source: ExistingActor, links: Iterable[Link]) -> dict[str, str]:
    """The names of a source's connections in its file, by their ids.

    The only one, and the one with the conventional label, are named after the folder. Others get a name from theirs:
    `Shopify daily → S3` becomes `daily`.
    """
    listed = tuple(links)
    if len(listed) == 1:
        return {listed[0].connection.id: folder}
    names: dict[str, str] = {}
    for link in listed:
        default = naming.connection_label(source.label, link.destination.label)
        own = folder if link.connection.label == default else _own_name(source, link)
        # The folder's name means the conventional label.
        taken = {*names.values(), *([folder] if own != folder or folder in names.values() else [])}
        names[link.connection.id] = free_name(own, taken)
    return names


def _own_name(source: ExistingActor, link: Link) -> str:
    """A name for a connection: its label, without the parts that the conventional label has."""
    label = link.connection.label
    inner = label.removeprefix(source.label).removesuffix(f"→ {link.destination.label}")
    return naming.identifier(inner if any(map(str.isalnum, inner)) else label, "connection")


def free_name(name: str, taken: Iterable[str], separator: str = "_") -> str:
    """A name that is not taken: with a number at its end if it must be."""
    known = set(taken)
    numbered: Iterator[str] = (f"{name}{separator}{number}" for number in range(2, len(known) + 3))
    return next(each for each in (name, *numbered) if each not in known)
