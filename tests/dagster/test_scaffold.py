"""Streams that nobody has seen before: what `lotus scaffold` writes is built by dbt with no edit by hand."""

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from lotus_dagster.definitions import DBT_PROJECT

from lotus_infra.commands.check import check_lake_files
from lotus_infra.commands.scaffold import scaffold_all, scaffold_model
from lotus_infra.dbt.sql import KEYWORDS, columns_read, quoted
from tests.dagster.lake import Lake
from tests.support.lakes import Document, clean_files, source, stream, write

TIME = {"type": "string", "format": "date-time"}
TEXT = {"type": "string"}
THINGS = stream(
    stream="things",
    cursor_field=["updatedAt"],
    fields={
        "id": {"type": ["null", "integer"]},
        "updatedAt": TIME,
        "order": TEXT,
        "First Name": TEXT,
        "1st-price": {"type": "number"},
        "größe": {"type": "integer"},
        "isOn": {"type": "boolean"},
        "day": {"type": "string", "format": "date"},
        "clock": {"type": "string", "format": "time", "airbyte_type": "time_without_timezone"},
        "local": {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
        "payload": {"type": "object", "properties": {"colour": TEXT}},
        "lines": {"type": "array", "items": {"sku": TEXT}},
        "anything": {"type": "unknown"},
        "mixed": {"type": ["string", "integer"]},
        "no": {"type": "string", "description": 'What "no": means.'},
    },
)
LINKS = stream(
    stream="links",
    primary_key=[["left"], ["right"]],
    cursor_field=["at"],
    fields={"left": {"type": "integer"}, "right": TEXT, "at": TIME, "weight": {"type": "number"}},
)
LOGS = stream(
    stream="logs", sync_mode="full_refresh", primary_key=[], cursor_field=[], fields={"line": TEXT, "level": TEXT}
)
CHANGES = stream(
    stream="changes",
    cursor_field=["_ab_cdc_lsn"],
    fields={
        "id": {"type": "integer"},
        "_ab_cdc_lsn": {"type": "integer"},
        "_ab_cdc_deleted_at": {"type": "string", "airbyte_type": "timestamp_with_timezone"},
        "amount": {"type": "number"},
    },
)
NESTED = stream(
    stream="nested",
    primary_key=[["data", "id"]],
    cursor_field=["data", "changed on"],
    fields={"data": {"type": "object", "properties": {"id": {"type": "integer"}, "changed on": TIME}}},
)


def thing(number: int, updated: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "updatedAt": updated,
        "order": "first",
        "First_Name": "Ada",
        "_1st_price": 12.5,
        "gro_e": 3,
        "isOn": True,
        "day": "2026-01-05",
        "clock": "10:30:00",
        "local": "2026-01-05T10:30:00",
        "payload": json.dumps({"colour": "red"}),
        "lines": json.dumps([{"sku": "a"}]),
        "anything": "x",
        "mixed": "1",
        "no": "yes",
    } | fields


def link(right: str, day: int, weight: float) -> dict[str, Any]:
    return {"left": 1, "right": right, "at": f"2026-01-0{day}T10:00:00Z", "weight": weight}


def change(number: int, position: int, amount: float | None, deleted: str | None = None) -> dict[str, Any]:
    return {"id": number, "_ab_cdc_lsn": position, "_ab_cdc_deleted_at": deleted, "amount": amount}


def nested(number: int, what: str, day: int) -> dict[str, Any]:
    return {"data": json.dumps({"id": number, "changed_on": f"2026-01-0{day}T10:00:00Z", "what": what})}


TYPES = dict.fromkeys(
    ("order", "First_Name", "payload", "lines", "anything", "mixed", "no", "_airbyte_raw_id", "_airbyte_meta"),
    "VARCHAR",
) | {
    "id": "BIGINT",
    "updatedAt": "TIMESTAMP WITH TIME ZONE",
    "_1st_price": "DOUBLE",
    "gro_e": "BIGINT",
    "isOn": "BOOLEAN",
    "day": "DATE",
    "clock": "TIME",
    "local": "TIMESTAMP",
    "_airbyte_extracted_at": "TIMESTAMP WITH TIME ZONE",
    "_airbyte_generation_id": "BIGINT",
}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A repository whose lake is one new source, and whose dbt project has no models yet."""
    streams: dict[str, Document | str | bytes | None] = {
        f"odd/{document['stream']}.json": document for document in (THINGS, LINKS, LOGS, NESTED, CHANGES)
    }
    files = {name: content for name, content in clean_files().items() if not name.startswith("shop/")}
    write(tmp_path / "streams", {**files, **streams, "odd/_source.json": source(name="Odd & Sons: #1")})
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n")
    project = tmp_path / "dagster" / "dbt"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs", "core", "marts", "sales*"))
    return Lake(tmp_path / "machine", project)


def test_streams_never_seen_before_are_scaffolded_built_and_kept_up_with_no_edit_by_hand(lake: Lake) -> None:
    streams = lake.project.parents[1] / "streams"
    scaffold_model(streams, "odd", "things")
    scaffold_all(streams)
    assert check_lake_files(streams).problems == ()

    lake.land("odd", "things", "2026-01-05", 0, [thing(1, "2026-01-05T10:00:00Z"), thing(2, "2026-01-05T10:00:00Z")])
    lake.land("odd", "links", "2026-01-05", 0, [link("a", 5, 0.5), link("b", 5, 0.5)])
    lake.land("odd", "logs", "2026-01-05", 0, [{"line": "same", "level": "info"}] * 2)
    lake.land("odd", "nested", "2026-01-05", 0, [nested(1, "first", 5), nested(2, "first", 5)])
    lake.dbt("build")
    types = lake.query(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = 'main' and table_name = 'int_odd__things'"
    )
    assert dict(types) == TYPES
    assert lake.query('select "order", First_Name, _1st_price, gro_e, isOn from int_odd__things where id = 1') == [
        ("first", "Ada", 12.5, 3, True)
    ]

    later = [thing(2, "2026-01-04T10:00:00Z", order="late"), thing(1, "2026-01-06T10:00:00Z", order="second")]
    lake.land("odd", "things", "2026-01-06", 0, later)
    lake.land("odd", "links", "2026-01-06", 0, [link("b", 6, 0.75), link("c", 6, 1.0)])
    lake.land("odd", "logs", "2026-01-06", 0, [{"line": "same", "level": "info"}])
    lake.land("odd", "nested", "2026-01-06", 0, [nested(1, "second", 6), nested(2, "late", 4)])
    lake.dbt("build")
    assert lake.query('select id, "order" from int_odd__things order by id') == [(1, "second"), (2, "first")]
    assert lake.query('select "right", weight from int_odd__links order by 1') == [
        ("a", 0.5),
        ("b", 0.75),
        ("c", 1.0),
    ]
    assert lake.query("select count(*) from int_odd__logs") == [(3,)]
    assert lake.query("select data_id, data->>'what' from int_odd__nested order by 1") == [(1, "second"), (2, "first")]


def test_a_row_that_a_database_deleted_leaves_the_scaffolded_model_and_no_late_row_brings_it_back(lake: Lake) -> None:
    scaffold_model(lake.project.parents[1] / "streams", "odd", "changes")
    lake.land("odd", "changes", "2026-01-05", 0, [change(1, 10, 0.5), change(2, 11, 1.5), change(3, 12, 2.5)])
    lake.dbt("build")
    assert lake.query("select id from int_odd__changes order by 1") == [(1,), (2,), (3,)]

    deleted = "2026-01-06T10:00:00Z"
    lake.land("odd", "changes", "2026-01-06", 0, [change(1, 21, None, deleted), change(2, 22, None, deleted)])
    lake.land("odd", "changes", "2026-01-06", 1, [change(2, 30, 9.5)])
    lake.dbt("build")
    lake.land("odd", "changes", "2026-01-07", 0, [change(1, 15, 7.5)])
    lake.dbt("build")

    assert lake.query("select id, amount from int_odd__changes order by 1") == [(2, 9.5), (3, 2.5)]


def test_a_number_is_what_the_file_has_or_the_run_fails_and_says_which(lake: Lake) -> None:
    scaffold_model(lake.project.parents[1] / "streams", "odd", "links")
    numbers = [0.00012345, 52.5200081234, 1.7e18, 0.1, 1e-300, 5e-324, -0.0]
    rows = [link(chr(ord("a") + place), 5, number) for place, number in enumerate(numbers)]
    lake.land("odd", "links", "2026-01-05", 0, rows)
    lake.dbt("run")
    kept = lake.query('select weight from int_odd__links order by "right"')
    assert kept == [(number,) for number in numbers]

    lake.land("odd", "links", "2026-01-06", 0, [link("z", 6, 1.0), link("y", 6, 1.0) | {"left": 1.5}])
    with pytest.raises(AssertionError, match=r"\"left\" is 1\.5, which bigint can"):
        lake.dbt("run")
    assert lake.query('select weight from int_odd__links order by "right"') == kept


def test_a_column_in_another_case_fails_the_run_and_is_named(lake: Lake) -> None:
    scaffold_model(lake.project.parents[1] / "streams", "odd", "logs")
    lake.land("odd", "logs", "2026-01-05", 0, [{"line": "same", "level": "info"}])
    lake.dbt("run")
    lake.land("odd", "logs", "2026-01-06", 0, [{"line": "same", "Level": "info"}])
    with pytest.raises(AssertionError, match=r"\"Level\" of .*day=06/part_0.parquet differs .* by case alone"):
        lake.dbt("run")
    assert lake.query("select line, level from int_odd__logs") == [("same", "info")]


def test_two_rows_of_one_composite_key_fail_the_test_that_was_written(lake: Lake) -> None:
    scaffold_model(lake.project.parents[1] / "streams", "odd", "links")
    lake.land("odd", "links", "2026-01-05", 0, [link("a", 5, 0.5), link("b", 5, 0.5)])
    lake.dbt("run")
    lake.query("insert into int_odd__links select * from int_odd__links limit 1")
    with pytest.raises(AssertionError, match="unique_together_int_odd__links"):
        lake.dbt("test")


def test_a_field_that_is_a_keyword_is_a_column_to_duckdb_and_to_the_contract() -> None:
    with duckdb.connect() as connection:
        known = connection.execute("select keyword_name from duckdb_keywords()").fetchall()
        for word in sorted({*KEYWORDS, *(word for (word,) in known)}):
            name = quoted(word)
            arrived = f"select {name}::varchar as {name}, {name}, 1 as one from arrived"
            found = connection.execute(f"with arrived as (select 'v' as \"{word}\") {arrived}").fetchall()
            assert found == [("v", "v", 1)], word
            assert [column.column for _, column in columns_read(arrived, {"arrived"}).read] == [word]
