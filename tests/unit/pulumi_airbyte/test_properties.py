"""The engine's values, in and out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi_airbyte.provider.properties import (
    UNKNOWN,
    Properties,
    Secret,
    decode,
    encode,
    is_known,
    reveal,
    secret_texts,
)

scalars = st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text()
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(), inner)
        | inner.map(lambda value: value if isinstance(value, Secret) else Secret(value))
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), values.filter(lambda value: value is not None)))
def test_every_value_survives_the_wire(properties: Properties) -> None:
    assert decode(encode(properties)) == properties


def test_an_unknown_value_survives_the_wire() -> None:
    assert decode(encode({"a": [UNKNOWN]})) == {"a": [UNKNOWN]}


def test_a_secret_does_not_show_itself() -> None:
    assert "hunter2" not in repr(Secret("hunter2"))


def test_a_value_is_known_only_as_a_whole() -> None:
    assert is_known({"a": [Secret("b")]})
    assert not is_known({"a": [Secret(UNKNOWN)]})


def test_an_unknown_value_is_never_sent() -> None:
    with pytest.raises(ValueError, match="not known yet"):
        reveal({"a": UNKNOWN})


def test_every_text_under_a_secret_mark_is_found() -> None:
    assert set(secret_texts({"a": Secret({"b": ["x", 3]}), "c": "plain", "d": [Secret("y")]})) == {"x", "y"}
