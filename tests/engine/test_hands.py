"""However an object changes hands, nothing that exists is lost: the server has what the state has, cursors included."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.engine.hands import OTHER_STACK, Hands, Happened, Seen
from tests.engine.hands_program import CURSORS, TOKENS, urn
from tests.provider.engine_orders import Step, steps
from tests.provider.ways import KINDS, UNSHOWN, WAYS, By, End, Way, end, impossible, pairs, right_ends

SINGLE = {name: way for name, way in WAYS.items() if way.by is not By.MOVE and not way.before.held}
PAIRS = pairs(SINGLE)
SAMPLE = {
    ("rename", "identical"),
    ("--replace", "never"),
    ("default provider to explicit + pulumi import of what another resource has", "identical"),
    ("taint + delete before replace", "identical"),
}
"""Cells that are run by day: an adoption, a refusal, a pair in which several processes of the plugin work, and one that
the provider sees little of."""
SHOWN = [kind for kind in KINDS if kind not in UNSHOWN]
UNSEEN = tuple(TOKENS[kind] for kind in UNSHOWN)
CELLS = [
    pytest.param(*cell, marks=() if cell in SAMPLE else pytest.mark.nightly)
    for cell in itertools.product((*WAYS, *PAIRS), ("never", "identical"))
]
assert {cell.values for cell in CELLS} >= SAMPLE


@pytest.fixture(scope="session")
def hands(common: Path, engine: list[Path]) -> Hands:
    return Hands(common, engine)


@pytest.mark.parametrize(("name", "adopt"), CELLS)
def test_nothing_is_lost_when_objects_change_hands(
    name: str, adopt: str, hands: Hands, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    way = WAYS.get(name) or PAIRS[name]
    if reason := impossible(way):
        pytest.skip(reason)
    found = hands.happened(tmp_path / "world", way, adopt)
    print(found.output)
    for kind in KINDS:
        with subtests.test(kind):
            if kind in way.cannot:
                pytest.skip(way.cannot[kind])
            survived(way, kind, adopt, found)
            calls, model = called(way, kind, found), expected(way, kind, found)
            # A run that fails ends before it has come to everything, unless it goes on after errors.
            seen = len(calls) if found.code and way.by is not By.GO_ON else len(model)
            assert calls == model[:seen]
            assert processes(way, kind, found) == providers(way, kind, found)[:seen]
    with subtests.test("everything else"):
        unharmed(way, found)
    with subtests.test("what people read"):
        said(way, adopt, found)


def survived(way: Way, kind: str, adopt: str, found: Happened) -> None:
    """An object ended as is right, with its cursors; where the run was refused, the state is as it was, too."""
    old = found.before.subject(kind, way.before)
    new = found.after.subject(kind, way.after, OTHER_STACK if way.by is By.MOVE else "test")
    assert old is not None
    ended = end(way, old, new, found.after.live[kind], refused=bool(found.code))
    rights = [right_ends(way, each, adopt) for each in SHOWN]
    # A run that fails for one kind leaves the others as they are, or half way, with nothing deleted yet.
    assert ended in (set().union(*rights) if found.code else right_ends(way, kind, adopt))
    if kind == "connection" and ended is not End.GONE:
        assert found.after.cursors[old if new is None or found.code else new] == CURSORS
    if found.code and all(right == {End.REFUSED} for right in rights):
        assert shown(found.after.state) == shown(forgotten(way, found.before))


def shown(state: dict[str, str]) -> dict[str, str]:
    """A state without what a create never refuses, since the server does not show it."""
    return {each: object_id for each, object_id in state.items() if not each.split("::")[2].endswith(UNSEEN)}


def forgotten(way: Way, before: Seen) -> dict[str, str]:
    """The state before `up`: where a way forgets its objects, without them."""
    gone = {urn(kind, way.before) for kind in KINDS} if way.by is By.REMOVE else set()
    return {each: object_id for each, object_id in before.state.items() if each not in gone}


def unharmed(way: Way, found: Happened) -> None:
    """What the way is not about is there as before; there is nothing more; and nothing is left to do."""
    subjects = {found.before.subject(kind, way.before) for kind in KINDS}
    going = {object_id for each, object_id in found.before.state.items() if way.before.held and is_held(each)}
    before = {one for ids in found.before.live.values() for one in ids} - subjects - going
    after = {one for ids in found.after.live.values() for one in ids}
    assert before - after == set()
    assert after - before <= {*found.after.state.values(), *subjects}
    cursors = {key: rows for key, rows in found.before.cursors.items() if key not in subjects}
    assert cursors.items() <= found.after.cursors.items()
    assert found.changes == []


def is_held(each: str) -> bool:
    """Whether a resource leaves with the workspace that holds the four: the workspace, and what they need."""
    return each.rpartition("::")[2].startswith(("holder", "end-"))


def said(way: Way, adopt: str, found: Happened) -> None:
    """A refusal says how to go on, for each kind where the engine got to each."""
    assert "Traceback" not in found.output
    if not all(right_ends(way, kind, adopt) == {End.REFUSED} for kind in SHOWN):
        return
    lines = set(re.findall(r"pulumi import airbyte:index/(\w+):\w+ \S+ [0-9a-f-]{36}", found.output))
    assert lines == set(SHOWN) if way.by is By.GO_ON else lines
    assert "adoptExisting" in found.output


def called(way: Way, kind: str, found: Happened) -> list[tuple[str, str, bool]]:
    """What the engine called for an object: method, whose URN, and whether it gave the state's inputs."""
    names = {urn(kind, way.before): "before", urn(kind, way.after): "after"}
    return [(call.verb, names[call.urn], call.olds) for call in found.calls if call.urn in names]


def expected(way: Way, kind: str, found: Happened) -> list[tuple[str, str, bool]]:
    """The same, as the model has it."""
    return [(step.verb, step.side, step.olds) for step in modelled(way, kind, found)]


def processes(way: Way, kind: str, found: Happened) -> list[int]:
    """Which process of the plugin each call went to, numbered in their order."""
    urns = {urn(kind, way.before), urn(kind, way.after)}
    return numbered([call.process for call in found.calls if call.urn in urns])


def providers(way: Way, kind: str, found: Happened) -> list[int]:
    """The same, as the model has it."""
    return numbered([step.provider if way.other_provider else "" for step in modelled(way, kind, found)])


def numbered(values: Sequence[object]) -> list[int]:
    order = list(dict.fromkeys(values))
    return [order.index(value) for value in values]


def modelled(way: Way, kind: str, found: Happened) -> list[Step]:
    return [] if way.by is By.MOVE else steps(way, kind, refused=bool(found.code))
