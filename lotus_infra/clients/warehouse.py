"""Whether a Postgres warehouse answers, by DuckDB, as Dagster's runs connect to it."""

import re
from typing import Final

from lotus_infra.clients.ducklake import literal, packaged
from lotus_infra.errors import LotusError, masked_urls, one_line

_UNREACHABLE: Final = re.compile(r'Unable to connect to Postgres at ".*": (.*)', re.DOTALL)
_VERSION: Final = "select * from postgres_query('warehouse', 'select current_setting(''server_version'')')"
_REMEDY: Final = "check the address, its port and the password, and that this machine may connect"


class NotCheckedError(LotusError):
    """This machine lacks what a check needs."""


def server_version(address: str) -> str:
    """The version of the server, `16.2`.

    Args:
        address: A connection string of libpq, with the password.

    Raises:
        NotCheckedError: DuckDB or its extension is not installed.
        LotusError: The server can't be reached, or refuses; the message has no part of the address.
    """
    try:
        import duckdb  # noqa: PLC0415, an optional package, and slow to load

        extension = packaged("postgres_scanner")
    except (ImportError, FileNotFoundError):
        raise NotCheckedError(
            "DuckDB and its extension for Postgres are not installed",
            "install them: pip install 'lotus-infra[deploy,query]'",
        ) from None
    with duckdb.connect() as connection:
        try:
            connection.load_extension(str(extension))
            connection.execute(f"attach {literal(address)} as warehouse (type postgres, read_only)")
            found = connection.execute(_VERSION).fetchall()
        except duckdb.Error as error:
            why = _UNREACHABLE.search(str(error))
            reason = one_line(masked_urls(why[1])) if why is not None else "DuckDB can't read it"
            raise LotusError(f"it can't be reached: {reason}", _REMEDY) from None
    return str(found[0][0]).split(maxsplit=1)[0]
