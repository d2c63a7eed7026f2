"""What only the Config API writes of a connection: set, changed, un-set, drifted, and written half."""

from typing import Any

import pytest
from pulumi_airbyte.provider.connection_settings import as_first_posted

from tests.provider.kept import kept
from tests.provider.lake import LOOKING, Document, Lake
from tests.provider.plugin import Object, Plugin, error
from tests.provider.refresh import assert_clean, drifted

BASIC = {"scheduleType": "basic", "basicTiming": "every 1 hour"}
CRON = {"scheduleType": "cron", "cronExpression": "0 0 * * * ?"}
BERLIN = CRON | {"cronTimeZone": "Europe/Berlin"}
KOLKATA = CRON | {"cronTimeZone": "Asia/Kolkata"}
MANUAL = {"scheduleType": "manual"}
SETTINGS: dict[str, tuple[Any, Any, Any]] = {
    "notifySchemaChanges": (True, False, False),
    "notifySchemaChangesByEmail": (True, False, False),
    "backfillPreference": ("enabled", "disabled", "disabled"),
    "resourceRequirements": ({"cpu_limit": "1", "memory_limit": "1Gi"}, {"cpu_limit": "2"}, {}),
}
"""By setting: what it is set to, what it is changed to, and what it is once it is un-set."""
ALL: Document = {key: values[0] for key, values in SETTINGS.items()} | {"schedule": BASIC}


def shown(lake: Lake, connection_id: str) -> Document:
    """A connection as the Config API shows it."""
    return lake.config_api("/connections/get", {"connectionId": connection_id})


def edit(lake: Lake, connection_id: str, **changes: Any) -> None:
    """Change a connection as Airbyte's own page would."""
    lake.config_api("/connections/update", {"connectionId": connection_id} | changes)


@pytest.mark.parametrize(("key", "values"), SETTINGS.items(), ids=SETTINGS)
def test_a_setting_is_set_changed_and_un_set(plugin: Plugin, lake: Lake, key: str, values: tuple[Any, ...]) -> None:
    first, second, unset = values
    known = plugin.made("connection", lake.connection(**{key: first}))
    assert shown(lake, known.id)[key] == first
    assert_clean(plugin, "connection", known)
    for given, live in ((second, second), (first, first), (None, unset)):
        inputs = plugin.checked("connection", lake.connection(**{key: given}))
        assert plugin.diff("connection", known.inputs, inputs).properties == [key]
        known = plugin.update("connection", known, inputs)
        assert shown(lake, known.id).get(key) == live
        assert_clean(plugin, "connection", known)


@pytest.mark.parametrize(("key", "values"), SETTINGS.items(), ids=SETTINGS)
def test_a_setting_that_somebody_changed_is_seen_and_repaired(
    plugin: Plugin, lake: Lake, key: str, values: tuple[Any, ...]
) -> None:
    made = plugin.made("connection", lake.connection(**{key: values[0]}))
    edit(lake, made.id, **{key: values[1]})
    assert {path.partition(".")[0] for path in drifted(plugin, "connection", made)} == {key}


def test_a_setting_that_the_program_does_not_mention_is_the_servers(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection())
    edit(lake, made.id, notifySchemaChanges=True, resourceRequirements={"cpu_limit": "1"})
    lake.twin.clear_calls()
    assert_clean(plugin, "connection", made)
    assert lake.asked() == [f"GET /connections/{made.id}"]


@pytest.mark.parametrize("old", [MANUAL, CRON, BERLIN, BASIC], ids=str)
@pytest.mark.parametrize("new", [MANUAL, CRON, BERLIN, KOLKATA, BASIC, None], ids=str)
def test_any_schedule_turns_into_any_other(plugin: Plugin, lake: Lake, old: Document, new: Document | None) -> None:
    made = plugin.made("connection", lake.connection(schedule=old))
    assert_clean(plugin, "connection", made)
    inputs = plugin.checked("connection", lake.connection(schedule=new, prefix="p_"))
    updated = plugin.update("connection", made, inputs)
    assert_clean(plugin, "connection", updated)
    assert lake.live("connections", made.id)["prefix"] == "p_"


def test_a_schedule_of_the_config_api_is_one_more_call_after_the_post(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection(schedule=BASIC))
    ends = ("GET /sources/", "GET /destinations/")
    asked = [call for call in lake.asked() if not call.startswith((*ends, "GET /connections", *LOOKING))]
    assert asked == ["GET /instance_configuration", "POST /connections", "POST /connections/update"]
    assert lake.live("connections", made.id)["schedule"] == {"scheduleType": "basic", "basicTiming": "Every 1 HOURS"}
    lake.twin.clear_calls()
    zoned = plugin.update("connection", made, plugin.checked("connection", lake.connection(schedule=BERLIN)))
    assert lake.asked() == [f"GET /connections/{made.id}", "POST /connections/update"]
    lake.twin.clear_calls()
    plugin.update("connection", zoned, zoned.inputs | {"prefix": "p_"})
    assert lake.asked() == [f"PATCH /connections/{made.id}"]
    assert shown(lake, made.id)["scheduleData"]["cron"]["cronTimeZone"] == "Europe/Berlin"


@pytest.mark.parametrize("edited", [BERLIN, KOLKATA | {"cronTimeZone": "UTC"}], ids=str)
def test_a_zone_that_somebody_changed_is_seen_and_repaired(plugin: Plugin, lake: Lake, edited: Document) -> None:
    made = plugin.made("connection", lake.connection(schedule=KOLKATA))
    data = {"cron": {key: edited[key] for key in ("cronExpression", "cronTimeZone")}}
    edit(lake, made.id, scheduleType="cron", scheduleData=data)
    assert list(drifted(plugin, "connection", made)) == ["schedule.cronTimeZone"]


def test_settings_of_many_are_read_in_one_list(plugin: Plugin, lake: Lake) -> None:
    made = [plugin.made("connection", lake.connection(name=f"n{i}", notifySchemaChanges=True)) for i in range(7)]
    lake.twin.clear_calls()
    for each in made:
        assert_clean(plugin, "connection", each)
    asked = lake.asked()
    assert asked.count("POST /connections/list") == 1
    assert asked.count("POST /connections/get") == 3


def test_an_import_brings_the_settings_that_somebody_has_set(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection(notifySchemaChanges=True, schedule=BERLIN))
    imported = plugin.imported("connection", made.id)
    assert imported.inputs == made.inputs


@pytest.fixture
def half_made(plugin: Plugin, lake: Lake) -> Object:
    """A connection of which the Config API has not written its part."""
    inputs = plugin.checked("connection", lake.connection(**ALL))
    lake.fault(method="POST", path="/connections/update", status=500, times=None)
    left, [reason] = kept(lambda: plugin.create("connection", inputs))
    assert "update the settings of connection" in reason
    lake.twin.twin.faults.clear()
    return left


def test_a_connection_whose_second_call_fails_starts_nothing_and_is_repaired_by_the_next_update(
    plugin: Plugin, lake: Lake, half_made: Object
) -> None:
    assert lake.live("connections", half_made.id)["schedule"] == MANUAL
    repaired = plugin.update("connection", half_made, half_made.inputs)
    assert "unfinished" not in repaired.outputs
    assert shown(lake, half_made.id)["notifySchemaChanges"] is True
    assert lake.live("connections", half_made.id)["schedule"]["scheduleType"] == "basic"
    assert_clean(plugin, "connection", repaired)


def test_a_half_made_connection_is_seen_by_a_refresh(plugin: Plugin, lake: Lake, half_made: Object) -> None:
    live = plugin.refreshed("connection", half_made)
    found = plugin.diff("connection", live.inputs, half_made.inputs, live.outputs)
    assert {*SETTINGS, "schedule", "unfinished"} == set(found.properties)
    assert_clean(plugin, "connection", plugin.update("connection", live, half_made.inputs))


def test_what_is_first_posted_is_what_a_broken_off_create_leaves(plugin: Plugin, lake: Lake, half_made: Object) -> None:
    outputs = {key: value for key, value in half_made.outputs.items() if key != "unfinished"}
    assert_clean(plugin, "connection", Object(half_made.id, as_first_posted(half_made.inputs), outputs))


def test_an_update_whose_second_call_fails_is_gone_on_with(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection(**ALL))
    inputs = plugin.checked("connection", lake.connection(prefix="p_", schedule=KOLKATA))
    lake.fault(method="POST", path="/connections/update", status=500, times=None)
    assert "500" in error(lambda: plugin.update("connection", made, inputs))
    lake.twin.twin.faults.clear()
    repaired = plugin.update("connection", made, inputs)
    assert {key: shown(lake, made.id).get(key) for key in SETTINGS} == {key: row[2] for key, row in SETTINGS.items()}
    assert_clean(plugin, "connection", repaired)


def test_without_an_address_of_the_config_api_a_check_says_what_needs_it(unconfigured: Plugin, lake: Lake) -> None:
    unconfigured.configure(serverUrl=f"{lake.twin.public_url}/")
    assert unconfigured.check("connection", lake.connection(**ALL)).failures == {}
    unconfigured.configure(serverUrl="https://proxy.example.com/airbyte")
    failures = unconfigured.check("connection", lake.connection(**ALL)).failures
    assert set(failures) == {"schedule", *SETTINGS}
    assert failures["schedule"].startswith("basic schedules need Airbyte's Config API, and its address is not known")
    assert unconfigured.check("connection", lake.connection(schedule=CRON)).failures == {}


def test_a_config_api_that_does_not_answer_stops_a_create_before_anything_is_written(
    plugin: Plugin, lake: Lake
) -> None:
    lake.fault(path="/instance_configuration", status=404, times=None)
    inputs = plugin.checked("connection", lake.connection(schedule=BERLIN))
    message = error(lambda: plugin.create("connection", inputs))
    assert message.startswith("Time zones of schedules need Airbyte's Config API, which does not answer: ")
    assert lake.asked() == ["GET /instance_configuration"]
    made = plugin.made("connection", lake.connection(schedule=CRON))
    assert_clean(plugin, "connection", made)


def test_settings_that_can_not_be_read_are_an_error_and_not_unset(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection(notifySchemaChanges=True))
    lake.fault(method="POST", path="/connections/get", status=500, times=None)
    assert "read the settings of connection" in error(lambda: plugin.read("connection", made))


def test_a_tag_that_was_renamed_elsewhere_is_the_same_tag(plugin: Plugin, lake: Lake) -> None:
    tag = lake.tag("before it was renamed", "111111")
    made = plugin.made("connection", lake.connection(tags=[tag]))
    lake.api("PATCH", f"/tags/{tag['tagId']}", {"name": "after it was renamed", "color": "222222"})
    assert_clean(plugin, "connection", made)
    assert_clean(plugin, "connection", plugin.update("connection", made, made.inputs | {"prefix": "p_"}))


def test_what_the_engine_puts_in_for_an_ignored_change_is_taken(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection())
    lake.drift("connection_status", connectionId=made.id, status="locked")
    live = plugin.refreshed("connection", made)
    assert live.inputs["status"] == "locked"
    assert list(plugin.check("connection", lake.connection(status="locked")).failures) == ["status"]
    assert plugin.check("connection", lake.connection(status="locked"), live.inputs).failures == {}
