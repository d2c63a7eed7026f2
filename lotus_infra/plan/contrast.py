"""Values of a preview as text, such that two different values never look the same.

`as_text` keeps types apart: the text `1` is `"1"`, and an empty one is `""`. `contrast` shows the part of two texts
that differs. In that part it escapes all that people can't tell apart: invisible and right-to-left characters, letters
of other scripts that look like Latin ones, blanks at an end or in a row. `fully` does the same for a single text.
"""

import json
import unicodedata
from typing import Final

from pydantic import JsonValue

from lotus_infra.lake.diagnostics import escape_unprintable
from lotus_infra.plan.preview import HIDDEN, UNKNOWN, hides

UNKNOWN_TEXT: Final = "known after the update"
LONGEST: Final = 100
"""Characters of a text that is shown as a whole."""
_CONTEXT: Final = 24
"""Characters that are shown on both sides of a difference."""
_HEAD, _TAIL = 120, 40
"""Characters at both ends of a long difference."""
_RESERVED: Final = frozenset({"", HIDDEN, UNKNOWN_TEXT, "none"})


def as_text(value: JsonValue) -> str:
    """A value as text; empty for none. A value with a secret anywhere is shown as a secret."""
    if value is None:
        return ""
    if hides(value):
        return HIDDEN
    if value == UNKNOWN:
        return UNKNOWN_TEXT
    if isinstance(value, str) and not _reads_as_another(value):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def contrast(before: str, after: str) -> tuple[str, str]:
    """Two texts with the part that differs, and some context on both sides; on one line, without a hidden character."""
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    differing = [_Part(text, start, len(text) - end) for text in (before, after)]
    # A backslash is doubled only beside an escape, where it could be taken for one.
    escapes = any(part.has_escapes for part in differing)
    shown = tuple(part.shown(escapes=escapes) for part in differing)
    return shown[0], shown[1]


def fully(text: str) -> str:
    """One text, escaped as the differing part of two; a long one with both its ends and its length."""
    return _Part(text, 0, len(text)).shown(escapes=False)


def _reads_as_another(text: str) -> bool:
    if text in _RESERVED:
        return True
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _common(one: str, other: str) -> int:
    """The number of leading characters that two texts share."""
    return next(
        (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(map(len, (one, other)))
    )


class _Part:
    """A part of a text, which differs from another text in it."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text, self._start, self._end = text, start, end
        self._units = [_unit(text, index) for index in range(start, end)]

    @property
    def has_escapes(self) -> bool:
        return any(len(unit) > 1 for unit in self._units)

    def shown(self, *, escapes: bool) -> str:
        units = ["\\\\" if escapes and unit == "\\" else unit for unit in self._units]
        if len(units) > _HEAD + _TAIL:
            left_out = f" …({len(units) - _HEAD - _TAIL:,} more characters)… "
            units = [*units[:_HEAD], left_out, *units[-_TAIL:]]
        before, after = self._text[: self._start], self._text[self._end :]
        if len(self._text) > LONGEST:
            before = f"…{before[-_CONTEXT:]}" if len(before) > _CONTEXT + 1 else before
            after = f"{after[:_CONTEXT]}…" if len(after) > _CONTEXT + 1 else after
        return f"{escape_unprintable(before)}{''.join(units)}{escape_unprintable(after)}"


def _unit(text: str, index: int) -> str:
    """A character of a text, escaped if it can't be told from others."""
    char = text[index]
    if char == " ":
        at_an_end = index in {0, len(text) - 1} or " " in {text[index - 1], text[index + 1]}
        return "\\x20" if at_an_end else char
    return char if _is_plain(char) else char.encode("unicode_escape", "surrogatepass").decode("ascii")


def _is_plain(char: str) -> bool:
    """Whether a character looks like no other: printable ASCII, and Latin letters with a mark."""
    if char.isascii():
        return char.isprintable()
    name = unicodedata.name(char, "")
    return (name.startswith("LATIN ") and " WITH " in name) or char in "…→·"
