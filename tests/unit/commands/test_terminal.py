"""Colours and tables, at any width."""

import io
import re

import pytest

from lotus_infra.commands.terminal import Cell, Column, has_colours, paint, table

COLUMNS = (Column("source", whole=True), Column("state"), Column("last job"), Column("when", right=True))
NAME = "klaviyo/campaigns_of_the_german_shop"
ROWS = (
    ("shopify", Cell("active", "good"), "sync succeeded", "3 min ago"),
    (NAME, Cell("inactive", "bad"), "refresh failed with an error of the connector", "12 h ago"),
)
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a fixture: pytest sets the streams after those."""
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.parametrize("width", [None, 200, 80, 60, 40, 10])
def test_a_table_of_any_width_has_every_name_whole_and_every_word(width: int | None) -> None:
    shown = table(COLUMNS, ROWS, width)
    assert NAME in shown
    assert "shopify" in shown
    assert "…" not in shown
    words = " ".join(shown.replace("│", " ").replace("┃", " ").split())
    for row in ROWS:
        for cell in row:
            text = cell.text if isinstance(cell, Cell) else cell
            assert all(word in words.split() for word in text.split())


@pytest.mark.parametrize("width", [200, 90, 80])
def test_a_table_is_as_wide_as_the_terminal_at_most(width: int) -> None:
    assert max(map(len, table(COLUMNS, ROWS, width).splitlines())) <= width


def test_a_name_that_leaves_no_room_makes_blocks_of_lines() -> None:
    assert table(COLUMNS, ROWS, 50) == (
        "shopify\n"
        "  state     active\n"
        "  last job  sync succeeded\n"
        "  when      3 min ago\n"
        f"{NAME}\n"
        "  state     inactive\n"
        "  last job  refresh failed with an error of the connector\n"
        "  when      12 h ago\n"
    )


def test_a_table_for_a_pipe_has_one_line_for_each_row_however_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    long = "x" * 300
    assert [line for line in table(COLUMNS, [("a", long, "", "")]).splitlines() if long in line]


def test_wide_characters_count_as_two() -> None:
    shown = table((Column("name", whole=True), Column("text")), [("数据湖" * 5, "one two three")], 45)
    assert "数据湖" * 5 in shown


def test_control_characters_of_names_reach_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    for width in (80, 20):
        assert "a\\x1b[35mb\\x07" in table(COLUMNS, [("a\x1b[35mb\x07", "", "", "")], width)


def test_colours_are_for_terminals_and_repeat_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    coloured = table(COLUMNS, ROWS, 80)
    assert "\x1b[32mactive" in coloured
    assert "\x1b[1;31minactive" in coloured
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert ESCAPES.sub("", coloured) == table(COLUMNS, ROWS, 80)


def test_a_text_is_coloured_for_the_stream_that_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    assert paint("broken", "bad") == "\x1b[31m\x1b[1mbroken\x1b[0m"
    monkeypatch.setattr("sys.stdout", io.StringIO())
    assert paint("broken", "bad") == "broken"
    assert paint("broken", "bad", err=True) != "broken"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm"}, True),
        ({}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": "0"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_colours_are_off_by_no_color_and_on_a_dumb_terminal(
    environment: dict[str, str],
    *,
    expected: bool,
) -> None:
    assert has_colours(Terminal(), environment) is expected
    assert has_colours(io.StringIO(), environment) is False
