"""From what was changed in Airbyte to edits of the lake's files that say the same. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from lotus_infra import naming
from lotus_infra.changes.drift import Difference, Drift, Drifted, Verdict
from lotus_infra.changes.takeover.actors import NO_FILE_SAYS, actor_parts
from lotus_infra.changes.takeover.connections import connection_parts
from lotus_infra.changes.takeover.parts import (
    DESTINATION_ORDER,
    PUT_BACK,
    SOURCE_ORDER,
    Document,
    Facts,
    FileEdit,
    Left,
    NewFile,
    Part,
    left,
)
from lotus_infra.streams.edit import Edit
from lotus_infra.streams.lake import DESTINATIONS_FOLDER, Lake

__all__ = ["Facts", "Left", "Takeover", "takeover"]


@dataclass(frozen=True, slots=True)
class Takeover:
    """What taking over everything comes to.

    Attributes:
        edits: edits of each file, by its name in the lake's folder.
        new: new files, likewise.
        left: what no file can say.
    """

    edits: dict[str, list[Edit]]
    new: dict[str, Document]
    left: tuple[Left, ...]


def takeover(drift: Drift, lake: Lake, facts: Facts) -> Takeover:
    """What taking over all that changed in Airbyte comes to.

    What code changed too, and what is not applied yet, is left as code has it.

    Args:
        drift: what differs.
        lake: the lake, without problems.
        facts: what sources were found to have.
    """
    edits: dict[str, list[Edit]] = {}
    new: dict[str, Document] = {}
    by_hand: list[Left] = []
    for part in [*(part for one in drift.objects for part in _parts(one, lake, facts)), *_labels(drift, lake)]:
        match part:
            case FileEdit():
                edits.setdefault(part.file, []).append(part.edit)
            case NewFile():
                new[part.file] = part.document
            case Left():
                by_hand.append(part)
    return Takeover(edits, new, tuple(by_hand))


def _parts(one: Drifted, lake: Lake, facts: Facts) -> Iterator[Part]:
    for each in one.differences:
        if each.verdict is Verdict.BOTH:
            yield left(one, each, "code has changed it too", "decide which of the two is right, and write it there")
    changed = [each for each in one.differences if each.verdict is Verdict.CHANGED]
    source = next((folder for folder in lake.sources if folder.name == one.name), None)
    destination = lake.destinations.get(one.name)
    if one.gone:
        remedy = "`lotus up --refresh` makes it again; where it is to stay away, delete its files"
        yield left(one, (), "it was deleted", remedy)
    elif one.kind == "destination" and destination is not None:
        file = f"{DESTINATIONS_FOLDER}/{one.name}.json"
        yield from actor_parts(one, changed, file, destination.configuration, DESTINATION_ORDER)
    elif one.kind == "source" and source is not None and source.config is not None:
        yield from actor_parts(one, changed, source.file, source.config.configuration, SOURCE_ORDER)
    elif one.kind == "connection" and source is not None and source.config is not None:
        yield from connection_parts(one, changed, source, source.config, facts)
    else:
        yield from (left(one, each, NO_FILE_SAYS) for each in changed)


def _labels(drift: Drift, lake: Lake) -> Iterator[Left]:
    """Connections whose label in Airbyte is not the one that the files will make."""
    moved = {(one.kind, one.name): each for one in drift.objects for each in one.differences if _is_renamed(each)}
    for source in lake.sources:
        destination = source.config.destination if source.config is not None else ""
        before = (source.label, lake.destination_label(destination))
        keys = (("source", source.name), ("destination", destination))
        after = [str(moved[key].live) if key in moved else label for key, label in zip(keys, before, strict=True)]
        label, own = naming.connection_label(*after), ("connection", source.name)
        there = drift.labels.get(own)
        if there not in {None, label} and (own in moved or tuple(after) != before):
            what = f'it is called "{there}", and what the files will call it is "{label}"'
            yield Left(f"connection {source.name}: name", what, f"rename its source or destination; or {PUT_BACK}")


def _is_renamed(change: Difference) -> bool:
    return change.place == ("name",) and change.verdict is Verdict.CHANGED
