"""What commands print on a terminal: colours, and tables that fit its width.

Colours only repeat what the words say. They are left out where the stream is no terminal, where `NO_COLOR` is set
(https://no-color.org), and where `TERM` is `dumb`; documents and files never have them.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TextIO

import click

from lotus_infra.lake.diagnostics import escape_unprintable

Tone = Literal["good", "bad", "warning", "muted", "strong"]
_STYLES: Final[Mapping[Tone, Mapping[str, Any]]] = {
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow"},
    "muted": {"dim": True},
    "strong": {"bold": True},
}
"""The styles, in click's words."""
_BORDER: Final = 3
"""Characters between two columns: a line and two spaces."""


# Colours


def has_colours(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a stream takes colours."""
    return not environment.get("NO_COLOR") and environment.get("TERM") != "dumb" and stream.isatty()


def paint(text: str, tone: Tone | None, *, err: bool = False) -> str:
    """Colour a text.

    Args:
        text: The text, whose control characters are escaped already.
        tone: The colour; None for none.
        err: Whether the text is for standard error instead of standard output.
    """
    colours = bool(text) and tone is not None and has_colours(sys.stderr if err else sys.stdout)
    return click.style(text, **_STYLES[tone]) if colours and tone is not None else text


def lead(line: str, tone: Tone | None) -> str:
    """Escape a line, and colour what it is about: its start up to the first `: `."""
    start, colon, rest = escape_unprintable(line).partition(": ")
    return paint(start + colon.rstrip(), tone) + (f" {rest}" if colon else "")


# Tables


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        heading: Its heading.
        whole: Whether its cells name the row, and stay on one line.
        right: Whether its cells are aligned to the right, as numbers are.
    """

    heading: str
    whole: bool = False
    right: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A coloured cell."""

    text: str
    tone: Tone | None = None


Row = Sequence[str | Cell]


def table(columns: Sequence[Column], rows: Iterable[Row], width: int | None = None) -> str:
    """Format a table without cutting a cell: other columns fold so that names stay whole.

    If that takes more room than the terminal has, each row is a block of lines instead, as in `psql`'s expanded mode.

    Args:
        columns: The columns.
        rows: The cells of each row.
        width: The number of characters of a line; by default the terminal's, and no limit for a pipe or a file.
    """
    cells = [[_escaped(cell) for cell in row] for row in rows]
    limit = width or _terminal_width()
    widths = _widths(columns, cells, limit)
    return _drawn(columns, cells, widths) if widths is not None else "".join(_expanded(columns, cells))


def _escaped(cell: str | Cell) -> Cell:
    given = cell if isinstance(cell, Cell) else Cell(cell)
    return Cell(escape_unprintable(given.text), given.tone)


def _terminal_width() -> int | None:
    """The width of the terminal, or that of `$COLUMNS`; None for a stream that is no terminal."""
    if not (sys.stdout.isatty() or os.environ.get("COLUMNS")):
        return None
    return shutil.get_terminal_size(fallback=(0, 0)).columns or None


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], limit: int | None) -> list[int] | None:
    """The width of each column, as near to that of its cells as the limit allows; None if the names do not fit.

    Headings fold before cells do.
    """
    from rich.cells import cell_len  # noqa: PLC0415, see `_drawn`

    columns_of_texts = [[row[at].text for row in rows] for at in range(len(columns))]
    wanted = [
        max(map(cell_len, [column.heading, *texts])) for column, texts in zip(columns, columns_of_texts, strict=True)
    ]
    if limit is None:
        return wanted
    for folds_cells in (False, True):
        widths = [
            wanted[at]
            if column.whole
            else max(_least(column.heading), *map(_least if folds_cells else cell_len, texts), 0)
            for at, (column, texts) in enumerate(zip(columns, columns_of_texts, strict=True))
        ]
        left = limit - sum(widths) - _BORDER * (len(columns) - 1)
        if left >= 0:
            return _widened(widths, wanted, left)
    return None


def _least(text: str) -> int:
    """The width of a text's longest word, to which it can be folded."""
    from rich.cells import cell_len  # noqa: PLC0415, see `_drawn`

    return max(map(cell_len, text.split()), default=0)


def _widened(widths: list[int], wanted: Sequence[int], left: int) -> list[int]:
    """Give what is left to the columns that need the least first, so that as few as possible fold."""
    for at in sorted(range(len(widths)), key=lambda at: wanted[at] - widths[at]):
        given = min(left, wanted[at] - widths[at])
        widths[at] += given
        left -= given
    return widths


def _drawn(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], widths: Sequence[int]) -> str:
    # It takes longer to import than most commands take to answer.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    colours = has_colours(sys.stdout)
    console = Console(
        width=sum(widths) + _BORDER * (len(widths) - 1),
        color_system="standard" if colours else None,
        force_terminal=colours,
        markup=False,
        emoji=False,
        highlight=False,
    )
    drawn = Table(show_edge=False, pad_edge=False)
    for column, width in zip(columns, widths, strict=True):
        drawn.add_column(column.heading, width=width, justify="right" if column.right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell.text, style=_rich_style(cell.tone)) for cell in row))
    with console.capture() as captured:
        console.print(drawn)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _rich_style(tone: Tone | None) -> str:
    style = _STYLES[tone] if tone is not None else {}
    return " ".join(str(style[key]) if key == "fg" else key for key in style)


def _expanded(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    """Each row as lines: its names, and below them a line for each other cell that is not empty."""
    indent = max((len(column.heading) for column in columns if not column.whole), default=0)
    for row in rows:
        named = [cell.text for column, cell in zip(columns, row, strict=True) if column.whole]
        yield paint("  ".join(named), "strong") + "\n"
        for column, cell in zip(columns, row, strict=True):
            if cell.text and not column.whole:
                yield f"  {column.heading:<{indent}}  {paint(cell.text, cell.tone)}\n"
