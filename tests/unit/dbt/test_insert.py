"""Items inserted into YAML texts: the rest stays byte for byte."""

import difflib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra.dbt.scaffold import insert_item
from lotus_infra.errors import ProjectError

TEXT = """\
# What we know.
version: 2

sources:   # of the lake
  - name: shop
    tables:
      # the first
      - name: a
        description: >-
          folded
          text

        # within a
      # the second
      - {name: c}
    # below the tables
# at the end
"""


def added(before: str, after: str) -> list[str]:
    """The lines that are new; fails when any other line changed."""
    lines = list(difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True)))
    assert [line for line in lines if line.startswith("- ")] == []
    return [line[2:] for line in lines if line.startswith("+ ")]


@pytest.mark.parametrize(
    ("index", "before", "after"),
    [
        (0, "    tables:\n", "      # the first\n"),
        (1, "        # within a\n", "      # the second\n"),
        (2, "      - {name: c}\n", "    # below"),
    ],
)
def test_an_item_goes_to_its_place_with_the_indentation_of_the_others(index: int, before: str, after: str) -> None:
    made = insert_item(TEXT, ("sources", 0, "tables"), "name: b\ncolumns:\n  - name: x\n", index)

    item = "      - name: b\n        columns:\n          - name: x\n"
    assert added(TEXT, made) == item.splitlines(keepends=True)
    assert f"{before}{item}{after}" in made


def test_line_ends_stay_as_they_are_and_the_new_lines_have_the_same() -> None:
    text = "models:\r\n- name: a\r\n"

    assert insert_item(text, ("models",), "name: b\nx: 1", 1) == text + "- name: b\r\n  x: 1\r\n"


def test_a_text_without_a_line_end_gets_one() -> None:
    assert insert_item("models:\n  - name: a", ("models",), "name: b", 1) == "models:\n  - name: a\n  - name: b\n"


def test_items_with_blank_lines_between_them_stay_apart() -> None:
    text = "models:\n  - name: a\n\n  - name: c\n"

    assert insert_item(text, ("models",), "name: b", 1) == "models:\n  - name: a\n\n  - name: b\n\n  - name: c\n"
    assert insert_item(text, ("models",), "name: d", 2) == text + "\n  - name: d\n"


def test_a_dash_may_stand_on_its_own_line() -> None:
    text = "models:\n  -\n    name: a\n  -\n    name: c\n"

    assert insert_item(text, ("models",), "name: b", 1) == "models:\n  -\n    name: a\n  - name: b\n  -\n    name: c\n"


@pytest.mark.parametrize("text", ["models: []\n", "models: [{name: a}]\n", "models:\n", "other: 1\n", "", "- models\n"])
def test_a_list_that_is_not_written_with_dashes_is_refused(text: str) -> None:
    with pytest.raises(ProjectError, match="there is no list with dashes under models to add to"):
        insert_item(text, ("models",), "name: b", 1)


def test_a_text_that_would_mean_something_else_is_refused_with_the_item_to_add() -> None:
    text = 'models:\n  - name: "a\n# no remark"\n'

    with pytest.raises(ProjectError, match="add it by hand:\nname: b"):
        insert_item(text, ("models",), "name: b", 1)


COMMENT = st.sampled_from(["", "# said\n", "\n", "  # said\n", "\n\n"])


@given(
    st.lists(
        st.tuples(COMMENT, st.sampled_from(["name: a", "name: a\n{}  x: >\n{}    text", "{{name: a}}"])), min_size=1
    ),
    st.sampled_from(["", "  ", "    "]),
    st.integers(0, 8),
    COMMENT,
)
def test_whatever_the_comments_and_indentation_the_item_is_in_and_all_else_is_there(
    items: list[tuple[str, str]], indentation: str, index: int, end: str
) -> None:
    text = "models:\n" + "".join(
        f"{comment}{indentation}- {item.format(indentation, indentation)}\n" for comment, item in items
    )
    text += end
    place = min(index, len(items))

    made = insert_item(text, ("models",), "name: b\nx: 1", place)

    assert yaml.safe_load(made)["models"][place] == {"name": "b", "x": 1}
    rest = made.replace(f"{indentation}- name: b\n{indentation}  x: 1\n", "", 1)
    assert rest.replace("\n", "") == text.replace("\n", "")
