"""Configurations held against their connector's specification, at the preview."""

from pulumi_airbyte.provider.properties import UNKNOWN, Secret

from tests.provider.heard import Engine
from tests.provider.lake import TOKEN, Lake
from tests.provider.plugin import Plugin


def test_a_preview_names_every_wrong_place_before_any_write(plugin: Plugin, lake: Lake) -> None:
    failures = plugin.check("source", lake.source(port="5432", credentials={"method": "token"}, keys={})).failures
    assert failures == {
        "configuration.credentials.token": "is required: add it",
        "configuration.keys": "has the wrong type: write a list",
        "configuration.port": "has the wrong type: write an integer",
    }
    assert lake.writes() == []


def test_what_a_program_does_not_know_yet_is_no_failure_in_a_preview(plugin: Plugin, lake: Lake) -> None:
    assert plugin.check("source", lake.source(port=UNKNOWN, credentials=UNKNOWN)).failures == {}


def test_a_configuration_that_did_not_change_is_not_judged_again(plugin: Plugin, lake: Lake) -> None:
    before = lake.source(port="5432") | {"name": "thing"}
    lake.twin.clear_calls()
    assert plugin.check("source", before, before).failures == {}
    assert lake.asked() == []


def test_the_connectors_type_beside_its_definition_is_no_further_key(plugin: Plugin, lake: Lake) -> None:
    assert plugin.check("source", lake.source(sourceType="lab")).failures == {}


def test_a_misspelt_key_that_the_server_takes_is_told_and_not_refused(
    engine: tuple[Engine, Plugin], lake: Lake
) -> None:
    heard, plugin = engine
    line = "configuration.hosst is not in the connector's specification, so that the connector ignores it"
    before = plugin.checked("source", lake.source())
    inputs = plugin.checked("source", {**lake.source(), "configuration": {"hosst": "lab"}})
    plugin.create("source", inputs, preview=True)
    assert f"{line}: did you mean host?" in heard.told()
    plugin.diff("source", before, inputs)
    assert line in heard.told()
    plugin.diff("source", inputs, inputs | {"name": "other"})
    assert heard.told() == ""


def test_no_refusal_shows_a_secret(plugin: Plugin, lake: Lake) -> None:
    failures = plugin.check(
        "source", lake.source(credentials={"method": Secret(TOKEN), "token": Secret(TOKEN)})
    ).failures
    assert list(failures) == ["configuration.credentials.method"]
    assert TOKEN not in str(failures)
