"""The record of the server's rewrites shows no secret."""

from typing import Any

import pytest
from pulumi_airbyte.provider.properties import Secret, has_secret
from pulumi_airbyte.provider.resource import known_rewrites, with_rewrites

SENT: Any = {
    "plain": "p",
    "secret": Secret("s"),
    "list": [{"key": Secret("k"), "label": "l"}],
    "deep": {"a": Secret("b")},
}
ROWS: dict[str, tuple[tuple[str | int, ...], Any, bool]] = {
    "a secret": (("secret",), "S", True),
    "below a secret": (("secret", "x"), "S", True),
    "a secret in a list": (("list", 0, "key"), "K", True),
    "beside a secret in a list": (("list", 0, "label"), "L", False),
    "a list with a secret": (("list",), [{"key": "k"}], True),
    "an item that a list with a secret did not have": (("list", 1), {"key": "k"}, True),
    "an object with a secret": (("deep",), {"a": "B"}, True),
    "a plain value": (("plain",), "P", False),
    "a value that was not sent": (("new",), "n", False),
}


@pytest.mark.parametrize(("path", "answered", "hidden"), ROWS.values(), ids=ROWS)
def test_a_record_is_secret_where_a_secret_is_at_any_of_its_places(
    path: tuple[str | int, ...], answered: Any, hidden: Any
) -> None:
    outputs = with_rewrites({}, {path: answered}, SENT)
    assert has_secret(outputs) is hidden
    assert known_rewrites(outputs) == {path: answered}
