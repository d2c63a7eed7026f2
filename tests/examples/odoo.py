"""A stand-in for a company's Odoo: a login by JSON-RPC whose cookie counts, and pages by offset.

Each of its ways is a trap. A refused login is an answer with status 200. The endpoints call the parameter for the time
by different names. `api/sales` ignores a time that it can't read and sends all orders; `api/sale_order_lines` fails on
it. An offset counts the rows after that time. Rows are in the order of their ids.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from tests.examples.standing_in import Answer, Request, Row, StandIn

DATABASE: Final = "company"
USER: Final = "lake@company.example"
PASSWORD: Final = "password-of-the-odoo-user"
_SESSION: Final = "session-of-the-lake"
_TIME: Final = "%Y-%m-%d %H:%M:%S"


@dataclass
class Odoo(StandIn):
    """Odoo with orders and their lines.

    Attributes:
        tables: The rows of `api/sales` and `api/sale_order_lines`, by their ids.
        most: The most rows of a page, whatever limit is asked for.
    """

    tables: dict[str, dict[int, Row]] = field(
        default_factory=lambda: {"api/sales": {}, "api/sale_order_lines": {}}, kw_only=True
    )
    most: int = field(default=1000, kw_only=True)

    def order(self, number: int, **values: object) -> Row:
        """Write an order."""
        clean: Row = {
            "order_reference": f"S{number:05}",
            "create_date": self._time(),
            "sales_date": self._time(),
            "order_date": self._time(),
            "delivery_date": None,
            "sales_team": "Wholesale",
            "salesperson": "Kim",
            "amount_untaxed": 100.0,
            "amount_tax": 19.0,
            "amount_total": 119.0,
            "payment_terms": "30 days",
            "tags": [],
            "status": "sale",
            "invoice_status": "to invoice",
            "customer": "A company",
            "shipping_policy": "direct",
            "f_order_id": None,
            "delivery_status": "pending",
            "delivery_country": "Germany",
            "delivery_state": None,
            "delivery_city": "Berlin",
            "delivery_zip": "10115",
            "internal_note": "of no interest to the lake",
        }
        return self._write("api/sales", number, clean, values)

    def line(self, number: int, order: int, **values: object) -> Row:
        """Write a line of an order."""
        clean = {
            "order_reference": f"S{order:05}",
            "sales_team": "Wholesale",
            "salesperson": "Kim",
            "product_category": "Tea",
            "sku": "TEA-1",
            "quantity": 2.0,
            "subtotal": 66.67,
            "unit_cost": 10.125,
            "unit_price": 33.333333,
            "sales_date": self._time(),
        }
        return self._write("api/sale_order_lines", number, clean, values)

    def answer(self, request: Request) -> Answer:
        """The answer to a request."""
        path = request.path.strip("/")
        if (request.method, path) == ("POST", "web/session/authenticate"):
            return self._log_in(request)
        if path not in self.tables:
            return Answer(404, {})
        if f"session_id={_SESSION}" not in request.headers.get("cookie", ""):
            return Answer(401, {"status": "error", "message": "Session expired"})
        if self.before_page is not None:
            self.before_page(request)
        begin = "last_sync_date" if path == "api/sales" else "start_date"
        if unknown := request.parameters.keys() - {"limit", "offset", begin}:
            return Answer(400, {"status": "error", "message": f"unknown parameters {sorted(unknown)}"})
        since = request.parameters.get(begin, "")
        if since and not _is_time(since):
            if path == "api/sale_order_lines":
                return Answer(500, {"status": "error", "message": f"time data {since!r} does not match format"})
            since = ""
        size, offset = int(request.parameters.get("limit", "80")), int(request.parameters.get("offset", "0"))
        rows = [row for _, row in sorted(self.tables[path].items()) if row["write_date"] >= since]
        return Answer(200, {"status": "success", "data": rows[offset : offset + min(size, self.most)]})

    def _log_in(self, request: Request) -> Answer:
        given = request.body["params"]
        if request.body.get("jsonrpc") != "2.0" or given != {"db": DATABASE, "login": USER, "password": PASSWORD}:
            return Answer(200, {"jsonrpc": "2.0", "error": {"code": 200, "message": "Odoo Server Error"}})
        cookie = {"Set-Cookie": f"session_id={_SESSION}; Path=/; HttpOnly"}
        return Answer(200, {"jsonrpc": "2.0", "result": {"uid": 2, "db": DATABASE}}, cookie)

    def _write(self, table: str, number: int, clean: Row, values: Row) -> Row:
        known = self.tables[table].get(number, {"id": number, **clean})
        self.tables[table][number] = {**known, **values, "write_date": self._time()}
        return self.tables[table][number]

    def _time(self) -> str:
        return self.now.strftime(_TIME)


def _is_time(text: str) -> bool:
    try:
        datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return False
    return True
