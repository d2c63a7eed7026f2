"""A stand-in for the market place Faire: orders with their items, in numbered pages of 10 to 50.

It refuses what its documentation does not have (https://faire.github.io/external-api-v2-docs/): another token, another
size of a page, a time in another form. Orders are in the order in which they were made.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from tests.examples.standing_in import Answer, Request, Row, StandIn

TOKEN: Final = "token-of-the-brand"
PATH: Final = "/external-api/v2/orders"
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_ADDRESS: Final = {"name": "Corner Shop", "city": "Portland", "state": "Oregon", "country": "United States"}


@dataclass
class Faire(StandIn):
    """Faire with the orders of a brand, by their ids."""

    orders: dict[str, Row] = field(default_factory=dict, kw_only=True)

    def order(self, number: int, *items: Row, **values: object) -> Row:
        """Make an order, or change one; without items it keeps those that it has."""
        identity, now = f"bo_{number:06}", self._time()
        known = self.orders.get(identity)
        if known is None:
            known = {"id": identity, "created_at": now, "state": "NEW", "address": _ADDRESS, "items": []}
        made = [{"created_at": now, "updated_at": now, "order_id": identity, **item} for item in items]
        self.orders[identity] = {**known, **({"items": made} if made else {}), **values, "updated_at": now}
        return self.orders[identity]

    def answer(self, request: Request) -> Answer:
        """The answer to a request."""
        if request.headers.get("x-faire-access-token") != TOKEN:
            return Answer(401, {"error": "unauthorized"})
        if request.path != PATH or request.method != "GET":
            return Answer(404, {})
        given = dict(request.parameters)
        since, page, limit = given.pop("updated_at_min", ""), given.pop("page", "1"), given.pop("limit", "50")
        is_good = page.isdecimal() and int(page) >= 1 and limit.isdecimal() and 10 <= int(limit) <= 50
        if given or not is_good or (since and _TIME.fullmatch(since) is None):
            return Answer(400, {"error": f"can't read {dict(request.parameters)}"})
        if self.before_page is not None:
            self.before_page(request)
        found = [order for _, order in sorted(self.orders.items()) if order["updated_at"] >= since]
        first = (int(page) - 1) * int(limit)
        return Answer(200, {"page": int(page), "limit": int(limit), "orders": found[first : first + int(limit)]})

    def _time(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def item(number: int, **values: object) -> Row:
    """An item of an order."""
    clean = {
        "id": f"oi_{number:06}",
        "product_id": "p_tea",
        "variant_id": "po_tea_1",
        "quantity": 6,
        "sku": "TEA-1",
        "product_name": "Tea",
        "variant_name": "100 g",
        "includes_tester": False,
        "state": "NEW",
        "price_cents": 1250,
        "price": {"amount_minor": 1250, "currency": "USD"},
    }
    return {**clean, **values}
