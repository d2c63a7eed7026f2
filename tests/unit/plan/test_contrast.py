"""Two values that differ look different, whatever they differ in."""

import html
import json
import re
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import JsonValue

from lotus_infra.commands.output import change, value
from lotus_infra.plan.contrast import as_text, contrast, fully

LOOKALIKES = "a\u0430\u0251\uff41\u200b\u202e \xa0\u2003\t\n\r\\nxu20-|`<>&@*_~#\u0301é\ufeff\U000e0061"
"""Latin, Cyrillic and full-width letters, what is invisible, and what Markdown and escapes are made of."""
TEXTS = st.text() | st.text(st.sampled_from(LOOKALIKES), max_size=12)
LONG = st.builds(
    lambda start, middle, end: f"{start * 60}{middle}{end * 60}", *[st.sampled_from("ab \u200b")], TEXTS, TEXTS
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def seen(markdown: str) -> str:
    """What a reader sees of a value: blanks in a row are one, and so are those at an end none."""
    shown = markdown[1:-1] if markdown.startswith("`") else html.unescape(re.sub("</?code>", "", markdown))
    return re.sub(" +", " ", unicodedata.normalize("NFKC", shown)).strip()


@given(TEXTS | LONG, TEXTS | LONG)
@example("a", "a ")
@example("a b", "a  b")
@example("\\n", "\n")
@example("x" * 300, "x" * 301)
@example("x" * 300 + "a", "x" * 300 + "b")
@example("store", "st\u043ere")
@example("é", "e\u0301")
def test_two_texts_that_differ_never_look_the_same(before: str, after: str) -> None:
    assume(before != after and before and after)
    left, right = (
        change(before, after).split(" → ", maxsplit=1) if "→" not in before + after else contrast(before, after)
    )
    assert seen(left) != seen(right)


@given(JSON, JSON)
@example("1", 1)
@example("", None)
@example("true", True)
@example('"a"', "a")
@example(None, "none")
def test_two_values_that_differ_have_different_texts(one: JsonValue, other: JsonValue) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assume("[secret]" not in json.dumps([one, other]))

    assert (as_text(one) == as_text(other)) is same


@given(TEXTS | LONG)
def test_a_single_text_has_nothing_invisible_in_it(text: str) -> None:
    shown = fully(text)

    assert all(char.isprintable() for char in shown)
    assert len(shown) < 2000


def test_the_part_that_differs_is_shown_with_its_surroundings() -> None:
    start, end = "https://a-store.example.com/orders/" * 4, "/and/so/on" * 10

    before, after = contrast(f"{start}one{end}", f"{start}two{end}")

    assert before == "…tore.example.com/orders/one/and/so/on/and/so/on/and…"
    assert after == "…tore.example.com/orders/two/and/so/on/and/so/on/and…"


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("landing", "other", ("landing", "other")),
        ("Müller", "Mueller", ("Müller", "Mueller")),
        ("main", "ma\u200bin", ("main", "ma\\u200bin")),
        ("apple", "\u0430pple", ("apple", "\\u0430pple")),
        ("a\\", "a\u202e\\", ("a\\", "a\\u202e\\")),
        ("a b", "a  b", ("a b", "a \\x20b")),
        ("C:\\x", "C:\\y", ("C:\\x", "C:\\y")),
        ("日本", "日木", ("日\\u672c", "日\\u6728")),
    ],
)
def test_only_what_differs_is_escaped(before: str, after: str, shown: tuple[str, str]) -> None:
    assert contrast(before, after) == shown


def test_a_long_text_is_cut_with_its_length() -> None:
    assert re.fullmatch(r"`a{120} …\(840 more characters\)… a{40}`", value("a" * 1000))


def test_a_long_text_takes_no_quadratic_time() -> None:
    before, after = contrast("a" * 3_000_000, "a" * 2_999_999 + "b")

    assert (before, after) == (f"…{'a' * 25}", f"…{'a' * 24}b")
