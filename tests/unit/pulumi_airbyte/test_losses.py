"""What of a write is not in its answer, and what a record of rewrites says of that."""

from typing import Any

import pytest
from pulumi_airbyte.provider.losses import losses, taken
from pulumi_airbyte.provider.properties import Secret
from pulumi_airbyte.provider.reconcile import rewrites
from pulumi_airbyte.values import MASK, Path

Tree = Any
KEPT: dict[str, tuple[Tree, Tree]] = {
    "another order": ({"a": [1, {"b": 2}]}, {"a": [{"b": 2}, 1]}),
    "more than was asked for": ({"a": [{"b": 1}]}, {"a": [{"x": 0}, {"b": 1, "c": 2}], "d": 3}),
    "another spelling": ({"a": "0 0 * * * ?", "b": 1}, {"a": "0 0 * * * ? UTC", "b": 1.0}),
    "a value as a list": ({"cursor": "id", "key": ["id"]}, {"cursor": ["id"], "key": [["id"]]}),
    "a mask": ({"a": Secret("s"), "l": [{"k": Secret("s"), "n": 1}]}, {"a": MASK, "l": [{"k": MASK, "n": 1}]}),
    "nothing for what is empty": ({"a": {}, "b": [], "c": "", "d": {"e": None}}, {}),
}
LOST: dict[str, tuple[Tree, Tree, list[Path]]] = {
    "a value": ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, [("a", "c")]),
    "a value that is false": ({"a": False}, {}, [("a",)]),
    "a truth": ({"a": True}, {"a": False}, [("a",)]),
    "an object": ({"a": {"b": 1}}, {"a": "text"}, [("a",)]),
    "an item": ({"a": ["x", "y"]}, {"a": ["y"]}, [("a", 0)]),
    "an item for another": ({"a": ["x", "y"]}, {"a": ["y", "z"]}, [("a", 0)]),
    "one of two equal items": ({"a": ["x", "x"]}, {"a": ["x"]}, [("a", 1)]),
    "a part of an item": ({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}, [("a", 0, "c")]),
    "a part of a part": ({"a": [["x", "y"]]}, {"a": [["x"]]}, [("a", 0)]),
    "a secret": ({"a": Secret("s")}, {}, [("a",)]),
}


def never(_tree: Tree, _path: Path) -> bool:
    return False


@pytest.mark.parametrize(("sent", "answered"), KEPT.values(), ids=KEPT)
def test_a_rewrite_loses_nothing(sent: Tree, answered: Tree) -> None:
    assert losses(sent, answered, never) == ()
    assert taken(sent, rewrites(sent, answered), never).tree == sent


@pytest.mark.parametrize(("sent", "answered", "lost"), LOST.values(), ids=LOST)
def test_what_is_not_in_the_answer_is_lost_and_no_rewrite(sent: Tree, answered: Tree, lost: list[Path]) -> None:
    assert list(losses(sent, answered, never)) == lost
    found = taken(sent, rewrites(sent, answered), never)
    assert list(found.lost) == lost
    assert found.tree == answered
    assert found.rewrites == {}


def test_what_a_server_is_known_to_leave_out_is_no_loss() -> None:
    sent: Tree = {"kept": 1, "regionId": "r", "tags": ["t"]}
    found = taken(sent, rewrites(sent, {"kept": 1}), lambda _, path: path == ("regionId",))
    assert found.lost == (("tags",),)
    assert found.tree == {"kept": 1, "regionId": "r"}
    assert found.rewrites == {("regionId",): None}


def test_a_record_of_other_inputs_changes_nothing() -> None:
    assert taken({"a": 1}, {("b", "c", 0): None, ("l", 3): 1}, never).tree == {"a": 1}
