"""Tables that the twin's syncs write of every stream of the own lake, as DuckDB reads them for the models."""

from collections.abc import Iterator
from typing import Any

import duckdb
import httpx
import pytest
from airbyte_twin.testing import RunningTwin, running_twin

from lotus_infra.clients.ducklake import attach_database
from lotus_infra.dbt.sql import postgres_type
from lotus_infra.lake.lake import SourceFolder
from lotus_infra.lake.landed import landed, names_in
from lotus_infra.lake.loader import load_lake
from lotus_infra.lake.warehouses import POSTGRES, WAREHOUSES
from lotus_infra.naming import warehouse_variable
from tests.support.lakes import OWN_STREAMS
from tests.support.postgres import Postgres
from tests.support.postgres_lake import Database, new_database

IN_DUCKDB = {
    "varchar": "VARCHAR",
    "jsonb": "VARCHAR",
    "bigint": "BIGINT",
    "numeric": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "timestamp": "TIMESTAMP",
    "timetz": "TIME WITH TIME ZONE",
    "time": "TIME",
}
"""DuckDB's types of Postgres': JSON is text, and a number without a precision is a double, as in Parquet."""
SOURCES: dict[str, Any] = {
    "shopify": {"shop": "a-shop", "credentials": {"auth_method": "api_password", "api_password": "any-word"}},
    "klaviyo": {"api_key": "any-word"},
    "faker": {},
}


@pytest.fixture(scope="module")
def twin() -> Iterator[RunningTwin]:
    with running_twin(run_syncs=True, first_records=20) as twin:
        yield twin


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Database:
    return new_database(postgres)


def post(twin: RunningTwin, path: str, **body: Any) -> Any:
    response = httpx.post(twin.public_url + path, json={"workspaceId": twin.workspace_id, **body}, timeout=60)
    assert response.is_success, response.text
    return response.json()


def synced(twin: RunningTwin, folder: SourceFolder, database: Database) -> int:
    """The rows of a sync of a source's streams, as its files select them, into a database."""
    configuration = {"sourceType": folder.name, **SOURCES[folder.name]}
    source = post(twin, "/sources", name=folder.name, configuration=configuration)
    target = {"destinationType": "postgres", **database.configuration, "password": "any-word"}
    destination = post(twin, "/destinations", name="Warehouse", configuration=target)
    streams = [
        {
            "name": stream.config.stream,
            "syncMode": "incremental_append",
            "cursorField": stream.config.cursor_field,
            "primaryKey": stream.config.primary_key,
            "selectedFields": [{"fieldPath": [name]} for name in stream.fields],
        }
        for stream in folder.selected_streams
    ]
    connection = post(
        twin,
        "/connections",
        sourceId=source["sourceId"],
        destinationId=destination["destinationId"],
        configurations={"streams": streams},
        namespaceDefinition="custom_format",
        namespaceFormat=folder.name,
    )
    job = post(twin, "/jobs", connectionId=connection["connectionId"], jobType="sync")["jobId"]
    twin.settle()
    ended = httpx.get(f"{twin.public_url}/jobs/{job}").json()
    assert ended["status"] == "succeeded"
    return int(ended["rowsSynced"])


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_every_stream_of_the_own_lake_has_the_columns_that_its_model_would_read(
    twin: RunningTwin, database: Database, source: str
) -> None:
    folder = next(each for each in load_lake(OWN_STREAMS).lake.sources if each.name == source)
    rows = synced(twin, folder, database)
    read = 0
    with duckdb.connect() as connection:
        attach_database(connection, "warehouse", {warehouse_variable("warehouse"): database.libpq})
        for stream in folder.selected_streams:
            table = f'warehouse."{source}"."{stream.config.stream}"'
            types = {name: kind for name, kind, *_ in connection.execute(f"describe {table}").fetchall()}
            columns = landed(stream, names_in(WAREHOUSES[POSTGRES])).columns
            expected = {name: IN_DUCKDB[postgres_type(field)] for name, field in columns.items()}
            assert {name: types[name] for name in expected} == expected
            assert len(types) == len(expected) + 4
            read += len(connection.execute(f"select * from {table}").fetchall())
    assert read == rows > 0
