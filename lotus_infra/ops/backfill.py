"""`lotus backfill`: gives streams a new token, by which the next `pulumi up` reads them from the beginning.

It edits files and starts nothing: what is reviewed and merged is what happens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from lotus_infra.errors import LakeError, LotusError
from lotus_infra.ops.files import write_together
from lotus_infra.ops.place import find_stream
from lotus_infra.streams import edit
from lotus_infra.streams.lake import StreamFile
from lotus_infra.streams.load import load_usable_lake
from lotus_infra.streams.model import StreamConfig
from lotus_infra.streams.report import as_opened
from lotus_infra.streams.values import Backfill

KEY = "backfill"
ORDER = tuple(StreamConfig.model_fields)
"""A stream's file that has no token yet gets it where the reference of the format has it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A stream's new token.

    Attributes:
        source: The source's folder.
        stream: The stream.
        file: Its file, as the user would open it.
        before: What the file asks for now; false where it says nothing.
        token: What it is to ask for.
    """

    source: str
    stream: str
    file: str
    before: bool | str
    token: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a backfill would write.

    Attributes:
        directory: The lake's folder.
        edits: A new token for each stream.
    """

    directory: Path
    edits: tuple[Edit, ...]


def plan(directory: Path, source: str, streams: Sequence[str], token: str | None, today: date | None = None) -> Plan:
    """Choose a token for streams, and write nothing.

    Args:
        directory: The lake's folder.
        source: The source's folder.
        streams: Its streams, each meant once.
        token: The token; else the day's date, with a number where one of the streams has that already.
        today: The day, by the clock of the whole world where none is given.

    Raises:
        LotusError: There is no such stream, it is not selected, or it has this token; or the token can't be one.
    """
    lake = load_usable_lake(directory)
    found = [find_stream(lake, source, name)[1] for name in dict.fromkeys(streams)]
    for stream in found:
        if not stream.config.selected:
            raise LotusError(
                f"{source}/{stream.name} is not selected, and nobody reads it", 'set "selected" to true in its file'
            )
    chosen = _checked(token, found) if token is not None else _dated(today or datetime.now(UTC).date(), found)
    edits = (
        Edit(source, each.name, str(as_opened(directory / each.file)), each.config.backfill, chosen) for each in found
    )
    return Plan(directory, tuple(edits))


def write(planned: Plan) -> None:
    """Put the tokens into the files; every other byte of them stays.

    Raises:
        LotusError: A file can't be read or written; then none is.
    """
    texts = {f"{each.source}/{each.stream}.json": each.token for each in planned.edits}
    try:
        changed = {
            name: edit.edited((planned.directory / name).read_bytes().decode(), [edit.Edit((KEY,), token, ORDER)])
            for name, token in texts.items()
        }
    except OSError as error:
        raise LakeError(f"{error.filename} can't be read ({error.strerror})", "make it readable") from None
    write_together(planned.directory, changed)


def _dated(today: date, streams: Sequence[StreamFile]) -> str:
    """The day, and from the second backfill of a day on a number: `2026-02-01`, `2026-02-01-2`."""
    taken = {stream.config.backfill for stream in streams}
    names = (today.isoformat() if number == 1 else f"{today.isoformat()}-{number}" for number in count(1))
    return next(name for name in names if name not in taken)


def _checked(token: str, streams: Sequence[StreamFile]) -> str:
    try:
        TypeAdapter(Backfill).validate_python(token)
    except ValidationError:
        what = "a token has 1 to 100 letters, digits, dots, colons, dashes and underscores, a letter or digit first"
        raise LotusError(f'"{token}" can\'t be a token', f"{what}, such as 2026-02-01-reprice") from None
    for stream in streams:
        if stream.config.backfill == token:
            raise LotusError(
                f"{stream.source}/{stream.name} has the token {token} already, which reads nothing anew",
                "give another --token, or none for one by the date",
            )
    return token
