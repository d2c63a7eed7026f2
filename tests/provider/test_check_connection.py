"""`checkConnection`: what is written is tried, and what fails is kept and repaired."""

import json
from typing import Any

import pytest

from tests.provider.kept import kept
from tests.provider.lake import TOKEN, Lake
from tests.provider.plugin import NOTHING, Plugin, error
from tests.provider.refresh import assert_clean

KINDS = ("source", "destination")


def given(lake: Lake, kind: str, **more: Any) -> dict[str, Any]:
    made = lake.source() if kind == "source" else lake.destination(key="value-of-key")
    return made | {"checkConnection": True} | more


def check_fails(lake: Lake, object_id: str, reason: str | None = "no route to the other side") -> None:
    lake.drift("temper", actorId=object_id, checkFailure=reason)


def closed(lake: Lake) -> None:
    """Every check fails until the faults are cleared."""
    lake.fault(path="/check_connection", status=500, times=None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_check_follows_a_create_and_an_update(plugin: Plugin, lake: Lake, kind: str) -> None:
    made = plugin.made(kind, given(lake, kind))
    assert lake.writes()[-2:] == [f"POST /{kind}s", f"POST /{kind}s/check_connection"]
    updated = plugin.update(kind, made, plugin.checked(kind, given(lake, kind, name="renamed")))
    assert lake.writes()[-2:] == [f"PUT /{kind}s/{made.id}", f"POST /{kind}s/check_connection"]
    assert_clean(plugin, kind, updated)


def test_without_it_nothing_is_checked_and_false_is_no_difference(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    assert [call for call in lake.asked() if "check_connection" in call] == []
    inputs = plugin.checked("source", lake.source() | {"checkConnection": False, "forceDestroy": False})
    assert plugin.diff("source", made.inputs, inputs, made.outputs) == NOTHING


@pytest.mark.parametrize("kind", KINDS)
def test_a_create_whose_check_fails_keeps_its_id_and_the_next_update_only_checks(
    plugin: Plugin, lake: Lake, kind: str
) -> None:
    inputs = plugin.checked(kind, given(lake, kind))
    closed(lake)
    made, [reason] = kept(lambda: plugin.create(kind, inputs))
    assert lake.live(f"{kind}s", made.id)["name"] == plugin.name
    assert reason.startswith(f"The {kind} {made.id} was written, but its check failed: ")
    assert "it repairs this object and creates no other" in reason
    assert json.loads(made.outputs["unfinished"]) == {"check": True}

    check_fails(lake, made.id)
    lake.twin.twin.faults.clear()
    lake.twin.clear_calls()
    again, [reason] = kept(lambda: plugin.update(kind, made, inputs))
    assert "no route to the other side" in reason
    check_fails(lake, made.id, None)
    repaired = plugin.update(kind, again, inputs)
    assert lake.writes() == [f"POST /{kind}s/check_connection"] * 2
    assert repaired.id == made.id
    assert "unfinished" not in repaired.outputs
    assert_clean(plugin, kind, repaired)


def test_a_corrected_configuration_is_written_and_checked(plugin: Plugin, lake: Lake) -> None:
    closed(lake)
    made, _ = kept(lambda: plugin.made("source", given(lake, "source")))
    lake.twin.twin.faults.clear()
    corrected = plugin.checked("source", lake.source(host="right.example.com") | {"checkConnection": True})
    lake.twin.clear_calls()
    repaired = plugin.update("source", made, corrected)
    assert lake.writes() == [f"PUT /sources/{made.id}", "POST /sources/check_connection"]
    assert_clean(plugin, "source", repaired)


def test_a_failed_check_is_not_forgotten_by_a_refresh(plugin: Plugin, lake: Lake) -> None:
    closed(lake)
    made, _ = kept(lambda: plugin.made("source", given(lake, "source")))
    lake.twin.twin.faults.clear()
    live = plugin.refreshed("source", made)
    assert live.outputs == made.outputs
    assert plugin.diff("source", live.inputs, made.inputs, live.outputs).detail == {"checkConnection": "update"}
    without = {key: value for key, value in made.inputs.items() if key != "checkConnection"}
    assert plugin.diff("source", live.inputs, without, live.outputs).detail == {"checkConnection": "delete"}
    assert "unfinished" not in plugin.update("source", live, without).outputs


def test_an_update_whose_check_fails_keeps_what_was_written(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", given(lake, "source"))
    check_fails(lake, made.id, f"login with {TOKEN} refused\n  by the other side")
    inputs = plugin.checked("source", lake.source(host="other") | {"checkConnection": True})
    updated, [reason] = kept(lambda: plugin.update("source", made, inputs))
    assert "login with [secret] refused by the other side" in reason
    assert TOKEN not in reason
    assert lake.live("sources", made.id)["configuration"]["host"] == "other"
    assert plugin.refreshed("source", updated).inputs == inputs


def test_turning_the_check_on_checks_and_writes_nothing(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    lake.twin.clear_calls()
    updated = plugin.update("source", made, plugin.checked("source", given(lake, "source")))
    assert lake.writes() == ["POST /sources/check_connection"]
    assert_clean(plugin, "source", updated)


def test_without_the_config_api_a_check_is_refused_before_anything_is_written(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    inputs = plugin.checked("source", given(lake, "source"))
    # An address from which the Config API's can't be derived: it is never called.
    plugin.configure(serverUrl=f"{lake.twin.url}/v1")
    lake.twin.clear_calls()
    message = error(lambda: plugin.create("source", inputs, preview=True))
    assert message.startswith("Checks of sources and destinations (`checkConnection`) need Airbyte's Config API")
    assert error(lambda: plugin.create("source", inputs)) == message
    assert error(lambda: plugin.update("source", made, inputs)) == message
    assert lake.twin.calls() == []
