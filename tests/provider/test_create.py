"""New objects: how many calls, what is sent, and what is kept."""

import json
from typing import Any

import pytest
from pulumi_airbyte.provider.properties import Secret

from tests.provider.lake import LOOKING, TOKEN, Lake, stream
from tests.provider.plugin import Plugin

KINDS = ("source", "destination", "connection", "workspace")


def given(lake: Lake, kind: str) -> dict[str, Any]:
    """What a program says of an object of this kind."""
    return {
        "source": lake.source(),
        "destination": lake.destination(key="a-key"),
        "connection": lake.connection(),
        "workspace": {},
    }[kind]


def looks(lake: Lake, kind: str) -> list[str]:
    """What a run asks before its first create of a kind: the list, and for a connection in which workspace."""
    return [*([f"GET /sources/{lake.source_id}"] if kind == "connection" else []), f"GET /{kind}s"]


def ends(lake: Lake, kind: str) -> list[str]:
    """What is looked at right before each POST: a connection's source and destination."""
    found = [f"GET /sources/{lake.source_id}", f"GET /destinations/{lake.destination_id}"]
    return found if kind == "connection" else []


def asked(lake: Lake) -> list[str]:
    """What was asked, however many pages a list has."""
    calls = [call for call in lake.asked() if call not in LOOKING]
    return [call for index, call in enumerate(calls) if index == 0 or call != calls[index - 1]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_create_looks_once_whether_its_kind_has_such_an_object_and_is_one_writing_call(
    plugin: Plugin, lake: Lake, kind: str
) -> None:
    for number in range(2):
        inputs = plugin.checked(kind, given(lake, kind) | {"name": f"{plugin.name} {number}"})
        lake.twin.clear_calls()
        made = plugin.create(kind, inputs)
        secrets = [f"GET /{kind}s/{made.id}"] if kind in {"source", "destination"} else []
        looked = [*([] if number else looks(lake, kind)), *ends(lake, kind)]
        assert asked(lake) == [*looked, f"POST /{kind}s", *secrets]


@pytest.mark.parametrize("kind", KINDS)
def test_a_previewed_create_only_looks_and_knows_no_output(plugin: Plugin, lake: Lake, kind: str) -> None:
    inputs = plugin.checked(kind, given(lake, kind))
    lake.twin.clear_calls()
    previewed = plugin.create(kind, inputs, preview=True)
    assert asked(lake) == [*ends(lake, kind), *looks(lake, kind)[-1:]]
    assert previewed.id == ""
    assert f"{kind}Id" in previewed.outputs
    assert {repr(value) for value in previewed.outputs.values()} == {"UNKNOWN"}
    assert set(plugin.create(kind, inputs).outputs) <= set(previewed.outputs) | {"serverRewrites", "secretVersions"}


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_have_the_id_and_repeat_no_input(plugin: Plugin, lake: Lake, kind: str) -> None:
    made = plugin.made(kind, given(lake, kind))
    assert made.outputs[f"{kind}Id"] == made.id
    assert lake.live(f"{kind}s", made.id)["name"] == made.inputs["name"]
    assert set(made.outputs) & set(made.inputs) == set()


def test_a_source_is_sent_in_plain_text_as_a_whole(plugin: Plugin, lake: Lake) -> None:
    allocation = {"default": {"cpu_limit": "1"}}
    made = plugin.made("source", lake.source(port=1) | {"resourceAllocation": allocation})
    live = lake.live("sources", made.id)
    assert live["configuration"] == {
        "host": "lab.example.com",
        "port": 1,
        "credentials": {"method": "token", "token": "*" * 10},
    }
    assert live["resourceAllocation"] == allocation | {"jobSpecific": []}
    assert made.outputs["sourceType"] == ""
    assert TOKEN in [secret.value for secret in lake.twin.store.secrets]


def test_a_connection_has_what_the_program_says(plugin: Plugin, lake: Lake) -> None:
    tag = lake.tag("created", "1A2B3C")
    properties = {
        "name": "Lab → Lab",
        "schedule": {"scheduleType": "cron", "cronExpression": "0 0 * * * ?"},
        "namespaceDefinition": "custom_format",
        "namespaceFormat": "lab",
        "prefix": "p_",
        "nonBreakingSchemaUpdatesBehavior": "propagate_columns",
        "status": "inactive",
        "tags": [tag],
    }
    live = lake.live("connections", plugin.made("connection", lake.connection(**properties)).id)
    schedule = {"scheduleType": "cron", "cronExpression": "0 0 * * * ? UTC"}
    assert {key: live[key] for key in properties} == properties | {"schedule": schedule}
    [found] = live["configurations"]["streams"]
    assert found["selectedFields"] == [{"fieldPath": [name]} for name in ("id", "name", "updated_at")]


def test_a_secret_text_of_streams_is_sent_in_plain_text(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made("connection", lake.connection(configurations=Secret(json.dumps([stream()]))))
    assert lake.live("connections", made.id)["configurations"]["streams"][0]["name"] == "bare"


def test_what_the_server_did_not_rewrite_is_not_kept(plugin: Plugin, lake: Lake) -> None:
    assert "serverRewrites" not in plugin.made("source", lake.source()).outputs
    assert "serverRewrites" not in plugin.made("connection", lake.connection()).outputs


def test_what_the_server_rewrote_is_kept_as_pairs_of_path_and_value(plugin: Plugin, lake: Lake) -> None:
    given_by_type = {"workspaceId": lake.twin.workspace_id, "configuration": {"sourceType": "faker"}}
    made = plugin.made("source", given_by_type)
    assert json.loads(made.outputs["serverRewrites"]) == [
        [["configuration", "sourceType"], None],
        [["definitionId"], "dfd88b22-b603-4c3d-aad7-3701784586b1"],
    ]

    default = stream("cursor_default", syncMode="incremental_append")
    made = plugin.made("connection", lake.connection(default))
    assert json.loads(made.outputs["serverRewrites"]) == [
        [["configurations", "cursor_default", "cursorField"], ["updated_at"]]
    ]


def test_a_workspaces_notifications_are_the_servers_where_the_program_is_silent(plugin: Plugin) -> None:
    off = {"failure": {"email": {"enabled": False}}}
    made = plugin.made("workspace", {"notifications": off})
    rewrites = {".".join(path): value for path, value in json.loads(made.outputs["serverRewrites"])}
    assert rewrites["notifications.syncDisabled"] == {"email": {"enabled": True}, "webhook": {"enabled": False}}
    assert "notifications.failure.email.enabled" not in rewrites
