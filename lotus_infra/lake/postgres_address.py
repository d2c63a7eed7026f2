"""The address of a Postgres destination as libpq takes it, from the destination's configuration. Pure.

Sources: the specification of destination-postgres, and PostgreSQL's documentation of connection strings (libpq).
"""

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

KEYS: Final = ("host", "port", "database", "username", "password", "ssl", "ssl_mode")
"""The keys of a destination's configuration that its address is made of."""
TIMEOUT_SECONDS: Final = 10
"""How long a connection may take to be made: a database that is away fails a run, and does not hold it up."""
_PARAMETERS: Final = {"host": "host", "port": "port", "database": "dbname", "username": "user", "password": "password"}
_WITHOUT_FILES: Final = frozenset({"disable", "allow", "prefer", "require"})
"""The modes of TLS that need no certificate in a file."""


def flaw(configuration: Mapping[str, JsonValue]) -> str | None:
    """Why a connection string can't say how to reach the database; None if it can.

    Args:
        configuration: As the destination's file has it.
    """
    tunnel, tls = configuration.get("tunnel_method"), configuration.get("ssl_mode")
    if isinstance(tunnel, dict) and tunnel.get("tunnel_method", "NO_TUNNEL") != "NO_TUNNEL":
        return "it is reached through an SSH tunnel"
    mode = tls.get("mode") if isinstance(tls, dict) else None
    if isinstance(mode, str) and mode not in _WITHOUT_FILES:
        return f"its ssl_mode {mode} compares the server with a certificate"
    return None


def connection_string(configuration: Mapping[str, JsonValue]) -> str:
    """The connection string: `host='db.example.com' port='5432' dbname='crm' user='lake' password='…' …`.

    Args:
        configuration: The destination's, with the values of references.
    """
    given = {parameter: configuration.get(key) for key, parameter in _PARAMETERS.items()}
    tls = configuration.get("ssl_mode")
    # The older setting is a flag.
    flag = "require" if configuration.get("ssl") is True else None
    given["sslmode"] = tls.get("mode") if isinstance(tls, dict) else flag
    given["connect_timeout"] = TIMEOUT_SECONDS
    return " ".join(f"{name}={_quoted(str(value))}" for name, value in given.items() if value not in {None, ""})


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
