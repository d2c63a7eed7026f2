"""Keys of streams: one for each pair of namespace and name; and which stream a key, or a stream elsewhere, means."""

import json

import pytest
from airbyte_model.streams import StreamName, aligned, key_in, key_of, keys_meant, name_of, shown
from hypothesis import given
from hypothesis import strategies as st

ODD = st.text('ab.,[]"\\\\{}: é→\n', max_size=6)
PLAIN = st.tuples(st.none() | ODD, ODD.filter(bool))
KEYS = PLAIN.map(lambda pair: (None, json.dumps(list(map(str, pair)), separators=(",", ":"), ensure_ascii=False)))
NESTED = KEYS.map(lambda pair: (None, json.dumps(["", pair[1]], separators=(",", ":"))))
NAMES: st.SearchStrategy[StreamName] = PLAIN | KEYS | NESTED | st.tuples(st.none() | st.text(), st.text(min_size=1))


def keys(*names: StreamName) -> list[str]:
    return list(map(key_of, names))


@given(NAMES)
def test_a_key_tells_its_stream(name: StreamName) -> None:
    assert name_of(key_of(name)) == (name[0] or None, name[1])


@given(NAMES, NAMES)
def test_two_streams_have_two_keys(one: StreamName, other: StreamName) -> None:
    same = (one[0] or None, one[1]) == (other[0] or None, other[1])
    assert (key_of(one) == key_of(other)) == same


@pytest.mark.parametrize(
    ("name", "key", "told"),
    [
        ((None, "orders"), "orders", "orders"),
        (("", "orders"), "orders", "orders"),
        ((None, "sales.orders"), "sales.orders", "sales.orders"),
        (("sales", "orders"), '["sales","orders"]', "orders (namespace sales)"),
        (("s", 'a"b'), '["s","a\\"b"]', 'a"b (namespace s)'),
        (("größe", "→"), '["größe","→"]', "→ (namespace größe)"),
        ((None, '["a","b"]'), '["","[\\"a\\",\\"b\\"]"]', '["a","b"]'),
        ((None, '["a", "b"]'), '["a", "b"]', '["a", "b"]'),
        ((None, '["a"]'), '["a"]', '["a"]'),
        ((None, "[1,2]"), "[1,2]", "[1,2]"),
        ((None, '["'), '["', '["'),
    ],
)
def test_a_stream_without_a_namespace_is_its_name_and_any_other_is_both(name: StreamName, key: str, told: str) -> None:
    assert key_of(name) == key
    assert shown(key) == told


BEFORE: list[tuple[list[StreamName], str, StreamName]] = [
    ([(None, "orders")], "orders", (None, "orders")),
    ([("sales", "orders")], "orders", ("sales", "orders")),
    ([("sales", "orders"), ("hr", "orders")], "hr.orders", ("hr", "orders")),
    ([("sales", "orders"), (None, "orders")], ".orders", (None, "orders")),
    ([("sales", "orders"), ("dbo", "sales.orders")], "sales.orders", ("dbo", "sales.orders")),
    ([("sales", "orders"), ("dbo", "sales.orders")], "orders", ("sales", "orders")),
    ([("sales", "orders"), (None, "sales.orders")], "sales.orders", (None, "sales.orders")),
    ([(None, '["a","b"]')], '["a","b"]', (None, '["a","b"]')),
    ([("hr", "orders")], "hr.orders", ("hr", "orders")),
]


@pytest.mark.parametrize(("names", "key", "meant"), BEFORE, ids=str)
def test_a_key_of_an_earlier_state_means_the_stream_that_it_meant(
    names: list[StreamName], key: str, meant: StreamName
) -> None:
    assert name_of(key_in(key, keys(*names))) == meant


@given(st.lists(NAMES, unique_by=key_of))
def test_the_key_of_a_stream_of_the_state_means_that_stream(names: list[StreamName]) -> None:
    assert [key_in(key_of(name), keys(*names)) for name in names] == keys(*names)


def test_a_key_that_means_nothing_in_a_state_is_left_as_it_is() -> None:
    assert key_in("gone", keys(("sales", "orders"))) == "gone"
    assert key_in("orders", keys(("sales", "orders"), ("hr", "orders"))) == "orders"


def test_a_person_may_name_a_stream_by_its_name_where_that_is_enough() -> None:
    two = keys(("sales", "orders"), ("hr", "orders"), (None, "orders.old"))
    assert keys_meant('["hr","orders"]', two) == keys(("hr", "orders"))
    assert keys_meant("hr.orders", two) == keys(("hr", "orders"))
    assert keys_meant("orders", two) == keys(("sales", "orders"), ("hr", "orders"))
    assert keys_meant("orders.old", two) == ["orders.old"]
    assert keys_meant("refunds", two) == []


BARE, SALES, HR = (None, "orders"), ("sales", "orders"), ("hr", "orders")
Names = list[StreamName]
ALIKE: list[tuple[Names, Names, dict[StreamName, str | None], dict[StreamName, StreamName]]] = [
    ([BARE], [BARE], {}, {BARE: BARE}),
    ([BARE], [SALES], {}, {BARE: SALES}),
    ([BARE, HR], [SALES, HR], {}, {BARE: SALES, HR: HR}),
    ([BARE, HR], [SALES], {}, {BARE: SALES}),
    ([BARE], [SALES, HR], {}, {}),
    ([BARE], [SALES, HR], {BARE: "hr"}, {BARE: HR}),
    ([BARE], [SALES], {BARE: "hr"}, {BARE: SALES}),
    ([SALES], [BARE], {}, {SALES: BARE}),
    ([SALES, HR], [BARE], {}, {}),
    ([SALES], [SALES, HR], {}, {SALES: SALES}),
    ([SALES], [HR], {}, {}),
    ([SALES], [HR], {SALES: "hr"}, {SALES: HR}),
    ([SALES], [BARE, HR], {SALES: None}, {SALES: BARE}),
]


@pytest.mark.parametrize(("left", "right", "filled", "same"), ALIKE, ids=str)
def test_a_stream_is_the_one_of_its_pair_or_the_only_one_left_where_no_namespace_is_said(
    left: Names, right: Names, filled: dict[StreamName, str | None], same: dict[StreamName, StreamName]
) -> None:
    made = {key_of(name): space for name, space in filled.items()}
    assert aligned(keys(*left), keys(*right), made) == {key_of(one): key_of(other) for one, other in same.items()}


def test_an_answer_may_correct_a_namespace() -> None:
    assert aligned(keys(SALES), keys(HR), {}, answered=True) == {key_of(SALES): key_of(HR)}
    assert aligned(keys(SALES, HR), keys(HR), {}, answered=True) == {key_of(HR): key_of(HR)}


@given(st.lists(NAMES, unique_by=key_of), st.lists(NAMES, unique_by=key_of), st.booleans())
def test_no_stream_is_two_others(left: Names, right: Names, answered: bool) -> None:  # noqa: FBT001
    found = aligned(keys(*left), keys(*right), {}, answered=answered)
    assert len(set(found.values())) == len(found)
    assert {key: key for key in keys(*left) if key in keys(*right)}.items() <= found.items()
