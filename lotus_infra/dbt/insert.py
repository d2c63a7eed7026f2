"""Puts an item into a list of a YAML text and leaves every other byte as it is, comments and line ends included.

Where the item goes is told by the places of the list's nodes; what comes out is read again and must be the old document
with the item in it. What can't be done so is refused, and nothing is guessed.
"""

import re

import yaml

from lotus_infra.dbt.entries import EntriesError, compose, document, line_of
from lotus_infra.errors import ProjectError
from lotus_infra.lake.json_text import child

YamlPath = tuple[str | int, ...]
# What YAML takes for the end of a line, which is what places of nodes are counted by.
_LINE = re.compile(r"[^\n\r\x85\u2028\u2029]*(?:\r\n|[\n\r\x85\u2028\u2029]|\Z)")


def insert_item(text: str, path: YamlPath, item: str, index: int) -> str:
    """Insert an item into a list.

    Args:
        text: The whole text.
        path: Keys and indexes that lead to the list.
        item: A mapping as YAML, without the dash and not indented.
        index: The place of the item; the length of the list for the end.

    Raises:
        ProjectError: The list isn't there or isn't written with a dash for each item.
    """
    where = _list_at(text, path)
    if where is None or where.flow_style or not where.value:
        raise ProjectError(
            f"there is no list with dashes under {'.'.join(map(str, path))} to add to", "write one there by hand"
        )
    lines = [line for line in _LINE.findall(text) if line]
    column = int(where.start_mark.column)
    at_end = index >= len(where.value)
    item_lines = _indented(item, column, "\r\n" if lines[0].endswith("\r\n") else "\n")
    if at_end:
        place = _end_of(lines, _dash(lines, where.value[-1], column), column)
        if not lines[place - 1].endswith(("\n", "\r")):
            lines[place - 1] += item_lines[0][-1]
    else:
        place = _dash(lines, where.value[index], column)
        # Remarks that are indented more belong to the item above.
        while place > 0 and lines[place - 1].lstrip().startswith("#") and _indentation(lines[place - 1]) <= column:
            place -= 1
    if len(where.value) > 1 and not lines[_dash(lines, where.value[-1], column) - 1].strip():
        blank = item_lines[-1].removeprefix(item_lines[-1].rstrip("\r\n"))
        item_lines = [blank, *item_lines] if at_end else [*item_lines, blank]
    changed = "".join([*lines[:place], *item_lines, *lines[place:]])
    _verify(text, changed, path, item, index)
    return changed


def _list_at(text: str, path: YamlPath) -> yaml.SequenceNode | None:
    here = compose(text)
    for step in path:
        if isinstance(here, yaml.MappingNode):
            here = next((value for key, value in here.value if key.value == step), None)
        elif isinstance(here, yaml.SequenceNode) and isinstance(step, int) and step < len(here.value):
            here = here.value[step]
        else:
            return None
    return here if isinstance(here, yaml.SequenceNode) else None


def _dash(lines: list[str], item: yaml.Node, column: int) -> int:
    """The index of the line that has an item's dash: where the item starts, or above."""
    place = line_of(item) - 1
    while place > 0 and lines[place][column : column + 1] != "-":
        place -= 1
    return place


def _end_of(lines: list[str], start: int, column: int) -> int:
    """The index of the line after an item: it has all lines that are indented more than its dash."""
    end = start + 1
    for place in range(start + 1, len(lines)):
        content = lines[place].strip()
        if content and _indentation(lines[place]) > column:
            end = place + 1
        elif content and not content.startswith("#"):
            break
    return end


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _indented(item: str, column: int, newline: str) -> list[str]:
    first, *rest = item.splitlines()
    start, further = f"{' ' * column}- ", " " * (column + 2)
    return [f"{start}{first}{newline}", *(f"{further}{line}".rstrip() + newline for line in rest)]


def _verify(before: str, after: str, path: YamlPath, item: str, index: int) -> None:
    """What comes out is the old document with the item in it.

    Raises:
        ProjectError: It isn't, because the text is written in a way that this module does not know.
    """
    items = expected = document(before)
    for step in path:
        items = next(iter(child(items, step)), None)
    if isinstance(items, list):
        items.insert(index, document(item))
    try:
        agrees = document(after) == expected
    except EntriesError:
        agrees = False
    if not agrees:
        raise ProjectError(f"an item can't be added to {'.'.join(map(str, path))}", "add it by hand:\n" + item)
