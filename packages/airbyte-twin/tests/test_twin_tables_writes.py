"""What syncs leave in Postgres' tables, by modes, generations, schemas and failures."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from airbyte_twin.documents import JsonObject
from airbyte_twin.landing import LandingError, LandingStream
from airbyte_twin.tables import writer as writing
from landing_support import NEW_YEAR, SCHEMA, stream
from tables_support import ORDERS, Warehouse

LATER = (NEW_YEAR + 60) * 1000
DEDUP: dict[str, Any] = {"deduplicated": True, "primary_key": (("id",),), "cursor": ("at",)}
EVENTS: JsonObject = {
    "properties": {
        "id": {"type": "integer"},
        "at": {"type": ["null", "integer"]},
        "name": {"type": "string"},
        "_ab_cdc_deleted_at": {"type": ["null", "string"]},
    }
}


def dedup(**overrides: Any) -> dict[str, Any]:
    return {"json_schema": EVENTS, **DEDUP, **overrides}


def truncating(generation: int, **overrides: Any) -> dict[str, Any]:
    return {"generation_id": generation, "minimum_generation_id": generation, **overrides}


def names(warehouse: Warehouse) -> list[tuple[int, str]]:
    return [(row["id"], row["name"]) for row in warehouse.rows()]


def test_a_row_carries_the_syncs_marks(warehouse: Warehouse) -> None:
    warehouse.sync([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], generation_id=3)
    assert len({UUID(each) for each in warehouse.marks("_airbyte_raw_id")}) == 2
    assert warehouse.marks("_airbyte_extracted_at") == {datetime.fromtimestamp(NEW_YEAR, UTC)}
    assert warehouse.marks("_airbyte_generation_id") == {3}
    assert warehouse.query(f'select distinct "_airbyte_meta"::text from {ORDERS}') == [
        ('{"changes": [], "sync_id": 7}',)
    ]


def test_schema_and_table_are_the_streams_namespace_and_prefixed_name(warehouse: Warehouse) -> None:
    warehouse.sync([{"id": 1}], namespace="My Shop", prefix="eu-", name="Orders")
    warehouse.sync([{"id": 1}], namespace=None)
    assert warehouse.all_tables() == ["My_Shop.eu_Orders", "public.orders"]


def test_an_append_adds_rows_to_those_that_are_there(warehouse: Warehouse) -> None:
    warehouse.sync([{"id": 1, "name": "a"}])
    warehouse.sync([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])
    assert names(warehouse) == [(1, "a"), (1, "a"), (2, "b")]


def test_an_overwrite_replaces_the_table_once_it_is_complete(warehouse: Warehouse) -> None:
    warehouse.sync([{"id": 1, "name": "old"}], **truncating(1))
    with closing(warehouse.tables()) as tables:
        writer = tables.open(stream(**truncating(2)))
        writer.write({"id": 2, "name": "new"}, LATER)
        writer.checkpoint()
        assert names(warehouse) == [(1, "old")]
        writer.close()
    assert names(warehouse) == [(2, "new")]
    assert warehouse.all_tables() == ["shopify.orders"]


def test_an_overwrite_without_rows_leaves_an_empty_table(warehouse: Warehouse) -> None:
    warehouse.sync([{"id": 1}], **truncating(1))
    warehouse.sync([], **truncating(2))
    assert warehouse.rows() == []


def test_a_merging_refresh_keeps_rows_of_older_generations(warehouse: Warehouse) -> None:
    warehouse.sync([{"id": 1, "name": "a"}])
    warehouse.sync([{"id": 1, "name": "a"}], generation_id=2)
    assert warehouse.marks("_airbyte_generation_id") == {1, 2}


def test_one_row_of_each_key_stays_and_the_greatest_cursor_decides(warehouse: Warehouse) -> None:
    warehouse.sync([{"id": 1, "at": 5, "name": "a"}, {"id": 1, "at": 4, "name": "late"}], **dedup())
    warehouse.sync([{"id": 1, "at": 3, "name": "later"}, {"id": 2, "at": 1, "name": "b"}], LATER, **dedup())
    assert names(warehouse) == [(1, "a"), (2, "b")]
    warehouse.sync([{"id": 1, "at": 6, "name": "c"}, {"id": 2, "at": 1, "name": "again"}], LATER + 1, **dedup())
    assert names(warehouse) == [(1, "c"), (2, "again")]
    assert warehouse.all_tables() == ["shopify.orders"]


def test_without_a_cursor_the_latest_extraction_decides_and_of_one_the_last_record(warehouse: Warehouse) -> None:
    warehouse.sync([{"id": 1, "name": "first"}, {"id": 1, "name": "last"}], **dedup(cursor=()))
    assert names(warehouse) == [(1, "last")]
    warehouse.sync([{"id": 1, "name": "later"}], LATER, **dedup(cursor=()))
    warehouse.sync([{"id": 1, "name": "earlier"}], **dedup(cursor=()))
    assert names(warehouse) == [(1, "later")]


def test_a_null_cursor_is_older_than_any_other(warehouse: Warehouse) -> None:
    warehouse.sync([{"id": 1, "at": None, "name": "a"}, {"id": 2, "at": 1, "name": "b"}], **dedup())
    warehouse.sync([{"id": 1, "at": 0, "name": "c"}, {"id": 2, "at": None, "name": "d"}], LATER, **dedup())
    assert names(warehouse) == [(1, "c"), (2, "b")]


def test_a_key_of_two_fields_and_texts_in_it_are_one_identity(warehouse: Warehouse) -> None:
    key: dict[str, Any] = {"primary_key": (("id",), ("name",))}
    warehouse.sync([{"id": 1, "at": 1, "name": "a'b"}, {"id": 1, "at": 1, "name": "c"}], **dedup(**key))
    warehouse.sync([{"id": 1, "at": 2, "name": "a'b"}], LATER, **dedup(**key))
    assert {(row["name"], row["at"]) for row in warehouse.rows()} == {("a'b", 2), ("c", 1)}
    assert len(warehouse.rows()) == 2


def test_a_deleted_row_of_change_data_capture_goes_unless_it_is_older(warehouse: Warehouse) -> None:
    warehouse.sync([{"id": number, "at": 5, "name": "a"} for number in (1, 2)], **dedup())
    gone: list[JsonObject] = [
        {"id": number, "at": at, "_ab_cdc_deleted_at": "2026-01-01"} for number, at in ((1, 6), (2, 4), (3, 1))
    ]
    warehouse.sync(gone, LATER, **dedup())
    assert names(warehouse) == [(2, "a")]


def test_a_deleted_row_stays_with_its_mark_where_deletes_are_soft(warehouse: Warehouse) -> None:
    landed = stream(**dedup())
    with closing(warehouse.tables(landed, cdc_deletion_mode="Soft delete")) as tables:
        writer = tables.open(landed)
        writer.write({"id": 1, "at": 1, "_ab_cdc_deleted_at": "2026-01-01"}, LATER)
        writer.close()
    assert [row["_ab_cdc_deleted_at"] for row in warehouse.rows()] == ["2026-01-01"]


def test_a_truncating_deduplicated_sync_replaces_all_rows_by_the_latest_of_each_key(warehouse: Warehouse) -> None:
    warehouse.sync([{"id": 1, "at": 9, "name": "old"}, {"id": 2, "at": 9, "name": "gone"}], **dedup(**truncating(1)))
    again: list[JsonObject] = [{"id": 1, "at": 1, "name": "a"}, {"id": 1, "at": 2, "name": "b"}]
    warehouse.sync(again, LATER, **dedup(**truncating(2)))
    assert names(warehouse) == [(1, "b")]
    assert warehouse.all_tables() == ["shopify.orders"]


@pytest.mark.parametrize("mode", [{}, {"json_schema": EVENTS, **DEDUP}], ids=["append", "dedup"])
def test_a_clear_empties_the_table_and_no_other(warehouse: Warehouse, mode: dict[str, Any]) -> None:
    for name in ("orders", "orders_2"):
        warehouse.sync([{"id": 1, "at": 1, "name": "a"}], name=name, **mode)
    cleared = stream(**truncating(2), **mode)
    with closing(warehouse.tables(cleared)) as tables:
        tables.clear(cleared)
    assert warehouse.rows() == []
    assert len(warehouse.rows('"shopify"."orders_2"')) == 1
    warehouse.sync([{"id": 2, "at": 1, "name": "b"}], LATER, generation_id=2, **mode)
    assert names(warehouse) == [(2, "b")]


@pytest.mark.parametrize("mode", [{}, DEDUP], ids=["append", "dedup"])
def test_columns_follow_the_selected_fields(warehouse: Warehouse, mode: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"id": {"type": "integer"}, "at": {"type": "integer"}, "gone": {"type": "string"}}
    warehouse.sync([{"id": 1, "at": 12, "gone": "x"}], json_schema={"properties": fields}, **mode)
    changed = {"id": {"type": "integer"}, "at": {"type": "string"}, "new": {"type": "object"}}
    warehouse.sync([{"id": 2, "at": "x", "new": {}}], json_schema={"properties": changed}, **mode)
    assert warehouse.rows() == [{"id": 1, "at": "12", "new": None}, {"id": 2, "at": "x", "new": {}}]


def test_texts_become_json_and_json_becomes_text_with_their_values(warehouse: Warehouse) -> None:
    for type_, kept in (("string", "a"), (["string", "integer"], "a"), ("string", "a")):
        warehouse.sync([{"x": "a"}] if type_ == "string" else [], json_schema={"properties": {"x": {"type": type_}}})
        assert {row["x"] for row in warehouse.rows()} == {kept}


def test_a_type_that_values_do_not_fit_fails_with_what_the_server_says(warehouse: Warehouse) -> None:
    warehouse.sync([{"id": 1, "name": "a"}])
    numbers: JsonObject = {"properties": {"id": {"type": "integer"}, "name": {"type": "integer"}}}
    with pytest.raises(LandingError, match='invalid input syntax for type bigint: "a"'):
        warehouse.opened(stream(json_schema=numbers))
    assert names(warehouse) == [(1, "a")]


def test_rows_since_the_last_checkpoint_go_with_an_abort_and_others_stay(warehouse: Warehouse) -> None:
    writer = warehouse.opened(stream())
    writer.write({"id": 1, "name": "a"}, LATER)
    writer.checkpoint()
    writer.checkpoint()
    writer.write({"id": 2, "name": "b"}, LATER)
    writer.abort()
    assert names(warehouse) == [(1, "a")]
    assert (writer.rows, writer.bytes) == (2, len('{"id":1,"name":"a"}') * 2)


def test_many_rows_are_written_before_a_checkpoint_so_that_memory_stays_small(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LARGEST_BUFFER", 1100)
    writer = warehouse.opened(stream())
    for number in range(100):
        writer.write({"id": number, "name": "a"}, LATER)
    assert 90 < len(warehouse.rows()) < 100
    writer.close()
    assert [row["id"] for row in warehouse.rows()] == list(range(100))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (dedup(), dedup()),
        (dedup(), {"json_schema": EVENTS}),
        (dedup(**truncating(2)), dedup(**truncating(2))),
        (truncating(2, json_schema=EVENTS), truncating(2, json_schema=EVENTS)),
    ],
    ids=["dedup", "then append", "dedup again", "overwrite"],
)
def test_what_a_killed_sync_collected_is_seen_once_the_next_one_succeeds(
    warehouse: Warehouse, first: dict[str, Any], second: dict[str, Any]
) -> None:
    warehouse.sync([{"id": 9, "at": 1, "name": "earlier"}], json_schema=EVENTS)
    killed = warehouse.opened(stream(**first))
    killed.write({"id": 1, "at": 1, "name": "a"}, LATER)
    killed.checkpoint()
    killed.write({"id": 2, "at": 1, "name": "lost"}, LATER)
    assert names(warehouse) == [(9, "earlier")]
    warehouse.sync([{"id": 3, "at": 1, "name": "c"}], LATER, **second)
    kept = [] if second.get("minimum_generation_id") else [(9, "earlier")]
    assert names(warehouse) == [(1, "a"), (3, "c"), *kept]
    assert warehouse.all_tables() == ["shopify.orders"]


@pytest.mark.parametrize("mode", [{}, DEDUP], ids=["overwrite", "dedup"])
def test_what_a_killed_sync_collected_goes_if_the_next_one_reads_all_again(
    warehouse: Warehouse, mode: dict[str, Any]
) -> None:
    warehouse.sync([{"id": 9, "at": 1, "name": "earlier"}], json_schema=EVENTS)
    killed = warehouse.opened(stream(json_schema=EVENTS, **truncating(2), **mode))
    killed.write({"id": 1, "at": 1, "name": "a"}, LATER)
    killed.checkpoint()
    warehouse.sync([{"id": 3, "at": 1, "name": "c"}], LATER, json_schema=EVENTS, **truncating(3), **mode)
    assert names(warehouse) == [(3, "c")]


def test_a_sync_of_the_same_rows_again_doubles_nothing_where_one_row_of_each_key_stays(warehouse: Warehouse) -> None:
    rows: list[JsonObject] = [{"id": number, "at": number, "name": "a"} for number in range(20)]
    for at in (LATER, LATER, LATER + 1):
        warehouse.sync(rows, at, **dedup())
    assert len(warehouse.rows()) == 20


def test_a_view_on_a_table_stops_its_replacement_unless_it_may_go_too(warehouse: Warehouse) -> None:
    warehouse.sync([{"id": 1, "name": "a"}], **truncating(1))
    warehouse.execute(f"create view of_orders as select * from {ORDERS}")
    writer = warehouse.opened(stream(**truncating(2)))
    writer.write({"id": 2, "name": "b"}, LATER)
    with pytest.raises(LandingError, match=r"view of_orders depends on table shopify\.orders"):
        writer.close()
    assert names(warehouse) == [(1, "a")]
    cascading = warehouse.opened(stream(**truncating(2)), drop_cascade=True)
    cascading.close()
    assert names(warehouse) == [(2, "b")]
    assert warehouse.query("select count(*) from pg_views where viewname = 'of_orders'") == [(0,)]


def test_a_table_that_airbyte_did_not_create_is_refused_and_left_alone(warehouse: Warehouse) -> None:
    warehouse.execute(f"create schema shopify; create table {ORDERS} (id bigint)")
    with pytest.raises(LandingError, match=r"shopify\.orders exists and lacks Airbyte's own columns: delete it"):
        warehouse.opened(stream())
    assert warehouse.types() == {"id": "bigint"}


def test_two_streams_of_one_name_have_a_table_each(warehouse: Warehouse) -> None:
    streams = [stream(name="a b"), stream(name="a-b")]
    with closing(warehouse.tables(*streams)) as tables:
        for number, each in enumerate(streams):
            writer = tables.open(each)
            writer.write({"id": number}, LATER)
            writer.close()
    first, second = warehouse.all_tables()
    assert (first, second.startswith("shopify.a_b_")) == ("shopify.a_b", True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"primary_key": ()}, "'orders' has no primary key"),
        ({"primary_key": (("missing",),)}, "no column for 'missing' of the stream 'orders'"),
        ({"cursor": ("name", "last")}, "no column for 'name.last'"),
    ],
)
def test_a_stream_that_can_not_be_deduplicated_is_refused(
    warehouse: Warehouse, changes: dict[str, Any], said: str
) -> None:
    landed: LandingStream = stream(**{"json_schema": SCHEMA, **DEDUP, "cursor": (), **changes})
    with pytest.raises(LandingError, match=said):
        warehouse.opened(landed)


def test_several_syncs_at_once_may_create_one_schema(warehouse: Warehouse) -> None:
    landed = [stream(namespace=f"shop_{shop}", name=f"orders_{number}") for shop in range(12) for number in range(8)]

    def begin(one: LandingStream) -> None:
        with closing(warehouse.tables(one)) as tables:
            tables.open(one).close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(begin, landed))
    assert len(warehouse.all_tables()) == len(landed)
