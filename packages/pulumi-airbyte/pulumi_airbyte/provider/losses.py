"""Find requested values that the server dropped. Pure: independent of the engine and of HTTP.

The server may reorder, fill in and respell values. Such rewrites are recorded, and read back as what was sent. A
requested value that is missing in the answer is a loss: the write fails and names it, and the path stays a difference
until the value is there or no longer requested. Paths that the server is known to drop are a closed list, the `Rule` of
each resource.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from pulumi_airbyte.provider.properties import Properties, Property, unwrap
from pulumi_airbyte.provider.reconcile import ABSENT, Rewrites, changes, same
from pulumi_airbyte.provider.three_way import touches
from pulumi_airbyte.provider.unfinished import UnfinishedError
from pulumi_airbyte.values import MASK, Path

Rule = Callable[[Properties, Path], bool]
"""Whether the server is known to drop or replace the value of a tree at a path."""
ADVICE: Final = (
    "Remove it from the program, or make it possible in Airbyte, and run `pulumi up`, which writes it again."
)


@dataclass(frozen=True)
class Taken:
    """A write as the server accepted it.

    Attributes:
        tree: what was sent, with the server's value at each loss.
        rewrites: the server's rewrites of the rest.
        lost: the sent paths that the server does not have.
    """

    tree: Properties
    rewrites: Rewrites
    lost: tuple[Path, ...] = ()


def taken(sent: Properties, known: Rewrites, rule: Rule) -> Taken:
    """What was sent, corrected by the recorded rewrites."""
    if not may_lose(known) and not any(isinstance(unwrap(_at(sent, path)), bool | list | dict) for path in known):
        return Taken(sent, known)
    answered = sent
    for path, there in known.items():
        answered = _object(_placed(answered, path, there))
    lost = losses(sent, answered, rule)
    tree, places = sent, {_place(path) for path in lost}
    for place in places:
        tree = _object(_placed(tree, place, _at(answered, place)))
    return Taken(tree, {path: there for path, there in known.items() if not touches(path, places)}, lost)


def may_lose(known: Rewrites) -> bool:
    """Whether rewrites may hold a loss. A text or number in place of another is one only inside a list."""
    return any(
        not there or not isinstance(there, str | int | float) or there is True or isinstance(path[-1], int)
        for path, there in known.items()
    )


def losses(sent: Properties, answered: Properties, rule: Rule) -> tuple[Path, ...]:
    """The sent paths that are missing in the answer, without those that the server is known to drop."""
    return tuple(path for path in _lost(sent, answered, ()) if not rule(sent, path))


def refuse_lost(label: str, object_id: str, outputs: Properties, lost: Iterable[str]) -> Properties:
    """Return the outputs of a write if it lost nothing.

    Args:
        label: the object in words.
        object_id: its id.
        outputs: the outputs, with the server's rewrites.
        lost: names of the lost values.

    Raises:
        UnfinishedError: a value was lost.
    """
    names = list(dict.fromkeys(lost))
    if not names:
        return outputs
    reason = f"{label} ({object_id}) was written, but Airbyte dropped requested values: {'; '.join(names)}."
    raise UnfinishedError(object_id, outputs, f"{reason}\n  {ADVICE}")


def _lost(sent: Property, answered: Property, path: Path) -> Iterator[Path]:
    asked, there = unwrap(sent), unwrap(answered)
    if not _asks(asked) or there == MASK or same(asked, there):
        return
    if isinstance(asked, dict) and isinstance(there, dict):
        for key, value in asked.items():
            yield from _lost(value, there.get(key), (*path, key))
    elif isinstance(asked, list) and isinstance(there, list):
        yield from _lost_items(asked, there, path)
    elif isinstance(there, list) and any(same(asked, item) for item in there):
        return
    elif not _asks(there) or isinstance(asked, bool | dict | list):
        yield path


def _lost_items(asked: list[Property], there: list[Property], path: Path) -> Iterator[Path]:
    """Items without a counterpart in any order. Equal items are paired first."""
    left, missing = list(there), list(enumerate(asked))
    for fits in (_equal, _holds):
        unpaired = []
        for index, item in missing:
            found = next((place for place, other in enumerate(left) if fits(item, other)), None)
            if found is None:
                unpaired.append((index, item))
            else:
                left.pop(found)
        missing = unpaired
    for index, item in missing:
        alone = len(asked) == len(there) and len(missing) == 1 and isinstance(unwrap(item), dict)
        yield from _lost(item, left[0], (*path, index)) if alone else [(*path, index)]


def _equal(asked: Property, there: Property) -> bool:
    return not any(changes(there, asked))


def _holds(asked: Property, there: Property) -> bool:
    """Whether the answer's item contains everything of the requested one. Plain values must be equal."""
    inner = unwrap(there)
    if not isinstance(unwrap(asked), dict | list) and not isinstance(inner, list):
        return False
    return not any(_lost(asked, there, ()))


def _asks(value: Property) -> bool:
    """Whether a value requests anything. An empty value may come back as null."""
    inner = unwrap(value)
    if isinstance(inner, dict):
        return any(map(_asks, inner.values()))
    return inner is not None and inner not in ("", [])


def _place(path: Path) -> Path:
    """The path of a loss, cut at the first list: items may have another index in the answer."""
    return tuple(takewhile(lambda step: isinstance(step, str), path))


def _at(tree: Property, path: Path) -> Property:
    for step in path:
        inner = unwrap(tree)
        tree = inner.get(str(step)) if isinstance(inner, dict) else ABSENT
    return tree


def _placed(tree: Property, path: Path, value: Property) -> Property:
    """The tree with a value at a path; unchanged if it has no such path."""
    if not path:
        return value
    step, here = path[0], unwrap(tree)
    if isinstance(here, dict) and isinstance(step, str):
        inner = _placed(here.get(step), path[1:], value)
        return {key: item for key, item in {**here, step: inner}.items() if item is not ABSENT}
    if isinstance(here, list) and isinstance(step, int) and step < len(here):
        return [*here[:step], _placed(here[step], path[1:], value), *here[step + 1 :]]
    return tree


def _object(tree: Property) -> Properties:
    return tree if isinstance(tree, dict) else {}
