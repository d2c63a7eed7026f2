"""Preconditions of a deploy: the fingerprint of a state, the relation of two commits, and a saved plan."""

import json
from pathlib import Path
from typing import Any

import pytest

from lotus_infra.clients.git import Checkout
from lotus_infra.clients.state import state_fingerprint
from lotus_infra.commands.preview import SavedPlan
from lotus_infra.errors import LotusError
from tests.support.clone import commit, git

SOURCE = {"urn": "urn:pulumi:a", "id": "1", "inputs": {"key": {"ciphertext": "v1:a"}}, "modified": "1"}
CONNECTION = {"urn": "urn:pulumi:b", "id": "2", "dependencies": ["urn:pulumi:a", "urn:pulumi:c"], "stackTrace": [{}]}


def state(*resources: dict[str, Any], **more: Any) -> str:
    return json.dumps({"version": 3, "deployment": {"manifest": {"time": "t"}, "resources": resources, **more}})


def test_a_rewritten_state_without_changes_has_the_same_fingerprint() -> None:
    again = SOURCE | {"inputs": {"key": {"ciphertext": "v1:b"}}}
    turned = CONNECTION | {"dependencies": ["urn:pulumi:c", "urn:pulumi:a"], "stackTrace": []}
    assert state_fingerprint(state(SOURCE, CONNECTION)) == state_fingerprint(state(turned, again))
    assert state_fingerprint(state()) == state_fingerprint(json.dumps({"deployment": {"resources": None}}))


def test_what_changed_in_a_state_changes_its_fingerprint() -> None:
    others = [
        state(SOURCE),
        state(SOURCE | {"modified": "2"}, CONNECTION),
        state(SOURCE | {"id": "3"}, CONNECTION),
        state(SOURCE, CONNECTION, pending_operations=[{"type": "creating"}]),
    ]
    assert len({state_fingerprint(each) for each in [state(SOURCE, CONNECTION), *others]}) == 5


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"deployment": 1}'])
def test_what_is_no_state_has_no_fingerprint(text: str) -> None:
    with pytest.raises(LotusError, match="unknown format"):
        state_fingerprint(text)


def test_a_commit_is_earlier_later_or_unrelated(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    first, second, third = (commit(tmp_path, message) for message in "ABC")
    git(tmp_path, "checkout", "-q", "--orphan", "other")
    beside = commit(tmp_path, "D")
    git(tmp_path, "checkout", "-q", second)
    here = Checkout.at(tmp_path)

    asked = (first, second, third, beside, "0" * 40, "--all")
    assert [here.relation(each) for each in asked] == [
        "in the history", "in the history", "later", "unrelated", "unrelated", "unrelated",
    ]  # fmt: skip
    assert here.tree == git(tmp_path, "rev-parse", f"{third}^{{tree}}")
    assert not here.dirty
    (tmp_path / "file").touch()
    assert Checkout.at(tmp_path).dirty


def test_a_folder_without_a_complete_saved_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LotusError, match=r"no complete saved plan in .*: create one with `lotus preview`"):
        SavedPlan.load(tmp_path)
