"""What a scaffold has for a stream: types, keys, names; and which streams are refused."""

from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra.dbt.scaffold import model_entry, model_sql, refuse_unusable, scalar
from lotus_infra.dbt.sql import identity, quoted, sql_type
from lotus_infra.errors import ProjectError
from lotus_infra.lake.discovered import Discovered
from lotus_infra.lake.lake import StreamFile
from lotus_infra.lake.models import Field, StreamConfig
from tests.support.lakes import discovered, stream

TEXT = {"type": "string"}


def stream_file(**overrides: object) -> StreamFile:
    """The clean stream of the source `shop` after a change."""
    return StreamFile(
        "shop/orders.json", "shop", "orders", StreamConfig.model_validate(stream(**overrides), strict=False)
    )


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        (Field("integer"), "bigint"),
        (Field(("null", "integer")), "bigint"),
        (Field("number"), "double"),
        (Field(("number", "integer")), "double"),
        (Field("number", airbyte_type="integer"), "bigint"),
        (Field("boolean"), "boolean"),
        (Field("string"), "varchar"),
        (Field("string", format="email"), "varchar"),
        (Field("string", format="date"), "date"),
        (Field("string", format="date-time"), "timestamptz"),
        (Field("string", format="date-time", airbyte_type="timestamp_with_timezone"), "timestamptz"),
        (Field("string", format="date-time", airbyte_type="timestamp_without_timezone"), "timestamp"),
        (Field("string", format="time"), "varchar"),
        (Field("string", airbyte_type="time_without_timezone"), "time"),
        (Field("string", airbyte_type="big_number"), "varchar"),
        (Field(("string", "integer")), "varchar"),
        (Field("object"), "varchar"),
        (Field("array"), "varchar"),
        (Field("unknown"), "varchar"),
        (Field("null"), "varchar"),
    ],
)
def test_a_field_has_the_type_that_keeps_all_it_says(field: Field, kind: str) -> None:
    assert sql_type(field) == kind


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("id", "id"),
        ("updatedAt", "updatedAt"),
        ("_x1", "_x1"),
        ("order", '"order"'),
        ("Order", '"Order"'),
        ("first name", '"first name"'),
        ("1st", '"1st"'),
        ("größe", '"größe"'),
        ('say "x"', '"say ""x"""'),
    ],
)
def test_a_name_is_quoted_where_sql_wants_it(name: str, written: str) -> None:
    assert quoted(name) == written


def test_a_stream_without_a_key_keeps_every_row_and_one_without_a_cursor_goes_by_extraction() -> None:
    sql = model_sql(stream_file(sync_mode="full_refresh", primary_key=[], cursor_field=[]))

    assert sql.startswith("{{ config(unique_key='_airbyte_raw_id', tags=['shop__orders']) }}\n")
    assert sql.endswith("{{ latest('arrived', key='_airbyte_raw_id', cursor='_airbyte_extracted_at') }}\n")


@pytest.mark.parametrize(
    ("fields", "offered", "written"),
    [
        ({"_ab_cdc_deleted_at": TEXT}, None, "cursor='updated_at', deleted='_ab_cdc_deleted_at') }}"),
        ({"_ab_cdc_deleted_at": TEXT}, (), "cursor='updated_at', deleted='_ab_cdc_deleted_at') }}"),
        (
            {"deleted_at": TEXT},
            ("deleted_message", "deleted_description"),
            "cursor='updated_at', deleted='deleted_at') }}",
        ),
        ({}, ("_ab_cdc_deleted_at",), "cursor='updated_at') }}"),
        ({"deleted_at": TEXT}, (), "cursor='updated_at') }}"),
        ({"deleted_at": TEXT}, None, "cursor='updated_at') }}"),
    ],
)
def test_deletions_that_a_source_is_known_to_report_are_told_to_latest(
    fields: dict[str, object], offered: tuple[str, ...] | None, written: str
) -> None:
    clean = {"id": TEXT, "updated_at": TEXT} | fields
    file = stream_file(fields=clean)
    if offered is not None:
        suggests = discovered(fields=clean | dict.fromkeys(offered, TEXT))
        file = replace(file, discovered=Discovered.model_validate(suggests, strict=False))

    assert model_sql(file).endswith(f"{{{{ latest('arrived', key='id', {written}\n")


def test_a_number_is_read_by_the_macro_that_rounds_nothing_wherever_it_is() -> None:
    number, whole = {"type": "number"}, {"type": "integer"}
    file = stream_file(
        primary_key=[["data", "id"]],
        fields={
            "data": {"type": "object", "properties": {"id": whole}},
            "updated_at": TEXT,
            "Order": number,
            "rate": number,
        },
    )
    sql = model_sql(file)

    assert """{{ exact('"Order"', 'double') }} as "Order",""" in sql
    assert "{{ exact('rate', 'double') }} as rate," in sql
    assert r"{{ exact('json_extract_string(data, \'$.id\')', 'bigint') }} as data_id," in sql


def test_a_key_of_several_fields_is_a_list_and_tested_together() -> None:
    file = stream_file(primary_key=[["id"], ["order"]], fields={"id": TEXT, "order": TEXT, "updated_at": TEXT})
    entry = yaml.safe_load(model_entry(file, "Shop"))

    assert "key=['id', '\"order\"']" in model_sql(file)
    assert entry["data_tests"] == [{"unique_together": {"arguments": {"columns": ["id", '"order"']}}}]
    assert [(column["name"], column["data_tests"]) for column in entry["columns"]] == [
        ("id", ["not_null"]),
        ("order", ["not_null"]),
        ("updated_at", ["not_null"]),
    ]
    assert entry["columns"][1]["quote"] is True


def test_what_the_source_says_of_a_field_is_its_description() -> None:
    fields = {"id": TEXT, "updated_at": TEXT, "note": TEXT | {"description": "What:\n  people  #say."}}
    braces = {"odd": TEXT | {"description": "{{ not for dbt }}"}}
    columns = yaml.safe_load(model_entry(stream_file(fields=fields | braces), "Shop"))["columns"]

    assert columns[2:] == [
        {"name": "note", "description": "What: people #say."},
        {"name": "odd", "description": "{{ '{' }}{ not for dbt }}"},
    ]


def test_a_key_and_a_cursor_that_the_file_leaves_out_are_those_of_the_source() -> None:
    suggests = discovered(
        source_defined_primary_key=[["email"]], defaults={"primary_key": [], "cursor_field": ["updated_at"]}
    )
    file = stream_file(primary_key=[], cursor_field=[])
    found = StreamFile(
        file.file, file.source, file.name, file.config, Discovered.model_validate(suggests, strict=False)
    )

    assert (identity(found).key_columns, identity(found).cursor_column) == (("email",), "updated_at")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"selected": False}, 'is not selected: write "selected": true'),
        ({"fields": {}}, "selects no field"),
        ({"primary_key": [["uid"]]}, "does not select uid, its key or cursor"),
        ({"cursor_field": ["changed"]}, "does not select changed, its key or cursor"),
        ({"cursor_field": ["id", "it's"]}, r'names that dbt can\'t read: "it\'s"'),
        ({"primary_key": [["id", "{{ x }}"], ["id", ""], ["id", "a\nb"]]}, r'"", "a\\nb", "\{\{ x \}\}"'),
        (
            {"fields": {"id": TEXT, "updated_at": TEXT, "a b": TEXT, "a-b": TEXT}},
            "two fields that become one column, a_b",
        ),
        ({"fields": {"id": TEXT, "updated_at": TEXT, "ID": TEXT}}, "two columns that DuckDB takes for one, id and ID"),
        ({"fields": {"id": TEXT, "updated_at": TEXT, "_airbyte_raw_id": TEXT}}, "become one column"),
        (
            {"primary_key": [["data", "id"]], "fields": {"data": TEXT, "data_id": TEXT, "updated_at": TEXT}},
            "become one column, data_id",
        ),
    ],
)
def test_a_stream_that_makes_no_model_is_refused_with_what_to_do(change: dict[str, object], message: str) -> None:
    with pytest.raises(ProjectError, match=message) as error:
        refuse_unusable(stream_file(**change))

    assert error.value.hint


@given(st.text(min_size=1))
def test_a_text_is_written_so_that_yaml_reads_it_back(text: str) -> None:
    if text.isprintable():
        assert yaml.safe_load(f"- name: {scalar(text)}") == [{"name": text}]
        assert yaml.safe_load(f"[{scalar(quoted(text))}, x]") == [quoted(text), "x"]
