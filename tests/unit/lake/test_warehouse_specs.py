"""Lakes with Snowflake or BigQuery, checked against their connectors' specifications."""

from pathlib import Path
from typing import Any

import pytest

from lotus_infra.lake.lake import find_source
from tests.support.lakes import Files, discovered, problems_of, report_on, source, stream
from tests.support.warehouses import CONFIGURATIONS, destination, pinned

SNOWFLAKE, BIGQUERY = CONFIGURATIONS


def crm(connector: str, **overrides: object) -> Files:
    """A second source, which lands in a warehouse."""
    return {
        f"_connectors/{connector}.json": pinned(connector),
        "_destinations/warehouse.json": destination(connector, **overrides),
        "crm/_source.json": source(name="CRM", destination="warehouse"),
        "crm/contacts.json": stream(stream="contacts", destination_sync_mode="append_dedup"),
        "crm/_discovered/contacts.json": discovered(stream="contacts"),
    }


@pytest.mark.parametrize(("connector", "table"), [(SNOWFLAKE, "CRM.CONTACTS"), (BIGQUERY, "crm.contacts")])
def test_a_lake_with_a_warehouse_has_no_problem_and_knows_its_tables(
    tmp_path: Path, connector: str, table: str
) -> None:
    report = report_on(tmp_path, crm(connector))

    assert report.problems == ()
    [connection] = find_source(report.lake, "crm").connections
    assert report.lake.place(connection) == "warehouse"
    assert [str(report.lake.table_of(connection, each)) for each in connection.streams] == [table]


@pytest.mark.parametrize(
    ("connector", "overrides", "where"),
    [
        (SNOWFLAKE, {"warehouse": 7}, "configuration.warehouse"),
        (SNOWFLAKE, {"credentials": {"auth_type": "None"}}, "configuration.credentials.auth_type"),
        (SNOWFLAKE, {"credentials": {"auth_type": "Username and Password", "password": "written-here"}},
         "configuration.credentials.password"),
        (BIGQUERY, {"cdc_deletion_mode": "None"}, "configuration.cdc_deletion_mode"),
        (BIGQUERY, {"loading_method": {"method": "GCS Staging"}}, "configuration.loading_method"),
        (BIGQUERY, {"credentials_json": "{}"}, "configuration.credentials_json"),
    ],
)  # fmt: skip
def test_what_its_specification_refuses_is_reported(
    tmp_path: Path, connector: str, overrides: dict[str, Any], where: str
) -> None:
    problems = problems_of(tmp_path, crm(connector, **overrides))

    assert problems
    assert all(f": {where}" in problem for problem in problems)
