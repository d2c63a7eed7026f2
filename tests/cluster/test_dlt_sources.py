"""A source that dlt reads: it is added, changed and removed on a real API server, and reviewed each time."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from lotus_infra import naming
from tests.cluster.world import World
from tests.support.dlt_lake import SOURCE, VALUES, own_dagster_folder, write_module, write_source

SECRET = naming.source_secret("erp")


def add_source(world: World) -> None:
    """Add the files of the source, its module, and the values that it refers to."""
    own_dagster_folder(world.pulumi.project)
    write_source(world.pulumi.project)
    world.pulumi.config_set("lotus:erp_url", VALUES["erp_url"])
    world.pulumi.config_set("lotus:erp_api_key", VALUES["erp_api_key"], secret=True)


def reviewed(world: World, folder: Path) -> tuple[str, dict[str, Any]]:
    """The comment on a preview of the stack, and the gate's document."""
    file = folder / "preview.json"
    file.write_text(world.pulumi.preview("--json").ok().stdout, encoding="utf-8")
    comment = world.lotus(f"comment --preview {file}")
    assert comment.returncode == 0, comment.stderr
    return comment.stdout, json.loads(world.lotus(f"gate --preview {file} --json").stdout)


def variables(world: World, source: str = "erp") -> dict[str, str] | None:
    """The decoded values of a source's secret; None if the cluster has none."""
    name = naming.source_secret(source)
    found = world.core.list_namespaced_secret(world.namespace, field_selector=f"metadata.name={name}").items
    if not found:
        return None
    data = found[0].data
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


@pytest.mark.nightly
def test_a_source_of_dlt_is_added_changed_read_again_and_removed(world: World, tmp_path: Path) -> None:
    world.pulumi.up().ok()
    assert world.lake.changes() == []

    add_source(world)
    comment, gate = reviewed(world, tmp_path)
    assert "### <code>erp</code> is added: 2 streams" in comment
    assert "- engine: `dlt, dagster/sources/erp.py`" in comment
    # The key that Airbyte writes with may write dlt's state from now on.
    assert [each["object"] for each in gate["blocked"]] == ["UserPolicy writer"]
    first = world.pulumi.up().ok()
    assert VALUES["erp_api_key"] not in comment + first.output
    found = variables(world)
    assert found is not None
    assert json.loads(found.pop(naming.source_variable("erp"))) == {
        "api_key": VALUES["erp_api_key"],
        "page_size": 100,
        "url": VALUES["erp_url"],
    }
    assert found.keys() == set(naming.WRITER_VARIABLES)
    assert all(found.values())
    assert world.lake.changes() == []
    world.pulumi.refresh("--expect-no-changes").ok()
    assert all(each["name"] != "Erp" for each in world.lake.live("sources"))

    asked = world.lotus("backfill erp orders --token 2026-02-01-prices --yes")
    assert asked.returncode == 0, asked.stderr
    comment, gate = reviewed(world, tmp_path)
    assert "**full re-read of `orders`** (`token 2026-02-01-prices`): the next run reads the stream from its" in comment
    assert gate["ok"]
    world.pulumi.up().ok()
    assert world.lake.changes() == []

    _changes_values(world, tmp_path)
    _is_removed(world, tmp_path)


def _is_removed(world: World, tmp_path: Path) -> None:
    world.lake.remove("erp")
    for name in VALUES:
        world.pulumi.run("config", "rm", f"lotus:{name}").ok()
    comment, gate = reviewed(world, tmp_path)
    assert "### <code>erp</code> is removed: 2 streams" in comment
    assert (gate["ok"], gate["verdict"]) == (True, "touches data")
    world.pulumi.up().ok()
    assert variables(world) is None
    assert world.lake.changes() == []


def _changes_values(world: World, tmp_path: Path) -> None:
    world.pulumi.config_set("lotus:erp_api_key", "another-key", secret=True)
    comment, gate = reviewed(world, tmp_path)
    assert f"- Secret `{SECRET}` changes" in comment
    assert (gate["ok"], gate["verdict"]) == (True, "look")
    world.pulumi.config_set("lotus:erp_url", "https://elsewhere.example.com")
    comment, gate = reviewed(world, tmp_path)
    assert [each["object"] for each in gate["blocked"]] == ["source erp"]
    assert "⚠️ `url`: `https://erp.example.com` → `https://elsewhere.example.com`" in comment
    world.pulumi.up().ok()
    changed = variables(world)
    assert changed is not None
    assert json.loads(changed[naming.source_variable("erp")])["api_key"] == "another-key"
    assert "another-key" not in comment


@pytest.mark.nightly
def test_a_source_moves_from_airbyte_to_dlt_with_a_loss_and_its_rotated_secret_is_deployed_after_a_review(
    world: World, tmp_path: Path
) -> None:
    world.pulumi.up().ok()
    own_dagster_folder(world.pulumi.project)
    write_module(world.pulumi.project, "faker")
    kept = {"name", "schedule", "destination", "namespace"}

    def by_dlt(document: dict[str, Any]) -> None:
        for key in document.keys() - kept:
            del document[key]
        document.update({key: SOURCE[key] for key in ("engine", "configuration")})

    world.lake.edit("faker/_source.json", by_dlt)
    world.pulumi.config_set("lotus:erp_url", VALUES["erp_url"])
    world.pulumi.config_set("lotus:erp_api_key", VALUES["erp_api_key"], secret=True)

    comment, gate = reviewed(world, tmp_path)

    assert "source faker" in [each["object"] for each in gate["blocked"]]
    assert "<code>faker</code> is replaced: 2 connections" in comment
    assert "**connection `faker`** is **removed**" in comment
    assert "its rows land a second time" in comment
    world.pulumi.up().ok()
    assert world.lake.changes() == []
    assert [each["name"] for each in world.lake.live("sources")] == ["Klaviyo", "Shopify"]
    assert world.lotus("drift").returncode == 0

    world.pulumi.config_set("lotus:erp_api_key", "another-key", secret=True)
    world.commit()
    previewed = world.lotus("preview")
    assert previewed.returncode == 0, previewed.stderr
    rotated = world.lotus("comment --preview .review/test/preview.json").stdout
    assert "secrets changed: `configuration.api_key`" in rotated
    deployed = world.lotus("deploy --yes --reviewed .review/test")
    assert deployed.returncode == 0, deployed.stderr
    found = variables(world, "faker")
    assert found is not None
    assert json.loads(found[naming.source_variable("faker")])["api_key"] == "another-key"
