"""An update of a source or destination writes what the program has changed, and leaves the rest as it is in Airbyte."""

import json
from typing import Any

import pytest
from pulumi_airbyte.provider.properties import Secret
from pulumi_airbyte.provider.versions import CHANGED

from tests.provider.lake import TOKEN, Document, Lake
from tests.provider.plugin import NOTHING, Object, Plugin, error
from tests.provider.refresh import assert_clean

MASK = "*" * 10
TOKEN_PATH = "configuration.credentials.token"
THEIRS = "a-value-of-the-server"
LOGIN = {"method": "login", "user": "me", "password": "value-of-password"}


def rotated(lake: Lake, object_id: str, *path: str, value: str = THEIRS) -> None:
    lake.drift("rotate_secret", actorId=object_id, path=list(path), value=value)


def edited(lake: Lake, object_id: str, **configuration: Any) -> None:
    """Somebody changes a source in Airbyte's pages; `...` takes a key out."""
    live = lake.live("sources", object_id)
    changed = {key: value for key, value in (live["configuration"] | configuration).items() if value is not ...}
    lake.api("PUT", f"/sources/{object_id}", {"name": live["name"], "configuration": changed})


def coordinates(lake: Lake, object_id: str) -> Document:
    """The configuration with what stands behind each secret."""
    return dict(lake.api("GET", f"/sources/{object_id}?includeSecretCoordinates=true")["configuration"])


def stored(lake: Lake, object_id: str, *path: str | int) -> str:
    """The value of a secret."""
    node: Any = coordinates(lake, object_id)
    for key in path:
        node = node[key]
    values = {secret.id: secret.value for secret in lake.twin.store.secrets}
    return values[str(node).removeprefix("secret_coordinate::")]


def updated(plugin: Plugin, known: Object, given: Document) -> Object:
    """The object after the program says this."""
    checked = plugin.check("source", {"name": plugin.name} | given, known.inputs)
    assert checked.failures == {}
    made = plugin.update("source", known, checked.inputs)
    assert plugin.diff("source", made.inputs, checked.inputs, made.outputs) == NOTHING
    return made


def drift_of(plugin: Plugin, known: Object) -> dict[str, str]:
    live = plugin.refreshed("source", known)
    return plugin.diff("source", live.inputs, known.inputs, live.outputs).detail


@pytest.mark.parametrize("change", [{"name": "renamed"}, {"host": "other.example.com"}], ids=str)
def test_a_token_that_the_server_rotated_stays_when_another_field_changes(
    plugin: Plugin, lake: Lake, change: Document
) -> None:
    made = plugin.made("source", lake.source())
    rotated(lake, made.id, "credentials", "token")
    before = coordinates(lake, made.id)["credentials"]

    given = lake.source(**{key: value for key, value in change.items() if key != "name"})
    after = updated(plugin, made, given | {"name": change.get("name", plugin.name)})

    assert coordinates(lake, made.id)["credentials"] == before
    assert stored(lake, made.id, "credentials", "token") == THEIRS
    assert drift_of(plugin, after) == {TOKEN_PATH: "update"}


def test_a_rotated_token_that_is_ignored_stays_however_often_the_program_changes(plugin: Plugin, lake: Lake) -> None:
    known = plugin.made("source", lake.source())
    rotated(lake, known.id, "credentials", "token")
    for host in ("one.example.com", "two.example.com"):
        known = plugin.refreshed("source", known)
        ignored = known.inputs["configuration"]["credentials"]
        assert ignored["token"] == Secret(CHANGED)
        known = updated(plugin, known, lake.source(host=host, credentials=ignored))
        assert stored(lake, known.id, "credentials", "token") == THEIRS
        assert drift_of(plugin, known) == {}


def test_a_rotated_token_that_a_refresh_has_seen_is_put_back_where_it_is_not_ignored(
    plugin: Plugin, lake: Lake
) -> None:
    made = plugin.made("source", lake.source())
    rotated(lake, made.id, "credentials", "token")
    after = updated(plugin, plugin.refreshed("source", made), lake.source())
    assert stored(lake, made.id, "credentials", "token") == TOKEN
    assert_clean(plugin, "source", after)


def test_a_version_that_cannot_be_read_after_a_write_is_forgotten_for_no_other_secret(
    plugin: Plugin, lake: Lake
) -> None:
    made = plugin.made("source", lake.source(code="1234"))
    rotated(lake, made.id, "code")
    lake.fault(method="GET", path="includeSecretCoordinates", status=500, nth=2)
    credentials = {"method": "token", "token": "another-token-value"}
    after = updated(plugin, made, lake.source(code="1234", credentials=credentials))
    assert list(json.loads(after.outputs["secretVersions"])) == ["code"]
    lake.twin.twin.faults.clear()
    live = plugin.refreshed("source", after)
    assert plugin.diff("source", live.inputs, after.inputs, live.outputs).detail == {"configuration.code": "update"}
    assert list(json.loads(live.outputs["secretVersions"])) == ["code", "credentials.token"]


def test_an_edit_in_airbyte_at_an_unchanged_place_stays_and_is_drift_at_the_next_refresh(
    plugin: Plugin, lake: Lake
) -> None:
    made = plugin.made("source", lake.source(port=1))
    edited(lake, made.id, port=2)
    after = updated(plugin, made, lake.source(port=1, host="other.example.com"))
    live = lake.live("sources", made.id)["configuration"]
    assert (live["host"], live["port"]) == ("other.example.com", 2)
    assert drift_of(plugin, after) == {"configuration.port": "update"}
    assert_clean(plugin, "source", updated(plugin, plugin.refreshed("source", after), dict(after.inputs)))


def test_a_key_that_came_in_airbyte_stays_until_the_program_changes_the_keys_beside_it(
    plugin: Plugin, lake: Lake
) -> None:
    made = plugin.made("source", lake.source(credentials=LOGIN) | {"name": plugin.name})
    edited(lake, made.id, code="from-airbyte", credentials=LOGIN | {"password": MASK, "extra": "x"})
    after = updated(plugin, made, lake.source(credentials=LOGIN | {"user": "you"}))
    live = lake.live("sources", made.id)["configuration"]
    assert live["credentials"] == LOGIN | {"user": "you", "extra": "x", "password": MASK}
    assert live["code"] == MASK
    assert stored(lake, made.id, "code") == "from-airbyte"
    assert drift_of(plugin, after) == {"configuration.code": "delete", "configuration.credentials.extra": "delete"}

    updated(plugin, after, lake.source(credentials={"method": "token", "token": TOKEN}))
    live = lake.live("sources", made.id)["configuration"]
    assert live["credentials"] == {"method": "token", "token": MASK}
    assert live["code"] == MASK


def test_what_the_program_takes_out_is_gone_although_it_is_live(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source(port=1, code="1234"))
    after = updated(plugin, made, lake.source())
    assert set(lake.live("sources", made.id)["configuration"]) == {"host", "credentials"}
    assert_clean(plugin, "source", after)


@pytest.mark.parametrize("allocated", [None, {"default": {"cpu_limit": "1"}}], ids=str)
def test_a_name_and_resources_that_somebody_changed_stay_while_the_program_leaves_them(
    plugin: Plugin, lake: Lake, allocated: Document | None
) -> None:
    made = plugin.made("source", lake.source() | {"resourceAllocation": allocated})
    theirs = {"default": {"cpu_limit": "3"}}
    lake.api("PATCH", f"/sources/{made.id}", {"name": "somebody's", "resourceAllocation": theirs})
    after = updated(plugin, made, lake.source(host="other.example.com") | {"resourceAllocation": allocated})
    live = lake.live("sources", made.id)
    assert (live["name"], live["resourceAllocation"]) == ("somebody's", theirs | {"jobSpecific": []})
    place = "resourceAllocation.default.cpu_limit" if allocated else "resourceAllocation"
    assert drift_of(plugin, after) == {"name": "update", place: "update" if allocated else "delete"}


def test_secrets_in_a_list_of_one_length_are_kept_and_in_another_list_they_are_the_programs(
    plugin: Plugin, lake: Lake
) -> None:
    keys = [{"label": "a", "secret": "one"}, {"label": "b", "secret": "two"}]
    made = plugin.made("source", lake.source(keys=keys))
    rotated(lake, made.id, "keys", "1", "secret")
    after = updated(plugin, made, lake.source(keys=[keys[0] | {"label": "c"}, keys[1]]))
    [first, second] = coordinates(lake, made.id)["keys"]
    assert first["label"] == "c"
    assert first["secret"].endswith("_v1")
    assert second["secret"].endswith("_v2")
    shorter = updated(plugin, after, lake.source(keys=[keys[1]]))
    [only] = coordinates(lake, made.id)["keys"]
    assert only["label"] == "b"
    values = {secret.id: secret.value for secret in lake.twin.store.secrets}
    assert values[only["secret"].removeprefix("secret_coordinate::")] == "two"
    assert_clean(plugin, "source", shorter)


def test_a_secret_that_only_airbyte_knows_is_not_moved_to_another_item(plugin: Plugin, lake: Lake) -> None:
    keys = [{"label": "a", "secret": "one"}, {"label": "b", "secret": "two"}]
    made = plugin.made("source", lake.source(keys=keys))
    rotated(lake, made.id, "keys", "1", "secret")
    live = plugin.refreshed("source", made)
    inputs = {
        **live.inputs,
        "configuration": live.inputs["configuration"] | {"keys": live.inputs["configuration"]["keys"][1:]},
    }
    lake.twin.clear_calls()
    message = error(lambda: plugin.update("source", live, inputs))
    assert message.startswith("configuration.keys[0].secret has a value that only Airbyte knows")
    assert lake.writes() == []


def test_a_mask_that_the_specification_refuses_is_the_value_where_the_program_knows_it(
    plugin: Plugin, lake: Lake
) -> None:
    made = plugin.made("source", lake.source(pin="1234"))
    after = updated(plugin, made, lake.source(pin="1234", host="other.example.com"))
    found = coordinates(lake, made.id)
    assert (found["host"], found["pin"].rpartition("_")[2]) == ("other.example.com", "v2")
    assert found["credentials"]["token"].endswith("_v1")
    assert stored(lake, made.id, "pin") == "1234"
    assert_clean(plugin, "source", after)


@pytest.mark.parametrize("state", ["not refreshed", "refreshed and ignored"])
def test_a_mask_that_the_specification_refuses_over_a_rotated_value_is_refused_in_words(
    plugin: Plugin, lake: Lake, state: str
) -> None:
    made = plugin.made("source", lake.source(pin="1234"))
    rotated(lake, made.id, "pin", value="9999")
    known = made if state == "not refreshed" else plugin.refreshed("source", made)
    lake.twin.clear_calls()
    message = error(lambda: plugin.update("source", known, known.inputs | {"name": "renamed"}))
    assert message.startswith("configuration.pin has a value that only Airbyte knows")
    assert "without ignoreChanges" in message
    assert [call for call in lake.writes() if call.startswith("PUT")] == []
    assert stored(lake, made.id, "pin") == "9999"


def test_without_a_specification_a_mask_is_sent_and_the_server_decides(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source(pin="1234"))
    plugin.configure(serverUrl=f"{lake.twin.url}/api/public/v1")
    lake.fault(path="/source_definition_specifications/", status=503, times=None)
    message = error(lambda: plugin.update("source", made, made.inputs | {"name": "renamed"}))
    assert "422" in message
    assert "1234" not in message


def test_a_server_that_shows_only_masks_keeps_what_the_program_leaves(
    plugin: Plugin, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airbyte_twin.public.actors.read_flag", lambda *_: False)
    made = plugin.made("source", lake.source())
    rotated(lake, made.id, "credentials", "token")
    after = updated(plugin, made, lake.source(host="other.example.com"))
    assert THEIRS in [secret.value for secret in lake.twin.store.secrets]
    assert_clean(plugin, "source", after)


def test_naming_the_connector_in_the_other_way_writes_nothing(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("source", lake.source())
    by_type = {key: value for key, value in lake.source(sourceType="lab").items() if key != "definitionId"}
    new = plugin.checked("source", by_type)
    lake.twin.clear_calls()
    after = plugin.update("source", made, new | {"checkConnection": True})
    assert lake.writes() == ["POST /sources/check_connection"]
    named = updated(plugin, after, by_type | {"configuration": by_type["configuration"] | {"host": "h"}})
    assert_clean(plugin, "source", named)


def test_a_new_secret_goes_to_its_own_item_of_a_list_that_somebody_has_put_in_another_order(
    plugin: Plugin, lake: Lake
) -> None:
    first, second = ({"label": label, "secret": f"secret of {label}"} for label in ("first", "second"))
    made = plugin.made("source", lake.source(keys=[first, second]))
    edited(lake, made.id, keys=[second, first])
    updated(plugin, made, lake.source(keys=[first | {"secret": "new secret"}, second]))
    assert [key["label"] for key in lake.live("sources", made.id)["configuration"]["keys"]] == ["first", "second"]
    assert [stored(lake, made.id, "keys", 0, "secret"), stored(lake, made.id, "keys", 1, "secret")] == [
        "new secret",
        "secret of second",
    ]
