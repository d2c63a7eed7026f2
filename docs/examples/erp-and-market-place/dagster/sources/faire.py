"""The market place Faire: the lines of its orders, by version 2 of its API, in numbered pages."""

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import dlt
from dlt.sources.helpers import requests

FIRST = "2020-01-01T00:00:00.000Z"
"""Where the first run begins."""
SETTLED = timedelta(minutes=5)
"""Orders that are younger wait for the next run: one that changes while pages are read may be missed in this one, and
the cursor must not pass it."""
PAGE_SIZE = 50
"""Orders of a page; the API takes 10 to 50."""


@dlt.source(name="faire")
def faire(access_token: str, url: str = "https://www.faire.com") -> Any:
    """The streams of Faire.

    Args:
        access_token: The brand's token.
        url: The market place's address.
    """
    client = requests.Client(raise_for_status=True)

    def orders(since: str) -> Iterator[list[dict[str, Any]]]:
        """The orders that were updated since a time, page by page; all pages have one time."""
        page, count, settled = 1, PAGE_SIZE, ""
        while count == PAGE_SIZE:
            parameters: dict[str, str | int] = {"updated_at_min": since, "page": page, "limit": PAGE_SIZE}
            headers = {"X-FAIRE-ACCESS-TOKEN": access_token}
            answer = client.get(f"{url}/external-api/v2/orders", params=parameters, headers=headers)
            if not settled:
                moment = parsedate_to_datetime(answer.headers["Date"]) - SETTLED
                settled = moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            found = answer.json()["orders"]
            yield [order for order in found if order["updated_at"] < settled]
            page, count = page + 1, len(found)

    @dlt.resource(primary_key="id")
    def order_lines(updated: Any = dlt.sources.incremental("order_updated_at", initial_value=FIRST)) -> Any:
        # `last_value` grows with each page that is yielded: read once, here.
        for page in orders(updated.last_value):
            yield [line_of(order, item) for order in page for item in order["items"]]

    return order_lines


def line_of(order: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    """An item of an order, with what the order says of all its items."""
    price, address = item.get("price") or {}, order.get("address") or {}
    own = ("id", "created_at", "updated_at", "product_id", "variant_id", "quantity", "sku", "includes_tester", "state")
    return {
        **{name: item.get(name) for name in own},
        "price_amount_minor": price.get("amount_minor"),
        "price_currency": price.get("currency"),
        **{f"order_{name}": order.get(name) for name in ("id", "created_at", "updated_at", "state")},
        **{f"retailer_{name}": address.get(name) for name in ("name", "city", "state", "country")},
    }
