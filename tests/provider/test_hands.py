"""Whatever two ways come together in one run of the engine, no object is lost and none is there twice."""

import re

import pytest

from tests.provider.hands import CURSORS, Hands
from tests.provider.lake import Lake
from tests.provider.ways import KINDS, UNSHOWN, WAYS, By, End, Way, end, impossible, pairs, right_ends

SINGLE = {name: way for name, way in WAYS.items() if way.by is not By.MOVE and not way.before.held}
PAIRS = pairs(SINGLE)
BY_DAY = [*SINGLE, *list(PAIRS)[::3]]
"""The ways that a pull request runs: each alone, and in several pairs."""


def is_by_day(name: str, adopt: str) -> bool:
    """Whether a pull request runs a cell. A pair that is refused ends where a pair that adopts begins."""
    return name in BY_DAY and (name in SINGLE or adopt == "identical")


def test_every_way_is_in_several_pairs_by_day() -> None:
    for way in SINGLE:
        assert sum(way in name.split(" + ") for name in BY_DAY) > 2, way


def test_the_table_says_what_the_rule_says() -> None:
    for name, way in WAYS.items():
        for adopt in ("never", "identical"):
            for kind in KINDS:
                right = right_ends(way, kind, adopt)
                if kind in UNSHOWN or way.of(kind) != way:
                    assert right <= {*way.ends("identical"), End.KEPT}, (name, adopt, kind)
                else:
                    assert right == set(way.ends(adopt)), (name, adopt, kind)


@pytest.mark.parametrize(
    ("name", "adopt"),
    [
        pytest.param(name, adopt, marks=[] if is_by_day(name, adopt) else [pytest.mark.nightly])
        for name in [*SINGLE, *PAIRS]
        for adopt in ("never", "identical")
    ],
)
def test_nothing_is_lost_when_objects_change_hands(
    name: str, adopt: str, lake: Lake, subtests: pytest.Subtests
) -> None:
    way = SINGLE.get(name) or PAIRS[name]
    if reason := impossible(way):
        pytest.skip(reason)
    hands = in_a_lake(lake, way)
    subjects = hands.made()
    before, olds = hands.live(), {one.kind: one.known.id for one in subjects}
    cursors = hands.cursors(olds["connection"])
    assert cursors == CURSORS

    refused = hands.change(subjects, adopt)

    after = hands.live()
    for one in subjects:
        with subtests.test(one.kind):
            right, refusal, old = right_ends(way, one.kind, adopt), refused.get(one.kind, ""), olds[one.kind]
            new = one.known.id if way.after.there else None
            found = end(way, old, new, after[one.kind], refused=bool(refusal))
            assert found in right, refusal
            if one.kind == "connection" and found is not End.GONE and not is_another(way):
                assert hands.cursors(old if found in {End.REFUSED, End.LEFT} else one.known.id) == CURSORS
            if right == {End.REFUSED}:
                assert re.search(rf"pulumi import airbyte:index/{one.kind}:\w+ .* {old}", refusal)
                assert "adoptExisting" in refusal
            lost = before[one.kind] - after[one.kind] - {old}
            more = after[one.kind] - before[one.kind] - {one.known.id}
            assert (lost, more) == (set(), set())


def in_a_lake(lake: Lake, way: Way) -> Hands:
    far = lake.api("POST", "/sources", lake.source() | {"name": "Far source"})
    room = lake.api("POST", "/workspaces", {"name": "Room"})
    return Hands(lake, way, far["sourceId"], room["workspaceId"])


def is_another(way: Way) -> bool:
    """Whether the program gives one connection up and declares another one, which takes over no cursors.

    Nobody can know that both were meant to be one: they share neither a URN nor their ends and names.
    """
    return not way.known and (way.after.moved or way.before.label != way.after.label)
