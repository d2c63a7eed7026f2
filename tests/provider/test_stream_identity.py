"""A stream is the pair of its namespace and its name, whatever other streams there are, and whatever a state says."""

import json
from typing import Any

import pytest
from airbyte_model.streams import key_of
from pulumi_airbyte.provider.properties import UNKNOWN

from tests.provider.heard import Engine
from tests.provider.jobs import compared, replaced, write_state
from tests.provider.lake import Document, Lake, stream
from tests.provider.plugin import NOTHING, Object, Plugin, Values, urn
from tests.provider.refresh import assert_clean
from tests.support.jobs import ending

READ = {"syncMode": "incremental_append", "cursorField": ["updated_at"]}
LEFT, RIGHT = (stream("twice", namespace=space, **READ) for space in ("left", "right"))
DOTTED = stream("left.twice", namespace="odd", **READ)
BARE, SPACED = stream("bare", **READ), stream("spaced", **READ)
LEFT_KEY, RIGHT_KEY, DOTTED_KEY = map(key_of, [("left", "twice"), ("right", "twice"), ("odd", "left.twice")])
SPACED_KEY = key_of(("left", "spaced"))


def read_once(plugin: Plugin, lake: Lake, *streams: Document, **properties: Any) -> Object:
    """A connection of streams that were read, after one backfill of those that have a token."""
    tokens = properties.pop("backfills", {})
    known = plugin.made("connection", lake.connection(*streams, **properties))
    names = [
        (one.get("namespace"), one["name"]) for one in lake.live("connections", known.id)["configurations"]["streams"]
    ]
    write_state(lake, known.id, *names)
    news = plugin.checked("connection", lake.connection(*streams, backfills=tokens, **properties)) if tokens else {}
    if not news:
        return known
    with ending(lake.twin):
        return plugin.update("connection", known, news)


def rows(lake: Lake, connection_id: str) -> set[tuple[str | None, str]]:
    """The streams of which a connection has cursors."""
    found = lake.config_api("/state/get", {"connectionId": connection_id}).get("streamState", [])
    return {(row["streamDescriptor"].get("namespace"), row["streamDescriptor"]["name"]) for row in found}


def asked(plugin: Plugin, lake: Lake, known: Object, news: Values) -> list[Any]:
    """The jobs that an update starts; after it nothing is left to do."""
    with ending(lake.twin) as jobs:
        after = plugin.update("connection", known, news)
        assert compared(plugin, after, news) == NOTHING
        assert_clean(plugin, "connection", after)
    return list(jobs.asked)


def test_another_stream_of_the_same_name_is_one_stream_more_and_fires_nothing(
    engine: tuple[Engine, Plugin], lake: Lake
) -> None:
    heard, plugin = engine
    known = read_once(plugin, lake, LEFT, backfills={LEFT_KEY: "t1"})
    news = plugin.checked("connection", lake.connection(LEFT, RIGHT, backfills={LEFT_KEY: "t1"}))
    heard.lines.clear()
    assert compared(plugin, known, news).detail == {"configurations": "update"}
    assert heard.lines == [(urn("connection"), "+ stream twice (namespace right)")]
    assert asked(plugin, lake, known, news) == []


def test_a_stream_of_the_same_name_that_goes_is_one_stream_less(engine: tuple[Engine, Plugin], lake: Lake) -> None:
    heard, plugin = engine
    known = read_once(plugin, lake, LEFT, RIGHT, backfills={LEFT_KEY: "t1", RIGHT_KEY: "t2"})
    news = plugin.checked("connection", lake.connection(LEFT, backfills={LEFT_KEY: "t1"}))
    heard.lines.clear()
    compared(plugin, known, news)
    assert heard.lines == [(urn("connection"), "- stream twice (namespace right)")]
    assert asked(plugin, lake, known, news) == []


def test_a_token_is_of_one_of_two_streams_of_a_name(engine: tuple[Engine, Plugin], lake: Lake) -> None:
    heard, plugin = engine
    known = read_once(plugin, lake, LEFT, RIGHT, backfills={LEFT_KEY: "t1", RIGHT_KEY: "t1"})
    news = plugin.checked("connection", lake.connection(LEFT, RIGHT, backfills={LEFT_KEY: "t1", RIGHT_KEY: "t2"}))
    heard.lines.clear()
    compared(plugin, known, news)
    assert heard.lines == [(urn("connection"), "will refresh twice (namespace right) (token t2)")]
    write_state(lake, known.id, ("left", "twice"), ("right", "twice"))
    assert asked(plugin, lake, known, news) == [("refresh", "merge", ["twice"])]
    assert rows(lake, known.id) == {("left", "twice")}


def test_a_dot_in_a_name_makes_three_streams_no_two(plugin: Plugin, lake: Lake) -> None:
    tokens = {LEFT_KEY: "a", RIGHT_KEY: "b", DOTTED_KEY: "c"}
    known = read_once(plugin, lake, DOTTED, LEFT, RIGHT, backfills=tokens)
    assert known.outputs["backfillResults"].keys() == tokens.keys()
    assert_clean(plugin, "connection", known)


def older(known: Object, keys: dict[str, str]) -> Object:
    """An object as an earlier version left it in the state, with its keys of streams, and in its order of streams."""

    def named(values: Values) -> Values:
        return {keys.get(key, key): value for key, value in values.items()}

    before = {own: key for key, own in keys.items()}
    streams = json.loads(known.inputs["configurations"])["streams"]
    ordered = sorted(streams, key=lambda one: keys.get(key_of((one.get("namespace"), one["name"])), one["name"]))
    inputs = known.inputs | {"configurations": json.dumps({"streams": ordered}, separators=(",", ":"))}
    outputs = dict(known.outputs)
    inputs |= {"backfills": named(known.inputs["backfills"])} if "backfills" in known.inputs else {}
    outputs |= {"backfillResults": named(outputs["backfillResults"])} if "backfillResults" in outputs else {}
    if "serverRewrites" in outputs:
        pairs = [[[keys.get(key, key) for key in path], value] for path, value in json.loads(outputs["serverRewrites"])]
        outputs["serverRewrites"] = json.dumps(pairs, separators=(",", ":"))
    assert len(before) == len(keys)
    return Object(known.id, inputs, outputs)


CORRECTED = SPACED | {"namespace": "right"}
CORRECTED_KEY = key_of(("right", "spaced"))
STATES: dict[str, tuple[list[Document], dict[str, str]]] = {
    "a stream without a namespace": ([BARE], {"bare": "bare"}),
    "a namespace that is left to the source": ([SPACED], {"spaced": "spaced"}),
    "a stream with a namespace": ([LEFT], {LEFT_KEY: "twice"}),
    "a namespace that the server corrects": ([CORRECTED], {CORRECTED_KEY: "spaced"}),
    "a name that comes twice": ([LEFT, RIGHT, BARE], {LEFT_KEY: "left.twice", RIGHT_KEY: "right.twice"}),
    "a name with a dot": ([LEFT, DOTTED], {LEFT_KEY: "twice", DOTTED_KEY: "left.twice"}),
    "all at once": (
        [LEFT, RIGHT, CORRECTED, BARE],
        {LEFT_KEY: "left.twice", RIGHT_KEY: "right.twice", CORRECTED_KEY: "spaced", "bare": "bare"},
    ),
}


@pytest.mark.parametrize(("streams", "keys"), STATES.values(), ids=STATES)
def test_a_state_of_an_earlier_version_means_the_same(
    plugin: Plugin, lake: Lake, streams: list[Document], keys: dict[str, str]
) -> None:
    tokens = dict.fromkeys(keys, "t1")
    state = older(read_once(plugin, lake, *streams, backfills=tokens), keys)
    news = plugin.checked("connection", lake.connection(*streams, backfills=tokens))
    assert compared(plugin, state, news) == NOTHING
    live = plugin.refreshed("connection", state)
    assert (live.inputs, live.outputs) == (state.inputs, state.outputs)
    assert asked(plugin, lake, state, news) == []
    assert asked(plugin, lake, state, news | {"prefix": "p_"}) == []


def test_a_failed_backfill_of_an_earlier_version_is_tried_again(plugin: Plugin, lake: Lake) -> None:
    known = read_once(plugin, lake, LEFT, RIGHT, backfills={LEFT_KEY: "t1"})
    state = older(known, {LEFT_KEY: "left.twice", RIGHT_KEY: "right.twice"})
    state.outputs["backfillResults"]["left.twice"]["status"] = "failed"
    assert compared(plugin, state, known.inputs).properties == ["backfills"]
    assert asked(plugin, lake, state, known.inputs) == [("refresh", "merge", ["twice"])]


def test_cursors_go_over_from_a_state_of_an_earlier_version(plugin: Plugin, lake: Lake) -> None:
    made = read_once(plugin, lake, LEFT, RIGHT, SPACED)
    state = older(made, {LEFT_KEY: "left.twice", RIGHT_KEY: "right.twice", "spaced": "spaced"})
    source = lake.api("POST", "/sources", lake.source() | {"name": "Another lab"})["sourceId"]
    new = replaced(plugin, state, plugin.checked("connection", lake.connection(LEFT, SPACED, sourceId=source)))
    assert rows(lake, new.id) == {("left", "twice"), ("left", "spaced")}


def test_a_stream_that_leaves_takes_no_cursor_of_its_namesake_along(plugin: Plugin, lake: Lake) -> None:
    old = read_once(plugin, lake, LEFT, RIGHT)
    source = lake.api("POST", "/sources", lake.source() | {"name": "Other lab"})["sourceId"]
    new = replaced(plugin, old, plugin.checked("connection", lake.connection(RIGHT, sourceId=source)))
    assert rows(lake, new.id) == {("right", "twice")}


GIVEN: list[tuple[list[Document], str, str]] = [
    ([LEFT, RIGHT], LEFT_KEY, LEFT_KEY),
    ([LEFT, RIGHT], "left.twice", LEFT_KEY),
    ([LEFT], "twice", LEFT_KEY),
    ([LEFT], "left.twice", LEFT_KEY),
    ([SPACED], "spaced", "spaced"),
]


@pytest.mark.parametrize(("streams", "given", "key"), GIVEN, ids=str)
def test_a_token_by_hand_may_name_its_stream_shortly(
    plugin: Plugin, lake: Lake, streams: list[Document], given: str, key: str
) -> None:
    checked = plugin.checked("connection", lake.connection(*streams, backfills={given: "t1"}))
    assert checked["backfills"] == {key: "t1"}


REFUSED: list[tuple[list[Document], dict[str, str], dict[str, str]]] = [
    (
        [LEFT, RIGHT],
        {"twice": "t1"},
        {"backfills.twice": f"matches several streams: use the key of one, which is {LEFT_KEY} or {RIGHT_KEY}"},
    ),
    (
        [LEFT, DOTTED],
        {"left.twice": "t1"},
        {
            'backfills["left.twice"]': "matches several streams: use the key of one, which is "
            f"{DOTTED_KEY} or {LEFT_KEY}"
        },
    ),
    (
        [LEFT],
        {"twice": "t1", "left.twice": "t2"},
        {"backfills.twice": "means the same stream as another key: keep one"},
    ),
    ([LEFT], {"gone": "t1"}, {"backfills.gone": f"is no stream here: known are {LEFT_KEY}"}),
]


@pytest.mark.parametrize(("streams", "tokens", "failures"), REFUSED, ids=str)
def test_a_token_that_may_be_of_two_streams_is_refused_with_their_keys(
    plugin: Plugin, lake: Lake, streams: list[Document], tokens: dict[str, str], failures: dict[str, str]
) -> None:
    assert plugin.check("connection", lake.connection(*streams, backfills=tokens)).failures == failures


SAME: dict[str, tuple[Document, Document]] = {
    "comes to be named": (SPACED, SPACED | {"namespace": "left"}),
    "is left to the source": (SPACED | {"namespace": "left"}, SPACED),
}


@pytest.mark.parametrize(("before", "after"), SAME.values(), ids=SAME)
def test_a_stream_whose_namespace_is_said_or_left_out_is_the_same_stream(
    engine: tuple[Engine, Plugin], lake: Lake, before: Document, after: Document
) -> None:
    heard, plugin = engine
    keys = [key_of((each.get("namespace"), "spaced")) for each in (before, after)]
    known = read_once(plugin, lake, before, backfills={keys[0]: "t1"})
    news = plugin.checked("connection", lake.connection(after, backfills={keys[1]: "t1"}, refreshOnSchemaChange=True))
    heard.lines.clear()
    compared(plugin, known, news)
    assert [line.partition(": ")[2] for _, line in heard.lines] == ["~ namespace"]
    assert asked(plugin, lake, known, news) == []


def test_an_imported_stream_is_the_one_whose_namespace_the_program_leaves_to_the_source(
    engine: tuple[Engine, Plugin], lake: Lake
) -> None:
    heard, plugin = engine
    known = plugin.imported("connection", read_once(plugin, lake, SPACED).id)
    news = plugin.checked("connection", {**known.inputs, "configurations": json.dumps([SPACED])})
    compared(plugin, known, news)
    assert [line for _, line in heard.lines] == ["spaced: ~ namespace"]
    assert asked(plugin, lake, known, news) == []


def test_a_second_stream_that_somebody_adds_is_not_the_one_of_the_program(plugin: Plugin, lake: Lake) -> None:
    known = read_once(plugin, lake, LEFT)
    both = [
        {**each, "selectedFields": [{"fieldPath": ["id"]}, {"fieldPath": ["updated_at"]}]} for each in (LEFT, RIGHT)
    ]
    lake.api("PATCH", f"/connections/{known.id}", {"configurations": {"streams": both}})
    live = plugin.refreshed("connection", known)
    assert [one["namespace"] for one in json.loads(live.inputs["configurations"])["streams"]] == ["left", "right"]
    assert compared(plugin, live, known.inputs).detail == {"configurations": "update"}
    assert asked(plugin, lake, live, known.inputs) == []


def test_while_streams_are_not_known_a_token_of_before_asks_nothing(plugin: Plugin, lake: Lake) -> None:
    known = read_once(plugin, lake, LEFT, backfills={LEFT_KEY: "t1"})
    state = older(known, {LEFT_KEY: "twice"})
    for given in (LEFT_KEY, "twice"):
        news = plugin.checked("connection", lake.connection(configurations=UNKNOWN, backfills={given: "t1"}))
        assert compared(plugin, state, news).properties == ["configurations"]


def test_a_cursor_of_a_namesake_that_is_read_otherwise_is_not_taken_for_a_streams_own(
    plugin: Plugin, lake: Lake
) -> None:
    old = read_once(plugin, lake, LEFT, stream("twice", namespace="right"))
    assert rows(lake, old.id) == {("left", "twice"), ("right", "twice")}
    source = lake.api("POST", "/sources", lake.source() | {"name": "Third lab"})["sourceId"]
    new = replaced(plugin, old, plugin.checked("connection", lake.connection(LEFT, RIGHT, sourceId=source)))
    assert rows(lake, new.id) == {("left", "twice")}
