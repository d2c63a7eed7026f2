"""A source that changes, Airbyte that lands what it says, and Dagster that reads it: one event at a time, in any order.

What should be in the marts is computed here once more, in plain Python from the rows of the files that are there.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
from lotus_dagster.arrivals.cursor import read_cursor
from lotus_dagster.arrivals.decide import Clock
from lotus_dagster.assets import StreamRun
from lotus_dagster.lake import Stream
from lotus_dagster.sensors import Failure, tick

from tests.dagster.lake import Lake, order, refund

STREAMS = {name: Stream("shopify", name, f"raw/shopify/{name}/") for name in ("orders", "order_refunds")}
TODAY = "2026-01-20"
BEGAN = datetime(2026, 1, 20, tzinfo=UTC)
CLOCK = Clock(date(2026, 1, 20))
MARTS = "select order_id, financial_status, gross, returns, taxes, total from fct_sales order by order_id"
TABLES = ("int_shopify__orders", "int_shopify__order_refunds", "fct_sales")
Rows = list[dict[str, Any]]


@dataclass
class Delivered:
    """A stream: its files that are there now, and how far Dagster is with it."""

    files: dict[Path, Rows] = field(default_factory=dict)
    parts: int = 0
    generation: int = 0
    cursor: str | None = None
    failed: StreamRun | None = None


class World:
    """Orders and refunds below one folder; one of each has landed, as marts wait until all their models are there."""

    def __init__(self, root: Path) -> None:
        self.lake = Lake(root)
        self.delivered = {name: Delivered() for name in STREAMS}
        self.moments = 0
        self.land("orders", "2026-01-04", [self.order(4, 40, "paid")])
        self.land("order_refunds", "2026-01-04", [self.refund(4, 4, 4)])

    def order(self, number: int, gross: int, status: str) -> dict[str, Any]:
        """A version of an order, later than all before it."""
        self.moments += 1
        at = (BEGAN + timedelta(minutes=self.moments)).isoformat()
        return order(number, at, total_line_items_price=float(gross), financial_status=status)

    def refund(self, number: int, order_id: int, subtotal: int) -> dict[str, Any]:
        """A refund; they never change."""
        return refund(number, order_id, "2026-01-10T00:00:00Z", float(subtotal), 1.0)

    def land(self, stream: str, day: str, rows: Rows, *, as_text: bool = False) -> None:
        """A file in a day's partition; its rows were extracted after all others."""
        to = self.delivered[stream]
        self.moments += 1
        extracted = (BEGAN + timedelta(minutes=self.moments)).isoformat()
        raw_id = f"{self.moments:04}"
        meta = {"extracted_at": extracted, "generation": to.generation, "raw_id": raw_id}
        file = self.lake.land("shopify", stream, day, to.parts, rows, as_text=as_text, **meta)
        to.files[file] = [dict(row, extracted=extracted) for row in rows]
        to.parts += 1

    def refresh(self, stream: str, *, truncating: bool, but: int | None = None) -> None:
        """The source sends all it has under a new generation; what it has no more, `but`, stays only in old files.

        A truncating refresh deletes those.
        """
        to = self.delivered[stream]
        rows = [row for row in latest(to.files.values(), CURSORS[stream]) if row["id"] != but]
        if not rows:
            return
        to.generation += 1
        if truncating:
            for file in to.files:
                file.unlink()
            to.files.clear()
        self.land(stream, TODAY, [{name: value for name, value in row.items() if name != "extracted"} for row in rows])

    def look(self, stream: str, *, fails: bool = False, forgets: bool = False) -> bool:
        """A tick, and the run it asks for; returns whether there was one.

        Args:
            stream: Whose sensor ticks.
            fails: The run does not succeed.
            forgets: Dagster crashes before it keeps the cursor.
        """
        of = self.delivered[stream]
        failure = None if of.failed is None else Failure("failed", BEGAN, of.failed.rebuild)
        ticked = tick(STREAMS[stream], str(self.lake.landing), read_cursor(of.cursor), CLOCK, failure)
        if not forgets:
            of.cursor = ticked.cursor
        for request in ticked.run_requests or ():
            of.failed = asked_by(stream, request)
            if not fails:
                self.run(stream)
        return bool(ticked.run_requests)

    def run(self, stream: str) -> None:
        """What Dagster's run of a stream does; also when Dagster tries again what has failed."""
        asked = self.delivered[stream].failed
        assert asked is not None
        arguments = ["--full-refresh"] if asked.rebuild else []
        self.lake.dbt("run", "--select", f"tag:{STREAMS[stream].tag}", *arguments, partitions=asked.partitions)
        self.delivered[stream].failed = None

    def settle(self) -> None:
        """Dagster runs until there is nothing left, and then the marts."""
        for name, stream in self.delivered.items():
            while self.look(name):
                pass
            if stream.failed is not None:
                self.run(name)
        self.lake.dbt("run", "--select", "fct_sales")

    def sales(self) -> list[tuple[Any, ...]]:
        """What the mart should say of the files that are there now."""
        orders = latest(self.delivered["orders"].files.values(), "updated_at")
        refunds = latest(self.delivered["order_refunds"].files.values(), "created_at")
        return [sale(one, [paid for paid in refunds if paid["order_id"] == one["id"]]) for one in orders]


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
