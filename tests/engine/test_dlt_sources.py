"""A source that dlt reads, on the real engine, with Dagster elsewhere or nowhere.

`tests/cluster/test_dlt_sources.py` has it with Dagster on a cluster.
"""

import json
from pathlib import Path

import pytest

from lotus_infra.commands.comment import render
from lotus_infra.commands.review import Review, ReviewRequest, review_impact
from tests.engine.lake import Document, Lake
from tests.support.dlt_lake import VALUES, write_source


@pytest.fixture
def with_source(applied: Lake) -> Lake:
    """The applied lake, with the files and the values of a source that dlt reads."""
    write_source(applied.pulumi.project)
    applied.pulumi.config_set("lotus:erp_url", VALUES["erp_url"])
    applied.pulumi.config_set("lotus:erp_api_key", VALUES["erp_api_key"], secret=True)
    return applied


def reviewed(lake: Lake, folder: Path) -> Review:
    """The review of a preview of the lake."""
    file = folder / "preview.json"
    file.write_text(lake.pulumi.preview("--json").ok().stdout, encoding="utf-8")
    return review_impact(ReviewRequest(file, lake.pulumi.project / "streams"))


def forget_values(lake: Lake) -> None:
    for name in VALUES:
        lake.pulumi.run("config", "rm", f"lotus:{name}").ok()


def _changed(document: Document) -> None:
    document["backfill"] = "2026-02-01-prices"
    document["fields"]["note"] = {"type": "string"}


def test_a_source_of_dlt_is_reviewed_as_it_comes_changes_and_goes(with_source: Lake, tmp_path: Path) -> None:
    lake = with_source
    lake.pulumi.config_set("lotus:dagsterElsewhere", "true")

    added = reviewed(lake, tmp_path)
    assert (added.impact.verdict, added.gate.ok) == ("touches data", True)
    [source] = added.impact.sources
    assert (source.name, source.change, [each.change for each in source.connections[0].streams]) == (
        "erp",
        "added",
        ["added", "added"],
    )
    lake.pulumi.up().ok()
    assert lake.changes() == []
    assert lake.writes() == []
    assert VALUES["erp_api_key"] not in lake.written()

    _changes(lake, tmp_path)

    lake.remove("erp")
    forget_values(lake)
    removed = reviewed(lake, tmp_path)
    assert (removed.impact.verdict, removed.gate.ok) == ("touches data", True)
    lake.pulumi.up().ok()
    assert lake.changes() == []
    assert lake.writes() == []


def _changes(lake: Lake, tmp_path: Path) -> None:
    lake.edit("erp/orders.json", _changed)
    lake.edit("erp/items.json", lambda document: document.update(cursor_field=["id"]))
    lake.edit("erp/_source.json", lambda document: document.update(status="inactive", prefix="v2_"))
    changed = reviewed(lake, tmp_path)
    assert (changed.impact.verdict, changed.gate.ok) == ("touches data", True)
    told = render(changed)
    assert (
        "**full re-read of `orders`** (`token 2026-02-01-prices`): the next run reads the stream from its start" in told
    )
    assert "gains `note`" in told
    assert "from the beginning, as dlt has no value of id yet" in told
    assert "new rows land under another namespace or prefix" in told
    assert "it does not sync: no new rows land until it is active again" in told
    lake.pulumi.up().ok()
    assert lake.changes() == []
    lake.pulumi.refresh("--expect-no-changes").ok()

    lake.pulumi.config_set("lotus:erp_url", "https://elsewhere.example.com")
    moved = reviewed(lake, tmp_path)
    assert [(loss.object, loss.effect) for loss in moved.gate.blocked] == [("source erp", "exposes")]

    lake.edit(
        "erp/items.json", lambda document: (document.update(sync_mode="full_refresh"), document.pop("cursor_field"))
    )
    lost = reviewed(lake, tmp_path)
    assert [loss.object for loss in lost.gate.blocked] == ["source erp", "stream erp/items"]


def test_a_stack_without_dagster_refuses_the_source_until_its_overlay_leaves_it_out(with_source: Lake) -> None:
    lake = with_source

    refused = lake.pulumi.preview().failed().output

    assert "dlt reads the source erp in runs of Dagster, and this stack deploys no Dagster" in refused
    assert '"deployed": false in _stacks/test.json' in refused
    assert "Traceback" not in refused
    assert lake.writes() == []
    overlay = lake.pulumi.project / "streams" / "_stacks" / "test.json"
    overlay.parent.mkdir(exist_ok=True)
    overlay.write_text(json.dumps({"sources": {"erp": {"deployed": False}}}), encoding="utf-8")
    forget_values(lake)
    assert lake.changes() == []
