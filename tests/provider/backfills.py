"""Connections with backfill tokens, as tests need them."""

from typing import Any

from tests.provider.jobs import updated, write_state
from tests.provider.lake import Document, Lake, stream
from tests.provider.plugin import Object, Plugin, Values

TWO = (
    stream("bare", syncMode="incremental_append", cursorField=["updated_at"]),
    stream("cursor_defined", syncMode="incremental_append"),
)


def made(plugin: Plugin, lake: Lake, token: Any = ..., **properties: Any) -> Object:
    """A connection of two streams that were read before; one of them may have a token."""
    connection = plugin.made("connection", said(lake, token, **properties))
    write_state(lake, connection.id, "bare", "cursor_defined")
    return connection


def said(lake: Lake, token: Any = ..., *streams: Document, **properties: Any) -> Document:
    tokens = {} if token is ... else {"backfills": {"bare": token}}
    return lake.connection(*(streams or TWO), **tokens, **properties)


def asked(plugin: Plugin, lake: Lake, token: Any = ..., *streams: Document, **properties: Any) -> Values:
    """What a program says of the same connection later."""
    return plugin.checked("connection", said(lake, token, *streams, **properties))


def long(plugin: Plugin, lake: Lake, news: Values) -> tuple[Object, int]:
    """A connection whose backfill takes longer than its update, and the job."""
    after = updated(plugin, made(plugin, lake), news, seconds=0.01)
    result = after.outputs["backfillResults"]["bare"]
    assert result["status"] == "running"
    return after, int(result["jobId"])
