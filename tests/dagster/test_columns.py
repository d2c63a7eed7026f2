"""Columns as models see them: text, and JSON for what is nested, whatever the files hold and however they disagree."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dagster.lake import Lake, order

SCALARS = [
    ("9223372036854775807", "9223372036854775807"),
    ("12345678901234567890123456789012345678::decimal(38, 0)", "12345678901234567890123456789012345678"),
    ("12345678901234567890.1230::decimal(38, 4)", "12345678901234567890.1230"),
    ("0.1::double", "0.1"),
    ("true", "true"),
    ("date '2026-01-05'", "2026-01-05"),
    ("timestamptz '2026-01-05 10:00:00.123456+02'", "2026-01-05 08:00:00.123456+00"),
    ("timestamp_ms '2026-01-05 10:00:00.123'", "2026-01-05 10:00:00.123"),
    ("""'{"a": [1, 2.50]}'""", '{"a": [1, 2.50]}'),
    ("""'say "hi"'""", 'say "hi"'),
    ("'null'", "null"),
    ("''", ""),
    ("null::varchar", None),
    ("null::bigint", None),
]
NESTED: list[tuple[str, Any]] = [
    ("{'a': 1}", {"a": 1}),
    ("{'a': 1, 'gained': 9223372036854775807}", {"a": 1, "gained": 9223372036854775807}),
    ("{'a': 'now a text'}", {"a": "now a text"}),
    ("{'a': {'b': {'c': [{'d': [[1, 2], []]}]}}}", {"a": {"b": {"c": [{"d": [[1, 2], []]}]}}}),
    (
        "{'at': timestamptz '2026-01-05 10:00:00+02', 'amount': 2.5::double}",
        {"at": "2026-01-05 08:00:00+00", "amount": 2.5},
    ),
    ("{'say': '\"hi\"', 'nothing': null::varchar}", {"say": '"hi"', "nothing": None}),
    ("[1, null, 2]", [1, None, 2]),
    ("[{'a': 1}]", [{"a": 1}]),
    ("""'{"a": 1, "undeclared": [1]}'""", {"a": 1, "undeclared": [1]}),
    ("null::struct(a integer)", None),
    ("null::varchar", None),
]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def land_events(lake: Lake, column: str, values: list[str]) -> None:
    """One file for each value, all in one partition."""
    folder = lake.landing / "raw/klaviyo/events/year=2026/month=01/day=05"
    folder.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for place, value in enumerate(values):
            connection.execute(
                f"copy (select '{place:02}' as id, {value} as {column}, timestamptz '2026-01-05 10:00:00Z' as datetime,"
                " 'x' as _airbyte_raw_id, timestamptz '2026-01-05 12:00:00Z' as _airbyte_extracted_at,"
                " {'sync_id': 1, 'changes': []} as _airbyte_meta, 0::bigint as _airbyte_generation_id)"
                f" to '{folder}/part_{place}.parquet' (format parquet)"
            )


def events_of(lake: Lake, column: str) -> list[str | None]:
    return [value for (value,) in lake.query(f"select {column} from int_klaviyo__events order by id")]


def test_scalars_become_text_without_loss_though_every_file_has_another_type(lake: Lake) -> None:
    land_events(lake, "type", [value for value, _ in SCALARS])
    lake.dbt("run", "--select", "tag:klaviyo__events")
    assert events_of(lake, "type") == [text for _, text in SCALARS]


def test_what_is_nested_becomes_json_though_every_file_has_another_shape(lake: Lake) -> None:
    land_events(lake, "attributes", [value for value, _ in NESTED])
    lake.dbt("run", "--select", "tag:klaviyo__events")
    told = [json.loads(text) if text is not None else None for text in events_of(lake, "attributes")]
    assert told == [document for _, document in NESTED]


def test_what_is_not_declared_inside_of_a_struct_reads_as_it_does_inside_of_text(lake: Lake) -> None:
    properties = '{"sku": "a", "n": [1]}'
    land_events(
        lake, "attributes", [f"{{'event_properties': '{properties}'}}", f"""'{{"event_properties": {properties}}}'"""]
    )
    lake.dbt("run", "--select", "tag:klaviyo__events")
    asked = lake.query(
        "select json_extract_string(attributes, '$.event_properties')::json->>'n' from int_klaviyo__events"
    )
    assert asked == [("[1]",), ("[1]",)]


@pytest.mark.parametrize("as_text", [False, True])
def test_models_read_objects_however_they_are_written(lake: Lake, *, as_text: bool) -> None:
    lake.land("shopify", "orders", "2026-01-05", 0, [order(1, "2026-01-05T10:00:00Z")], as_text=as_text)
    lake.dbt("run", "--select", "tag:shopify__orders")
    lake.land("shopify", "orders", "2026-01-05", 1, [order(2, "2026-01-05T10:00:00Z")], as_text=not as_text)
    lake.land("shopify", "orders", "2026-01-05", 2, [order(3, "2026-01-05T10:00:00Z")], as_text=as_text)
    lake.dbt("run", "--select", "tag:shopify__orders")
    told = "select id, customer_id, shipping_amount::double, currency from int_shopify__orders order by id"
    assert lake.query(told) == [(number, 7, 5.0, "EUR") for number in (1, 2, 3)]


TIMES = [
    ("2026-01-05T23:30Z", "2026-01-05 23:30:00+00"),
    ("2026-01-05T23:30+02:00", "2026-01-05 21:30:00+00"),
    ("2026-01-05 23:30", "2026-01-05 23:30:00+00"),
    ("2026-01-05T23:30-0500", "2026-01-06 04:30:00+00"),
    ("2026-01-05T23:30:01.5+0200", "2026-01-05 21:30:01.5+00"),
    ("2026-01-05T23:30:01Z", "2026-01-05 23:30:01+00"),
    ("2026-01-05", "2026-01-05 00:00:00+00"),
    ("", None),
]


def test_times_are_read_however_iso_8601_writes_them(lake: Lake) -> None:
    rows = [order(number, "2026-01-05T10:00:00Z") for number in range(len(TIMES))]
    file = lake.land("shopify", "orders", "2026-01-05", 0, rows)
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace ({[text for text, _ in TIMES]}[id + 1] as cancelled_at)"
            f" from read_parquet('{file}', hive_partitioning = false)) to '{file}.new' (format parquet)"
        )
    file.with_name(f"{file.name}.new").replace(file)
    lake.dbt("run", "--select", "tag:shopify__orders")
    told = lake.query("select cancelled_at::varchar from int_shopify__orders order by id")
    assert told == [(moment,) for _, moment in TIMES]


def test_an_empty_text_is_no_number(lake: Lake) -> None:
    lake.land("shopify", "orders", "2026-01-05", 0, [order(1, "2026-01-05T10:00:00Z", total_tax="", test="")])
    lake.dbt("run", "--select", "tag:shopify__orders")
    assert lake.query("select total_tax, test from int_shopify__orders") == [(None, None)]


def test_a_column_in_another_case_is_an_error_that_names_it_and_its_file(lake: Lake) -> None:
    row = order(1, "2026-01-05T10:00:00Z")
    lake.land("shopify", "orders", "2026-01-05", 7, [{"ID": row.pop("id"), **row}])
    with pytest.raises(AssertionError, match=r'the column "ID" of .*part_7[.]parquet differs .* by case alone'):
        lake.dbt("run", "--select", "tag:shopify__orders")
