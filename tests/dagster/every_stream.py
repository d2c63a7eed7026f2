"""Rows for each stream of the lake, as its source would send them: enough that every mart has some."""

from typing import Any

from tests.dagster.lake import order, refund

MOMENT = "2026-01-05T10:00:00Z"
Rows = list[dict[str, Any]]


def rows_of_every_stream() -> dict[tuple[str, str], Rows]:
    """Three orders and their customers, a refund, three purchases, and one record of each stream of Klaviyo."""
    return {**_shopify(), **_faker(), **_klaviyo()}


def _shopify() -> dict[tuple[str, str], Rows]:
    numbers = range(1, 4)
    return {
        ("shopify", "orders"): [order(number, MOMENT, customer={"id": 70 + number}) for number in numbers],
        ("shopify", "order_refunds"): [refund(1, 1, MOMENT, 30.0, 3.0)],
        ("shopify", "customers"): [customer(70 + number, MOMENT) for number in numbers],
    }


def customer(number: int, updated: str) -> dict[str, Any]:
    return {
        "id": number,
        "email": f"{number}@example.com",
        "first_name": "A",
        "last_name": "B",
        "created_at": MOMENT,
        "updated_at": updated,
        "orders_count": 1,
        "total_spent": 10.5,
        "tags": "",
        "state": "enabled",
    }


def _faker() -> dict[tuple[str, str], Rows]:
    times = {"created_at": MOMENT, "updated_at": MOMENT}
    address = {"country_code": "DE", "city": "Kiel"}
    bought = {"added_to_cart_at": MOMENT, "purchased_at": MOMENT, "returned_at": None}
    numbers = range(1, 4)
    return {
        ("faker", "products"): [{"id": 1, "make": "A", "model": "B", "year": 1999, "price": 10.5, **times}],
        ("faker", "users"): [{"id": number, "name": "C", "age": 33, "address": address, **times} for number in numbers],
        ("faker", "purchases"): [{"id": n, "user_id": n, "product_id": 1, **bought, **times} for n in numbers],
    }


def _klaviyo() -> dict[tuple[str, str], Rows]:
    links = {"self": "https://example.com"}
    made: dict[tuple[str, str], Rows] = {}
    for stream, cursor in {
        "campaigns": "updated_at",
        "events": "datetime",
        "flows": "updated",
        "lists": "updated",
        "metrics": "updated",
        "profiles": "updated",
    }.items():
        related = {"metric": {"data": {"id": "m"}}, "profile": {"data": {"id": "p"}}}
        row = {"id": "one", "type": stream, "links": links, "attributes": {"name": "x"}, "relationships": related}
        made["klaviyo", stream] = [row | {cursor: MOMENT}]
    return made
