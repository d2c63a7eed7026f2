"""Resources whose planned change differs from the reviewed one."""

import json
from typing import Any

import pytest

from lotus_infra.plan.preview import Preview, changed_since_review, read_preview

URN = "urn:pulumi:prod::lotus::lotus:airbyte:Pipeline$airbyte:index/connection:Connection::"


def step(op: str = "update", name: str = "shopify", **changes: Any) -> dict[str, Any]:
    old = {"id": "c1", "inputs": {"prefix": "", "configurations": "orders"}, "modified": "now"}
    return {"op": op, "urn": URN + name, "oldState": old, "detailedDiff": {"prefix": {"kind": "update"}}} | changes


def previewed(*steps: dict[str, Any]) -> Preview:
    return read_preview(json.dumps({"steps": steps, "changeSummary": {}}, indent=2))


def test_a_preview_is_as_reviewed_if_each_change_starts_from_the_same_in_any_order() -> None:
    later = step(oldState={**step()["oldState"], "modified": "later"})
    before = previewed(step(), step("delete", "klaviyo"), step("same", "faker"))
    assert changed_since_review(before, previewed(step("delete", "klaviyo"), later, step("refresh", "faker"))) == []


@pytest.mark.parametrize(
    "now",
    [
        [step(oldState={"id": "c1", "inputs": {"prefix": "", "configurations": "users"}})],
        [step(oldState={"id": "c2", "inputs": step()["oldState"]["inputs"]})],
        [step(detailedDiff={"prefix": {"kind": "update-replace"}})],
        [step("replace")],
        [step("same")],
        [],
    ],
    ids=["another value", "another object", "another difference", "another step", "nothing to do", "gone"],
)
def test_a_change_that_starts_from_something_else_is_named(now: list[dict[str, Any]]) -> None:
    assert changed_since_review(previewed(step()), previewed(*now)) == ["Connection shopify"]


def test_a_new_change_is_named() -> None:
    assert changed_since_review(previewed(step()), previewed(step(), step("delete", "klaviyo"))) == [
        "Connection klaviyo"
    ]
