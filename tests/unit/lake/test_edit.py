"""Edits of a JSON text change their entries and no other byte."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lotus_infra.lake.json_text import Edit, apply_edits

FILE = """{
  "stream": "orders",
  "primary_key": [["id"]],
  "fields": {
    "id": {"type": "integer"},
    "email": {"type": "string"}
  }
}
"""
ORDER = ("stream", "primary_key", "cursor_field", "selected", "fields")


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        (Edit(("stream",), "o"), '"stream": "orders"', '"stream": "o"'),
        (Edit(("primary_key",), [["a"]]), '[["id"]]', '[["a"]]'),
        (Edit(("primary_key",), None), '  "primary_key": [["id"]],\n', ""),
        (Edit(("fields", "email"), None), '"integer"},\n    "email": {"type": "string"}', '"integer"}'),
        (Edit(("fields", "id"), None), '"id": {"type": "integer"},\n    "email"', '"email"'),
        (Edit(("selected",), False, ORDER), '[["id"]],', '[["id"]],\n  "selected": false,'),
        (Edit(("new",), ["x"]), "  }\n}\n", '  },\n  "new": ["x"]\n}\n'),
        (
            Edit(("fields", "age"), {"type": "integer"}, ("id", "age", "email")),
            '"integer"},\n',
            '"integer"},\n    "age": {"type": "integer"},\n',
        ),
        (Edit(("fields", "id", "type"), "string"), '"integer"', '"string"'),
        (Edit(("nowhere", "at", "all"), None), "", ""),
    ],
)
def test_an_edit_changes_its_place_alone(edit: Edit, old: str, new: str) -> None:
    assert apply_edits(FILE, [edit]) == FILE.replace(old, new, 1)


def test_indents_and_line_ends_are_the_files_own() -> None:
    text = '{\r\n\t"a": {},\r\n\t"b": [\r\n\t\t1\r\n\t]\r\n}'
    after = apply_edits(text, [Edit(("a", "x"), {"y": 1}), Edit(("b",), [2])])
    assert after == '{\r\n\t"a": {\r\n\t\t"x": {\r\n\t\t\t"y": 1\r\n\t\t}\r\n\t},\r\n\t"b": [\r\n\t\t2\r\n\t]\r\n}'


keys = some.sampled_from(["a", "b", "c\u2028", 'd"'])
leaves = some.integers() | some.text() | some.booleans() | some.lists(some.integers(), max_size=2)
documents = some.dictionaries(keys, some.recursive(leaves, lambda inner: some.dictionaries(keys, inner, max_size=3)))
edits = some.builds(
    Edit,
    some.lists(keys, min_size=1, max_size=3).map(tuple),
    some.none() | leaves | some.dictionaries(keys, leaves, max_size=2),
    some.permutations(["a", "b", "c\u2028"]).map(tuple),
)


def expected(document: Any, edit: Edit) -> Any:
    """The same edit on the parsed document."""
    key, *rest = edit.path
    inner = document.get(key)
    if rest:
        if edit.value is None and not isinstance(inner, dict):
            return document
        below = inner if isinstance(inner, dict) else {}
        return {**document, key: expected(below, Edit(tuple(rest), edit.value))}
    kept = {name: value for name, value in document.items() if name != key}
    return kept if edit.value is None else {**document, key: edit.value}


@given(documents, some.lists(edits, max_size=3), some.sampled_from([None, 2, "\t"]))
def test_an_edited_text_parses_to_the_edited_document(document: Any, several: list[Edit], indent: Any) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    wanted = document
    for each in several:
        wanted = expected(wanted, each)
    assert json.loads(apply_edits(text, several)) == wanted
