"""Code, state and server compared as trees."""

from typing import Any

from pulumi_airbyte.provider import reconcile
from pulumi_airbyte.provider.properties import UNKNOWN, Secret
from pulumi_airbyte.provider.reconcile import Rewrites, secrecy_kept
from pulumi_airbyte.values import MASK

Tree = Any


def paths(old: Tree, new: Tree) -> list[tuple[object, ...]]:
    return [path for path, _, _ in reconcile.changes(old, new)]


def rewrites(sent: Tree, answered: Tree) -> Rewrites:
    return reconcile.rewrites(sent, answered)


def merged(live: Tree, sent: Tree, known: Rewrites) -> Tree:
    return reconcile.merged(live, sent, known)


def test_equal_trees_have_no_changes() -> None:
    assert paths({"a": 1, "b": [1, {"c": None}]}, {"b": [1.0, {"c": None}], "a": 1}) == []


def test_a_change_names_the_innermost_place() -> None:
    assert paths({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}) == [("a", "b", 1)]


def test_a_value_that_comes_or_goes_is_a_change() -> None:
    assert paths({"a": 1}, {"b": 1}) == [("a",), ("b",)]


def test_truth_is_not_the_number_one() -> None:
    assert paths({"a": True}, {"a": 1}) == [("a",)]


def test_making_an_equal_value_secret_is_no_change() -> None:
    assert paths({"a": "x"}, {"a": Secret("x")}) == []


def test_a_new_secret_is_a_change_at_its_path() -> None:
    assert paths({"a": {"b": Secret("old")}}, {"a": {"b": Secret("new")}}) == [("a", "b")]


def test_an_imported_mask_equals_whatever_code_gives() -> None:
    assert paths({"a": Secret(MASK)}, {"a": Secret("anything")}) == []


def test_a_mask_whose_key_code_does_not_have_is_a_change() -> None:
    assert paths({"a": Secret(MASK)}, {}) == [("a",)]


def test_an_unknown_value_is_a_change() -> None:
    assert paths({"a": "x"}, {"a": UNKNOWN}) == [("a",)]


def test_what_the_server_fills_in_drops_and_rewrites_is_recorded() -> None:
    sent = {"kept": 1, "dropped": 2, "rewritten": "a", "secret": Secret("s")}
    answered = {"kept": 1, "filled": 3, "rewritten": "A", "secret": MASK}
    assert rewrites(sent, answered) == {("dropped",): None, ("filled",): 3, ("rewritten",): "A"}


def test_a_known_rewrite_reads_back_as_what_was_sent() -> None:
    sent = {"dropped": 2, "rewritten": "a"}
    answered = {"filled": 3, "rewritten": "A"}
    assert merged(answered, sent, rewrites(sent, answered)) == sent


def test_a_change_after_a_rewrite_is_seen() -> None:
    sent = {"rewritten": "a"}
    known = rewrites(sent, {"rewritten": "A"})
    assert merged({"rewritten": "B"}, sent, known) == {"rewritten": "B"}


def test_a_masked_secret_reads_back_as_what_was_sent() -> None:
    assert merged({"key": MASK}, {"key": Secret("s")}, {}) == {"key": Secret("s")}


def test_a_secret_that_someone_added_reads_back_as_a_secret_mask() -> None:
    assert merged({"key": MASK}, {}, {}) == {"key": Secret(MASK)}


def test_a_secret_that_someone_removed_is_missing() -> None:
    assert merged({}, {"key": Secret("s")}, {}) == {}


def test_a_live_value_at_the_place_of_a_secret_is_secret_too() -> None:
    assert merged({"key": "seen"}, {"key": Secret("sent")}, {}) == {"key": Secret("seen")}


def test_an_import_takes_everything_that_is_live() -> None:
    live = {"a": {"b": [1, 2], "key": MASK}}
    assert merged(live, {}, {}) == {"a": {"b": [1, 2], "key": Secret(MASK)}}


def test_what_was_secret_reads_back_as_secret_wherever_the_server_has_it_now() -> None:
    sent = {"a": Secret("x"), "l": [{"k": Secret("s"), "n": 1}], "o": {"p": Secret("q")}}
    live = {"a": {"b": "y"}, "l": [{"k": "t", "n": 1}, {"k": "u", "n": 2}], "o": "text"}
    assert merged(live, sent, {}) == {
        "a": {"b": Secret("y")},
        "l": [{"k": Secret("t"), "n": 1}, {"k": Secret("u"), "n": 2}],
        "o": Secret("text"),
    }


def test_an_item_of_a_changed_list_is_as_secret_as_any_was() -> None:
    old: Tree = [{"a": Secret("x"), "b": "y"}, {"a": "z", "b": Secret("w")}]
    assert secrecy_kept([{"a": "n", "b": "m"}], old) == [{"a": Secret("n"), "b": Secret("m")}]
    assert secrecy_kept([{"a": "x", "b": "y"}, {"a": "z", "b": "w"}], old) == old


def test_what_becomes_secret_is_secret_leaf_by_leaf() -> None:
    assert secrecy_kept(Secret({"a": 1, "b": [2]}), {"a": 1}) == {"a": Secret(1), "b": [Secret(2)]}
    assert secrecy_kept({"a": "x"}, {"a": "y"}) == {"a": "x"}
