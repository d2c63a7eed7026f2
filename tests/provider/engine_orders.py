"""What the engine calls for one object in one run: the order, learned from the real engine and held against it. Pure.

`tests/engine/test_hands.py` runs each way on the engine and compares. What matters for who has an object:

- A resource that the state knows, by its URN or an alias, is checked with its old inputs and compared.
- A replacement is then checked once more, without old inputs; the old object is deleted at the end of the run, or
  right before the create (`delete_before_replace`).
- One that a person asks for (`--replace`, a taint) is one check without old inputs, and nothing is compared: it looks
  like a new resource until its delete comes.
- A change of a replacement trigger is not compared either.
- What the program gave up is deleted at the end of the run, by the provider that it had.
- An import reads, then goes on as if the state had known the object.
"""

from dataclasses import dataclass, replace
from typing import Literal

from tests.provider.ways import MARKED, UNSHOWN, By, Way

Side = Literal["before", "after"]


@dataclass(frozen=True)
class Step:
    """A call of the engine.

    Attributes:
        verb: the method.
        side: whose URN it has: of the declaration before, or after.
        olds: whether it has the inputs of the state.
        provider: which of the two declarations' providers is called.
    """

    verb: str
    side: Side = "after"
    olds: bool = False
    provider: Side = "after"


DELETE = Step("Delete", "before", olds=True, provider="before")
CREATE = Step("Create")
"""Both URNs are one where the declaration keeps its name and parent; `steps` calls that `after`."""


def steps(way: Way, kind: str, *, refused: bool = False) -> list[Step]:
    """All calls for an object of a kind.

    Args:
        way: how it changes hands.
        kind: such as `source`.
        refused: whether its create fails.
    """
    begin, end = registered(way, kind)
    if refused and CREATE in begin:
        begin = begin[: begin.index(CREATE) + 1]
        end = end if way.by is By.GO_ON and not way.known else []
    return [*begin, *end]


def registered(way: Way, kind: str) -> tuple[list[Step], list[Step]]:
    """What the engine calls until it has seen all of the program, and after that."""
    way = way.of(kind)
    refresh = [Step(verb, "before", olds=True, provider="before") for verb in ("Read", "Diff")]
    begin, end = _registered(way, kind)
    begin = [*(refresh if way.by is By.REFRESH else []), *begin]
    one_name = way.by is By.RENAME or way.same_urn
    placed = [[replace(step, side="after") if one_name else step for step in each] for each in (begin, end)]
    return placed[0], placed[1]


def _registered(way: Way, kind: str) -> tuple[list[Step], list[Step]]:
    left = [] if way.before.retained or way.by is By.REMOVE else [DELETE]
    if not way.after.there:
        return [], left
    if way.by is By.IMPORT:
        begin, end = _known(way, kind, [replace(DELETE, side="after")])
        return begin, [*left, *end]
    if way.known:
        return _known(way, kind, left)
    if way.after.imported:
        return [Step("Read"), *_compared(way, kind)], left
    return [Step("Check"), CREATE], left


def _known(way: Way, kind: str, left: list[Step]) -> tuple[list[Step], list[Step]]:
    if way.by in MARKED:
        begin = [Step("Check")]
    elif way.triggered:
        begin = [Step("Check", olds=True), Step("Check")]
    elif way.replaced:
        begin = [Step("Check", olds=True), Step("Diff", olds=True), Step("Check")]
    else:
        return _compared(way, kind), []
    return ([*begin, *left, CREATE], []) if way.after.first_deleted else ([*begin, CREATE], left)


def _compared(way: Way, kind: str) -> list[Step]:
    """A check and a comparison, and the update that may follow.

    An import reads what code leaves to the source, and can't read what the server does not show.
    """
    found = [Step("Check", olds=True), Step("Diff", olds=True)]
    read = way.by is By.IMPORT or (way.after.imported and not way.known)
    if way.before.label != way.after.label or (kind in {"connection", *UNSHOWN} and read):
        found.append(Step("Update", olds=True))
    return found
