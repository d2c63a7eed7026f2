"""Dagster and the warehouse of the sandbox, seen from outside: their environment, and the processes that work there.

DuckLake's catalog is a file, so one process at a time has it; and Dagster takes seconds to import. So what concerns
either runs in processes of its own, which answer with one JSON document on stdout and print their progress on stderr.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from lotus_infra import naming
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError
from sandbox.dagster_report import Report
from sandbox.layout import REGION, S3_KEY, STACK, Layout
from sandbox.s3 import Server


class Table(BaseModel):
    """The first rows of a table of the lake.

    Attributes:
        name: such as `fct_sales`.
        rows: how many it has.
        columns: their names.
        first: the first rows in the order of the first column, every value as text.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    rows: int
    columns: tuple[str, ...]
    first: tuple[tuple[str | None, ...], ...]


class Stream(BaseModel):
    """A stream's files and rows in the lake, counted again on each call.

    Attributes:
        source: the folder.
        name: the file without its ending.
        connection: the connection whose files are read, by its name in Pulumi.
        overwritten: whether a sync replaces its files.
        files: Parquet files in the landing zone.
        landed: rows in them, all versions of a record.
        latest: rows of its model, one a key; None before it was built.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    name: str
    connection: str
    overwritten: bool
    files: int
    landed: int
    latest: int | None


class Contents(BaseModel):
    """What is in the lake: its streams, and those marts that were built."""

    model_config = ConfigDict(frozen=True)

    streams: tuple[Stream, ...]
    marts: tuple[Table, ...]


def folder(layout: Layout) -> Path:
    """Where the tables and their catalog are."""
    return layout.folder / "lake"


def dagster_home(layout: Layout) -> Path:
    """`DAGSTER_HOME`."""
    return layout.folder / "dagster"


def environment(layout: Layout, server: Server) -> dict[str, str]:
    """Everything that a process gets which runs Dagster or asks the lake: the caller's environment and the sandbox's.

    Args:
        layout: the sandbox.
        server: where the landing zone is.
    """
    zone = Project.needed(layout.project).settings(STACK).lotus.landing_zone
    if zone is None:
        raise LotusError(f"the stack {STACK} has no landing zone", "restore lotus:landingZone in its file")
    bucket = zone.landing
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    expiry = {} if zone.expire_raw_days is None else {"LOTUS_EXPIRE_RAW_DAYS": str(zone.expire_raw_days)}
    return (
        own
        | expiry
        | {
            "AWS_ACCESS_KEY_ID": S3_KEY,
            "AWS_ENDPOINT_URL_S3": server.url,
            "AWS_REGION": REGION,
            "AWS_SECRET_ACCESS_KEY": S3_KEY,
            "DAGSTER_HOME": str(dagster_home(layout)),
            "LOTUS_CATALOG": str(folder(layout) / "catalog.ducklake"),
            "LOTUS_LAKE_DATA": f"s3://{bucket}/{naming.TABLES_PATH}",
            "LOTUS_LANDING": f"s3://{bucket}",
            "LOTUS_STACK": STACK,
            # Whoever calls the sandbox after a failed run has repaired something.
            "LOTUS_RETRY_SECONDS": "0",
        }
    )


def materialize(layout: Layout, server: Server) -> Report:
    """Run what has arrived in S3, with progress on stderr.

    Raises:
        LotusError: it ended without a report; its output has the reason.
    """
    began = time.monotonic()
    report = Report.model_validate_json(_ask(layout, server, "sandbox.dagster_runs"))
    imports = time.monotonic() - began - sum(report.seconds.values())
    return report.model_copy(update={"seconds": {"imports": round(imports, 1), **report.seconds}})


def contents(layout: Layout, server: Server) -> Contents:
    """Count and read what is in the lake.

    Raises:
        LotusError: it can't be read; its output has the reason.
    """
    return Contents.model_validate_json(_ask(layout, server, "sandbox.marts"))


def forget(layout: Layout) -> None:
    """Delete the lake and Dagster's folder, for a landing zone that has lost its files."""
    for forgotten in (folder(layout), dagster_home(layout)):
        shutil.rmtree(forgotten, ignore_errors=True)


def _ask(layout: Layout, server: Server, module: str) -> str:
    folder(layout).mkdir(exist_ok=True)
    command = [sys.executable, "-m", module]
    project = Path(__file__).resolve().parents[1]
    asked = subprocess.run(
        command, cwd=project, env=environment(layout, server), stdout=subprocess.PIPE, text=True, check=False
    )
    if not asked.stdout.strip():
        raise LotusError(f"{module} ended with exit code {asked.returncode} for the reason above")
    return asked.stdout
