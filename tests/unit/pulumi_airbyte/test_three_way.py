"""What a full write sends, from what was applied, what the program says and what is live."""

from typing import Any

import pytest
from pulumi_airbyte.provider.properties import Secret
from pulumi_airbyte.provider.three_way import Merge, three_way, touches
from pulumi_airbyte.values import MASK

OAUTH = {"type": "oauth", "token": MASK}
ROWS: dict[str, tuple[Any, Any, Any, Any, list[tuple[Any, ...]]]] = {
    "changed: the program's": ({"a": 1}, {"a": 2}, {"a": 1}, {"a": 2}, [("a",)]),
    "changed here and live: the program's": ({"a": 1}, {"a": 2}, {"a": 3}, {"a": 2}, [("a",)]),
    "unchanged: the live one": ({"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 3, "b": 1}, {"a": 3, "b": 2}, [("b",)]),
    "unchanged and gone live: left out": ({"a": 1, "b": 1}, {"a": 1, "b": 2}, {"b": 1}, {"b": 2}, [("b",)]),
    "an unchanged secret: the mask": (
        {"a": Secret("s"), "b": 1},
        {"a": Secret("s"), "b": 2},
        {"a": MASK, "b": 1},
        {"a": MASK, "b": 2},
        [("b",)],
    ),
    "a changed secret: its value": ({"a": Secret("s")}, {"a": Secret("t")}, {"a": MASK}, {"a": Secret("t")}, [("a",)]),
    "imported unseen: its value": ({"a": Secret(MASK)}, {"a": Secret("t")}, {"a": MASK}, {"a": Secret("t")}, [("a",)]),
    "removed: left out": ({"a": 1, "b": 1}, {"b": 1}, {"a": 1, "b": 1}, {"b": 1}, [("a",)]),
    "added: the program's": ({"b": 1}, {"a": 1, "b": 1}, {"b": 1}, {"a": 1, "b": 1}, [("a",)]),
    "only live: kept": ({"b": 1}, {"b": 2}, {"a": 1, "b": 1}, {"a": 1, "b": 2}, [("b",)]),
    "only live, in an unchanged object: kept": (
        {"o": {"type": "oauth"}, "b": 1},
        {"o": {"type": "oauth"}, "b": 2},
        {"o": OAUTH, "b": 1},
        {"o": OAUTH, "b": 2},
        [("b",)],
    ),
    "only live, and the object has other keys: dropped": (
        {"o": {"type": "oauth"}},
        {"o": {"type": "key", "key": "k"}},
        {"o": OAUTH},
        {"o": {"type": "key", "key": "k"}},
        [("o", "key"), ("o", "type")],
    ),
    "only live, and another object has other keys: kept": (
        {"o": {"type": "oauth"}},
        {"o": {"type": "oauth"}, "b": {"c": 1}},
        {"o": OAUTH},
        {"o": OAUTH, "b": {"c": 1}},
        [("b",)],
    ),
    "lists of one length: by item": (
        {"l": [{"a": 1, "s": Secret("s")}, 2]},
        {"l": [{"a": 2, "s": Secret("s")}, 2]},
        {"l": [{"a": 1, "s": MASK}, 3]},
        {"l": [{"a": 2, "s": MASK}, 3]},
        [("l", 0, "a")],
    ),
    "a list of another length: the program's": ({"l": [1]}, {"l": [1, 2]}, {"l": [1]}, {"l": [1, 2]}, [("l",)]),
    "a list that is longer live: the program's": ({"l": [1]}, {"l": [2]}, {"l": [1, 3]}, {"l": [2]}, [("l",)]),
    "an unchanged list: the live one": ({"l": [1], "b": 1}, {"l": [1], "b": 2}, {"l": [1, 3], "b": 1}, None, [("b",)]),
    "an object that is gone live: the program's": (
        {"o": {"a": 1, "b": 1}},
        {"o": {"a": 2, "b": 1}},
        {},
        {"o": {"a": 2, "b": 1}},
        [("o",)],
    ),
    "nothing changed: all that is live": ({"a": 1.0}, {"a": 1}, {"b": 2}, {"b": 2}, []),
}


@pytest.mark.parametrize(("base", "new", "live", "sent", "written"), ROWS.values(), ids=ROWS)
def test_each_place_has_the_value_of_whoever_changed_it(
    base: Any, new: Any, live: Any, sent: Any, written: list[tuple[Any, ...]]
) -> None:
    expected = sent if sent is not None else {"l": [1, 3], "b": 2}
    merge = three_way(base, new, live)
    assert merge.value == expected
    assert sorted(merge.written, key=str) == written


def test_a_root_that_the_program_does_not_have_is_left_out_or_kept() -> None:
    assert three_way({"a": 1}, None, {"a": 1}, ("o",)) == Merge(None, (("o",),))
    assert three_way(None, None, {"a": 1}, ("o",)) == Merge({"a": 1})


def test_a_place_touches_what_holds_it_and_what_it_holds() -> None:
    written = [("a", "b")]
    assert touches(("a",), written)
    assert touches(("a", "b"), written)
    assert touches(("a", "b", 0), written)
    assert not touches(("a", "c"), written)
    assert not touches(("b",), written)
