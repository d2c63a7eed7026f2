"""A shop that changes, the files that Airbyte would land for it, faults among them, and what the lake should hold.

Everything follows from a seed. The reckoning is plain Python over the rows of the files: it imports nothing of Lotus.
"""

import io
import json
import os
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Final, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

MILLISECOND: Final = timedelta(milliseconds=1)
Row = dict[str, Any]
Seen = dict[Any, tuple[Any, ...]]
"""By key, the compared values of each row of a table."""
STATUSES: Final = ("pending", "authorized", "paid", "partially_refunded", "refunded", "voided")
COUNTRIES: Final = ("DE", "FR", "PT", "NO")
HOSTILE: Final = (*"+&'%[]?*#{}~^$=@,;:!()`\\\" é\u00a0", "%2B", "%20", "..", "[0-9]", "**")
DAYS_UNTIL_EXPIRY: Final = 400
DAYS_OF_HISTORY: Final = 40
"""The shop's clock starts so long before now, and never passes now."""
META: Final = pa.struct(
    [
        ("sync_id", pa.int64()),
        ("changes", pa.list_(pa.struct([(name, pa.string()) for name in ("field", "change", "reason")]))),
    ]
)
MONEY: Final = pa.struct([("shop_money", pa.struct([("amount", pa.string()), ("currency_code", pa.string())]))])
LINES: Final = pa.list_(pa.struct([("id", pa.int64()), ("subtotal", pa.float64()), ("total_tax", pa.float64())]))
PAYMENTS: Final = pa.list_(pa.struct([("id", pa.int64()), *((n, pa.string()) for n in ("kind", "status", "amount"))]))
TEXT, WHOLE, NUMBER, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
MOMENT: Final = pa.timestamp("us", tz="UTC")


class Kind(Enum):
    """What has to become of a file's rows."""

    GOOD = "read"
    BAD = "quarantined"
    EITHER = "read or quarantined"
    ELSEWHERE = "ignored"


@dataclass(frozen=True)
class Stream:
    """A stream: its columns as Parquet types, its cursor, and the columns that the reckoning compares.

    Attributes:
        nested: Columns that land as a struct or as JSON text, from one file to the next.
    """

    source: str
    name: str
    cursor: str
    columns: Mapping[str, pa.DataType]
    compared: tuple[str, ...]
    nested: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        return f"raw/{self.source}/{self.name}/"

    @property
    def model(self) -> str:
        return f"int_{self.source}__{self.name}"


STREAMS: Final = {
    one.name: one
    for one in (
        Stream(
            "shopify",
            "orders",
            "updated_at",
            {
                "id": WHOLE,
                "created_at": MOMENT,
                "updated_at": MOMENT,
                "test": FLAG,
                "total_line_items_price": NUMBER,
                "total_discounts": NUMBER,
                "total_shipping_price_set": MONEY,
                "total_tax": NUMBER,
                "taxes_included": FLAG,
                "currency": TEXT,
                "financial_status": TEXT,
                "fulfillment_status": TEXT,
                "cancelled_at": MOMENT,
                "cancel_reason": TEXT,
                "deleted_at": MOMENT,
                "customer": pa.struct([("id", WHOLE), ("email", TEXT)]),
            },
            ("financial_status", "total_line_items_price", "customer_id"),
            ("total_shipping_price_set", "customer"),
        ),
        Stream(
            "shopify",
            "order_refunds",
            "created_at",
            {
                "id": WHOLE,
                "order_id": WHOLE,
                "created_at": MOMENT,
                "refund_line_items": LINES,
                "transactions": PAYMENTS,
            },
            ("order_id",),
            ("refund_line_items", "transactions"),
        ),
        Stream(
            "shopify",
            "customers",
            "updated_at",
            {
                "id": WHOLE,
                "email": TEXT,
                "first_name": TEXT,
                "last_name": TEXT,
                "created_at": MOMENT,
                "updated_at": MOMENT,
                "orders_count": WHOLE,
                "total_spent": NUMBER,
                "tags": TEXT,
                "state": TEXT,
            },
            ("email", "state"),
        ),
        Stream(
            "faker",
            "products",
            "updated_at",
            {
                "id": WHOLE,
                "make": TEXT,
                "model": TEXT,
                "year": WHOLE,
                "price": NUMBER,
                "created_at": MOMENT,
                "updated_at": MOMENT,
            },
            ("make", "price"),
        ),
        Stream(
            "faker",
            "users",
            "updated_at",
            {
                "id": WHOLE,
                "created_at": MOMENT,
                "updated_at": MOMENT,
                "name": TEXT,
                "age": WHOLE,
                "email": TEXT,
                "weight": WHOLE,
                "address": pa.struct([("city", TEXT), ("country_code", TEXT)]),
            },
            ("name", "country"),
            ("address",),
        ),
        Stream(
            "faker",
            "purchases",
            "updated_at",
            {
                "id": WHOLE,
                "user_id": WHOLE,
                "product_id": WHOLE,
                "created_at": MOMENT,
                "updated_at": MOMENT,
                "added_to_cart_at": MOMENT,
                "purchased_at": MOMENT,
                "returned_at": MOMENT,
            },
            ("user_id", "product_id"),
        ),
    )
}


Identity = tuple[str, int]
"""A file's ETag, without quotes, and its size."""


class Store(Protocol):
    """Where files land."""

    def put(self, key: str, content: bytes, modified: datetime | None) -> Identity:
        """Write a file whole, as if it had been written at a time in the past; None for now."""

    def delete(self, key: str) -> None:
        """Delete a file that is there."""


@dataclass(frozen=True)
class FolderStore:
    """A folder of this machine; a file appears whole."""

    root: Path

    def put(self, key: str, content: bytes, modified: datetime | None) -> Identity:
        file = self.root / key
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = self.root / ".partial"
        partial.write_bytes(content)
        if modified is not None:
            os.utime(partial, (modified.timestamp(), modified.timestamp()))
        partial.replace(file)
        return str(file.stat().st_mtime_ns), len(content)

    def delete(self, key: str) -> None:
        (self.root / key).unlink()


@dataclass(frozen=True)
class Landed:
    """A content of a file.

    Attributes:
        rows: Those that can be read from it; none of a file that can't be read.
        note: What is special about it.
        modified: When it was written, if long ago.
        identity: What the store calls this content.
    """

    stream: str
    key: str
    kind: Kind
    rows: tuple[Row, ...]
    note: str = ""
    modified: datetime | None = None
    identity: Identity = ("", 0)


@dataclass
class World:
    """The shop and its files.

    Args:
        store: Where files land.
        seed: The same seed gives the same events, in the same order, with the same rows.
        today: The day on which the test runs.
    """

    store: Store
    seed: int
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.files: dict[str, Landed] = {}
        self.contents: dict[tuple[str, Identity], Landed] = {}
        self.expired: dict[str, Landed] = {}
        self.destroyed: dict[int, datetime] = {}
        self.counts: dict[str, int] = {}
        self.parts = 0
        self.generation = 0
        self.clock = datetime.combine(self.today, datetime.min.time(), UTC) - timedelta(days=DAYS_OF_HISTORY)
        self.ids = dict.fromkeys(STREAMS, 0)

    # Rows.

    def _now(self) -> datetime:
        """A moment after all before it, within a minute."""
        self.clock += timedelta(microseconds=self.random.randint(1, 60_000_000))
        return self.clock

    def _extracted(self) -> datetime:
        """The same in whole milliseconds, as destination-s3 writes it."""
        later = self.clock + timedelta(milliseconds=1)
        self.clock = later.replace(microsecond=later.microsecond // 1000 * 1000)
        return self.clock

    def _key_of(self, stream: str) -> int:
        if self.ids[stream] < 3 or self.random.random() < 0.5:
            self.ids[stream] += 1
            return self.ids[stream]
        return self.random.randint(1, self.ids[stream])

    def row(self, stream: str, key: int | None = None, *, late: bool = False) -> Row:
        """A version of a record: later than all before it, or older than most."""
        key = self._key_of(stream) if key is None else key
        made, at = getattr(self, f"_{stream}")(key), self._now()
        ended = self.destroyed.get(key) if stream == "orders" else None
        if late or ended:
            # Of a destroyed order there are old versions only.
            at = (ended or at) - timedelta(
                days=self.random.randint(1, 60), microseconds=self.random.randint(0, 999_999)
            )
        return {**made, STREAMS[stream].cursor: at}

    def _orders(self, key: int) -> Row:
        pick = self.random
        customer = pick.choice([None, *range(1, 40)])
        return {
            "id": key,
            "created_at": datetime(2025, 12, 30, 10, tzinfo=UTC),
            # An order is a test or none for good.
            "test": key % 17 == 0,
            "total_line_items_price": pick.randint(2000, 90000) / 100,
            "total_discounts": pick.randint(0, 1000) / 100,
            "total_shipping_price_set": {
                "shop_money": {"amount": f"{pick.randint(0, 900) / 100}", "currency_code": "EUR"}
            },
            "total_tax": pick.randint(0, 2000) / 100,
            "taxes_included": False,
            "currency": "EUR",
            "financial_status": pick.choice(STATUSES),
            "customer": {"id": customer, "email": f"c{customer}@example.com"} if customer else None,
        }

    def _order_refunds(self, key: int) -> Row:
        pick = self.random
        lines = [
            {"id": place, "subtotal": pick.randint(1, 900) / 100, "total_tax": pick.randint(0, 90) / 100}
            for place in range(pick.randint(1, 3))
        ]
        amount = sum(Decimal(str(line[name])) for line in lines for name in ("subtotal", "total_tax"))
        paid = {"id": key, "kind": "refund", "status": "success", "amount": str(amount)}
        # A refund never moves to another order.
        return {"id": key, "order_id": key % 50 + 1, "refund_line_items": lines, "transactions": [paid]}

    def _customers(self, key: int) -> Row:
        state = self.random.choice(["enabled", "disabled", "invited"])
        return {"id": key, "email": f"c{key}.{self.random.randint(1, 99)}@example.com", "state": state}

    def _products(self, key: int) -> Row:
        return {
            "id": key,
            "make": f"make {key}",
            "model": "m",
            "year": 2020,
            "price": self.random.randint(1, 99999) / 100,
        }

    def _users(self, key: int) -> Row:
        address = {"city": 'O\'Hara \\ "x"', "country_code": self.random.choice(COUNTRIES)}
        return {"id": key, "name": f"N{self.random.randint(1, 999)}", "age": 30, "address": address}

    def _purchases(self, key: int) -> Row:
        return {"id": key, "user_id": self.random.randint(1, 30), "product_id": self.random.randint(1, 30)}

    # Files.

    def land(
        self,
        stream: str,
        rows: Iterable[Row],
        *,
        key: str = "",
        kind: Kind = Kind.GOOD,
        note: str = "",
        modified: datetime | None = None,
    ) -> Landed:
        """Land rows, extracted after all others, as a new file or in the place of one."""
        self.parts += 1
        whole = tuple(
            {
                **row,
                "_airbyte_raw_id": f"{self.parts:06}-{place:04}",
                "_airbyte_extracted_at": self._extracted() if modified is None else modified + place * MILLISECOND,
                "_airbyte_generation_id": self.generation,
                "_airbyte_meta": {"sync_id": self.parts, "changes": []},
            }
            for place, row in enumerate(rows)
        )
        landed = Landed(stream, key or self._key(stream, self.clock.date()), kind, whole, note, modified)
        self._put(landed, parquet(STREAMS[stream], whole, as_text=self.random.random() < 0.3))
        return landed

    def _put(self, landed: Landed, content: bytes) -> None:
        identity = self.store.put(landed.key, content, landed.modified)
        self.files[landed.key] = self.contents[landed.key, identity] = replace(landed, identity=identity)

    def _key(self, stream: str, day: date, name: str = "") -> str:
        name = name or self.random.choice([f"part_{self.parts}", f"{day:%Y_%m_%d}_{self.parts * 7919}_{self.parts}"])
        return f"{STREAMS[stream].prefix}year={day:%Y}/month={day:%m}/day={day:%d}/{name}.parquet"

    def _any(self, stream: str, *kinds: Kind) -> Landed | None:
        """A file of today's; nothing but the bucket's lifecycle touches old ones."""
        found = [one for one in self.files.values() if one.stream == stream and one.kind in kinds and not one.modified]
        return self.random.choice(found) if found else None

    # Events: each lands, replaces or deletes files, and says what it did.

    def step(self) -> str:
        """One event."""
        stream = self.random.choices(list(STREAMS), [6, 4, 2, 1, 1, 2])[0]
        events, weights = zip(*EVENTS, strict=True)
        happens = self.random.choices(events, weights)[0]
        name = happens.__name__
        said = happens(self, stream)
        self.counts[name] = self.counts.get(name, 0) + 1
        return f"{stream}: {name.replace('_', ' ')}: {said}"

    def pass_time(self, share: float) -> None:
        """Let the shop's clock reach a share of the days of history, such as 0.5; it never goes back."""
        begin = datetime.combine(self.today, datetime.min.time(), UTC) - timedelta(days=DAYS_OF_HISTORY)
        self.clock = max(self.clock, begin + timedelta(days=DAYS_OF_HISTORY - 1) * min(share, 1))

    def new_rows(self, stream: str) -> str:
        rows = [self.row(stream) for _ in range(self.random.randint(1, 20))]
        return _told(self.land(stream, rows))

    def several_files(self, stream: str) -> str:
        return ", ".join(_told(self.land(stream, [self.row(stream)])) for _ in range(self.random.randint(2, 12)))

    def late_rows(self, stream: str) -> str:
        day = self.today - timedelta(days=self.random.randint(41, 1100))
        rows = [self.row(stream, late=True) for _ in range(self.random.randint(1, 5))]
        return _told(self.land(stream, rows, key=self._key(stream, day)))

    def old_files(self, stream: str) -> str:
        """Files that were written long ago, into a partition of that day."""
        day = self.today - timedelta(days=self.random.randint(41, 1100))
        rows = [self.row(stream, late=True) for _ in range(self.random.randint(1, 5))]
        then = datetime.combine(day, datetime.min.time(), UTC)
        return _told(self.land(stream, rows, key=self._key(stream, day), note="old", modified=then))

    def expire(self, stream: str, is_read: Callable[[Landed], bool]) -> str:
        """What a bucket's lifecycle deletes: files that are older than `DAYS_UNTIL_EXPIRY` and were read."""
        before = datetime.combine(self.today, datetime.min.time(), UTC) - timedelta(days=DAYS_UNTIL_EXPIRY)
        old = [one for one in self.files.values() if one.stream == stream and one.modified and one.modified < before]
        gone = [one for one in old if is_read(one)]
        for one in gone:
            self.store.delete(one.key)
            self.expired[one.key] = self.files.pop(one.key)
        return f"{stream}: {len(gone)} files expired, {len(old) - len(gone)} were not read yet"

    def destroy(self, stream: str) -> str:
        """Orders are destroyed: the source sends their keys and a time."""
        if stream != "orders":
            return self.new_rows(stream)
        there = [key for key in range(1, self.ids["orders"] + 1) if key not in self.destroyed]
        gone = self.random.sample(there, min(len(there), 2))
        self.destroyed |= {key: self._now() for key in gone}
        return _told(self.land("orders", [{"id": key, "deleted_at": self.destroyed[key]} for key in gone]))

    def the_same_again(self, stream: str) -> str:
        """The very rows of a file come once more, extracted later."""
        before = self._any(stream, Kind.GOOD)
        return _told(self.land(stream, before.rows)) if before else "nothing there"

    def overwrite(self, stream: str) -> str:
        """A file is replaced in place, and another lands beside it before the next look."""
        before = self._any(stream, Kind.GOOD)
        if before is None:
            return "nothing there"
        kept = [row for row in before.rows if self.random.random() < 0.7]
        rows = [self.row(stream, row["id"]) if self.random.random() < 0.5 else row for row in kept]
        landed = self.land(stream, rows or [self.row(stream)], key=before.key, note=before.note)
        beside = before.key.rpartition("/")[0] + f"/part_{self.parts}.parquet"
        return f"{_told(landed)}, and {_told(self.land(stream, [self.row(stream)], key=beside))}"

    def delete(self, stream: str) -> str:
        found = self._any(stream, Kind.GOOD, Kind.BAD, Kind.ELSEWHERE)
        others = [one for one in self.files.values() if one.stream == stream and one.kind is Kind.GOOD]
        # A stream without any file is refused as a wrong bucket, on purpose.
        if found is None or len(others) < 3:
            return "too few"
        self.store.delete(found.key)
        del self.files[found.key]
        return found.key

    def refresh(self, stream: str) -> str:
        """A refresh that truncates: the current rows come once more as a new generation, the files before it go.

        Some records are gone from the source.
        """
        there = [one for one in self.files.values() if one.stream == stream and not one.modified]
        gone = [one for one in there if one.kind is not Kind.ELSEWHERE]
        now = self.rows_of(stream, self.files.values())
        rows = [row for row in now.values() if self.random.random() < 0.9]
        if not rows:
            return "nothing there"
        self.generation += 1
        landed = self.land(stream, rows)
        for one in gone:
            self.store.delete(one.key)
            del self.files[one.key]
        return f"{_told(landed)}, {len(gone)} files gone"

    def unreadable(self, stream: str) -> str:
        """A file that is no Parquet, from the beginning or in the place of a good one."""
        content = parquet(STREAMS[stream], [])
        note, broken = self.random.choice(
            [
                ("empty", b""),
                ("truncated", content[: len(content) // 2]),
                ("without its end", content[:-8]),
                ("text", b"no Parquet"),
                ("zeros", bytes(len(content))),
            ]
        )
        before = self._any(stream, Kind.GOOD) if self.random.random() < 0.3 else None
        self.parts += 1
        key = before.key if before else self._key(stream, self.clock.date())
        self._put(Landed(stream, key, Kind.BAD, (), note), broken)
        return f"{note} {'in the place of a good one ' if before else ''}{key}"

    def null_keys(self, stream: str) -> str:
        rows = [self.row(stream) for _ in range(3)]
        rows[1]["id"] = None
        return _told(self.land(stream, rows, kind=Kind.BAD, note="a null key"))

    def wrong_types(self, stream: str) -> str:
        """The key is a text that is no number."""
        rows = [{**self.row(stream), "id": f"x{place}"} for place in range(2)]
        self.parts += 1
        landed = Landed(stream, self._key(stream, self.clock.date()), Kind.BAD, (), "a key that is text")
        given = Stream("", "", "", {**STREAMS[stream].columns, "id": TEXT}, (), STREAMS[stream].nested)
        self._put(landed, parquet(given, [{**row, "_airbyte_raw_id": f"{self.parts}"} for row in rows]))
        return landed.key

    def repair(self, stream: str) -> str:
        """A bad file is replaced by a good one in its place."""
        bad = self._any(stream, Kind.BAD)
        return _told(self.land(stream, [self.row(stream)], key=bad.key)) if bad else "nothing bad"

    def hostile_key(self, stream: str) -> str:
        name = f"part_{self.parts}{self.random.choice(HOSTILE)}{self.random.choice(['', 'x'])}"
        key = self._key(stream, self.clock.date(), name)
        # New ids: whether these rows are there does not depend on other files.
        return _told(self.land(stream, self._rows_of_their_own(stream), key=key, kind=Kind.EITHER, note="hostile"))

    def absurd_key(self, stream: str) -> str:
        prefix, number = STREAMS[stream].prefix, self.parts
        key = self.random.choice(
            [
                f"year=2026/month=99/day=01/part_{number}.parquet",
                f"year=2026/month=02/day=31/part_{number}.parquet",
                f"year=2026/month=1/day=5/part_{number}.parquet",
                f"year=2026/month=01/day=05/hour=07/part_{number}.parquet",
                f"part_{number}.parquet",
                f"2026_01_05_{number}_0.parquet",
                f"year=2026/month=01/day=05/part_{number}.jsonl",
                f"year=2026/month=01/day=05/part_{number}",
                f"year=0000/month=01/day=05/part_{number}.parquet",
            ]
        )
        rows = self._rows_of_their_own(stream)
        return _told(self.land(stream, rows, key=prefix + key, kind=Kind.ELSEWHERE, note="absurd"))

    def far_future(self, stream: str) -> str:
        key = self._key(stream, date(2098, 1, self.random.randint(1, 28)))
        rows = self._rows_of_their_own(stream)
        return _told(self.land(stream, rows, key=key, note="far future"))

    def _rows_of_their_own(self, stream: str) -> list[Row]:
        return [self.row(stream, 1_000_000 + self.parts * 10 + place) for place in range(2)]

    # The reckoning.

    @staticmethod
    def rows_of(stream: str, files: Iterable[Landed]) -> dict[int, Row]:
        """The latest row of each key in the given files of a stream: by cursor, then by extraction.

        A record whose latest row says that it was deleted is not there.
        """
        cursor = STREAMS[stream].cursor
        found: dict[int, Row] = {}
        for row in (row for one in files if one.stream == stream and one.kind is not Kind.BAD for row in one.rows):
            before = found.get(row["id"])
            if before is None or _rank(row, cursor) > _rank(before, cursor):
                found[row["id"]] = row
        return {key: row for key, row in found.items() if row.get("deleted_at") is None}

    def should_hold(self, files: Iterable[Landed]) -> dict[str, Seen]:
        """What each table should hold, once these contents were read."""
        given = list(files)
        latest = {name: self.rows_of(name, given) for name in STREAMS}
        tables: dict[str, Seen] = {
            stream.model: {
                key: (row["_airbyte_raw_id"], *(compared(row, column) for column in stream.compared))
                for key, row in latest[name].items()
            }
            for name, stream in STREAMS.items()
        }
        return tables | {
            "fct_sales": sales(latest["orders"], latest["order_refunds"]),
            "dim_customers": customers(latest["orders"], latest["customers"]),
            "fct_purchases": purchases(latest),
        }


def _rank(row: Row, cursor: str) -> tuple[Any, ...]:
    return row.get(cursor) or row["deleted_at"], row["_airbyte_extracted_at"]


def _told(landed: Landed) -> str:
    return f"{landed.key} ({len(landed.rows)} rows)"


def money(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


def compared(row: Row, column: str) -> Any:
    """A value as the lake's model has it."""
    if column == "customer_id":
        return (row["customer"] or {}).get("id")
    if column == "country":
        return (row["address"] or {}).get("country_code")
    return money(row[column]) if column in {"total_line_items_price", "price"} else row[column]


def sales(orders: Mapping[int, Row], refunds: Mapping[int, Row]) -> Seen:
    """Orders that are no tests: status, gross and total after all refunds, as decimals."""
    found: Seen = {}
    for key, order in orders.items():
        if order["test"]:
            continue
        lines = [line for one in refunds.values() if one["order_id"] == key for line in one["refund_line_items"]]
        returned = sum((money(line["subtotal"]) + money(line["total_tax"]) for line in lines), Decimal(0))
        gross, shipping = (
            money(order["total_line_items_price"]),
            order["total_shipping_price_set"]["shop_money"]["amount"],
        )
        total = gross - money(order["total_discounts"]) + money(shipping) + money(order["total_tax"]) - returned
        found[key] = (order["financial_status"], gross, total)
    return found


def customers(orders: Mapping[int, Row], known: Mapping[int, Row]) -> Seen:
    """Whoever is a customer or has ordered: whether the customer itself was read, and the address."""
    ordered = {order["customer"]["id"] for order in orders.values() if order["customer"]}
    return {key: (key in known, known[key]["email"] if key in known else None) for key in ordered | set(known)}


def purchases(latest: Mapping[str, Mapping[int, Row]]) -> Seen:
    found: Seen = {}
    for key, one in latest["purchases"].items():
        user, product = latest["users"].get(one["user_id"]), latest["products"].get(one["product_id"])
        found[key] = (user["address"]["country_code"] if user else None, product["make"] if product else None)
    return found


def parquet(stream: Stream, rows: Iterable[Row], *, as_text: bool = False) -> bytes:
    """A file as destination-s3 writes it; objects and lists as Parquet's own or, `as_text`, as JSON."""
    columns = {name: TEXT if as_text and name in stream.nested else kind for name, kind in stream.columns.items()} | {
        "_airbyte_raw_id": TEXT,
        "_airbyte_extracted_at": pa.timestamp("ms", tz="UTC"),
        "_airbyte_meta": META,
        "_airbyte_generation_id": WHOLE,
    }
    written = [
        {
            name: json.dumps(value) if as_text and name in stream.nested and value is not None else value
            for name, value in row.items()
        }
        for row in rows
    ]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(written, pa.schema(list(columns.items()))), buffer)
    return buffer.getvalue()


Event = Callable[[World, str], str]
EVENTS: Final[tuple[tuple[Event, int], ...]] = (
    (World.new_rows, 30),
    (World.several_files, 8),
    (World.late_rows, 8),
    (World.old_files, 4),
    (World.destroy, 3),
    (World.the_same_again, 5),
    (World.overwrite, 8),
    (World.delete, 3),
    (World.refresh, 1),
    (World.unreadable, 4),
    (World.null_keys, 3),
    (World.wrong_types, 2),
    (World.repair, 5),
    (World.hostile_key, 4),
    (World.absurd_key, 3),
    (World.far_future, 1),
)
