"""Odoo, by the JSON API that a company's Odoo has: a login, then orders and their lines, in pages by offset."""

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import dlt
from dlt.sources.helpers import requests

FIRST = "2020-01-01 00:00:00"
"""Where the first run begins. Odoo's times have no T and no zone; they are in UTC."""
SETTLED = timedelta(minutes=5)
"""Rows that are younger wait for the next run: one that changes while pages are read may be missed in this one, and the
cursor must not pass it."""


def logged_in(url: str, database: str, user: str, password: str) -> tuple[requests.Session, str]:
    """A session with the login's cookie, and the time by Odoo's clock before which rows have settled."""
    session = requests.Client(raise_for_status=True).session
    login = {"db": database, "login": user, "password": password}
    answer = session.post(f"{url}/web/session/authenticate", json={"jsonrpc": "2.0", "params": login})
    # A refused login is an answer with status 200.
    if not (answer.json().get("result") or {}).get("uid"):
        raise PermissionError(f"Odoo at {url} refuses the login of {user} to the database {database}")
    settled = parsedate_to_datetime(answer.headers["Date"]) - SETTLED
    return session, settled.strftime("%Y-%m-%d %H:%M:%S")


@dlt.source(name="odoo")
def odoo(url: str, database: str, user: str, password: str) -> Any:
    """The streams of Odoo.

    Args:
        url: Odoo's address.
        database: The database to log in to.
        user: The user's login.
        password: The user's password.
    """

    def pages(path: str, begin: str, since: str, size: int) -> Iterator[list[dict[str, Any]]]:
        """The rows that were written since a time, page by page.

        Args:
            path: The endpoint.
            begin: Its parameter for `since`, which differs from endpoint to endpoint.
            since: The time: one for all pages, since an offset counts the rows after it.
            size: Rows of a page.
        """
        session, settled = logged_in(url, database, user, password)
        offset, count = 0, size
        while count == size:
            parameters: dict[str, str | int] = {"limit": size, "offset": offset, begin: since}
            answer = session.get(f"{url}/{path}", params=parameters).json()
            if answer.get("status") != "success":
                raise ValueError(f"Odoo refuses {path} with {parameters}: {answer.get('message')}")
            count = len(answer["data"])
            yield [row for row in answer["data"] if row["write_date"] < settled]
            offset += count

    @dlt.resource(primary_key="id")
    def orders(written: Any = dlt.sources.incremental("write_date", initial_value=FIRST)) -> Any:
        # `last_value` grows with each page that is yielded: read once, here.
        yield from pages("api/sales", "last_sync_date", written.last_value, size=100)

    @dlt.resource(primary_key="id")
    def order_lines(written: Any = dlt.sources.incremental("write_date", initial_value=FIRST)) -> Any:
        yield from pages("api/sale_order_lines", "start_date", written.last_value, size=1000)

    return orders, order_lines
