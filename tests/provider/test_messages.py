"""What people read beside a resource while the engine works."""

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
