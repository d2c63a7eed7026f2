"""Destinations that write tables: what their files may be called, and what is said of them."""

from pathlib import Path

import pytest

from lotus_infra.lake.report import Report
from tests.support.lakes import Document, Files, discovered, problems_of, report_on, source, stream, told


def pinned(connector: str) -> Document:
    return {"connector": connector, "definition_id": "22f6c74f-5699-40ff-833c-4a879ea40133", "spec": {}}


def warehouse(connector: str = "destination-postgres", **configuration: object) -> Document:
    return {"connector": connector, "configuration": {"database": "crm", "schema": "public", **configuration}}


def crm(*, into: str = "crm_db", connector: str = "destination-postgres", **overrides: object) -> Files:
    """A second source whose tables land in a warehouse."""
    return {
        f"_connectors/{connector}.json": pinned(connector),
        f"_destinations/{into}.json": warehouse(connector),
        "crm/_source.json": source(name="CRM", destination=into) | overrides,
        "crm/contacts.json": stream(stream="contacts"),
        "crm/_discovered/contacts.json": discovered(stream="contacts"),
    }


def notices_of(report: Report, directory: Path) -> list[str]:
    return [told(each, directory) for each in report.notices]


def test_nothing_is_said_of_a_postgres_database_whose_tables_the_models_read(tmp_path: Path) -> None:
    report = report_on(tmp_path, crm())

    assert report.problems == ()
    assert report.notices == ()


@pytest.mark.parametrize("connector", ["destination-snowflake", "destination-bigquery"])
def test_a_warehouse_is_described_by_what_the_lake_has_of_it(connector: str, tmp_path: Path) -> None:
    report = report_on(tmp_path, crm(connector=connector))

    assert report.problems == ()
    what = "writes into a warehouse: the lake has assets, checks and freshness of its tables, and no models"
    remedy = "`lotus scaffold` describes the tables to dbt; write models where the warehouse is"
    assert notices_of(report, tmp_path) == [f"_destinations/crm_db.json:2: connector: {what}: {remedy}"]


def test_an_unknown_destination_is_one_that_models_do_not_read(tmp_path: Path) -> None:
    [notice] = notices_of(report_on(tmp_path, crm(connector="destination-redis")), tmp_path)

    assert "is not destination-s3: the lake's models read nothing that it writes" in notice


@pytest.mark.parametrize("name", ["lake", "landing", "main", "memory", "system", "temp", "crm-db", "Crm"])
def test_a_database_that_duckdb_can_not_attach_by_its_name_is_reported(name: str, tmp_path: Path) -> None:
    [problem] = problems_of(tmp_path, crm(into=name))

    assert problem.startswith(f'_destinations/{name}.json:1: (file): "{name}" can\'t name a database in DuckDB')


def test_a_warehouse_that_duckdb_does_not_attach_may_have_any_name(tmp_path: Path) -> None:
    assert problems_of(tmp_path, crm(into="memory", connector="destination-snowflake")) == []


TWO: list[tuple[str, Document]] = [
    ("one namespace each", {"a": {"namespace": "one"}, "b": {"namespace": "two"}}),
    ("one database each", {"a": {"namespace": "one"}, "b": {"namespace": "one", "destination": "other_db"}}),
]


@pytest.mark.parametrize("settings", [each for _, each in TWO], ids=[name for name, _ in TWO])
def test_a_source_whose_tables_are_in_two_schemas_is_reported(settings: Document, tmp_path: Path) -> None:
    names = {"a": "contacts", "b": "deals"}
    connections: Document = {
        key: {"destination": "crm_db", "streams": [names[key]], **dict(settings[key])}  # type: ignore[call-overload]
        for key in settings
    }
    both = source(name="CRM", connections=connections)
    del both["destination"]
    changes: Files = {
        "_destinations/other_db.json": warehouse(database="other"),
        "crm/_source.json": both,
        "crm/deals.json": stream(stream="deals"),
        "crm/_discovered/deals.json": discovered(stream="deals"),
    }

    [problem] = problems_of(tmp_path, dict(crm()) | dict(changes))

    assert problem.startswith("crm/deals.json:1: (file): is written to ")
    assert "a source of dbt has one schema: give the connections in crm/_source.json one destination" in problem


def test_streams_of_two_namespaces_in_a_source_land_in_one_schema_or_are_reported(tmp_path: Path) -> None:
    streams = {
        "crm/contacts.json": stream(stream="contacts", namespace="eu"),
        "crm/deals.json": stream(stream="deals", namespace="us"),
        "crm/_discovered/contacts.json": discovered(stream="contacts", namespace="eu"),
        "crm/_discovered/deals.json": discovered(stream="deals", namespace="us"),
    }

    assert problems_of(tmp_path / "one", dict(crm()) | streams) == []
    [problem] = problems_of(tmp_path / "two", dict(crm(namespace="crm_${SOURCE_NAMESPACE}")) | streams)
    assert "crm_db.crm_us.deals, and crm/contacts.json to crm_db.crm_eu.contacts" in problem


def test_a_sensor_of_jobs_that_has_a_streams_name_is_reported(tmp_path: Path) -> None:
    streams = {"crm/jobs.json": stream(stream="jobs"), "crm/_discovered/jobs.json": discovered(stream="jobs")}

    [problem] = problems_of(tmp_path, dict(crm()) | streams)

    assert problem.startswith(
        'crm/jobs.json:1: (file): the sensor "crm_jobs_sensor" is already that of crm/_source.json'
    )


@pytest.mark.parametrize(
    ("destination", "place"), [("s3", "below raw/crm/contacts/"), ("other_db", "in the table other_db.crm.contacts")]
)
def test_a_stack_whose_models_would_read_another_place_is_reported(
    destination: str, place: str, tmp_path: Path
) -> None:
    changes: Files = {
        "_stacks/dev.json": {"sources": {"crm": {"destination": destination}}},
        "_destinations/other_db.json": warehouse(database="other"),
    }

    [problem] = problems_of(tmp_path, dict(crm()) | dict(changes))

    assert problem == (
        f"_stacks/dev.json:4: sources.crm.destination: writes crm/contacts {place}, and its models read it "
        "in the table crm_db.crm.contacts (in the stack dev): write to the same destination, with values that differ "
        "by stack in its file"
    )


def test_a_stack_may_send_a_source_where_no_model_reads_it(tmp_path: Path) -> None:
    changes: Files = {
        "_stacks/dev.json": {"sources": {"crm": {"destination": "flakes"}}},
        "_connectors/destination-snowflake.json": pinned("destination-snowflake"),
        "_destinations/flakes.json": warehouse("destination-snowflake"),
    }

    assert problems_of(tmp_path, dict(crm()) | dict(changes)) == []
