"""An entry of a JSON text is changed, and no other byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra.streams.edit import with_entry

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a": {"b": 1},\r\n "b" :true , "c": 2}\n\n', '{"a": {"b": 1},\r\n "b" :"x" , "c": 2}\n\n'),
        ('{\n    "a": [\n    ],\n    "c": 1\n}', '{\n    "a": [\n    ],\n    "b": "x",\n    "c": 1\n}'),
        ('{"a":1}', '{"a":1,"b":"x"}'),
        ('{"d": "a \\" b", "c": 0}\n', '{"d": "a \\" b", "c": 0, "b": "x"}\n'),
        ('{ "a:\\"" : 1 }', '{ "a:\\"" : 1, "b" : "x" }'),
    ],
)
def test_the_value_alone_is_replaced_and_a_new_entry_is_laid_out_like_the_one_before_it(
    before: str, after: str
) -> None:
    assert with_entry(before, "b", "x", after="a") == after


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4), KEYS, VALUES, st.sampled_from([None, 2, "\t"]))
def test_what_the_text_says_is_the_same_but_for_the_entry(
    document: dict[str, object], key: str, value: object, indent: int | str | None
) -> None:
    text = json.dumps(document, indent=indent)
    changed = with_entry(text, key, value, after=key)  # type: ignore[arg-type]
    assert json.loads(changed) == document | {key: value}
