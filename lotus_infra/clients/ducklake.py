"""Connect DuckDB to the lake: its extensions, S3's address and credentials, DuckLake's catalog, Postgres destinations.

The extensions come from Python packages of the very version of DuckDB, so nothing is downloaded at run time. Dagster's
image has this file too: it imports names and errors alone, and loads DuckDB and boto3 when they are used.
"""

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from lotus_infra.errors import MASKED, LotusError, one_line
from lotus_infra.naming import warehouse_variable

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LANDING: Final = "LOTUS_LANDING"
CATALOG: Final = "LOTUS_CATALOG"
LAKE_DATA: Final = "LOTUS_LAKE_DATA"
ALIAS: Final = "lake"
"""The name of the attached database."""
POSTGRES: Final = "postgres:"
"""The beginning of a catalog that is not a file."""
LONGEST_WAIT_SECONDS = 60.0
_POLL_SECONDS: Final = 0.2
_SCANNER: Final = "postgres_scanner"
_UNREACHABLE: Final = re.compile(r'Unable to connect to Postgres at ".*": (.*)', re.DOTALL)
_NOT_PARSED: Final = "in connection info string"
"""libpq's words for a text that is no connection string."""
_PASSWORD: Final = re.compile(r"(password\s*=\s*)('(?:\\.|[^'\\])*'|[^\s\"]+)", re.IGNORECASE)
_OWN_PASSWORD: Final = re.compile(rf"\b{_PASSWORD.pattern}\s*", re.IGNORECASE)
_PARTS_OF_URL: Final = {"host": "hostname", "port": "port", "user": "username", "password": "password"}
_HELD: Final = "Could not set lock on file"
"""DuckDB's words for a file that another process has open."""
_MADE_BY_ANOTHER: Final = ("duplicate key value", "already exists", "concurrent")
"""Postgres' words for a table that another connection creates at the same time."""


@dataclass(frozen=True, slots=True)
class LakeAddress:
    """Where a lake is.

    Attributes:
        landing: `s3://<bucket>` or a folder.
        catalog: What comes after `ducklake:` in DuckDB's ATTACH.
        data: Where DuckLake writes the tables' files; empty for the place that an existing catalog has.
    """

    landing: str
    catalog: str
    data: str

    @property
    def uses_s3(self) -> bool:
        """Whether any of it is in a bucket."""
        return any(place.startswith("s3://") for place in (self.landing, self.data))


def attach(
    connection: "DuckDBPyConnection",
    address: LakeAddress,
    *,
    read_only: bool = False,
    waits: bool = True,
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Attach the lake's tables as the database `lake`, wherever its files were when the catalog was made.

    Args:
        connection: The connection.
        address: Where the lake is.
        read_only: Whether nothing may be changed.
        waits: Whether to wait for another process that holds a catalog in a file, up to LONGEST_WAIT_SECONDS.
        environment: The variables that describe S3's server.

    Raises:
        duckdb.Error: The catalog is out of reach, or held by another process, or not there yet and only to be read.
    """
    import duckdb  # noqa: PLC0415, an optional package of `lotus query`

    prepare(connection, address, environment)
    if not read_only and "://" not in address.data:
        Path(address.data).mkdir(parents=True, exist_ok=True)
    options = [f"data_path {literal(address.data)}", "override_data_path true"] if address.data else []
    options += ["read_only"] if read_only else []
    command = f"attach {literal(f'ducklake:{address.catalog}')} as {ALIAS} ({', '.join(options)})"
    try:
        _when_free(connection, command, LONGEST_WAIT_SECONDS if waits else 0)
    except duckdb.Error as error:
        # Of several processes that make the catalog in an empty database, one succeeds; it is there for the others now.
        if not any(text in str(error) for text in _MADE_BY_ANOTHER):
            raise
        connection.execute(command)


def _when_free(connection: "DuckDBPyConnection", command: str, seconds: float) -> None:
    """Attach as soon as no other process holds the file."""
    import duckdb  # noqa: PLC0415

    ends = time.monotonic() + seconds
    while True:
        try:
            connection.execute(command)
        except duckdb.IOException as error:
            if _HELD not in str(error) or time.monotonic() >= ends:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return


def prepare(
    connection: "DuckDBPyConnection", address: LakeAddress, environment: Mapping[str, str] = os.environ
) -> None:
    """Make a connection able to attach the lake and to read the landing zone.

    Args:
        connection: The connection.
        address: Where the lake is.
        environment: The variables that describe S3's server; credentials may also be in a profile or a role.
    """
    needed = ["ducklake"]
    if address.catalog.startswith(POSTGRES):
        needed.append(_SCANNER)
    if address.uses_s3:
        needed.append("httpfs")
    for extension in needed:
        connection.load_extension(str(packaged(extension)))
    if address.uses_s3:
        connection.execute(s3_secret({**environment, **_credentials()}))


def attach_database(
    connection: "DuckDBPyConnection", destination: str, environment: Mapping[str, str] = os.environ
) -> None:
    """Attach the database of a Postgres destination, read-only and under the name of its file, unless it is attached.

    The password is in a secret of DuckDB, which no query and no message shows.

    Args:
        connection: The connection.
        destination: The destination's file, without its suffix.
        environment: Has the address in `naming.warehouse_variable`, as a connection string of libpq.

    Raises:
        LotusError: The variable is not set, or the database is out of reach.
    """
    import duckdb  # noqa: PLC0415

    attached = "select 1 from duckdb_databases() where database_name = ?"
    if connection.execute(attached, [destination]).fetchone() is not None:
        return
    variable = warehouse_variable(destination)
    given = environment.get(variable, "")
    if not given.strip():
        raise LotusError(
            f"the environment lacks {variable} (the database of the destination {destination}: dbname=… host=…)",
            "set it for the code location and its runs",
        )
    address, password = without_password(_as_pairs(given))
    name = '"' + destination.replace('"', '""') + '"'
    try:
        connection.load_extension(str(packaged(_SCANNER)))
        connection.execute(f"create or replace secret {name} (type postgres, password {literal(password or '')})")
        connection.execute(f"attach {literal(address)} as {name} (type postgres, secret {name}, read_only)")
    except duckdb.Error as error:
        if _NOT_PARSED in str(error):
            # libpq quotes the part that it can't read, which may be one of the password.
            raise LotusError(f"{variable} is no connection string of libpq", "write dbname=… host=… user=…") from None
        reason = _UNREACHABLE.search(str(error))
        text = one_line(hidden_passwords(reason[1] if reason is not None else str(error)))
        hint = f"check {variable}, and that the server takes connections from here"
        raise LotusError(f"the database {destination} can't be reached: {text}", hint) from None


def detach_databases(connection: "DuckDBPyConnection") -> None:
    """Detach all databases of `attach_database`: while one is attached, DuckDB does not see its tables change."""
    query = "select database_name from duckdb_databases() where type = 'postgres' and not starts_with(database_name, ?)"
    for (name,) in connection.execute(query, ["__ducklake"]).fetchall():
        connection.execute(f'detach "{name}"')


def without_password(address: str) -> tuple[str, str | None]:
    """A connection string of libpq, in pairs, without its password; and the password, None if it has none."""
    found = _OWN_PASSWORD.search(address)
    if found is None:
        return address, None
    text = found[2][1:-1] if found[2].startswith("'") else found[2]
    return _OWN_PASSWORD.sub("", address), re.sub(r"\\(.)", r"\1", text)


def hidden_passwords(text: str) -> str:
    """A text without the passwords in connection strings."""
    return _PASSWORD.sub(rf"\1{MASKED}", text)


def _as_pairs(address: str) -> str:
    """A connection string of libpq as `key='value'` pairs; it may be a URL."""
    url = urlsplit(address.strip())
    if url.scheme not in {"postgresql", "postgres"}:
        return address
    parts = {key: getattr(url, name) for key, name in _PARTS_OF_URL.items()} | {"dbname": url.path.lstrip("/")}
    values = {key: unquote(str(value)) for key, value in parts.items() if value} | dict(parse_qsl(url.query))
    return " ".join(f"{key}={_quoted(value)}" for key, value in values.items())


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _credentials() -> dict[str, str]:
    """What boto3 finds, be it the environment, a profile, or the role of a pod, under the environment's names."""
    import boto3  # noqa: PLC0415, loading takes half a second

    found = boto3.Session().get_credentials()
    if found is None:
        return {}
    now = found.get_frozen_credentials()
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    values = (now.access_key, now.secret_key, now.token)
    return {name: value or "" for name, value in zip(names, values, strict=True)}


def packaged(extension: str) -> Path:
    """The file of an extension in its Python package, for the running DuckDB.

    Raises:
        FileNotFoundError: The package is for another version of DuckDB.
        ModuleNotFoundError: The package is not installed.
    """
    import duckdb  # noqa: PLC0415

    file = (
        Path(str(files(f"duckdb_extension_{extension}")))
        / f"extensions/v{duckdb.__version__}/{extension}.duckdb_extension"
    )
    if not file.is_file():
        raise FileNotFoundError(
            f"duckdb-extension-{extension} has no extension for DuckDB {duckdb.__version__}: install equal versions"
        )
    return file


def s3_secret(environment: Mapping[str, str]) -> str:
    """DuckDB's secret made of the variables that boto3 reads too, so that S3 is described once."""
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL", "")
    options = {
        "KEY_ID": environment.get("AWS_ACCESS_KEY_ID", ""),
        "SECRET": environment.get("AWS_SECRET_ACCESS_KEY", ""),
        "SESSION_TOKEN": environment.get("AWS_SESSION_TOKEN", ""),
        "REGION": environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION", ""),
    }
    if endpoint:
        address = urlsplit(endpoint)
        options |= {
            "ENDPOINT": address.netloc + address.path.rstrip("/"),
            "URL_STYLE": "path",
            "USE_SSL": "true" if address.scheme == "https" else "false",
        }
    written = [f"{name} {literal(value)}" for name, value in options.items() if value]
    return f"CREATE OR REPLACE SECRET landing_zone ({', '.join(['TYPE s3', *written])})"


def literal(text: str) -> str:
    """A text as SQL, in single quotes."""
    return "'" + text.replace("'", "''") + "'"
