"""A preview refuses connectors, workspaces and ends of connections that this Airbyte does not have."""

from typing import Any

import pytest
from pulumi_airbyte.provider.properties import UNKNOWN

from tests.provider.lab import LAB_DESTINATION, LAB_SOURCE, OTHER_SOURCE
from tests.provider.lake import Lake
from tests.provider.plugin import Plugin, error

MISSING = "5a1c0f1e-0000-4000-8000-0000000000ff"
KINDS = ("source", "destination")
LISTED = "GET /connector_definitions"


@pytest.fixture(params=["with the Config API", "without it"])
def either(request: pytest.FixtureRequest, unconfigured: Plugin, lake: Lake) -> Plugin:
    """A plugin, with and without the Config API."""
    unconfigured.configure(serverUrl=lake.twin.public_url)
    if request.param == "without it":
        without_config_api(lake)
    return unconfigured


def without_config_api(lake: Lake) -> None:
    """Refuse every call of the Config API, as a server does to a user who may not use it."""
    lake.fault(path="^/api/v1/", status=403, times=None)


def given(lake: Lake, kind: str, **changes: Any) -> dict[str, Any]:
    """A source or destination of a program."""
    return (lake.source() if kind == "source" else lake.destination()) | changes


def refusal(plugin: Plugin, kind: str, inputs: dict[str, Any]) -> str:
    """The message of a previewed create, which is refused."""
    return error(lambda: plugin.create(kind, plugin.checked(kind, inputs), preview=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_connector_that_airbyte_lacks_is_refused(either: Plugin, lake: Lake, kind: str) -> None:
    message = refusal(either, kind, given(lake, kind, definitionId=MISSING))
    assert f"no {kind} connector {MISSING}" in message
    assert "definitionId" in message
    assert lake.writes() == []


def test_a_definition_of_the_other_kind_is_refused_as_such(either: Plugin, lake: Lake) -> None:
    assert "it is a destination connector (Lab)" in refusal(
        either, "source", given(lake, "source", definitionId=LAB_DESTINATION)
    )
    assert "it is a source connector (Lab)" in refusal(
        either, "destination", given(lake, "destination", definitionId=LAB_SOURCE)
    )


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("kind", KINDS)
def test_a_workspace_that_airbyte_lacks_is_refused_with_those_that_it_has(
    either: Plugin, lake: Lake, monkeypatch: pytest.MonkeyPatch, kind: str, status: int
) -> None:
    settings = lake.twin.twin.settings
    monkeypatch.setattr(lake.twin.twin, "settings", settings.model_copy(update={"missing_id_status": status}))
    message = refusal(either, kind, given(lake, kind, workspaceId=MISSING))
    assert f"no workspace {MISSING}" in message
    assert lake.twin.workspace_id in message
    assert lake.writes() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_known_connector_costs_no_call_with_the_config_api(plugin: Plugin, lake: Lake, kind: str) -> None:
    inputs = plugin.checked(kind, given(lake, kind))
    lake.twin.clear_calls()
    plugin.create(kind, inputs, preview=True)
    assert lake.asked() == [f"GET /{kind}s"]


def test_without_the_config_api_the_connectors_are_listed_once_a_run(plugin: Plugin, lake: Lake) -> None:
    without_config_api(lake)
    for name, definition in (("one", LAB_SOURCE), ("two", LAB_SOURCE), ("three", OTHER_SOURCE)):
        inputs = plugin.checked("source", given(lake, "source", name=name, definitionId=definition))
        plugin.create("source", inputs, preview=True, name=name)
    assert lake.asked().count(LISTED) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_connector_that_the_same_run_creates_passes(either: Plugin, lake: Lake, kind: str) -> None:
    inputs = either.checked(kind, given(lake, kind, definitionId=UNKNOWN))
    either.create(kind, inputs, preview=True)
    assert LISTED not in lake.asked()


def test_a_server_that_cannot_list_its_connectors_is_no_reason_to_refuse(plugin: Plugin, lake: Lake) -> None:
    without_config_api(lake)
    lake.fault(path="/connector_definitions", status=500, times=None)
    inputs = plugin.checked("source", given(lake, "source", definitionId=MISSING))
    plugin.create("source", inputs, preview=True)


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 403}, {"status": 404}])
def test_a_list_that_fails_is_asked_for_as_often_for_three_sources_as_for_one(
    plugin: Plugin, lake: Lake, fault: dict[str, int]
) -> None:
    without_config_api(lake)
    lake.fault(path="/connector_definitions", times=None, **fault)
    asked = []
    for name in ("one", "two", "three"):
        inputs = plugin.checked("source", given(lake, "source", name=name, definitionId=MISSING))
        plugin.create("source", inputs, preview=True, name=name)
        asked.append(lake.asked().count(LISTED))
    assert asked[0] == asked[-1] > 0


@pytest.mark.parametrize("status", [403, 404])
def test_an_empty_workspace_that_is_listed_passes_although_it_cannot_be_read(
    plugin: Plugin, lake: Lake, status: int
) -> None:
    empty = lake.api("POST", "/workspaces", {"name": "empty"})["workspaceId"]
    lake.fault(path=f"/workspaces/{empty}$", method="GET", status=status, times=None)
    plugin.create("source", plugin.checked("source", given(lake, "source", workspaceId=empty)), preview=True)
    assert f"GET /workspaces/{empty}" in lake.asked()


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_to_a_deleted_end_is_refused(either: Plugin, lake: Lake, kind: str) -> None:
    made = either.made(kind, given(lake, kind, name="short-lived"))
    lake.api("DELETE", f"/{kind}s/{made.id}")
    either.next_run()
    message = refusal(either, "connection", lake.connection(**{f"{kind}Id": made.id}))
    assert made.id in message
    assert "pulumi refresh" in message


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_to_an_end_that_never_existed_is_refused(either: Plugin, lake: Lake, kind: str) -> None:
    assert f"{kind} {MISSING} does not exist" in refusal(
        either, "connection", lake.connection(**{f"{kind}Id": MISSING})
    )
