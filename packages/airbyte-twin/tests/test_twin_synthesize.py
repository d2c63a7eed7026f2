"""Sources that are synthesized: plausible, consistent with each other and with themselves over time."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from airbyte_twin.records import DiscoveredStream, Outside
from airbyte_twin.registry import shipped_connectors
from airbyte_twin.sync.protocol.messages import RecordMessage, StateMessage, StreamStatusMessage
from airbyte_twin.sync.synthesize.conventions import RARE_STREAMS
from airbyte_twin.sync.synthesize.history import Change, History
from airbyte_twin.sync.synthesize.keys import Siblings, singular
from airbyte_twin.sync.synthesize.pseudorandom import seed_of
from airbyte_twin.sync.synthesize.source import SyntheticSource
from airbyte_twin.sync.synthesize.times import milliseconds, timestamp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker
from sync_support import NEW_YEAR, outside, sync_stream

CATALOGS = {each.type: each.streams for each in shipped_connectors() if each.streams}
STREAMS = {(kind, stream.name): stream for kind, streams in CATALOGS.items() for stream in streams}
UNTIL_ONE = (NEW_YEAR + 3600) * 1000


def source(kind: str, history: Outside, seed: int = 0) -> SyntheticSource:
    return SyntheticSource(seed_of(seed, kind), tuple(each.name for each in CATALOGS[kind]), history)


def read(kind: str, name: str, history: Outside, state: Any = None, **selected: Any) -> list[Any]:
    stream = sync_stream(STREAMS[kind, name], **selected)
    return list(source(kind, history).read([stream], {stream.key: state} if state else {}))


def rows(messages: list[Any]) -> list[dict[str, Any]]:
    return [message.data for message in messages if isinstance(message, RecordMessage)]


def last_state(messages: list[Any]) -> Any:
    return [message for message in messages if isinstance(message, StateMessage)][-1].streams[0].blob


@pytest.mark.parametrize(("kind", "name"), list(STREAMS))
def test_every_record_of_every_shipped_stream_is_one_of_its_schema_with_a_key_of_its_own(kind: str, name: str) -> None:
    stream = STREAMS[kind, name]
    made = rows(read(kind, name, outside(20, 10)))
    check = Draft7Validator(stream.json_schema, format_checker=FormatChecker())
    assert [error.message for record in made for error in check.iter_errors(record)] == []
    (path,) = stream.source_defined_primary_key
    assert len({record[path[0]] for record in made}) == len(made) > (0 if RARE_STREAMS.search(name) else 20)


def test_the_same_seed_makes_the_same_records_and_another_others() -> None:
    stream = sync_stream(STREAMS["shopify", "orders"])
    first, again, other = (rows(list(source("shopify", outside(30), seed).read([stream], {}))) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_field_does_not_depend_on_which_others_are_selected() -> None:
    whole = rows(read("shopify", "orders", outside(10)))
    some = rows(read("shopify", "orders", outside(10), selected_fields=("customer", "total_price")))
    assert some == [{key: record[key] for key in ("id", "updated_at", "customer", "total_price")} for record in whole]


def test_references_meet_rows_of_their_sibling() -> None:
    history = outside(200, 20)
    customers, orders, refunds = (
        {record["id"]: record for record in rows(read("shopify", name, history))}
        for name in ("customers", "orders", "order_refunds")
    )
    assert {order["customer"]["id"] for order in orders.values()} <= customers.keys()
    assert {refund["order_id"] for refund in refunds.values()} <= orders.keys()
    assert all(customers[each["customer"]["id"]]["email"] == each["customer"]["email"] for each in orders.values())
    for refund in refunds.values():
        assert {each["order_id"] for each in refund["transactions"]} == {refund["order_id"]}
        assert {each["refund_id"] for each in refund["order_adjustments"]} == {refund["id"]}
    events = rows(read("klaviyo", "events", history))
    metrics = {record["id"] for record in rows(read("klaviyo", "metrics", history))}
    profiles = {record["id"] for record in rows(read("klaviyo", "profiles", history))}
    assert {event["relationships"]["metric"]["data"]["id"] for event in events} <= metrics
    assert {event["relationships"]["profile"]["data"]["id"] for event in events} <= profiles
    assert {event["relationships"]["profile"]["data"]["type"] for event in events} == {"profile"}


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**64), epochs=st.lists(st.integers(1, 60), max_size=3))
def test_a_share_of_orders_is_refunded_few_of_them_twice_and_none_beyond_its_worth(
    seed: int, epochs: list[int]
) -> None:
    made = source("shopify", outside(200, *epochs), seed)
    amounts = ("total_line_items_price", "total_discounts", "total_tax")
    wanted = {"orders": amounts, "order_refunds": ("order_id", "refund_line_items")}
    orders, refunds = (
        rows(list(made.read([sync_stream(STREAMS["shopify", name], selected_fields=fields)], {})))
        for name, fields in wanted.items()
    )
    by_order = Counter(refund["order_id"] for refund in refunds)
    assert set(by_order) <= {order["id"] for order in orders}
    assert 0.03 * len(orders) < len(by_order) < 0.3 * len(orders)
    assert max(by_order.values()) <= 2
    for order in orders:
        lines = [
            line for refund in refunds if refund["order_id"] == order["id"] for line in refund["refund_line_items"]
        ]
        assert order["total_line_items_price"] - order["total_discounts"] > sum(line["subtotal"] for line in lines)
        assert order["total_tax"] > sum(line["total_tax"] for line in lines)


def test_what_refers_to_a_rare_row_refers_to_one_that_there_is() -> None:
    refunds = {refund["id"] for refund in rows(read("shopify", "order_refunds", outside(200)))}
    orders = rows(read("shopify", "orders", outside(200), selected_fields=("refunds",)))
    named = {each["id"] for order in orders for each in order["refunds"]}
    assert set() < named <= refunds


def test_money_is_the_same_wherever_it_stands_and_a_line_is_less_than_its_order() -> None:
    for order in rows(read("shopify", "orders", outside(20))):
        assert order["total_tax"] == order["total_tax_set"]["shop_money"]["amount"]
        assert order["total_tax_set"]["shop_money"]["currency_code"] == "USD"
        assert max(line["price"] for line in order["line_items"]) < order["total_line_items_price"]
    for refund in rows(read("shopify", "order_refunds", outside(20))):
        for line in refund["refund_line_items"]:
            assert line["total_tax"] == line["total_tax_set"]["presentment_money"]["amount"] > 0
            assert line["subtotal"] > 0


def test_known_fields_have_values_that_their_system_knows() -> None:
    orders = rows(read("shopify", "orders", outside(200)))
    statuses = Counter(order["financial_status"] for order in orders)
    assert set(statuses) == {
        "pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided", "expired",
    }  # fmt: skip
    assert statuses.most_common(1)[0][0] == "paid"
    assert sum(order["test"] for order in orders) < 20
    assert 0 < sum("cancelled_at" in order for order in orders) < 60


def test_a_later_sync_brings_new_rows_updates_of_earlier_ones_and_late_ones() -> None:
    first = read("shopify", "orders", outside(200))
    second = read("shopify", "orders", outside(200, 20), last_state(first))
    before = {record["id"]: record for record in rows(first)}
    cursor = last_state(first)["updated_at"]
    assert cursor == "2026-01-01T00:00:00+00:00"
    updated = [record for record in rows(second) if record["id"] in before]
    late = [record for record in rows(second) if record["updated_at"] <= cursor]
    assert 15 < len(rows(second)) <= 20
    assert 0 < len(updated) <= 5
    assert [record["updated_at"][:4] for record in late] == ["2025", "2025"]
    for record in updated:
        assert record["created_at"] == before[record["id"]]["created_at"] < record["updated_at"]
        assert record["customer"]["id"] == before[record["id"]]["customer"]["id"]
    assert last_state(second)["updated_at"] == "2026-01-01T01:00:00+00:00"


def test_a_reader_who_read_all_reads_nothing_and_keeps_the_state() -> None:
    messages = read("shopify", "orders", outside(50, 10), {"updated_at": "2026-01-01T01:00:00+00:00"})
    assert [type(message) for message in messages] == [StreamStatusMessage, StreamStatusMessage]


def test_events_never_change() -> None:
    first = read("klaviyo", "events", outside(100))
    second = read("klaviyo", "events", outside(100, 20), last_state(first))
    assert not {record["id"] for record in rows(first)} & {record["id"] for record in rows(second)}


def test_a_stream_whose_cursor_is_its_key_is_read_by_key() -> None:
    first = read("shopify", "collects", outside(50))
    last = rows(first)[-1]["id"]
    assert last_state(first) == {"id": last}
    second = rows(read("shopify", "collects", outside(50, 20), last_state(first)))
    assert [record["id"] for record in second] == list(range(last + 1, last + 1 + len(second)))


LEDGER = DiscoveredStream(
    name="ledger",
    json_schema={
        "type": "object",
        "required": ["code"],
        "properties": {
            "code": {"type": "string", "format": "uuid"},
            "day": {"type": ["null", "string"], "format": "date"},
            "meta": {"type": "object", "properties": {"seen_at": {"type": "string"}}},
            "at": {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
            "clock": {"type": "string", "format": "time", "airbyte_type": "time_without_timezone"},
            "level": {"enum": ["low", "high"]},
            "kind": {"const": "entry"},
            "score": {"type": "number", "maximum": 1},
            "version": {"oneOf": [{"type": "null"}, {"type": "integer"}]},
            "parts": {"type": "array", "items": {"type": "object", "properties": {"at": {"type": "integer"}}}},
        },
    },
    supported_sync_modes=("full_refresh", "incremental"),
    source_defined_primary_key=(("code",),),
)


@pytest.mark.parametrize("cursor", [("day",), ("meta", "seen_at"), ("at",), ("version",)])
def test_any_field_can_be_a_cursor_and_no_row_is_missed(cursor: tuple[str, ...]) -> None:
    stream = sync_stream(LEDGER, cursor_field=cursor)
    found: dict[str, dict[str, Any]] = {}
    state: Any = None
    for epochs in ((30,), (30, 10), (30, 10, 10)):
        messages = list(SyntheticSource(1, ("ledger",), outside(*epochs)).read([stream], {stream.key: state}))
        found |= {record["code"]: record for record in rows(messages)}
        state = last_state(messages)
        assert list(state) == [".".join(cursor)]
    whole = {
        each["code"]: each
        for each in rows(list(SyntheticSource(1, ("ledger",), outside(30, 10, 10)).read([stream], {})))
    }
    assert found == whole
    check = Draft7Validator(LEDGER.json_schema, format_checker=FormatChecker())
    assert [error.message for record in whole.values() for error in check.iter_errors(record)] == []


counts = st.lists(st.integers(1, 40), min_size=1, max_size=6)


def latest(changes: list[Change]) -> dict[int, Change]:
    return {change.index: change for change in changes}


@settings(deadline=None)
@example(rows=[1, 7, 24], seed=0, stops=[0, 0, 7], updates=True)
@given(rows=counts, seed=st.integers(0, 2**64), stops=st.lists(st.integers(0, 40), max_size=8), updates=st.booleans())
def test_whoever_reads_on_from_where_they_were_stopped_ends_with_the_whole(
    rows: list[int], seed: int, stops: list[int], *, updates: bool
) -> None:
    """A reader of any world, stopped after any number of rows of any read, who keeps the cursor of the last row."""
    seen: dict[int, Change] = {}
    cursor = None
    for number in range(1, len(rows) + 1):
        history = History(seed, outside(*rows[:number]), updates=updates)
        for stop in (stops[number - 1 : number], None):
            left = history.changes_after(cursor)
            taken = left if stop is None else left[: (stop or [0])[0]]
            seen |= latest(taken)
            cursor = max([change.at for change in taken] + ([] if cursor is None else [cursor]), default=None)
        assert latest(history.changes_after(None)) == seen
        assert sorted(seen) == list(range(history.rows))


@settings(deadline=None)
@given(counts)
@example([1, 7, 24])
def test_no_two_changes_of_an_epoch_are_at_one_time(rows: list[int]) -> None:
    """A reader who stopped between them would never read the second."""
    last = History(0, outside(*rows), updates=True)
    before = History(0, outside(*rows[:-1]), updates=True).changes_after(None) if rows[1:] else []
    told = max((change.at for change in before), default=None)
    changes = last.changes_after(told)
    assert len({change.at for change in changes}) == len(changes)


def test_each_epoch_has_as_many_rows_as_it_was_given() -> None:
    history = History(1, outside(100, 20, 2, 1), updates=True)
    assert history.rows == 100 + 15 + 2 + 1
    assert len(history.changes_after(NEW_YEAR * 1000)) <= 23
    assert history.changes_after(None)[-1].at == (NEW_YEAR + 3 * 3600) * 1000


@pytest.mark.parametrize(
    ("word", "stream"),
    [
        ("order", "orders"),
        ("orders", "orders"),
        ("last_order", "orders"),
        ("refund", "order_refunds"),
        ("category", "categories"),
        ("line_item", None),
        ("warehouse", None),
    ],
)
def test_a_word_names_a_sibling(word: str, stream: str | None) -> None:
    siblings = Siblings.of(1, ["orders", "order_refunds", "categories", "inventory_items"])
    assert siblings.named(word) == stream
    assert siblings.of_key_field(f"{word}_id") == stream
    assert siblings.of_key_field(word) is None


@pytest.mark.parametrize(
    ("many", "one"), [("orders", "order"), ("addresses", "address"), ("boxes", "box"), ("news", "new")]
)
def test_one_of_many(many: str, one: str) -> None:
    assert singular(many) == one


@settings(deadline=None)
@given(at=st.integers(0, 4_000_000_000_000), zone=st.booleans())
def test_a_time_is_read_as_it_is_written(at: int, *, zone: bool) -> None:
    assert milliseconds(timestamp(at, zone=zone)) == at
    assert datetime.fromisoformat(timestamp(at)).astimezone(UTC).timestamp() == at / 1000


@pytest.mark.parametrize("value", ["yesterday", None, True, [], {}])
def test_what_is_no_time_is_none(value: Any) -> None:
    assert milliseconds(value) is None
