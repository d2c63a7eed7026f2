"""Files in quarantine: Dagster's check that shows them, and the command that lists and releases them.

`python -m lotus_dagster.quarantine` lists them. `python -m lotus_dagster.quarantine release MODEL [FILE ...]` has the
next run of the model read them again.
"""

import argparse
import sys
from collections.abc import Collection, Sequence

import dagster as dg
import duckdb

from lotus_dagster import bookkeeping
from lotus_dagster.bookkeeping import Quarantined
from lotus_dagster.dbt_command import lake
from lotus_dagster.environment import Warehouse
from lotus_infra import naming
from lotus_infra.errors import LotusError

ALL = "*"
"""Stands for all files of a model."""


def quarantine_check(asset: dg.AssetKey, pool: str, prefix: str) -> dg.AssetChecksDefinition:
    """The check of a stream's model that fails while files of the stream are in quarantine, of whichever model.

    Args:
        asset: The model's.
        pool: Of the runs that use the lake.
        prefix: The stream's, such as `raw/shopify/orders/`.
    """

    @dg.asset_check(
        asset=asset,
        name=naming.QUARANTINE_CHECK,
        pool=pool,
        description="No file of the stream is in quarantine: files that break the model are passed over until they are"
        " released or overwritten.",
    )
    def quarantine() -> dg.AssetCheckResult:
        with lake(Warehouse.read()) as connection:
            return result_of(below(connection, prefix))

    return quarantine


def result_of(files: Collection[Quarantined]) -> dg.AssetCheckResult:
    """The check's result for a model's files in quarantine."""
    told = [{"file": one.file, "reason": one.reason, "since": one.since.isoformat()} for one in files]
    return dg.AssetCheckResult(
        passed=not files,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(files)} in quarantine, such as {told[0]['file']}" if told else None,
        metadata={"files": dg.MetadataValue.json(told)},
    )


def below(connection: duckdb.DuckDBPyConnection, prefix: str) -> list[Quarantined]:
    """The files of a stream in quarantine."""
    return [one for one in bookkeeping.quarantined(connection) if one.file.startswith(prefix)]


def released(connection: duckdb.DuckDBPyConnection, model: str, files: Collection[str]) -> int:
    """Take files out of quarantine.

    Args:
        connection: With the lake attached.
        model: Of dbt.
        files: Their keys below the landing zone, or `*` for all.

    Returns:
        How many were in it.

    Raises:
        LotusError: One of them is not in quarantine.
    """
    inside = {one.file for one in bookkeeping.quarantined(connection) if one.model == model}
    missing = sorted(set(files) - inside - {ALL})
    if missing:
        raise LotusError(
            f"{missing[0]} is not in the quarantine of {model}",
            "list it with `python -m lotus_dagster.quarantine`, and name files as it does",
        )
    return bookkeeping.release(connection, model, None if ALL in files else files)


def main(arguments: Sequence[str] | None = None) -> int:
    """List or release; 0 on success, 1 when it failed."""
    parser = argparse.ArgumentParser("python -m lotus_dagster.quarantine", description="List files in quarantine.")
    verbs = parser.add_subparsers(dest="verb")
    release = verbs.add_parser("release", help="have the next run of a model read files again")
    release.add_argument("model", metavar="MODEL", help="such as int_shopify__orders")
    release.add_argument("files", metavar="FILE", nargs="*", help="as listed; all of the model's if none is named")
    asked = parser.parse_args(arguments)
    try:
        with lake(Warehouse.read()) as connection:
            if asked.verb == "release":
                count = released(connection, asked.model, asked.files or [ALL])
                what, them = ("1 file", "it") if count == 1 else (f"{count} files", "them")
                sys.stdout.write(f"{what} released: the next run of {asked.model} reads {them}.\n")
            else:
                sys.stdout.write(_listed(bookkeeping.quarantined(connection)))
    except (LotusError, duckdb.Error) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _listed(files: Sequence[Quarantined]) -> str:
    lines = [f"{one.model}  {one.file}  since {one.since:%Y-%m-%d %H:%M %Z}\n    {one.reason}\n" for one in files]
    return "".join(lines) or "No file is in quarantine.\n"


if __name__ == "__main__":
    sys.exit(main())
