"""What becomes of a record's values in the columns of the lake's files."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from lotus_dagster.ingestion.rows import RecordError, Rows
from lotus_dagster.lake import Ingestion

from lotus_infra.lake.models import Field, Schedule

MOMENT = Field("string", format="date-time")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def rows(fields: dict[str, Field], *records: object, **changes: Any) -> list[dict[str, object]]:
    settings: dict[str, Any] = {
        "module": "erp",
        "resource": "orders",
        "is_incremental": True,
        "overwrites": False,
        "cursor": (),
        "key": (),
        "fields": fields,
        "takes_all": False,
        "backfill": False,
        "schedule": Schedule(type="manual"),
        "is_paused": False,
        "resources": None,
    }
    made = Rows(Ingestion(**settings | changes), "erp/orders", 3)
    return [row for record in records for row in made.of(record)]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        (Field("string"), "Grüße", "Grüße"),
        (Field("string"), 12, "12"),
        (Field("string"), True, "true"),
        (Field("string"), {"a": "ü"}, '{"a":"ü"}'),
        (Field("string"), NOON, "2026-01-05T12:00:00+00:00"),
        (Field(("string", "null")), "x", "x"),
        (Field("integer"), 2**63 - 1, 2**63 - 1),
        (Field("integer"), " 7", 7),
        (Field("integer"), 7.0, 7),
        (Field("integer"), Decimal(7), 7),
        (Field("number"), "1e3", 1000.0),
        (Field("number"), Decimal("1.5"), 1.5),
        (Field("boolean"), "TRUE", True),
        (MOMENT, "2026-01-05T12:00:00Z", NOON),
        (MOMENT, "2026-01-05 12:00:00", NOON),
        (MOMENT, "2026-01-05T14:00:00+02:00", NOON),
        (MOMENT, datetime(2026, 1, 5, 14, tzinfo=timezone(timedelta(hours=2))), NOON),
        (Field("string", airbyte_type="timestamp_without_timezone"), "2026-01-05T12:00:00", NOON),
        (Field("string", format="date"), "2026-01-05", date(2026, 1, 5)),
        (Field("string", format="date"), NOON, date(2026, 1, 5)),
        (Field("object"), {"a": {"b": None}}, '{"a":{"b":null}}'),
        (Field("object", properties={"odd name": Field("string")}), {"odd name": 1, "other name": 2}, None),
        (Field("array"), (1, Decimal("1.5")), '[1,"1.5"]'),
        (Field("unknown"), "x", '"x"'),
        (Field(("string", "integer")), 5, "5"),
    ],
)
def test_a_value_that_fits_is_one_of_its_field_s_type(field: Field, value: object, expected: object) -> None:
    [row] = rows({"it": field}, {"it": value})
    if expected is None:
        expected = '{"odd_name":1,"other name":2}'
    assert (row["it"], type(row["it"])) == (expected, type(expected))
    assert row["_airbyte_meta"] == '{"changes": []}'


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (Field("integer"), "seven"),
        (Field("integer"), 7.5),
        (Field("integer"), True),
        (Field("integer"), 2**63),
        (Field("integer"), float("inf")),
        (Field("integer"), float("nan")),
        (Field("number"), "1,5"),
        (Field("number"), float("nan")),
        (Field("number"), True),
        (Field("number"), "9" * 400),
        (Field("boolean"), 1),
        (MOMENT, "yesterday"),
        (MOMENT, 1767614400),
        (MOMENT, "0001-01-01T00:00:00+14:00"),
        (Field("string", format="date"), "2026-02-30"),
        (Field("object"), "text"),
        (Field("array"), {"a": 1}),
    ],
)
def test_a_value_that_does_not_fit_is_null_and_named(field: Field, value: object) -> None:
    [row] = rows({"odd name": field}, {"odd name": value})
    assert row["odd_name"] is None
    reason = "DESTINATION_SERIALIZATION_ERROR"
    assert json.loads(str(row["_airbyte_meta"]))["changes"] == [
        {"field": "odd name", "change": "NULLED", "reason": reason}
    ]
    kind = type(value).__name__
    with pytest.raises(RecordError, match=f'erp/orders: "odd name" is a {kind} that is no '):
        rows({"odd name": field}, {"odd name": value}, key=(("odd name",),))
    with pytest.raises(RecordError):
        rows({"odd name": field}, {"odd name": value}, cursor=("odd name",))


def test_tables_are_records_too_and_other_things_are_refused() -> None:
    fields = {"id": Field("integer")}
    assert [row["id"] for row in rows(fields, pa.table({"id": [1, 2], "other": [3, 4]}))] == [1, 2]
    with pytest.raises(RecordError, match="yields a str, which is no record"):
        rows(fields, "text")


def test_each_row_has_its_own_id_its_time_and_its_generation() -> None:
    made = rows({"id": Field("integer")}, *({"id": number} for number in range(3)))
    assert len({row["_airbyte_raw_id"] for row in made}) == 3
    assert [row["_airbyte_generation_id"] for row in made] == [3, 3, 3]
    assert list(made[0]) == [
        "id",
        "_airbyte_raw_id",
        "_airbyte_extracted_at",
        "_airbyte_generation_id",
        "_airbyte_meta",
    ]


def test_two_fields_of_one_column_keep_the_first_value_and_name_the_other() -> None:
    [row] = rows({}, {"Order ID": 1, "Order_ID": 2, "order id": None}, takes_all=True)
    assert row["Order_ID"] == "1"
    changes = json.loads(str(row["_airbyte_meta"]))["changes"]
    assert [(each["field"], each["change"]) for each in changes] == [("Order_ID", "NULLED")]


@pytest.mark.parametrize("value", [float("nan"), b"x", {"a": float("inf")}])
def test_a_value_that_has_no_text_is_null_and_named(value: object) -> None:
    [row] = rows({"name": Field("string")}, {"name": value})
    assert row["name"] is None
    assert [each["field"] for each in json.loads(str(row["_airbyte_meta"]))["changes"]] == ["name"]


def test_a_missing_value_of_a_data_frame_is_null() -> None:
    class Frame:
        """As pandas has it."""

        def to_dict(self, orient: str) -> list[dict[str, object]]:
            assert orient == "records"
            return [{"name": float("nan"), "note": None, "other": "x"}]

    [row] = rows({name: Field("string") for name in ("name", "note", "other")}, Frame())
    assert (row["name"], row["note"], row["other"]) == (None, None, "x")
    assert json.loads(str(row["_airbyte_meta"])) == {"changes": []}


def test_a_day_in_a_column_of_moments_is_its_midnight() -> None:
    [row] = rows({"at": MOMENT}, {"at": date(2026, 1, 5)})
    assert row["at"] == datetime(2026, 1, 5, tzinfo=UTC)
