"""The record of the files that Lotus wrote into a lake, and what an upgrade does to each of them.

A file that still has the text that Lotus wrote is replaced. One that someone edited is reported, and stays.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from lotus_infra.errors import LotusError
from lotus_infra.start.lake_files import NAME, Ci

RECORD: Final = ".lotus.json"


def _below(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError("a file is outside of the lake")
    return name


class Record(BaseModel):
    """`.lotus.json` of a lake.

    Attributes:
        version: Of the Lotus that wrote the files.
        stack: The stack that `make` uses by default.
        ci: Whose workflows are among them.
        files: The SHA-256 of each file's text as Lotus wrote it, by path.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel)

    version: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)*", max_length=100)]
    stack: Annotated[str, Field(pattern=NAME)]
    ci: Ci
    files: Mapping[Annotated[str, AfterValidator(_below)], Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]

    def text(self) -> str:
        """The file's text."""
        return self.model_dump_json(indent=2) + "\n"


def record_of(version: str, stack: str, ci: Ci, files: Mapping[str, str]) -> Record:
    """The record of files, by their texts."""
    return Record(version=version, stack=stack, ci=ci, files={name: digest(files[name]) for name in sorted(files)})


def read_record(text: str) -> Record:
    """Read a record.

    Raises:
        LotusError: It is not one, or was written by a newer Lotus that adds to it.
    """
    try:
        return Record.model_validate_json(text)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "the whole file"
        remedy = "restore it from git, or install the newer Lotus that wrote it"
        raise LotusError(f"{RECORD} is not valid at {where}: {error.errors()[0]['msg']}", remedy) from None


def digest(text: str) -> str:
    """The SHA-256 of a text, in hexadecimal."""
    return sha256(text.encode()).hexdigest()


class Upgrade(BaseModel):
    """What an upgrade does.

    Attributes:
        written: The new texts of files that are added or replaced, by path.
        deleted: Files that Lotus no longer has.
        edited: The new texts of files that were edited, and that differ from the version before.
        removed: Files that Lotus wrote and that someone deleted: they stay deleted.
        record: The new record.
    """

    model_config = ConfigDict(frozen=True)

    written: Mapping[str, str]
    deleted: tuple[str, ...]
    edited: Mapping[str, str]
    removed: tuple[str, ...]
    record: Record


def plan_upgrade(
    record: Record, now: Mapping[str, str], version: str, current: Mapping[str, str], taken: frozenset[str]
) -> Upgrade:
    """Decide for each file.

    Args:
        record: Of the version before.
        now: The texts of the files that the lake has, by path.
        version: Of the installed Lotus.
        current: The files of the installed Lotus.
        taken: Edited and deleted files whose new text is taken nevertheless.
    """
    written: dict[str, str] = {}
    edited: dict[str, str] = {}
    removed: list[str] = []
    for name, text in sorted(current.items()):
        before, found = record.files.get(name), now.get(name)
        if found == text:
            continue
        if found is None and before is not None and name not in taken:
            removed.append(name)
        elif found is None or name in taken or digest(found) == before:
            written[name] = text
        elif digest(text) != before:
            edited[name] = text
    gone = sorted(record.files.keys() - current.keys())
    deleted = tuple(name for name in gone if name in now and digest(now[name]) == record.files[name])
    return Upgrade(
        written=written,
        deleted=deleted,
        edited=edited,
        removed=tuple(removed),
        record=record_of(version, record.stack, record.ci, current),
    )
