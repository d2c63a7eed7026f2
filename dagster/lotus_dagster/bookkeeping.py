"""The lake's record of the files that each model has read, and of those that it must not read.

dbt's macros write it in a model's transaction; the SQL function `files_to_read` gives them what `arrivals.reading`
decides. Dagster's runs read it, and put files aside, through the functions of this module.
"""

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from pydantic import BaseModel, ConfigDict, ValidationError

from lotus_dagster.arrivals.landing import stored_files
from lotus_dagster.arrivals.partitions import is_unit
from lotus_dagster.arrivals.reading import (
    Identity,
    KnownFile,
    Reading,
    ReadingError,
    Request,
    StoredFile,
    reading,
    units_to_list,
    unread,
)
from lotus_dagster.environment import EXPIRE_RAW_DAYS, FILES, PARTITIONS, required, whole_number
from lotus_infra.clients.ducklake import LANDING
from lotus_infra.errors import LotusError

ALL = "*"
"""Stands for all files of a model that are in quarantine."""
_MOST_DAYS = 100 * 366  # a file's date and more of them would be past the last date that Python knows
_IDENTITY = "struct(file varchar, etag varchar, size bigint)"
_FILE = "struct(file varchar, etag varchar, size bigint, modified timestamptz)"
_KNOWN = "struct(file varchar, etag varchar, size bigint, modified timestamptz, read_at timestamptz, traced boolean)"
_READING = (
    f"struct(error varchar, files {_FILE}[], rebuild boolean, keep_until timestamptz, traced boolean,"
    f" expired varchar[], adopted {_FILE}[], released varchar[])"
)


class Quarantined(NamedTuple):
    """A version of a file that a model must not read.

    Attributes:
        model: Of dbt, such as `int_shopify__orders`.
        file: Its key below the landing zone.
        etag: As of `Identity`.
        size: In bytes.
        reason: The error with which reading it failed.
        since: When it was put aside.
    """

    model: str
    file: str
    etag: str
    size: int
    reason: str
    since: datetime


class _Batch(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    files: tuple[Identity, ...]


def write_batch(path: Path, files: Iterable[StoredFile]) -> None:
    """Write the file that `LOTUS_FILES` names: a run reads these new files and no others."""
    batch = {"files": [one.identity._asdict() for one in files]}
    path.write_text(json.dumps(batch), encoding="utf-8")


def unread_files(
    connection: duckdb.DuckDBPyConnection, landing: str, model: str, prefix: str, units: Sequence[str] = ()
) -> tuple[StoredFile, ...]:
    """The files that a run of a model would read, unless files were overwritten or removed: then it reads all.

    Args:
        connection: With the lake attached.
        landing: `s3://<bucket>` or a folder.
        model: Of dbt.
        prefix: The stream's prefix, such as `raw/shopify/orders/`.
        units: The days and months to look at; everything if empty.

    Raises:
        ListingError: The landing zone can't be listed.
        duckdb.Error: The catalog is out of reach.
    """
    known: list[KnownFile] = []
    table = f'lake.read_files."{model}"'
    there = _columns(connection, table)
    if there:
        wanted = ", ".join(name if name in there else "null" for name in KnownFile._fields)
        known = [KnownFile(*row) for row in connection.execute(f"select {wanted} from {table}").fetchall()]  # noqa: S608
    put_aside: list[Identity] = []
    if _columns(connection, "lake.read_files.quarantined_files"):
        found = connection.execute(
            "select file, etag, size from lake.read_files.quarantined_files where model = ?", [model]
        )
        put_aside = [Identity(*row) for row in found.fetchall()]
    return unread(known, put_aside, _listed(landing, prefix, units_to_list(units, known, put_aside)))


def has_read(connection: duckdb.DuckDBPyConnection, model: str) -> bool:
    """Whether a model has read a file."""
    table = f'lake.read_files."{model}"'
    return bool(_columns(connection, table) and connection.execute(f"from {table} limit 1").fetchone())


def quarantined(connection: duckdb.DuckDBPyConnection) -> tuple[Quarantined, ...]:
    """The files in quarantine, by model and file."""
    if not _columns(connection, "lake.read_files.quarantined_files"):
        return ()
    found = connection.execute(
        "select model, file, etag, size, any_value(reason), min(since)"
        " from lake.read_files.quarantined_files where etag is not null group by all order by all"
    )
    return tuple(Quarantined(*row) for row in found.fetchall())


def quarantine(connection: duckdb.DuckDBPyConnection, model: str, file: StoredFile, reason: str) -> None:
    """Put a version of a file aside: runs of the model pass over it until it is released or overwritten.

    Raises:
        duckdb.Error: The catalog is out of reach, or dbt, which makes the table, has never run in this lake.
    """
    connection.execute("delete from lake.read_files.quarantined_files where model = ? and file = ?", [model, file.file])
    row = [model, file.file, file.etag, file.size, reason, datetime.now(UTC)]
    connection.execute("insert into lake.read_files.quarantined_files values (?, ?, ?, ?, ?, ?)", row)


def release(connection: duckdb.DuckDBPyConnection, model: str, files: Collection[str]) -> int:
    """Take files of a model out of quarantine, so that its next run reads them, whatever it was asked to look at.

    Args:
        connection: With the lake attached.
        model: Of dbt.
        files: Their keys below the landing zone, or `ALL`.

    Returns:
        How many were in it.

    Raises:
        LotusError: One of them is not in quarantine.
    """
    inside = {one.file for one in quarantined(connection) if one.model == model}
    missing = sorted({*files} - inside - {ALL})
    if missing:
        raise LotusError(
            f"{missing[0]} is not in the quarantine of {model}",
            "list it with `python -m lotus_dagster.quarantine`, and name files as it does",
        )
    released = sorted(inside if ALL in files else files)
    if released:
        connection.execute(
            "update lake.read_files.quarantined_files set etag = null where model = ? and list_contains(?, file)",
            [model, released],
        )
    return len(set(released))


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a connection, and all cursors of it, the function `files_to_read`, which dbt's macro `arrivals` calls."""
    parameters = ["varchar", "boolean", f"{_KNOWN}[]", f"{_IDENTITY}[]"]
    # A function without side effects would be called while the query is planned, too.
    connection.create_function("files_to_read", _files_to_read, parameters, _READING, side_effects=True)  # type: ignore[arg-type]


def _files_to_read(
    prefix: str,
    full_refresh: bool,  # noqa: FBT001, a call in SQL has no names
    known: Sequence[Mapping[str, Any]],
    put_aside: Sequence[Mapping[str, Any]],
) -> Mapping[str, Any]:
    """The decision of `reading` as DuckDB has it; an error is its text, since DuckDB would add a traceback."""
    try:
        (landing,) = required(os.environ, LANDING)
        request = Request(
            prefix,
            _units(os.environ.get(PARTITIONS, "")),
            _batch(os.environ.get(FILES, "")),
            _expiry(),
            full_refresh=full_refresh,
            now=datetime.now(UTC),
        )
        decided = reading(
            request,
            [KnownFile(**one) for one in known],
            [Identity(**one) for one in put_aside],
            lambda units: _listed(landing, prefix, units),
        )
    except LotusError as error:
        return _answer(Reading(), str(error))
    return _answer(decided)


def _answer(decided: Reading, error: str | None = None) -> Mapping[str, Any]:
    return {
        "error": error,
        "files": [one._asdict() for one in decided.files],
        "rebuild": decided.rebuild,
        "keep_until": decided.keep_until,
        "traced": decided.traced,
        "expired": list(decided.expired),
        "adopted": [one._asdict() for one in decided.adopted],
        "released": list(decided.released),
    }


def _listed(landing: str, prefix: str, units: Sequence[str]) -> Iterator[StoredFile]:
    for one in stored_files(landing, prefix, units):
        yield StoredFile(prefix + one.key, one.etag, one.size, one.modified or datetime.min.replace(tzinfo=UTC))


def _units(text: str) -> tuple[str, ...]:
    for unit in text.split():
        if not is_unit(unit):
            raise ReadingError(
                f"refused: {PARTITIONS} has {json.dumps(unit)}, which is no day and no month",
                "write days and months, such as 2026-01-05 2025-11",
            )
    return tuple(text.split())


def _batch(path: str) -> frozenset[Identity] | None:
    if not path:
        return None
    try:
        batch = _Batch.model_validate_json(Path(path).read_bytes())
    except (OSError, ValidationError) as error:
        raise ReadingError(
            f"refused: {FILES} names {path}, which can't be read: {error}",
            'write {"files": [{"file": …, "etag": …, "size": …}]}',
        ) from error
    return frozenset(batch.files)


def _expiry() -> timedelta | None:
    days = whole_number(os.environ, EXPIRE_RAW_DAYS)
    return None if days is None else timedelta(days=min(days, _MOST_DAYS))


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[str, ...]:
    """The columns of a table; none where it is missing."""
    try:
        return tuple(name for name, *_ in connection.execute(f"describe {table}").fetchall())
    except duckdb.CatalogException:
        return ()
