"""Whatever two ways come together in one run of the engine, no object is lost and none is there twice."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from airbyte_twin.testing import running_twin

from tests.provider.hands import CURSORS, Hands, Subject
from tests.provider.lab import with_lab
from tests.provider.lake import Lake, lake_of
from tests.provider.ways import KINDS, WAYS, By, End, Way, both, right_ends

SINGLE = {name: way for name, way in WAYS.items() if way.by is not By.MOVE and not way.before.held}
PAIRS = {
    f"{one} + {other}": pair
    for one, other in combinations(SINGLE, 2)
    if (pair := both(SINGLE[one], SINGLE[other])) is not None
}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Lake]:
    with running_twin(data_dir=with_lab(tmp_path)) as twin, lake_of(twin) as lake:
        yield lake


def test_the_table_says_what_the_rule_says() -> None:
    for name, way in WAYS.items():
        for adopt in ("never", "identical"):
            for kind in KINDS:
                assert set(way.ends(adopt)) == right_ends(way, kind, adopt), (name, adopt, kind)


@pytest.mark.parametrize("adopt", ["never", "identical"])
@pytest.mark.parametrize("name", [*SINGLE, *PAIRS])
def test_nothing_is_lost_when_objects_change_hands(name: str, adopt: str, own: Lake, subtests: pytest.Subtests) -> None:
    way = SINGLE.get(name) or PAIRS[name]
    hands = in_a_lake(own, way)
    subjects = hands.made()
    before, olds = hands.live(), {one.kind: one.known.id for one in subjects}
    cursors = hands.cursors(olds["connection"])
    assert cursors == CURSORS

    refused = hands.change(subjects, adopt)

    after = hands.live()
    for one in subjects:
        with subtests.test(one.kind):
            found = end(way, one, olds[one.kind], refused.get(one.kind, ""), after[one.kind])
            assert found in right_ends(way, one.kind, adopt), refused.get(one.kind, "")
            if one.kind == "connection" and found in {End.KEPT, End.NEW} and not is_another(way):
                assert hands.cursors(one.known.id) == CURSORS
            lost = before[one.kind] - after[one.kind] - {olds[one.kind]}
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


def end(way: Way, subject: Subject, old: str, refusal: str, live: set[str]) -> End | None:
    """What became of an object; None where the server and the state contradict each other."""
    new = subject.known.id
    if refusal:
        return End.REFUSED if old in live and (new == old or new in live) else None
    if not way.after.there:
        return End.LEFT if old in live else End.GONE
    if new not in live:
        return None
    if new == old:
        return End.KEPT
    return End.NEW if old not in live or way.before.retained else None
