"""Secrets that somebody changed on the server are seen by their versions, and repaired."""

import json
from typing import Any

import pytest
from pulumi_airbyte.provider.properties import Secret, has_secret
from pulumi_airbyte.provider.versions import CHANGED

from tests.provider.heard import Engine
from tests.provider.lake import TOKEN, Lake
from tests.provider.plugin import NOTHING, Plugin, error
from tests.provider.refresh import assert_clean, drifted

MASK = "*" * 10
TOKEN_PATH = "configuration.credentials.token"
SECRETS: dict[str, tuple[dict[str, Any], list[str], str]] = {
    "in a branch": ({}, ["credentials", "token"], TOKEN_PATH),
    "at the top": ({"code": "1234-5678"}, ["code"], "configuration.code"),
    "in a list": (
        {"keys": [{"label": "a"}, {"secret": "kkkk"}]},
        ["keys", "1", "secret"],
        "configuration.keys[1].secret",
    ),
}


def rotated(lake: Lake, object_id: str, *path: str, value: str = "somebody-else's-value") -> None:
    lake.drift("rotate_secret", actorId=object_id, path=list(path), value=value)


def stored(lake: Lake) -> list[str]:
    return [secret.value for secret in lake.twin.store.secrets]


@pytest.mark.parametrize(("configuration", "path", "named"), SECRETS.values(), ids=SECRETS)
def test_a_secret_that_somebody_rotated_is_drift_at_its_path_and_repaired(
    engine: tuple[Engine, Plugin], lake: Lake, configuration: dict[str, Any], path: list[str], named: str
) -> None:
    heard, plugin = engine
    made = plugin.made("source", lake.source(**configuration))
    rotated(lake, made.id, *path)

    assert drifted(plugin, "source", made) == {named: "update"}

    assert f"{named}: changed outside the program" in heard.told()


def test_a_changed_secret_is_a_secret_sign_in_the_state_and_no_value(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    rotated(lake, made.id, "credentials", "token", value="somebody-else's-value")
    live = plugin.refreshed("source", made)
    assert live.inputs["configuration"]["credentials"]["token"] == Secret(CHANGED)
    assert TOKEN not in str(live.outputs)
    again = plugin.refreshed("source", live)
    assert (again.inputs, again.outputs) == (live.inputs, live.outputs)


def test_the_record_of_versions_names_no_secret_and_no_object(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source(code="1234-5678"))
    record = json.loads(made.outputs["secretVersions"])
    assert set(record) == {"code", "credentials.token"}
    assert all(version.startswith("1:") and len(version) == 10 for version in record.values())
    assert not has_secret(made.outputs)


def test_an_edit_of_the_page_that_leaves_secrets_alone_is_no_rotation(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    edited = lake.live("sources", made.id)["configuration"] | {"host": "other"}
    lake.api("PUT", f"/sources/{made.id}", {"name": plugin.name, "configuration": edited})
    assert drifted(plugin, "source", made) == {"configuration.host": "update"}


def test_a_mask_that_another_tool_has_stored_as_the_secret_is_seen_and_repaired(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    shown = lake.live("sources", made.id)["configuration"]
    lake.api("PATCH", f"/sources/{made.id}", {"configuration": shown})
    assert stored(lake)[-1] == MASK
    assert drifted(plugin, "source", made) == {TOKEN_PATH: "update"}
    assert stored(lake)[-1] == TOKEN


def test_another_secret_of_the_same_version_is_a_rotation(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    for credentials in ({"method": "login"}, {"method": "token", "token": "a-new-one"}):
        configuration = {"host": "lab.example.com", "credentials": credentials}
        lake.api("PUT", f"/sources/{made.id}", {"name": plugin.name, "configuration": configuration})
    assert drifted(plugin, "source", made) == {TOKEN_PATH: "update"}


def test_a_secret_that_somebody_removed_or_added_is_drift(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source(code="1234-5678"))
    configuration = {"host": "lab.example.com", "credentials": {"method": "login", "password": "their-password"}}
    lake.api("PUT", f"/sources/{made.id}", {"name": plugin.name, "configuration": configuration})
    assert drifted(plugin, "source", made) == {
        "configuration.code": "add",
        "configuration.credentials.method": "update",
        "configuration.credentials.password": "delete",
        TOKEN_PATH: "add",
    }


def test_switching_a_branch_in_code_takes_the_other_branchs_secret_off_the_server(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    login = {"method": "login", "user": "me", "password": "value-of-password"}
    updated = plugin.update("source", made, plugin.checked("source", lake.source(credentials=login)))
    assert lake.live("sources", made.id)["configuration"]["credentials"] == login | {"password": MASK}
    assert list(json.loads(updated.outputs["secretVersions"])) == ["credentials.password"]
    assert_clean(plugin, "source", updated)
    back = plugin.update("source", updated, plugin.checked("source", lake.source(credentials={"method": "login"})))
    assert "secretVersions" not in back.outputs
    assert_clean(plugin, "source", back)


def test_a_configuration_that_is_secret_as_a_whole_is_clean_and_not_blind(plugin: Plugin, lake: Lake) -> None:
    given = lake.source()
    made = plugin.made("source", given | {"configuration": Secret(given["configuration"])})
    assert_clean(plugin, "source", made)
    rotated(lake, made.id, "credentials", "token")
    assert drifted(plugin, "source", made) == {TOKEN_PATH: "update"}


def test_a_reference_to_a_stored_secret_is_sent_as_it_is_and_clean(plugin: Plugin, lake: Lake) -> None:
    reference = "secret_coordinate::vault/lab-token"
    made = plugin.made("source", lake.source(credentials={"method": "token", "token": reference}))
    shown = lake.api("GET", f"/sources/{made.id}?includeSecretCoordinates=true")
    assert shown["configuration"]["credentials"]["token"] == reference
    assert_clean(plugin, "source", made)
    rotated(lake, made.id, "credentials", "token", value="secret_coordinate::vault/another")
    assert drifted(plugin, "source", made) == {TOKEN_PATH: "update"}


def test_an_import_records_versions_so_that_the_next_rotation_is_seen(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    found = plugin.imported("source", made.id)
    assert found.outputs == made.outputs
    rotated(lake, made.id, "credentials", "token")
    live = plugin.refreshed("source", found)
    assert plugin.diff("source", live.inputs, made.inputs, live.outputs).detail == {TOKEN_PATH: "update"}


def test_a_secret_that_an_import_could_not_see_is_told_until_the_state_has_it(
    engine: tuple[Engine, Plugin], lake: Lake
) -> None:
    heard, plugin = engine
    made = plugin.made("source", lake.source())
    found = plugin.imported("source", made.id)
    assert plugin.diff("source", found.inputs, made.inputs, found.outputs) == NOTHING
    assert f"{TOKEN_PATH}: imported as masks, and assumed to equal the program's values" in heard.told()
    assert plugin.diff("source", made.inputs, made.inputs, found.outputs) == NOTHING
    assert heard.told() == ""


def test_any_change_after_an_import_writes_the_programs_secrets(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source(credentials={"method": "token", "token": "value-before-import"}))
    found = plugin.imported("source", made.id)
    given = lake.source(credentials={"method": "token", "token": "value-after-import"}) | {"forceDestroy": True}
    updated = plugin.update("source", found, plugin.checked("source", given))
    assert "value-after-import" in stored(lake)
    assert_clean(plugin, "source", updated)


def test_a_program_that_ignores_changes_of_a_secret_leaves_somebodys_value_alone(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    rotated(lake, made.id, "credentials", "token", value="a-value-that-stays")
    live = plugin.refreshed("source", made)
    plugin.update("source", live, plugin.checked("source", live.inputs | {"name": "renamed"}))
    assert stored(lake)[-1] == "a-value-that-stays"


def test_a_new_source_cannot_take_over_a_value_that_nobody_can_read(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    rotated(lake, made.id, "credentials", "token")
    ignoring = plugin.refreshed("source", made).inputs
    lake.twin.clear_calls()
    message = error(lambda: plugin.create("source", ignoring))
    assert "can't take over a secret that was changed on the server" in message
    assert lake.writes() == []


def test_a_version_that_cannot_be_read_is_no_failure_and_is_recorded_by_the_next_refresh(
    plugin: Plugin, lake: Lake
) -> None:
    lake.fault(method="GET", path="includeSecretCoordinates", status=500, times=None)
    made = plugin.made("source", lake.source())
    assert "secretVersions" not in made.outputs
    lake.twin.twin.faults.clear()
    live = plugin.refreshed("source", made)
    assert live.inputs == made.inputs
    assert list(json.loads(live.outputs["secretVersions"])) == ["credentials.token"]


@pytest.fixture
def masking(plugin: Plugin, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> tuple[Plugin, Lake]:
    """A plugin for a server that answers masks, whatever it is asked for (before 1.7, and Cloud)."""
    monkeypatch.setattr("airbyte_twin.public.actors.read_flag", lambda *_: False)
    return plugin, lake


def test_a_server_that_shows_only_masks_is_asked_for_versions_once(masking: tuple[Plugin, Lake]) -> None:
    plugin, lake = masking
    made = [
        plugin.made("source", lake.source(host=f"host {number}") | {"name": f"{plugin.name} {number}"})
        for number in range(3)
    ]
    asked = [call for call in lake.twin.calls() if "includeSecretCoordinates" in call.query]
    assert len(asked) == 1
    for each in made:
        assert "secretVersions" not in each.outputs
        assert_clean(plugin, "source", each)


def test_a_server_that_shows_only_masks_any_more_is_no_rotation(
    masking: tuple[Plugin, Lake], monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin, lake = masking
    monkeypatch.undo()
    made = plugin.made("source", lake.source())
    monkeypatch.setattr("airbyte_twin.public.actors.read_flag", lambda *_: False)
    assert_clean(plugin, "source", made)
