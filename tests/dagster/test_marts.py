"""The dbt project on Parquet files: what was wrong before stays right, and order makes no difference."""

from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from tests.dagster.every_stream import MOMENT, customer
from tests.dagster.lake import Lake, order, refund
from tests.dagster.shop import Order, order_row, orders_of_a_shop, refund_rows, sales_of

SELECT = ["--select", "tag:shopify__orders", "tag:shopify__order_refunds", "fct_sales"]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def orders_of(lake: Lake) -> list[tuple[Any, ...]]:
    return lake.query("select id, financial_status from int_shopify__orders order by id")


def returns_of(lake: Lake) -> list[tuple[Any, ...]]:
    return lake.query("select order_id, returns::double, taxes::double, total::double from fct_sales order by order_id")


def unread_by_three_maxima(lake: Lake, loaded: list[tuple[int, int, int]]) -> int:
    """How many rows the old filter lets through: the date after a maximum of years, one of months and one of days."""
    seen = tuple(max(part) for part in zip(*loaded, strict=True))
    with duckdb.connect() as connection:
        found = connection.execute(
            f"select count(*) from read_parquet('{lake.landing}/raw/shopify/orders/*/*/*/*.parquet',"
            f" hive_partitioning = true) where (year::int, month::int, day::int) > {seen}"
        ).fetchall()
    return int(found[0][0])


def returns_replaced_by_those_of(lake: Lake, day: str) -> list[tuple[Any, ...]]:
    """What the lake had before: the refunds of a new partition, summed by order, take the place of the order's row."""
    year, month, date = day.split("-")
    files = f"{lake.landing}/raw/shopify/order_refunds/year={year}/month={month}/day={date}/*.parquet"
    with duckdb.connect() as connection:
        return connection.execute(
            "select order_id, sum(list_sum(list_transform(refund_line_items, lambda line: line.subtotal)))"
            f" from read_parquet('{files}') group by order_id order by order_id"
        ).fetchall()


def test_rows_after_a_year_boundary_are_read(lake: Lake) -> None:
    lake.land("shopify", "orders", "2025-12-31", 0, [order(1, "2025-12-31T10:00:00Z")])
    lake.land("shopify", "orders", "2026-01-01", 0, [order(2, "2026-01-01T10:00:00Z")])
    assert unread_by_three_maxima(lake, [(2025, 12, 31)]) == 1
    lake.dbt("run", "--select", "tag:shopify__orders", partitions=["2025-12-31", "2026-01-01"])
    lake.land("shopify", "orders", "2026-01-02", 0, [order(3, "2026-01-02T10:00:00Z")])
    assert unread_by_three_maxima(lake, [(2025, 12, 31), (2026, 1, 1)]) == 0
    lake.dbt("run", "--select", "tag:shopify__orders", partitions=["2026-01-02"])
    assert [number for number, _ in orders_of(lake)] == [1, 2, 3]


def test_a_second_refund_adds_to_the_first(lake: Lake) -> None:
    lake.land("shopify", "orders", "2026-01-05", 0, [order(1, "2026-01-05T10:00:00Z")])
    lake.land("shopify", "order_refunds", "2026-01-05", 0, [refund(1, 1, "2026-01-05T11:00:00Z", 30.0, 3.0)])
    lake.dbt("build", "--indirect-selection", "buildable", *SELECT)
    assert returns_of(lake) == [(1, 30.0, 5.0, 70.0)]
    lake.land("shopify", "order_refunds", "2026-01-06", 0, [refund(2, 1, "2026-01-06T11:00:00Z", 20.0, 1.0)])
    lake.dbt("build", "--indirect-selection", "buildable", *SELECT, partitions=["2026-01-06"])
    assert returns_replaced_by_those_of(lake, "2026-01-06") == [(1, 20.0)]
    assert returns_of(lake) == [(1, 50.0, 4.0, 49.0)]


def test_an_older_row_that_arrives_late_does_not_win(lake: Lake) -> None:
    lake.land("shopify", "orders", "2026-01-05", 0, [order(1, "2026-01-05T10:00:00Z", financial_status="paid")])
    lake.dbt("run", "--select", "tag:shopify__orders")
    lake.land("shopify", "orders", "2025-11-02", 0, [order(1, "2025-11-02T10:00:00Z", financial_status="pending")])
    lake.land("shopify", "orders", "2025-11-02", 1, [order(2, "2025-11-02T10:00:00Z", financial_status="pending")])
    lake.dbt("run", "--select", "tag:shopify__orders", partitions=["2025-11"])
    assert orders_of(lake) == [(1, "paid"), (2, "pending")]


def test_a_run_that_comes_twice_changes_nothing_and_a_run_without_partitions_reads_the_rest(lake: Lake) -> None:
    lake.land("shopify", "orders", "2026-01-05", 2, [order(1, "2026-01-05T10:00:00Z")])
    lake.dbt("run", "--select", "tag:shopify__orders", partitions=["2026-01-05"])
    before = lake.query("select * from int_shopify__orders")
    lake.dbt("run", "--select", "tag:shopify__orders", partitions=["2026-01-05"])
    assert lake.query("select * from int_shopify__orders") == before
    lake.land("shopify", "orders", "2026-01-05", 10, [order(2, "2026-01-05T11:00:00Z")])
    lake.land("shopify", "orders", "2025-02-05", 0, [order(3, "2025-02-05T11:00:00Z")])
    lake.dbt("run", "--select", "tag:shopify__orders")
    assert [number for number, _ in orders_of(lake)] == [1, 2, 3]
    assert lake.query("select count(*), count(distinct file) from lake.read_files.int_shopify__orders") == [(3, 3)]


def test_a_field_that_older_files_lack_is_null_in_their_rows(lake: Lake) -> None:
    narrow = {name: value for name, value in order(1, "2026-01-05T10:00:00Z").items() if name != "cancel_reason"}
    lake.land("shopify", "orders", "2026-01-05", 0, [narrow])
    lake.dbt("run", "--select", "tag:shopify__orders")
    lake.land("shopify", "orders", "2026-01-06", 0, [order(2, "2026-01-06T10:00:00Z", cancel_reason="other")])
    lake.dbt("run", "--select", "tag:shopify__orders")
    assert lake.query("select id, cancel_reason from int_shopify__orders order by id") == [(1, None), (2, "other")]


def test_a_field_called_year_is_the_field_and_not_the_folder(lake: Lake) -> None:
    product = {"id": 1, "make": "A", "model": "B", "year": 1999, "price": 10.5}
    product |= {"created_at": "2026-01-05T10:00:00Z", "updated_at": "2026-01-05T10:00:00Z"}
    lake.land("faker", "products", "2026-01-05", 0, [product])
    lake.dbt("run", "--select", "tag:faker__products")
    assert lake.query("select year, price::double from int_faker__products") == [(1999, 10.5)]


AMOUNTS = [
    "gross",
    "discounts",
    "returns",
    "net",
    "shipping",
    "taxes",
    "duties",
    "fees",
    "total",
    "gift_cards",
    "tips",
    "charged",
]
TO_A_CENT = {"gross", "discounts"}
"""How taxes in a price are split between these two is rounded once; and a conversion rounds."""


def sales_in(lake: Lake) -> dict[int, dict[str, Decimal | None]]:
    rows = lake.query(f"select order_id, {', '.join(AMOUNTS)} from fct_sales where missing is null order by order_id")
    return {number: dict(zip(AMOUNTS, amounts, strict=True)) for number, *amounts in rows}


def land_shop(lake: Lake, random: Random, orders: list[Order]) -> None:
    """Orders, the events of destroyed ones and refunds, in any order, with their lists as lists or as text."""
    rows = [order_row(one, "2026-01-05T10:00:00Z") for one in orders]
    gone = [
        {"id": one.number, "deleted_at": "2026-01-06T00:00:00Z", "deleted_message": "x"}
        for one in orders
        if one.fate == "destroyed"
    ]
    refunds = [row for one in orders for row in refund_rows(one)]
    for stream, wanted in (("orders", rows), ("orders", gone), ("order_refunds", refunds)):
        random.shuffle(wanted)
        for start in range(0, len(wanted), 20):
            day = f"2026-01-{random.randint(1, 28):02}"
            part = random.randint(0, 10**6)
            lake.land("shopify", stream, day, part, wanted[start : start + 20], as_text=random.random() < 0.5)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(2, 6))])
def test_sales_are_what_the_shop_decided_whatever_it_sold_and_took_back(lake: Lake, seed: int) -> None:
    random = Random(seed)
    orders = orders_of_a_shop(random, 150)
    expected = {one.number: sale for one in orders if (sale := sales_of(one)) is not None}
    land_shop(lake, random, orders)
    lake.dbt("build", "--indirect-selection", "buildable", *SELECT)
    found = sales_in(lake)
    assert found.keys() == expected.keys()
    by_number = {one.number: one for one in orders}
    wrong = {
        (number, name): (amount, expected[number][name])
        for number, amounts in found.items()
        for name, amount in amounts.items()
        if amount is None
        or abs(amount - expected[number][name])
        > (Decimal("0.01") if name in TO_A_CENT or by_number[number].foreign else 0) * (4 if name in TO_A_CENT else 1)
    }
    assert not wrong


def lost(field: str, change: str = "NULLED") -> list[dict[str, str]]:
    return [{"field": field, "change": change, "reason": "DESTINATION_FIELD_SIZE_LIMITATION"}]


LINES: dict[str, Any] = {"line_items": [], "shipping_lines": []}
OF_REFUNDS = {"returns", "net", "shipping", "taxes", "duties", "gift_cards"}
LOST: dict[str, tuple[str, str, dict[str, Any], set[str]]] = {
    "a price": ("orders", "total_line_items_price", {}, {"gross", "discounts", "returns", "net"}),
    "a total of taxes": ("orders", "total_tax", LINES, {"taxes"}),
    "the lines": ("orders", "line_items", LINES, {"gross", "discounts", "returns", "net", "duties", "gift_cards"}),
    "a price in a line": (
        "orders",
        "line_items.price",
        LINES,
        {"gross", "discounts", "returns", "net", "duties", "gift_cards"},
    ),
    "whether taxes are in the prices": (
        "orders",
        "taxes_included",
        {},
        {"gross", "discounts", "returns", "net", "shipping", "duties"},
    ),
    "the shipping": ("orders", "shipping_lines", LINES, {"shipping"}),
    "the lines of a refund": ("order_refunds", "refund_line_items", LINES, OF_REFUNDS),
    "the payments of a refund": ("order_refunds", "transactions", LINES, OF_REFUNDS),
}
"""By what is lost: the stream and field, more fields of the orders, and the amounts that can't be known."""
MISSING = {"line_items.price": "line_items", "taxes_included": "taxes_included, duties_included"}


def test_money_that_airbyte_could_not_write_is_null_with_its_field_and_not_zero(lake: Lake) -> None:
    """Two orders for each case, which differ in what is lost of the second."""
    for place, (stream, field, more, _) in enumerate(LOST.values()):
        for number in (2 * place, 2 * place + 1):
            rows = {"orders": order(number, MOMENT, **more), "order_refunds": refund(number, number, MOMENT, 30.0, 3.0)}
            for name, row in rows.items():
                is_lost = number % 2 == 1 and name == stream
                landed = row | ({} if "." in field else {field: None}) if is_lost else row
                lake.land("shopify", name, "2026-01-05", number, [landed], changes=lost(field) if is_lost else [])
    lake.dbt("build", "--indirect-selection", "buildable", *SELECT)
    names = [name for name in AMOUNTS if name not in ("charged", "tips")]
    sales = lake.query(f"select missing, {', '.join(names)} from fct_sales order by order_id")
    assert len(sales) == 2 * len(LOST)
    for (what, (stream, field, _, unknown)), whole, broken in zip(LOST.items(), sales[::2], sales[1::2], strict=True):
        missing = MISSING.get(field, field) if stream == "orders" else "order_refunds"
        assert (whole[0], broken[0]) == (None, missing), what
        assert None not in whole[1:], what
        assert {name for name, amount in zip(names, broken[1:], strict=True) if amount is None} == unknown | {
            "total"
        }, what
        known = [pair for pair in zip(whole[1:], broken[1:], strict=True) if pair[1] is not None]
        assert all(amount == other for amount, other in known), what


def test_a_customer_with_an_order_whose_total_is_not_known_has_no_total(lake: Lake) -> None:
    lake.land("shopify", "customers", "2026-01-05", 0, [customer(7, "2026-01-05T10:00:00Z")])
    lake.land("shopify", "order_refunds", "2026-01-05", 0, [refund(1, 9, "2026-01-05T10:00:00Z", 1.0)])
    fields: list[dict[str, Any]] = [
        {"customer": {"id": 7}},
        {"customer": {"id": 7}, "total_tax": None},
        {"customer": {"id": 8}},
    ]
    rows = [order(number, "2026-01-05T10:00:00Z", **more) for number, more in enumerate(fields)]
    francs = {"shop_money": {"amount": 5.0, "currency_code": "CHF"}}
    rows.append(order(3, "2026-01-05T10:00:00Z", customer={"id": 9}))
    rows.append(order(4, "2026-01-05T10:00:00Z", customer={"id": 9}, total_shipping_price_set=francs))
    lake.land("shopify", "orders", "2026-01-05", 0, rows)
    lake.dbt("run", "--select", "tag:shopify__customers", *SELECT[1:], "dim_customers")
    found = lake.query("select customer_id, total, currency, orders_without_total from dim_customers order by 1")
    assert found == [(7, None, "EUR", 1), (8, Decimal(103), "EUR", 0), (9, None, None, 0)]


def test_a_product_without_a_price_is_not_sold_for_nothing(lake: Lake) -> None:
    bought = {"created_at": MOMENT, "updated_at": MOMENT, "added_to_cart_at": MOMENT, "purchased_at": MOMENT}
    purchases = [
        {"id": number, "user_id": 1, "product_id": number, "returned_at": None, **bought} for number in (1, 2, 3)
    ]
    times = {"created_at": MOMENT, "updated_at": MOMENT}
    products = [
        {"id": n, "make": "A", "model": "B", "year": 1999, "price": price, **times}
        for n, price in ((1, 10.5), (2, None))
    ]
    lake.land("faker", "purchases", "2026-01-05", 0, purchases)
    lake.land("faker", "products", "2026-01-05", 0, products, changes=lost("price"))
    lake.land(
        "faker",
        "users",
        "2026-01-05",
        0,
        [{"id": 1, "name": "C", "age": 33, "address": {"country_code": "DE"}, **times}],
    )
    lake.dbt("build", "--indirect-selection", "buildable", "--select", "+fct_purchases")
    assert lake.query("select purchase_id, revenue from fct_purchases order by 1") == [
        (1, Decimal("10.5")),
        (2, None),
        (3, None),
    ]


GIVEN_BACK = [
    {"kind": "refund", "status": "success", "amount": "5.00", "currency": "EUR"},
    {"kind": "refund", "status": "failure", "amount": "7.00", "currency": "EUR"},
    {"kind": "void", "status": "success", "amount": "9.00", "currency": "EUR"},
]


def test_money_that_is_paid_back_for_no_line_is_subtracted_without_the_fields_that_say_why(lake: Lake) -> None:
    """As for shipping, or as an amount alone: files from before `order_adjustments` was selected, and newer versions
    of Shopify's API, which report refunds of shipping elsewhere."""
    no_lines: list[object] = [[], "", None]
    for part, lines in enumerate(no_lines):
        pair = (2 * part, 2 * part + 1)
        orders = [
            order(number, MOMENT, taxes_included=included) for number, included in zip(pair, (None, True), strict=True)
        ]
        lake.land("shopify", "orders", "2026-01-05", part, orders)
        more = {"refund_line_items": lines, "transactions": GIVEN_BACK}
        refunds = [refund(number, number, MOMENT, 0.0) | more for number in pair]
        lake.land("shopify", "order_refunds", "2026-01-05", part, refunds)
    lake.dbt("build", "--indirect-selection", "buildable", *SELECT)
    assert lake.query("select net, shipping, taxes, total from fct_sales order by order_id") == [
        (Decimal(85), Decimal(5), Decimal(8), Decimal(98)),
        (Decimal(77), Decimal(5), Decimal(8), Decimal(90)),
    ] * len(no_lines)


def test_nothing_is_left_of_a_cancelled_order_though_no_refund_of_it_is_there(lake: Lake) -> None:
    rows = [order(1, MOMENT, cancelled_at=MOMENT, financial_status="voided"), order(2, MOMENT, test=True)]
    lake.land("shopify", "orders", "2026-01-05", 0, rows)
    lake.land("shopify", "order_refunds", "2026-01-05", 0, [refund(1, 3, MOMENT, 1.0)])
    lake.dbt("build", "--indirect-selection", "buildable", *SELECT)
    found = lake.query("select order_id, gross, discounts, returns, total, charged from fct_sales")
    assert found == [(1, Decimal(100), Decimal(10), Decimal(90), Decimal(0), Decimal(103))]
