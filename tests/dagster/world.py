"""A source that changes, Airbyte that lands what it says, and Dagster that reads it: one event at a time, in any order.

What should be in the marts is computed here once more, in plain Python from the rows of the files that are there.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from lotus_dagster import definitions as loaded
from lotus_dagster.arrivals.cursor import read_cursor
from lotus_dagster.arrivals.decide import Clock
from lotus_dagster.assets import StreamRun
from lotus_dagster.dbt_command import dbt_of
from lotus_dagster.earlier_runs import FailedRun
from lotus_dagster.environment import EXPIRE_RAW_DAYS
from lotus_dagster.lake import Stream, streams_of
from lotus_dagster.manifest import Manifest
from lotus_dagster.sensors import tick

from lotus_infra import naming
from sandbox.dagster_report import Run
from sandbox.dagster_round import Execution
from tests.dagster.lake import Lake, order, refund

STREAMS = {name: Stream("shopify", name, f"raw/shopify/{name}/") for name in ("orders", "order_refunds")}
TODAY = "2026-01-20"
BEGAN = datetime(2026, 1, 20, tzinfo=UTC)
CLOCK = Clock(date(2026, 1, 20))
MARTS = "select order_id, financial_status, gross, returns, taxes, total from fct_sales order by order_id"
TABLES = ("int_shopify__orders", "int_shopify__order_refunds", "fct_sales")
Rows = list[dict[str, Any]]


@cache
def project() -> dg.Definitions:
    """The definitions of the repository, once for all worlds."""
    manifest = Manifest.read(loaded.current_manifest(loaded.DBT_PROJECT))
    return loaded.definitions_of(streams_of(loaded.STREAMS), manifest, loaded.DBT_PROJECT)


@dataclass
class Delivered:
    """A stream: its files that are there now, those that break its model, and how far Dagster is with it."""

    files: dict[Path, Rows] = field(default_factory=dict)
    bad: set[Path] = field(default_factory=set)
    parts: int = 0
    generation: int = 0
    cursor: str | None = None
    failed: StreamRun | None = None


class World:
    """Orders and refunds below one folder; one of each has landed, but for a shop that never had a refund.

    Args:
        root: A folder that is not there yet.
        instance: Of Dagster.
        catalog: In Postgres; by default in a file.
        has_refunds: Whether a refund has landed.
        keeps_versions: Whether models prepare for files to expire, which none of the files is old enough for.
    """

    def __init__(
        self,
        root: Path,
        instance: dg.DagsterInstance,
        catalog: str = "",
        *,
        has_refunds: bool = True,
        keeps_versions: bool = False,
    ) -> None:
        self.lake = Lake(root)
        self.variables = self.lake.environment | {EXPIRE_RAW_DAYS: "36500" if keeps_versions else ""}
        if catalog:
            self.lake.warehouse = replace(self.lake.warehouse, catalog=catalog)
            self.variables |= self.lake.environment
        self.execution = Execution(project(), instance)
        self.delivered = {name: Delivered() for name in STREAMS}
        self.moments = 0
        self.land("orders", "2026-01-04", [self.order(4, 40, "paid")])
        if has_refunds:
            self.land("order_refunds", "2026-01-04", [self.refund(4, 4, 4)])

    def order(self, number: int, gross: int, status: str) -> dict[str, Any]:
        """A version of an order, later than all before it."""
        self.moments += 1
        at = (BEGAN + timedelta(minutes=self.moments)).isoformat()
        return order(number, at, total_line_items_price=float(gross), financial_status=status)

    def refund(self, number: int, order_id: int, subtotal: int) -> dict[str, Any]:
        """A refund; they never change."""
        return refund(number, order_id, "2026-01-10T00:00:00Z", float(subtotal), 1.0)

    def land(self, stream: str, day: str, rows: Rows, *, as_text: bool = False, over: Path | None = None) -> Path:
        """A file in a day's partition, or over another one; its rows were extracted after all others."""
        to = self.delivered[stream]
        self.moments += 1
        extracted = (BEGAN + timedelta(minutes=self.moments)).isoformat()
        meta = {"extracted_at": extracted, "generation": to.generation, "raw_id": f"{self.moments:04}"}
        file = self.lake.land("shopify", stream, day, to.parts, rows, as_text=as_text, **meta)
        if over is not None:
            file = file.replace(over)
            to.bad.discard(file)
        self._stamp(file)
        to.files[file] = [dict(row, extracted=extracted) for row in rows]
        to.parts += 1
        return file

    def land_bad(self, stream: str, day: str, *, null_key: bool, over: Path | None = None) -> None:
        """A file that breaks the model: one without bytes, or with a row without a key beside a good one."""
        one = self.order(1, 1, "paid") if stream == "orders" else self.refund(1, 1, 1)
        file = self.land(stream, day, [one, {**one, "id": None}], over=over)
        if not null_key:
            file.write_bytes(b"")
            self._stamp(file)
        self.delivered[stream].bad.add(file)

    def _stamp(self, file: Path) -> None:
        """Files that are written one after the other differ in their times, however coarse the file system's are."""
        self.moments += 1
        at = BEGAN.timestamp() + self.moments
        os.utime(file, (at, at))

    def remove(self, stream: str, number: int) -> None:
        """One of the files goes, but never the last good one."""
        to = self.delivered[stream]
        file = sorted(to.files)[number % len(to.files)]
        if len(self.good(stream)) > (file not in to.bad):
            file.unlink()
            del to.files[file]
            to.bad.discard(file)

    def file(self, stream: str, number: int) -> Path:
        """One of the files that are there."""
        return sorted(self.delivered[stream].files)[number % len(self.delivered[stream].files)]

    def good(self, stream: str) -> list[Rows]:
        """The rows of the files that can be read."""
        of = self.delivered[stream]
        return [rows for file, rows in of.files.items() if file not in of.bad]

    def refresh(self, stream: str, *, truncating: bool, but: int | None = None) -> None:
        """The source sends all it has under a new generation; what it has no more, `but`, stays only in old files.

        A truncating refresh deletes those.
        """
        to = self.delivered[stream]
        rows = [row for row in latest(self.good(stream), CURSORS[stream]) if row["id"] != but]
        if not rows:
            return
        to.generation += 1
        if truncating:
            for file in to.files:
                file.unlink()
            to.files.clear()
            to.bad.clear()
        self.land(stream, TODAY, [{name: value for name, value in row.items() if name != "extracted"} for row in rows])

    def look(self, stream: str, *, fails: bool = False, dies: bool = False, forgets: bool = False) -> bool:
        """A tick, and the run it asks for; returns whether there was one.

        Args:
            stream: Whose sensor ticks.
            fails: The run does not begin: its machine is gone.
            dies: The run ends, but its machine is gone before Dagster hears of it.
            forgets: Dagster crashes before it keeps the cursor.
        """
        of = self.delivered[stream]
        failure = None if of.failed is None else FailedRun(f"failed-{self.moments}", BEGAN)
        ticked = tick(STREAMS[stream], str(self.lake.landing), read_cursor(of.cursor), CLOCK, failure)
        if not forgets:
            of.cursor = ticked.cursor
        for request in ticked.run_requests or ():
            of.failed = asked_by(stream, request)
            if not fails:
                self.run(stream)
            if dies:
                of.failed = asked_by(stream, request)
        return bool(ticked.run_requests)

    def run(self, stream: str, **config: Any) -> Run:
        """Dagster's run of a stream: the one that was asked for, or one by hand with a configuration."""
        of = self.delivered[stream]
        asked = StreamRun(**config) if config else of.failed
        assert asked is not None
        op = naming.dbt_assets("shopify", stream)
        key = dg.AssetKey(naming.asset_key("shopify", stream))
        with self.environment():
            ran = self.execution.run(stream, [key], {"ops": {op: {"config": asked.model_dump()}}}, {})
        assert ran.failure is None, ran.failure
        if not config:
            of.failed = None
        return ran

    @contextmanager
    def environment(self) -> Iterator[None]:
        """That of the code location."""
        before = dict(os.environ)
        os.environ.update(self.variables)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def dbt(self, *arguments: str) -> None:
        """A dbt command of somebody at a shell."""
        outcome = dbt_of(loaded.DBT_PROJECT).call([*arguments, "--quiet"], self.variables)
        assert not outcome.failures, outcome.failures

    def settle(self) -> None:
        """Dagster runs until there is nothing left, and then the marts."""
        for name, stream in self.delivered.items():
            while self.look(name) or stream.failed is not None:
                pass
        self.dbt("run", "--select", "fct_sales")

    def sales(self) -> list[tuple[Any, ...]]:
        """What the mart should say of the files that are there now and can be read."""
        orders = latest(self.good("orders"), "updated_at")
        refunds = latest(self.good("order_refunds"), "created_at")
        return [sale(one, [paid for paid in refunds if paid["order_id"] == one["id"]]) for one in orders]

    def in_quarantine(self) -> list[str]:
        """The keys of the files that are put aside, below the landing zone."""
        return [key for (key,) in self.lake.query("select file from lake.read_files.quarantined_files order by file")]

    def bad(self) -> list[str]:
        """The keys of the files that break a model."""
        every = (file for of in self.delivered.values() for file in of.bad)
        return sorted(str(file.relative_to(self.lake.landing)) for file in every)


class Writer:
    """Another process with dbt in it, which writes the same lake: `python -m tests.dagster.world` answers it."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.dagster.world"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, arguments: Sequence[str], environment: dict[str, str]) -> None:
        """Begins a dbt command."""
        assert self._process.stdin is not None
        print(json.dumps([list(arguments), environment]), file=self._process.stdin, flush=True)

    def failures(self) -> list[str]:
        """Waits for the command; why it failed, nothing if it did not."""
        assert self._process.stdout is not None
        return list(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def answer(commands: Iterable[str]) -> Iterator[str]:
    """Runs the dbt commands of a `Writer`, and answers each with why it failed."""
    for command in commands:
        arguments, environment = json.loads(command)
        outcome = dbt_of(loaded.DBT_PROJECT).call([*arguments, "--quiet"], environment)
        yield json.dumps([failure.message for failure in outcome.failures])


CURSORS = {"orders": "updated_at", "order_refunds": "created_at"}


def asked_by(stream: str, request: dg.RunRequest) -> StreamRun:
    return StreamRun(**request.run_config["ops"][f"shopify_{stream}_dbt"]["config"])


def latest(files: Iterable[Rows], cursor: str) -> Rows:
    """The last version of each record, by cursor and then by extraction, in the order of their keys."""
    found: dict[int, dict[str, Any]] = {}
    for row in (row for rows in files for row in rows):
        before = found.get(row["id"])
        if before is None or (row[cursor], row["extracted"]) > (before[cursor], before["extracted"]):
            found[row["id"]] = row
    return [found[key] for key in sorted(found)]


def sale(one: dict[str, Any], refunds: Rows) -> tuple[Any, ...]:
    lines = [line for paid in refunds for line in paid["refund_line_items"]]
    gross = Decimal(one["total_line_items_price"])
    returns = sum((Decimal(line["subtotal"]) for line in lines), Decimal(0))
    taxes = Decimal(one["total_tax"]) - sum((Decimal(line["total_tax"]) for line in lines), Decimal(0))
    shipping = Decimal(one["total_shipping_price_set"]["shop_money"]["amount"])
    total = gross - Decimal(one["total_discounts"]) - returns + shipping + taxes
    return one["id"], one["financial_status"], gross, returns, taxes, total


if __name__ == "__main__":
    answers = sys.stdout
    sys.stdout = sys.stderr  # dbt's and DuckDB's
    for told in answer(sys.stdin):
        print(told, file=answers, flush=True)
