"""Files in quarantine: Dagster's check that shows them, and the command that lists and releases them.

`python -m lotus_dagster.quarantine` lists them. `python -m lotus_dagster.quarantine release MODEL [FILE ...]` has the
next run of the model read them again.
"""

import argparse
import sys
from collections.abc import Sequence

import dagster as dg
import duckdb

from lotus_dagster import bookkeeping
from lotus_dagster.bookkeeping import Quarantined
from lotus_dagster.dbt_command import attached_lake
from lotus_dagster.environment import Warehouse
from lotus_infra import naming
from lotus_infra.errors import LotusError


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
        description="Fails while files of the stream are in quarantine: runs skip files that break the model until they"
        " are released or overwritten.",
    )
    def quarantine() -> dg.AssetCheckResult:
        with attached_lake(Warehouse.read()) as connection:
            inside = below(connection, prefix)
        files = [{"file": one.file, "reason": one.reason, "since": one.since.isoformat()} for one in inside]
        return dg.AssetCheckResult(
            passed=not files,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(files)} in quarantine, such as {files[0]['file']}" if files else None,
            metadata={"files": dg.MetadataValue.json(files)},
        )

    return quarantine


def below(connection: duckdb.DuckDBPyConnection, prefix: str) -> list[Quarantined]:
    """The files of a stream in quarantine."""
    return [one for one in bookkeeping.quarantined(connection) if one.file.startswith(prefix)]


def main(arguments: Sequence[str] | None = None) -> int:
    """List or release; 0 on success, 1 when it failed."""
    parser = argparse.ArgumentParser("python -m lotus_dagster.quarantine", description="List files in quarantine.")
    verbs = parser.add_subparsers(dest="verb")
    release = verbs.add_parser("release", help="have the next run of a model read files again")
    release.add_argument("model", metavar="MODEL", help="such as int_shopify__orders")
    release.add_argument("files", metavar="FILE", nargs="*", help="as listed; all of the model's if none is named")
    asked = parser.parse_args(arguments)
    try:
        with attached_lake(Warehouse.read()) as connection:
            if asked.verb == "release":
                count = bookkeeping.release(connection, asked.model, asked.files or [bookkeeping.ALL])
                if not count:
                    raise LotusError(  # noqa: TRY301
                        f"no file of {asked.model} is in quarantine",
                        "list models and files with `python -m lotus_dagster.quarantine`",
                    )
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
