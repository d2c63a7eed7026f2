"""Values of a preview as text: what holds a secret anywhere is never shown."""

import pytest
from pydantic import JsonValue

from lotus_infra.plan.analysis import _is_secret as is_secret
from lotus_infra.plan.contrast import as_text as shown
from lotus_infra.plan.preview import HIDDEN, read_preview
from tests.support.previews import SOURCE, Digest, Inputs, actor

SIGNED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "x"}


@pytest.mark.parametrize(
    "value", [HIDDEN, SIGNED, [HIDDEN], ["a", SIGNED], {"a": {"b": HIDDEN}}, {"a": [{"b": SIGNED}]}], ids=repr
)
def test_a_value_with_a_secret_anywhere_is_shown_as_one(value: JsonValue) -> None:
    assert shown(value) == HIDDEN


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", '""'),
        ("é", "é"),
        (False, "false"),
        (0, "0"),
        ({"b": "é", "a": [1]}, '{"a": [1], "b": "é"}'),
        ("0", '"0"'),
        ("none", '"none"'),
        (HIDDEN[:-1], HIDDEN[:-1]),
        ("x" * 81, "x" * 81),
    ],
)
def test_a_value_without_a_secret_is_text_that_keeps_its_type(value: JsonValue, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize("hidden", [HIDDEN, SIGNED], ids=["in a digest", "in an event"])
def test_what_is_inside_of_a_secret_or_holds_one_is_secret(hidden: Inputs) -> None:
    open_one = actor({"shop": "a", "login": {"user": "b"}, "keys": [{"key": "c", "label": "d"}]})
    closed = actor({"shop": "a", "login": hidden, "keys": [{"key": hidden, "label": "d"}]})
    for old, new in ((open_one, closed), (closed, open_one)):
        [step] = read_preview(Digest().step("update", SOURCE, "a", old, new, "configuration").text()).steps[1:]
        secret = {
            place: is_secret(step, tuple(place.split(".")))
            for place in (
                "configuration",
                "configuration.shop",
                "configuration.login",
                "configuration.login.user",
                "configuration.keys",
                "configuration.keys.0.key",
                "configuration.keys.0.label",
                "configuration.keys.1",
            )
        }
        assert [place for place, is_one in secret.items() if not is_one] == [
            "configuration.shop",
            "configuration.keys.0.label",
            "configuration.keys.1",
        ]
