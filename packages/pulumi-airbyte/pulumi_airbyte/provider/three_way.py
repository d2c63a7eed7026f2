"""What a full write sends: the program's changes, over what is live. Pure: knows neither the engine nor HTTP.

Three trees decide each place: the base that was applied last, the program's new one, and the live one. Only a place
that the program has changed since the base takes the program's value. Every other place is sent back as it is live, so
that a write does not undo what the server, or a person, has changed there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pulumi_airbyte.provider.properties import Properties, Property, unwrap
from pulumi_airbyte.provider.reconcile import ABSENT, changes, same
from pulumi_airbyte.values import Path


@dataclass(frozen=True)
class Merge:
    """A tree to send.

    Attributes:
        value: the tree; ABSENT where the place is left out.
        written: the places that have the program's value, or that the program removes.
    """

    value: Property
    written: tuple[Path, ...] = ()


def three_way(base: Property, new: Property, live: Property, path: Path = ()) -> Merge:
    """The live tree with the changes that the program has made since the base.

    Lists of one length are merged item by item, unless items have moved: a value of one would get into another. Any
    other list is the program's, where the program has changed it.

    Args:
        base: as it was applied last.
        new: as the program has it now.
        live: as the server shows it, with masks for secrets.
        path: of this place; the root's is empty.
    """
    was, now, there = unwrap(base), unwrap(new), unwrap(live)
    if same(was, now):
        return Merge(live)
    if isinstance(was, dict) and isinstance(now, dict) and isinstance(there, dict):
        return _object(was, now, there, path)
    if (
        isinstance(was, list)
        and isinstance(now, list)
        and isinstance(there, list)
        and len(was) == len(now) == len(there)
        and not _moved(was, there)
    ):
        return _items(was, now, there, path)
    return Merge(new, (path,))


def touches(path: Path, written: Iterable[Path]) -> bool:
    """Whether a place is one of the written ones, holds one, or is in one."""
    return any(path[: len(place)] == place[: len(path)] for place in written)


def _object(was: Properties, now: Properties, there: Properties, path: Path) -> Merge:
    """An object; keys that only the server has stay, unless the program has other keys than before.

    Then another branch of a choice may be meant, and what the server has may belong to the branch that was left.
    """
    others = there.keys() - was.keys() - now.keys()
    result: Properties = {} if was.keys() != now.keys() else {key: there[key] for key in others}
    written: list[Path] = []
    for key in sorted(was.keys() | now.keys()):
        merge = three_way(was.get(key), now.get(key), there.get(key), (*path, key))
        written += merge.written
        if merge.value is not ABSENT:
            result[key] = merge.value
    return Merge(result, tuple(written))


def _moved(was: list[Property], there: list[Property]) -> bool:
    """Whether the live list has an item of the base at another place than the base has it; masks hide no difference."""
    return any(
        not _alike(found, before) and any(_alike(found, other) for other in was)
        for before, found in zip(was, there, strict=True)
    )


def _alike(live: Property, base: Property) -> bool:
    return not any(changes(live, base))


def _items(was: list[Property], now: list[Property], there: list[Property], path: Path) -> Merge:
    merges = [
        three_way(before, after, found, (*path, index))
        for index, (before, after, found) in enumerate(zip(was, now, there, strict=True))
    ]
    return Merge([merge.value for merge in merges], tuple(place for merge in merges for place in merge.written))
