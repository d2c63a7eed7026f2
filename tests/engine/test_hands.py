"""However an object changes hands, nothing that exists is lost: the server has what the state has, cursors included."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.engine.hands import CURSORS, OTHER_STACK, Hands, Happened, Seen, urn
from tests.provider.engine_orders import Step, steps
from tests.provider.ways import KINDS, WAYS, By, End, Way

CELLS = [(name, adopt) for name, way in WAYS.items() for adopt in ("never", "identical") if way.ends("never") != way.ends("identical") or adopt == "never"]
TWICE = [(name, "identical") for name in WAYS if (name, "identical") not in CELLS]


@pytest.fixture(scope="session")
def hands(common: Path, engine: list[Path]) -> Hands:
    return Hands(common, engine)


@pytest.mark.parametrize(
    ("name", "adopt"), [*CELLS, *(pytest.param(*cell, marks=pytest.mark.nightly) for cell in TWICE)]
)
def test_nothing_is_lost_when_an_object_changes_hands(
    name: str, adopt: str, hands: Hands, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    way = WAYS[name]
    found = hands.happened(tmp_path / "world", way, adopt)
    ends = way.ends(adopt)
    print(found.output)
    for kind in KINDS:
        with subtests.test(kind):
            if kind in way.cannot:
                pytest.skip(way.cannot[kind])
            assert end(way, kind, found) in ends
            assert called(way, kind, found) == expected(way, kind, found)
            assert processes(way, kind, found) == providers(way, kind, found)
    with subtests.test("everything else"):
        unharmed(way, found)
    with subtests.test("what people read"):
        said(way, found)


def end(way: Way, kind: str, found: Happened) -> End | None:
    """What became of an object; None where the server and the state contradict each other."""
    old = found.before.subject(kind, way.before)
    new = found.after.subject(kind, way.after, OTHER_STACK if way.by is By.MOVE else "test")
    live = found.after.live[kind]
    assert old is not None
    if found.code:
        return End.REFUSED if old in live and found.after.state == forgotten(way, found.before) else None
    if new is None:
        return End.LEFT if old in live else End.GONE
    if new not in live or (kind == "connection" and found.after.cursors.get(new) != CURSORS):
        return None
    if new == old:
        return End.KEPT
    return None if old in live else End.NEW


def forgotten(way: Way, before: Seen) -> dict[str, str]:
    """The state before `up`: where a way forgets its objects, without them."""
    gone = {urn(kind, way.before) for kind in KINDS} if way.by is By.REMOVE else set()
    return {each: object_id for each, object_id in before.state.items() if each not in gone}


def unharmed(way: Way, found: Happened) -> None:
    """What the way is not about is there as before; there is nothing more; and nothing is left to do."""
    subjects = {found.before.subject(kind, way.before) for kind in KINDS}
    taken_along = {object_id for each, object_id in found.before.state.items() if way.before.held and "::end-" in each or each.endswith("::holder")}
    before = {(kind, one) for kind, ids in found.before.live.items() for one in ids if one not in subjects | taken_along}
    after = {(kind, one) for kind, ids in found.after.live.items() for one in ids}
    assert before - after == set()
    assert {one for _, one in after - before} <= set(found.after.state.values()) | subjects
    cursors = {key: rows for key, rows in found.before.cursors.items() if key not in subjects}
    assert cursors.items() <= found.after.cursors.items()
    assert found.changes == []


def said(way: Way, found: Happened) -> None:
    """A refusal says how to go on, for each kind where the engine got to each."""
    if not found.code:
        return
    lines = set(re.findall(r"pulumi import airbyte:index/(\w+):\w+ \S+ [0-9a-f-]{36}", found.output))
    assert lines == set(KINDS) if way.by is By.GO_ON else lines
    assert "adoptExisting" in found.output
    assert "Traceback" not in found.output


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
