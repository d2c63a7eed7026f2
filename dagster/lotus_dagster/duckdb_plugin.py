"""Connect DuckDB to the lake: extensions, S3's address and credentials, and DuckLake's catalog.

The extensions come from Python packages of the very version of DuckDB, so nothing is downloaded at run time. dbt-duckdb
loads this module by its name.
"""

import os
import time
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

from lotus_dagster.bookkeeping import register
from lotus_dagster.environment import EnvironmentVariableError, Warehouse

_MADE_BY_ANOTHER = ("duplicate key value", "already exists", "concurrent")
"""Postgres' words for a table that another connection creates at the same time."""

_HELD = "Could not set lock on file"
"""DuckDB's words for a file that another process has open."""
LONGEST_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.2


class Plugin(BasePlugin):
    """Prepares each new connection; the name is what dbt-duckdb looks for."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Attach the lake, which the profile names and the environment describes.

        dbt parses the whole project again whenever its profile changes; this one is the same on every machine.

        Raises:
            DbtRuntimeError: A variable that the lake needs is not set, or its catalog is out of reach; dbt reports it
                without a traceback.
        """
        try:
            attach(conn, Warehouse.read())
            register(conn)
        except (EnvironmentVariableError, duckdb.Error) as error:
            raise DbtRuntimeError(str(error)) from error


def attach(connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, *, read_only: bool = False) -> None:
    """Attach the lake's tables as the database `lake`, wherever its files were when the catalog was made.

    A catalog in a file is for one process at a time: a run of Dagster, or `dbt build`. It is waited for.

    Raises:
        duckdb.Error: The catalog is out of reach, or still held by another process after LONGEST_WAIT_SECONDS, or not
            there yet and only to be read.
    """
    prepare(connection, warehouse)
    catalog, data = (text.replace("'", "''") for text in (warehouse.catalog, warehouse.data))
    options = f"data_path '{data}', override_data_path true{', read_only' if read_only else ''}"
    command = f"attach 'ducklake:{catalog}' as lake ({options})"
    try:
        _when_free(connection, command)
    except duckdb.Error as error:
        # Of several processes that make the catalog in an empty database, one succeeds; it is there for the others now.
        if not any(text in str(error) for text in _MADE_BY_ANOTHER):
            raise
        connection.execute(command)


def _when_free(connection: duckdb.DuckDBPyConnection, command: str) -> None:
    """Attach as soon as no other process holds the file."""
    ends = time.monotonic() + LONGEST_WAIT_SECONDS
    while True:
        try:
            connection.execute(command)
        except duckdb.IOException as error:
            if _HELD not in str(error) or time.monotonic() > ends:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return


def prepare(connection: duckdb.DuckDBPyConnection, warehouse: Warehouse) -> None:
    """Make a connection able to attach the lake and to read the landing zone."""
    needed = ["ducklake"]
    if warehouse.catalog.startswith("postgres:"):
        needed.append("postgres_scanner")
    if warehouse.uses_s3:
        needed.append("httpfs")
    for extension in needed:
        connection.load_extension(str(packaged(extension)))
    if warehouse.uses_s3:
        connection.execute(s3_secret({**os.environ, **_credentials()}))
    if "://" not in warehouse.data:
        Path(warehouse.data).mkdir(parents=True, exist_ok=True)


def _credentials() -> dict[str, str]:
    """What boto3 finds, be it the environment, a profile, or the role of a pod, under the environment's names."""
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
    """
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
    written = [f"{name} '{value.replace(chr(39), chr(39) * 2)}'" for name, value in options.items() if value]
    return f"CREATE OR REPLACE SECRET landing_zone ({', '.join(['TYPE s3', *written])})"
