"""Lakes with Snowflake or BigQuery, checked against their connectors' specifications."""

from pathlib import Path
from typing import Any

import pytest

from lotus_infra.lake.lake import find_source
from tests.support.lakes import Files, discovered, problems_of, report_on, source, stream
from tests.support.postgres_lake import CONNECTOR, SOMEWHERE, pin
from tests.support.postgres_lake import destination as postgres
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


def test_two_sources_whose_tables_have_one_name_in_postgres_are_reported(tmp_path: Path) -> None:
    streams = {"contacts.json": stream(stream="contacts"), "_discovered/contacts.json": discovered(stream="contacts")}
    changes: Files = {
        f"_connectors/{CONNECTOR}.json": pin(),
        "_destinations/warehouse.json": postgres(SOMEWHERE),
        "crm/_source.json": source(name="CRM", destination="warehouse", namespace="my-crm"),
        "crm_eu/_source.json": source(name="CRM EU", destination="warehouse", namespace="my_crm"),
        **{f"{folder}/{name}": content for folder in ("crm", "crm_eu") for name, content in streams.items()},
    }

    problems = problems_of(tmp_path, changes)

    assert len(problems) == 1
    assert "the table" in problems[0]
    assert "crm/contacts.json" in problems[0]
    assert "crm_eu/contacts.json" in problems[0]


@pytest.mark.parametrize("connector", [CONNECTOR, SNOWFLAKE, BIGQUERY])
@pytest.mark.parametrize("raw", [True, False])
def test_raw_tables_which_have_no_columns_are_reported(tmp_path: Path, connector: str, *, raw: bool) -> None:
    files = {
        **crm(SNOWFLAKE),
        f"_connectors/{CONNECTOR}.json": pin(),
        **{f"_connectors/{each}.json": pinned(each) for each in CONFIGURATIONS},
    }
    target: Any = postgres(SOMEWHERE) if connector == CONNECTOR else destination(connector)
    target["configuration"] |= {"disable_type_dedupe": raw}

    problems = problems_of(tmp_path, {**files, "_destinations/warehouse.json": target})

    where = "configuration.disable_type_dedupe: writes raw tables"
    assert [where in problem for problem in problems] == [True] * raw
