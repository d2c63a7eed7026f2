"""What people read beside a resource while the engine works."""

import pytest

from tests.provider.heard import Engine
from tests.provider.lake import Lake, stream
from tests.provider.plugin import NOTHING, Plugin, running_plugin, urn


def test_changed_streams_are_told_by_name(engine: tuple[Engine, Plugin], lake: Lake) -> None:
    heard, plugin = engine
    old = plugin.checked("connection", lake.connection(stream("bare"), stream("spaced")))
    new = plugin.checked("connection", lake.connection(stream("bare", selectedFields=["id", "note", "updated_at"])))
    plugin.diff("connection", old, new)
    assert heard.lines == [(urn("connection"), "bare: + field note, - field name; - stream spaced")]


def test_what_the_paths_tell_needs_no_line(engine: tuple[Engine, Plugin], lake: Lake) -> None:
    heard, plugin = engine
    assert plugin.diff("connection", lake.connection(), lake.connection(prefix="p_")) != NOTHING
    assert plugin.diff("source", lake.source(), lake.source(host="other")) != NOTHING
    assert heard.lines == []


def test_an_engine_that_does_not_listen_is_no_reason_to_fail(lake: Lake) -> None:
    with running_plugin("127.0.0.1:1") as plugin:
        plugin.configure(serverUrl=lake.twin.public_url)
        assert plugin.diff("connection", lake.connection(), lake.connection(stream("other"))) != NOTHING


def test_a_connection_that_a_breaking_change_switched_off_says_so(engine: tuple[Engine, Plugin], lake: Lake) -> None:
    heard, plugin = engine
    made = plugin.made("connection", lake.connection())
    plugin.read("connection", made)
    assert heard.lines == []
    lake.drift("connection_status", connectionId=made.id, status="inactive", breakingChange=True)
    live = plugin.refreshed("connection", made)
    reason = "it is switched off in Airbyte, where a breaking change of the source's schema needs a review"
    assert heard.lines[0][1].startswith(reason)
    plugin.read("connection", live)
    assert len(heard.lines) == 1


def test_a_connection_that_was_switched_off_for_no_known_reason_says_no_more(
    engine: tuple[Engine, Plugin], lake: Lake
) -> None:
    heard, plugin = engine
    made = plugin.made("connection", lake.connection())
    lake.drift("connection_status", connectionId=made.id, status="inactive")
    plugin.read("connection", made)
    assert heard.lines[0][1] == "it is switched off in Airbyte"


@pytest.mark.parametrize("by", ["the server", "hand"])
def test_a_field_that_came_in_airbyte_is_named_and_whoever_added_it_is_not(
    engine: tuple[Engine, Plugin], lake: Lake, by: str
) -> None:
    heard, plugin = engine
    made = plugin.made("connection", lake.connection(nonBreakingSchemaUpdatesBehavior="propagate_columns"))
    if by == "hand":
        field = "note"
        lake.patch_stream(
            made.id, selectedFields=[{"fieldPath": [name]} for name in ("id", "name", "updated_at", field)]
        )
    else:
        field = "tier"
        lake.drift("propagate_column", connectionId=made.id, stream="bare", field=field)
    plugin.read("connection", made)
    [(_, line)] = heard.lines
    assert line.startswith(
        f"field {field} of bare was added in Airbyte (propagate_columns adds what the source gains); "
    )
