"""A mistake in a lake's file: where it is, what is wrong, what to do.

Rules yield a `Finding`, which names a place by its path inside the JSON document; only when there is something to tell
does `report` turn it into a `Problem`, which names a line. This module knows neither the files' format nor the rules.
"""

from dataclasses import dataclass

JsonPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What a rule found.

    Attributes:
        file: The file, relative to the lake's folder, with forward slashes.
        path: Keys and indexes from the document's root to the culprit; empty for the whole file.
        what: What is wrong, with no full stop.
        remedy: What to do about it.
        line: The line, 1-based, when the finder already knows it.
        harmless: True for a notice, which the lake works in spite of.
    """

    file: str
    path: JsonPath
    what: str
    remedy: str
    line: int | None = None
    harmless: bool = False


@dataclass(frozen=True, slots=True, order=True)
class LocatedDiagnostic:
    """A finding as a person is told it; ordered by file, line and field.

    Attributes:
        file: The file as the user would open it.
        line: 1-based.
        field: Where in the document, `fields.email.type`; empty for the whole file.
        what: What is wrong.
        remedy: What to do about it.
    """

    file: str
    line: int
    field: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return printable(f"{self.file}:{self.line}: {self.field or '(file)'}: {self.what}: {self.remedy}")


def field_name(path: JsonPath) -> str:
    """A path as people write it: `("primary_key", 0)` is `primary_key[0]`."""
    written = ""
    for step in path:
        written += f"[{step}]" if isinstance(step, int) else f".{step}" if written else step
    return written


def counted(number: int, noun: str) -> str:
    """`1 stream`, `2 streams`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: str) -> str:
    """A text on one line that any terminal can show: control characters and lone surrogates are escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
