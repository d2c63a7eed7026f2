"""What commands write: files of a repository, a file that the user names, and GitHub's Markdown.

Names and messages in Markdown come from files, connectors and servers, so `code`, `tag`, `prose` and `block` escape
them: they cannot mention people, end a table, open a tag or leave their block. A comment stays under GitHub's limit.
"""

import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import escape_unprintable
from lotus_infra.lake.disk import beside
from lotus_infra.plan.contrast import contrast, fully

LIMIT: Final = 65_000
"""Bytes of a comment; GitHub's limit is 65,536 characters."""
OPEN_SECTIONS: Final = 4
"""If a comment has more sections, those that may be folded are."""
LONGEST: Final = 300
"""Characters of a name; a longer one is shown with both its ends."""
_END: Final = 120
_PLAIN: Final = re.compile(r"[\w.,/:;+=()?*$%!~^\[\]{}'\" →…-]+")
"""Text that is safe between backticks, also in a table's cell: no backtick, `|`, `@`, `<` or `&`."""


# Files


def write_together(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files or none: write each to a temporary file beside it, then rename them all.

    Args:
        folder: The folder that the names are relative to.
        files: Texts by name; missing folders are created.

    Raises:
        LotusError: The folder can't be written to.
    """
    temporary: dict[Path, Path] = {}
    replaced: dict[Path, bytes | None] = {}
    created: list[Path] = []
    try:
        for name, text in files.items():
            # Resolved, so that a symbolic link stays and its target is written.
            file = (folder / name).resolve()
            created += [each for each in reversed(file.parents) if not each.exists()]
            file.parent.mkdir(parents=True, exist_ok=True)
            temporary[file] = beside(file, "new")
            temporary[file].write_bytes(text.encode())
            if file.exists():
                shutil.copymode(file, temporary[file])
        for file, new in temporary.items():
            # Noted before the file changes: an interruption may come right after it.
            replaced[file] = file.read_bytes() if file.exists() else None
            os.replace(new, file)  # noqa: PTH105
    except (OSError, RuntimeError) as error:  # of a link to itself, a path raises the latter
        _restore(replaced)
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise LotusError(f"{folder} can't be written to ({reason})", "make it writable") from None
    except KeyboardInterrupt:
        _restore(replaced)
        raise
    finally:
        for new in temporary.values():
            with suppress(OSError):
                new.unlink()
        for each in reversed(created):
            # Only an empty folder can be removed: one without files would be a source without a file.
            with suppress(OSError):
                each.rmdir()


def _restore(replaced: Mapping[Path, bytes | None]) -> None:
    """Write the former contents back, and delete the files that are new (None)."""
    for file, before in replaced.items():
        with suppress(OSError):
            if before is None:
                file.unlink()
            else:
                file.write_bytes(before)


def write(file: Path, text: str) -> None:
    """Write a file that the user names.

    Raises:
        LotusError: The file can't be written.
    """
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LotusError(f"{file} can't be written ({error.strerror or error})", "name another file") from None


# Markdown within a line


def code(text: str) -> str:
    """Format a name or a value in a fixed width, on one line; a long one is cut."""
    return whole(_shorten(text))


def whole(text: str) -> str:
    """Format a text of any length as `code` does."""
    shown = escape_unprintable(text)
    # GitHub strips a space at both ends of a code span, and would show another value.
    return f"`{shown}`" if _PLAIN.fullmatch(shown) and shown == shown.strip() else f"<code>{_escape_html(shown)}</code>"


def change(before: str, after: str) -> str:
    """Format a value before and after, with the part that differs; an empty one is none."""
    if before and after:
        before, after = contrast(before, after)
    return f"{value(before)} → {value(after)}"


def value(text: str) -> str:
    """Format a value with all that is invisible escaped; an empty one is none."""
    return whole(fully(text)) if text else "none"


def tag(text: str) -> str:
    """Format a name or a value as `code` does, where only HTML is rendered."""
    return f"<code>{_escape_html(_shorten(text))}</code>"


def codes(texts: Iterable[str], at_most: int = 40) -> str:
    """List names, separated by commas; further ones are counted: `a`, `b` and 3 more."""
    listed = list(texts)
    shown = ", ".join(code(text) for text in listed[:at_most])
    return shown if len(listed) <= at_most else f"{shown} and {len(listed) - at_most} more"


def prose(text: str) -> str:
    """Escape Markdown and GitHub mentions in a text of any length."""
    shown = re.sub(r"[#<>&|*_`\[\]\\~]", lambda found: f"&#{ord(found[0])};", escape_unprintable(text))
    # A zero-width space: GitHub finds people and issues in the rendered text, where an entity is the character again.
    # It also keeps an address from becoming a link.
    return re.sub(r"@|&#35;|:(?=//)|(?<=www)(?=\.)", lambda found: f"{found[0]}&#8203;", shown)


def count(number: int, noun: str, suffix: str = "", plural: str = "") -> str:
    """Format a count, such as `1 stream added`; empty for 0."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}{suffix}" if number else ""


def _shorten(text: str) -> str:
    shown = escape_unprintable(text)
    if len(shown) <= LONGEST:
        return shown
    return f"{shown[:_END]} …({len(shown) - 2 * _END:,} more characters)… {shown[-_END:]}"


def _escape_html(text: str) -> str:
    """Escape all but letters, digits and a few marks: a closed list, as Markdown is also read inside HTML tags."""
    return "".join(char if char.isalnum() or char in " …_-./→" else f"&#{ord(char)};" for char in text)


# Blocks, sections and the comment


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a comment, shown as a whole or left out.

    Attributes:
        title: The heading, in HTML: GitHub does not render Markdown in the summary of a folded section.
        body: The text below it, in Markdown.
        folds: Whether it may be folded; False for a section that requires an action.
    """

    title: str
    body: str
    folds: bool = True


def fit(head: str, sections: Sequence[Section], foot: str) -> str:
    """Join a comment. Fold its sections if there are many, and omit the last ones if it would exceed GitHub's limit."""
    fold_all = len(sections) > OPEN_SECTIONS
    parts = [
        folded(f"<b>{section.title}</b>", section.body)
        if fold_all and section.folds
        else f"### {section.title}\n\n{section.body}"
        for section in sections
    ]
    room = LIMIT - _size(head, foot, _omitted(len(parts)))
    kept: list[str] = []
    for part in parts:
        room -= _size(part)
        if room >= 0:
            kept.append(part)
    omitted = len(parts) - len(kept)
    return "\n\n".join([head, *kept, *([_omitted(omitted)] if omitted else []), foot]) + "\n"


def folded(title: str, body: str) -> str:
    """Format a section that is closed until it is clicked."""
    return f"<details>\n<summary>{title}</summary>\n\n{body}\n\n</details>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Format a table; the cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def block(text: str, at_most: int = 4000) -> str:
    """Format lines of text as a code block; longer text is cut after so many characters."""
    cut = text if len(text) <= at_most else text[:at_most] + "\n…"
    lines = [escape_unprintable(line) for line in cut.splitlines()]
    return fenced("text", "\n".join(lines))


def fenced(language: str, text: str) -> str:
    """Format a code block in a language, such as `diff`, with a fence longer than any in the text."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _omitted(number: int) -> str:
    sections = "section is" if number == 1 else "sections are"
    return (
        f"**{number} {sections} omitted, because GitHub limits a comment's size:** `pulumi preview --diff` shows all."
    )


def _size(*parts: str) -> int:
    """Bytes of parts, each with the empty line that joins it to the next."""
    return sum(len(part.encode()) + 2 for part in parts)
