"""Dagster and the warehouse of the sandbox, seen from outside: their environment, and the process that works there.

DuckLake's catalog is a file, so one process at a time has it; and Dagster takes seconds to import. So one process does
what concerns either. It answers each line on stdin with one JSON document on stdout, and prints its progress on stderr.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from lotus_infra import naming
from lotus_infra.config.stack import Project
from lotus_infra.dagster_fingerprint import DBT_PROJECT
from lotus_infra.errors import LotusError
from sandbox.dagster_report import Report
from sandbox.layout import REGION, S3_KEY, STACK, Layout
from sandbox.process import STOP_SECONDS
from sandbox.s3 import Server

Part = TypeVar("Part")


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
    """A stream's files or its table, and its rows in the lake, counted again on each call.

    Attributes:
        source: the folder.
        name: the file without its ending.
        connection: the connection whose files are read, by its name in Pulumi.
        overwritten: whether a sync replaces its files.
        files: Parquet files in the landing zone.
        landed: rows in them, all versions of a record.
        latest: rows of its model, one a key; None before it was built.
        is_table: whether it has no files, as Airbyte writes it into a table that the model reads.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    name: str
    connection: str
    overwritten: bool
    files: int
    landed: int
    latest: int | None
    is_table: bool = False


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


def variables(layout: Layout, server: Server) -> dict[str, str]:
    """What a process needs that runs Dagster or dbt, or asks the lake, beside the variables of the engine.

    Raises:
        LotusError: the stack's file has no landing zone.
    """
    zone = Project.needed(layout.project).settings(STACK).lotus.landing_zone
    if zone is None:
        raise LotusError(f"the stack {STACK} has no landing zone", "restore lotus:landingZone in its file")
    dbt = str(layout.project / DBT_PROJECT)
    return {
        "AWS_ACCESS_KEY_ID": S3_KEY,
        "AWS_ENDPOINT_URL_S3": server.url,
        "AWS_REGION": REGION,
        "AWS_SECRET_ACCESS_KEY": S3_KEY,
        "DAGSTER_HOME": str(dagster_home(layout)),
        "DBT_PROFILES_DIR": dbt,
        "DBT_PROJECT_DIR": dbt,
        "LOTUS_CATALOG": str(folder(layout) / "catalog.ducklake"),
        "LOTUS_EXPIRE_RAW_DAYS": "" if zone.expire_raw_days is None else str(zone.expire_raw_days),
        "LOTUS_LAKE_DATA": f"s3://{zone.landing}/{naming.TABLES_PATH}",
        "LOTUS_LANDING": f"s3://{zone.landing}",
        # Whoever calls the sandbox after a failed run has repaired something.
        "LOTUS_RETRY_SECONDS": "0",
        "LOTUS_STACK": STACK,
    }


def environment(layout: Layout, server: Server) -> dict[str, str]:
    """Everything that a process gets which runs Dagster or asks the lake: the caller's environment and the sandbox's.

    Args:
        layout: the sandbox.
        server: where the landing zone is.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return own | variables(layout, server)


class Question(BaseModel):
    """What the process of the lake is asked.

    Attributes:
        part: of the answer.
        variables: of the environment, from then on.
    """

    model_config = ConfigDict(frozen=True)

    part: Literal["contents", "report"]
    variables: dict[str, str] = {}


class Answer(BaseModel):
    """What the process of the lake answers to a question: one of its parts.

    Attributes:
        contents: what is in the lake.
        report: what was run.
        error: why there is no answer.
    """

    model_config = ConfigDict(frozen=True)

    contents: Contents | None = None
    report: Report | None = None
    error: str = ""


class Lakehouse:
    """The process in which Dagster runs and the lake is read; it answers one question after the other.

    It is started early, since its imports take seconds, and others may wait at the same time. Leaving the context ends
    it.

    Args:
        layout: the sandbox.
        server: where the landing zone is.
        output: where it prints its progress; None is the terminal.
        interface: the process of Dagster's interface, whose daemon runs what arrives too; 0 where none runs.
    """

    def __init__(self, layout: Layout, server: Server, output: IO[str] | None = None, interface: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.worker", str(interface)],
            cwd=layout.project,
            env=environment(layout, server),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        process = self._process
        # Ctrl-C has reached it too: it may still write what it has done.
        if kind is not None and not issubclass(kind, Exception):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        process.terminate()
        process.communicate()

    def contents(self) -> Contents:
        """Count and read what is in the lake.

        Raises:
            LotusError: it can't be read.
        """
        return _given(self._ask(Question(part="contents")).contents)

    def materialize(self, variables: Mapping[str, str]) -> Report:
        """Run what has arrived.

        Args:
            variables: further ones of the environment, which were not known when the process started.

        Raises:
            LotusError: it ended without a report.
        """
        return _given(self._ask(Question(part="report", variables=dict(variables))).report)

    def _ask(self, question: Question) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            print(question.model_dump_json(), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise LotusError(f"the lake's process ended with exit code {self._process.wait()} for the reason above")
        answer = Answer.model_validate_json(line)
        if answer.error:
            raise LotusError(answer.error)
        return answer


def _given(part: Part | None) -> Part:
    assert part is not None
    return part


def forget(layout: Layout) -> None:
    """Delete the lake and Dagster's folder, for a landing zone that has lost its files."""
    for forgotten in (folder(layout), dagster_home(layout)):
        shutil.rmtree(forgotten, ignore_errors=True)
