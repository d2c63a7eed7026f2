"""Files and folders as the disk has them, read within limits; and the leftovers on it that belong to no lake.

A path may be a pipe that never ends, a device, a link to itself, or much larger than any file of a lake: opening it
must neither block nor fill the memory.
"""

import os
import re
import stat
from itertools import islice
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 8_000_000
"""Of a file of a lake or of a dbt project. The largest known, a connector's specification, has less than a tenth."""
MOST_ENTRIES: Final = 50_000
"""Of a folder."""
_CHUNK: Final = 1 << 20

_OF_SYSTEMS: Final = re.compile(r"\.DS_Store|\._.*|\.directory|Thumbs\.db|desktop\.ini", re.IGNORECASE)
"""Written by file managers of macOS, KDE and Windows into every folder that a person opens."""
_OF_EDITORS: Final = re.compile(r"\..*\.sw[a-p]|\.#.*|#.*#|.+~|4913")
"""Swap files, locks and backups of Vim, Emacs and others, which appear and vanish while a file is open."""
_OF_LOTUS: Final = re.compile(r"\..+\.json\.new|\._discovered\.(partial|old)")
"""Left by a killed command; the next one that writes the same file or folder replaces it."""


class UnreadableError(Exception):
    """A file that can't be read.

    Attributes:
        what: The reason, without a subject.
        remedy: What to do.
    """

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


def beside(path: Path, ending: str) -> Path:
    """The name of a file or folder before it takes its place (`new`, `partial`), or after it gave it up (`old`)."""
    return path.with_name(f".{path.name}.{ending}")


def is_of_the_system(name: str) -> bool:
    """Whether a file manager writes a file of this name into any folder."""
    return _OF_SYSTEMS.fullmatch(name) is not None


def is_leftover(name: str) -> bool:
    """Whether a killed command or an editor leaves a file of this name; it ends in no `.json`."""
    return any(kind.fullmatch(name) for kind in (_OF_LOTUS, _OF_EDITORS))


def read_file(path: str) -> bytes:
    """Read a regular file.

    Raises:
        UnreadableError: It is something else, too large, or can't be opened.
    """
    # A pipe would block until somebody writes to it.
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return _read(opened)
        finally:
            os.close(opened)
    except OSError as error:
        raise UnreadableError(f"can't be read ({error.strerror or error})", "make it a readable file") from None


def _read(opened: int) -> bytes:
    found = os.fstat(opened)
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableError("is not a regular file", "replace it by a file, or delete it")
    if found.st_size > MOST_BYTES:
        size = f"{found.st_size / 1e6:,.0f} MB"
        raise UnreadableError(f"has {size}, and a file may have {MOST_BYTES // 10**6}", "see if it is the right file")
    # Files of some file systems say that they are empty, and a file may grow meanwhile.
    data = b""
    while chunk := os.read(opened, _CHUNK):
        data += chunk
        if len(data) > MOST_BYTES:
            raise UnreadableError(f"has more than {MOST_BYTES // 10**6} MB", "see if it is the right file")
    return data


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """The entries of a folder, sorted by name, so that the order of results does not depend on the disk.

    Raises:
        OSError: It can't be listed.
        UnreadableError: It has too many.
    """
    with os.scandir(folder) as found:
        listed = list(islice(found, MOST_ENTRIES + 1))
    if len(listed) > MOST_ENTRIES:
        raise UnreadableError(f"has more than {MOST_ENTRIES:,} entries", "see if it is the right folder")
    return sorted(listed, key=lambda entry: entry.name)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder or a link to one; a link to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_file(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a regular file or a link to one."""
    try:
        return entry.is_file()
    except OSError:
        return False
