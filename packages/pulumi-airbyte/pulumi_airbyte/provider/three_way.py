"""Merge the program's changes into the live tree, for a full write. Pure: independent of the engine and of HTTP.

Each path is decided by three trees: the base that was applied last, the program's new one, and the live one. A path
that the program changed since the base takes the program's value. Every other path keeps its live value, so that a
write does not undo changes by the server or by a person.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pulumi_airbyte.provider.properties import Properties, Property, unwrap
from pulumi_airbyte.provider.reconcile import ABSENT, changes, same
from pulumi_airbyte.values import Path


@dataclass(frozen=True)
class Merge:
    """The result of a merge.

    Attributes:
        value: the tree to send; ABSENT if the path is left out.
        written: the paths that take the program's value, or that the program removes.
    """

    value: Property
    written: tuple[Path, ...] = ()


def three_way(base: Property, new: Property, live: Property, path: Path = ()) -> Merge:
    """The live tree with the program's changes since the base.

    Lists of equal length are merged item by item, unless items have moved: values would end up in the wrong item. Any
    other list that the program changed is taken as a whole.

    Args:
        base: the tree that was applied last.
        new: the program's tree.
        live: the server's tree, with masks for secrets.
        path: path of this node; empty for the root.
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
    """Whether a path is a written one, contains one, or lies in one."""
    return any(path[: len(place)] == place[: len(path)] for place in written)


def _object(was: Properties, now: Properties, there: Properties, path: Path) -> Merge:
    """Merge an object. Keys that only the server has are kept, unless the program changed the set of its own keys.

    Then the program may have chosen another branch of a oneOf, and the server's keys may belong to the old branch.
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
    """Whether an item of the base is at another index in the live list. A mask equals any secret."""
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
