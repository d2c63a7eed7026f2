"""GitHub's Markdown: text from outside that stays text, and a comment that stays under GitHub's limit.

Names and messages come from files, connectors and servers: none of them may mention people, end a table, open a tag or
leave its block.
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
from lotus_infra.lake.diagnostics import printable

LIMIT: Final = 65_000
"""Bytes of a whole comment; GitHub takes 65,536 characters."""
OPEN_SECTIONS: Final = 4
"""How many sections stand open; where there are more, all that can be are folded."""
LONGEST: Final = 120
"""Characters of a name, or of a value, that are shown."""
_PLAIN: Final = re.compile(r"[\w.,/:;+=()?*$%!~^\[\]{}'\" →…-]+")


def write_together(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files or none: each is written beside its place first, and only then all are moved there.

    Args:
        folder: What the files' names are relative to.
        files: Texts by name; folders that are missing are made.

    Raises:
        LotusError: The folder can't be written to.
    """
    waiting: dict[Path, Path] = {}
    moved: dict[Path, bytes | None] = {}
    try:
        for name, text in files.items():
            file = (folder / name).resolve()
            file.parent.mkdir(parents=True, exist_ok=True)
            waiting[file] = file.with_name(f".{file.name}.new")
            waiting[file].write_bytes(text.encode())
            if file.exists():
                shutil.copymode(file, waiting[file])
        for file, new in waiting.items():
            before = file.read_bytes() if file.exists() else None
            os.replace(new, file)  # noqa: PTH105
            moved[file] = before
    except OSError as error:
        _back(moved)
        raise LotusError(f"{folder} can't be written to ({error.strerror or error})", "make it writable") from None
    finally:
        for new in waiting.values():
            with suppress(OSError):
                new.unlink()


def write(file: Path, text: str) -> None:
    """Write a file that the user names.

    Raises:
        LotusError: The file can't be written.
    """
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LotusError(f"{file} can't be written ({error.strerror or error})", "name another file") from None


def _back(moved: Mapping[Path, bytes | None]) -> None:
    for file, before in moved.items():
        with suppress(OSError):
            if before is None:
                file.unlink()
            else:
                file.write_bytes(before)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a comment that is shown as a whole or not at all.

    Attributes:
        title: its heading, in HTML: Markdown is not read in the heading of what is folded.
        body: what is below it.
        folds: whether it may be folded; what somebody has to act on may not.
    """

    title: str
    body: str
    folds: bool = True


def code(text: str) -> str:
    """A name or a value, as it is, on one line and in a fixed width."""
    shown = _short(text)
    return f"`{shown}`" if _PLAIN.fullmatch(shown) and shown == shown.strip() else tag(text)


def prose(text: str) -> str:
    """Words among which there may be a name, as plain text that means nothing to Markdown and mentions nobody."""
    shown = re.sub(r"[#<>&|*_`\[\]\\~]", lambda found: f"&#{ord(found[0])};", printable(text))
    return shown.replace("@", "@&#8203;")


def tag(text: str) -> str:
    """As `code`, for where only HTML is read."""
    return f"<code>{_entities(_short(text))}</code>"


def codes(texts: Iterable[str], at_most: int = 40) -> str:
    """Names in a row; beyond so many they are counted."""
    listed = list(texts)
    shown = ", ".join(code(text) for text in listed[:at_most])
    return shown if len(listed) <= at_most else f"{shown} and {len(listed) - at_most} more"


def many(count: int, noun: str, then: str = "", plural: str = "") -> str:
    """`1 stream added`; empty for none."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}{then}" if count else ""


def block(text: str, at_most: int = 4000) -> str:
    """Lines as they are, in a block that none of them can end; what is beyond so many characters is cut."""
    cut = text if len(text) <= at_most else text[:at_most] + "\n…"
    lines = [printable(line) for line in cut.splitlines()]
    return fenced("text", "\n".join(lines))


def fenced(kind: str, text: str) -> str:
    """A block of a kind, such as `diff`, that nothing in it can end."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{kind}\n{text}\n{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def folded(title: str, body: str) -> str:
    """A part that opens when it is asked for."""
    return f"<details>\n<summary>{title}</summary>\n\n{body}\n\n</details>"


def fitted(head: str, sections: Sequence[Section], foot: str) -> str:
    """A comment: where sections are many they are folded, and where they are too long the last ones are left out."""
    many = len(sections) > OPEN_SECTIONS
    parts = [
        folded(f"<b>{section.title}</b>", section.body)
        if many and section.folds
        else f"### {section.title}\n\n{section.body}"
        for section in sections
    ]
    room = LIMIT - _size(head, foot, _left_out(len(parts)))
    kept: list[str] = []
    for part in parts:
        room -= _size(part)
        if room >= 0:
            kept.append(part)
    left = len(parts) - len(kept)
    return "\n\n".join([head, *kept, *([_left_out(left)] if left else []), foot]) + "\n"


def _left_out(count: int) -> str:
    are = "section is" if count == 1 else "sections are"
    return f"**{count} {are} left out, because GitHub takes no longer comment:** `pulumi preview --diff` shows all."


def _size(*parts: str) -> int:
    return sum(len(part.encode()) + 2 for part in parts)


def _short(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


def _entities(text: str) -> str:
    return "".join(char if char.isalnum() or char in " …_-./→" else f"&#{ord(char)};" for char in text)
