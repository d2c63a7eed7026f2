"""What becomes of rows that were read before their stream changed."""

import pytest

from tests.provider.backfills import TWO, asked, long, made
from tests.provider.heard import Engine
from tests.provider.jobs import compared, drive_job
from tests.provider.lake import Document, Lake, stream
from tests.provider.plugin import NOTHING, Plugin
from tests.support.jobs import ending

WIDER = stream(
    "bare",
    syncMode="incremental_append",
    cursorField=["updated_at"],
    selectedFields=["id", "name", "note", "updated_at"],
)
CHANGES = [
    WIDER,
    TWO[0] | {"cursorField": ["id"]},
    TWO[0] | {"primaryKey": [["id"]]},
    TWO[0] | {"selectedFields": None},
]


@pytest.mark.parametrize("changed", CHANGES, ids=str)
def test_a_stream_that_changes_is_read_anew_where_the_program_says_so(
    engine: tuple[Engine, Plugin], lake: Lake, changed: Document
) -> None:
    heard, plugin = engine
    known = made(plugin, lake)
    news = asked(plugin, lake, ..., changed, TWO[1], refreshOnSchemaChange=True)
    compared(plugin, known, news)
    assert heard.told().endswith("will refresh bare (it changes)")
    with ending(lake.twin) as jobs:
        after = plugin.update("connection", known, news)
        assert jobs.asked == [("refresh", "merge", ["bare"])]
    assert "token" not in after.outputs["backfillResults"]["bare"]
    assert compared(plugin, after, news) == NOTHING


def test_a_field_that_is_added_without_a_backfill_is_told(engine: tuple[Engine, Plugin], lake: Lake) -> None:
    heard, plugin = engine
    known, news = made(plugin, lake), asked(plugin, lake, ..., WIDER, TWO[1])
    compared(plugin, known, news)
    assert heard.told() == (
        "bare: + field note; existing rows of bare get no value of note until a backfill "
        "(a new backfill token for bare, or refreshOnSchemaChange)"
    )
    with ending(lake.twin) as jobs:
        plugin.update("connection", known, news)
        assert jobs.asked == []


def test_a_token_and_a_change_are_read_in_their_own_ways(plugin: Plugin, lake: Lake) -> None:
    known = made(plugin, lake)
    changed = TWO[1] | {"selectedFields": ["id", "note", "updated_at"]}
    news = asked(plugin, lake, "one", TWO[0], changed, refreshOnSchemaChange=True, refreshMode="truncate")
    with ending(lake.twin) as jobs:
        plugin.update("connection", known, news)
        assert jobs.asked == [("refresh", "truncate", ["bare"]), ("refresh", "merge", ["cursor_defined"])]


def test_a_change_whose_backfill_failed_after_the_update_is_tried_again(plugin: Plugin, lake: Lake) -> None:
    news = asked(plugin, lake, ..., WIDER, TWO[1], refreshOnSchemaChange=True)
    after, job_id = long(plugin, lake, news)
    drive_job(lake, job_id, "running")
    drive_job(lake, job_id, "failed")
    assert set(compared(plugin, after, news).detail) == {"backfills.bare"}
    with ending(lake.twin) as jobs:
        plugin.update("connection", after, news)
        assert jobs.asked == [("refresh", "merge", ["bare"])]
