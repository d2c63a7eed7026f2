"""Sources, destinations and workspaces are clean after they were applied, and no change on the server goes unseen."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.provider.lake import Document, Lake
from tests.provider.plugin import Plugin
from tests.provider.refresh import assert_clean, drifted

Change = Callable[[Document], Document]
ACTORS: dict[str, tuple[Document, Change, str]] = {
    "a value": ({}, lambda live: live | {"host": "x"}, "configuration.host"),
    "a value that came": ({}, lambda live: live | {"port": 1}, "configuration.port"),
    "a value that went": ({"port": 1}, lambda live: {"host": live["host"]}, "configuration.port"),
    "a list": ({"keys": [{"label": "a"}]}, lambda live: live | {"keys": []}, "configuration.keys"),
    "an item": (
        {"keys": [{"label": "a"}]},
        lambda live: live | {"keys": [{"label": "b"}]},
        "configuration.keys[0].label",
    ),
    "a secret that came": ({}, lambda live: live | {"code": "1234"}, "configuration.code"),
    "a secret that went": ({"code": "1234"}, lambda live: {"host": live["host"]}, "configuration.code"),
    "a secret in a list": (
        {"keys": [{"secret": "k"}]},
        lambda live: live | {"keys": [*live["keys"], {"secret": "l"}]},
        "configuration.keys",
    ),
}


@pytest.mark.parametrize(("given", "change", "path"), ACTORS.values(), ids=ACTORS)
def test_a_source_is_clean_and_what_somebody_changed_is_seen_and_repaired(
    plugin: Plugin, lake: Lake, given: Document, change: Change, path: str
) -> None:
    made = plugin.made("source", lake.source() | {"configuration": {"host": "h"} | given})
    assert_clean(plugin, "source", made)
    live = lake.live("sources", made.id)
    lake.api("PUT", f"/sources/{made.id}", {"name": live["name"], "configuration": change(live["configuration"])})
    assert path in drifted(plugin, "source", made)


@pytest.mark.parametrize("kind", ["source", "destination"])
@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": "somebody's"}, "name"),
        ({"resourceAllocation": {"default": {"cpu_limit": "1"}}}, "resourceAllocation"),
    ],
    ids=str,
)
def test_a_setting_that_somebody_changed_is_seen_and_repaired(
    plugin: Plugin, lake: Lake, kind: str, change: Document, path: str
) -> None:
    made = plugin.made(kind, lake.source() if kind == "source" else lake.destination())
    lake.api("PATCH", f"/{kind}s/{made.id}", change)
    assert list(drifted(plugin, kind, made)) == [path]


@pytest.mark.parametrize(
    "given",
    [
        {"configuration": {"sourceType": "faker", "count": 3}, "definitionId": None},
        {"configuration": {"sourceType": "lab", "host": "h"}},
        {"configuration": {"port": 1.0, "nothing": None, "empty": {}, "list": []}},
        {"resourceAllocation": {"default": {"cpu_limit": "1"}}},
    ],
    ids=str,
)
def test_a_source_is_clean_however_it_is_said(plugin: Plugin, lake: Lake, given: Document) -> None:
    assert_clean(plugin, "source", plugin.made("source", lake.source() | given))


def test_a_workspace_is_clean_and_what_somebody_changed_is_seen(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("workspace", {"notifications": {"failure": {"email": {"enabled": False}}}})
    assert_clean(plugin, "workspace", made)
    on: Any = {"failure": {"email": {"enabled": True}}, "success": {"email": {"enabled": True}}}
    lake.api("PATCH", f"/workspaces/{made.id}", {"name": "other", "notifications": on})
    live = plugin.refreshed("workspace", made)
    assert plugin.diff("workspace", live.inputs, made.inputs).detail == {
        "name": "update",
        "notifications.failure.email.enabled": "update",
        "notifications.success": "delete",
    }
