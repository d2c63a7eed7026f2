"""A mistake in a lake's file: where it is, what is wrong, what to do.

Rules yield a `Diagnostic`, which has a path inside the JSON document; `report` turns each into a `LocatedDiagnostic`,
which has a line. Finding a line costs a second look at the text, so only mistakes pay for it. This module knows neither
the files' format nor the rules.
"""

from dataclasses import dataclass

JsonPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A mistake or a notice, as a rule or the loader reports it.

    Attributes:
        file: The file, relative to the lake's folder, with forward slashes.
        path: Keys and indexes from the document's root; empty for the whole file.
        what: What is wrong, without a full stop.
        remedy: What to do about it.
        line: The line, 1-based, if it is already known.
        harmless: True for a notice, which does not fail a check.
    """

    file: str
    path: JsonPath
    what: str
    remedy: str
    line: int | None = None
    harmless: bool = False


@dataclass(frozen=True, slots=True, order=True)
class LocatedDiagnostic:
    """A diagnostic as people read it; ordered by file, line and field.

    Attributes:
        file: The file as the user would open it, relative to the current folder if it is below.
        line: 1-based.
        field: The path as text, `fields.email.type`; empty for the whole file.
        what: What is wrong.
        remedy: What to do about it.
    """

    file: str
    line: int
    field: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return escape_unprintable(f"{self.file}:{self.line}: {self.field or '(file)'}: {self.what}: {self.remedy}")


def format_path(path: JsonPath) -> str:
    """A path as text: `("primary_key", 0)` is `primary_key[0]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def pluralize(number: int, noun: str) -> str:
    """A number with its noun: `1 stream`, `2 streams`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def escape_unprintable(text: str) -> str:
    """Escape control characters and lone surrogates, so that a text is one line that any terminal can show."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
