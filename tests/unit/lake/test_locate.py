"""Lines of paths in JSON texts."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra.lake.diagnostics import JsonPath
from lotus_infra.lake.json_text import duplicates, line_of, path_in_document

TEXT = """{
  "stream": "orders",
  "primary_key": [
    ["id"],
    ["shop", "day"]
  ],
  "fields": {
    "a, [b] {c}": {"type": "string"},
    "quo\\"te": {
      "type": "integer"
    }
  },
  "empty": {}, "none": [],
  "last": true
}
"""

LINES: list[tuple[JsonPath, int]] = [
    (("stream",), 2),
    (("primary_key",), 3),
    (("primary_key", 1), 5),
    (("primary_key", 1, 1), 5),
    (("fields", "a, [b] {c}", "type"), 8),
    (("fields", 'quo"te', "type"), 10),
    (("empty",), 13),
    (("none",), 13),
    (("last",), 14),
]


@pytest.mark.parametrize(("path", "line"), LINES)
def test_a_key_or_element_has_the_line_that_it_starts_on(path: JsonPath, line: int) -> None:
    assert line_of(TEXT, path) == line


def test_a_path_that_is_not_there_has_the_line_of_what_should_hold_it() -> None:
    assert line_of(TEXT, ("fields", 'quo"te', "format")) == 9
    assert line_of(TEXT, ("nothing",)) == 1


def test_a_repeated_key_is_found_once_and_nothing_below_it() -> None:
    text = '{"a": {"x": 1},\n"b": 2,\n"a": {"x": 3}}'

    assert list(duplicates(text)) == [(("a",), 3)]


def test_equal_keys_of_different_objects_are_no_repetition() -> None:
    assert list(duplicates('{"a": {"x": 1}, "b": [{"x": 1}, {"x": 2}]}')) == []


def test_properties_that_a_bare_map_of_items_does_not_have_drop_out_of_a_path() -> None:
    bare = json.loads('{"lines": {"type": "array", "items": {"sku": {"type": "string"}}}}')

    assert path_in_document(bare, ("lines", "items", "properties", "sku", "type")) == ("lines", "items", "sku", "type")


def test_a_path_keeps_the_key_that_is_missing() -> None:
    assert path_in_document({"schedule": {"type": "cron"}}, ("schedule", "cron")) == ("schedule", "cron")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_every_path_of_any_document_has_its_line(document: object) -> None:
    text = json.dumps(document, indent=1)

    assert [(path, line_of(text, path)) for path, _ in _lines(document)] == list(_lines(document))


@given(JSON)
def test_a_document_that_json_wrote_has_no_duplicates(document: object) -> None:
    assert list(duplicates(json.dumps(document))) == []


def test_duplicates_are_found_at_any_depth_that_json_reads() -> None:
    deep = 900

    found = list(duplicates("[" * deep + '{"a": 1,\n"a": 2}' + "]" * deep))

    assert found == [((0,) * deep + ("a",), 2)]


def _lines(document: object, path: JsonPath = (), line: int = 1) -> Iterator[tuple[JsonPath, int]]:
    """The paths below a value that starts on a line; with an indent, `json` writes each entry on a line of its own."""
    pairs: list[tuple[str | int, object]] = []
    if isinstance(document, dict):
        pairs = list(document.items())
    elif isinstance(document, list):
        pairs = list(enumerate(document))
    for step, value in pairs:
        below = list(_lines(value, (*path, step), line + 1))
        yield (*path, step), line + 1
        yield from below
        # A container that is not empty has a line for its closing bracket.
        line = (below[-1][1] if below else line + 1) + _brackets_after(value)


def _brackets_after(value: object) -> int:
    """How many lines of closing brackets follow the last entry of a value."""
    if not isinstance(value, dict | list) or not value:
        return 0
    last = list(value.values())[-1] if isinstance(value, dict) else value[-1]
    return 1 + _brackets_after(last)
