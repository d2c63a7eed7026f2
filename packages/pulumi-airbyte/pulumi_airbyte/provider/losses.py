"""What was asked for and is not in the server's answer. Pure: knows neither the engine nor HTTP.

A server may reorder what it is sent, fill in what is left open, and spell a value its own way. Such rewrites are
recorded, and read back as what was sent. What was asked for and is not there is no rewrite: the write fails and names
it, and the place stays a difference until it is there, or no longer asked for. What a server is known to leave out is a
closed list, which each resource has as its `Rule`.
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
"""Whether the server is known to leave out, or to replace, what a tree asks for at a path."""
ADVICE: Final = (
    "Take it out of the program, or make it possible in Airbyte, and run `pulumi up`, which writes it again."
)


@dataclass(frozen=True)
class Taken:
    """A write as the server took it.

    Attributes:
        tree: what was sent; where something of it was lost, what the server has.
        rewrites: what the server made of the rest.
        lost: the places in what was sent that the server does not have.
    """

    tree: Properties
    rewrites: Rewrites
    lost: tuple[Path, ...] = ()


def taken(sent: Properties, known: Rewrites, rule: Rule) -> Taken:
    """What was sent, in the light of what is recorded of the answer."""
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
    """Whether a record may hold a loss of texts and numbers: one in place of another is none but in a list."""
    return any(
        not there or not isinstance(there, str | int | float) or there is True or isinstance(path[-1], int)
        for path, there in known.items()
    )


def losses(sent: Properties, answered: Properties, rule: Rule) -> tuple[Path, ...]:
    """The places in what was sent that are not in the answer, without those that the server is known to leave out."""
    return tuple(path for path in _lost(sent, answered, ()) if not rule(sent, path))


def refuse_lost(label: str, object_id: str, outputs: Properties, lost: Iterable[str]) -> Properties:
    """The outputs of a write that lost nothing.

    Args:
        label: the object in words.
        object_id: its id.
        outputs: with what the server has made of the write.
        lost: what is not there, in words.

    Raises:
        UnfinishedError: something is not there.
    """
    names = list(dict.fromkeys(lost))
    if not names:
        return outputs
    reason = f"{label} ({object_id}) is written, but Airbyte left out what was asked for: {'; '.join(names)}."
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
    """Items without a counterpart, in whichever order; equal ones are paired first."""
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
    """Whether an item of a list is another one with more in it; a plain value is only itself."""
    inner = unwrap(there)
    if not isinstance(unwrap(asked), dict | list) and not isinstance(inner, list):
        return False
    return not any(_lost(asked, there, ()))


def _asks(value: Property) -> bool:
    """Whether there is anything in a value; what is empty may come back as nothing."""
    inner = unwrap(value)
    if isinstance(inner, dict):
        return any(map(_asks, inner.values()))
    return inner is not None and inner not in ("", [])


def _place(path: Path) -> Path:
    """The place of a loss: a list counts as one, because its items may stand elsewhere in the answer."""
    return tuple(takewhile(lambda step: isinstance(step, str), path))


def _at(tree: Property, path: Path) -> Property:
    for step in path:
        inner = unwrap(tree)
        tree = inner.get(str(step)) if isinstance(inner, dict) else ABSENT
    return tree


def _placed(tree: Property, path: Path, value: Property) -> Property:
    """The tree with a value at a path; as it is where it has no such place."""
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
