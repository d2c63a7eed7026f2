"""Writing several files of a repository together."""

import os
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
    try:
        for name, text in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            waiting[file] = file.with_name(f".{file.name}.new")
            waiting[file].write_bytes(text.encode())
        for file, new in waiting.items():
            os.replace(new, file)  # noqa: PTH105
    except OSError as error:
        raise LotusError(f"{folder} can't be written to ({error.strerror or error})", "make it writable") from None
    finally:
        for new in waiting.values():
            with suppress(OSError):
                new.unlink()
