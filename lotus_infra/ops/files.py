"""Writing files: several of a repository together, and one that the user names."""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from lotus_infra.errors import LotusError


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
