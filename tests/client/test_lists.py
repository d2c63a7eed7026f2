"""Lists of any length, whatever order they come in."""

from typing import Any

import pytest
from airbyte_twin.testing import RunningTwin, running_twin
from pulumi_airbyte.client import Airbyte

from tests.client.moving import filled
from tests.client.scripted import Answer, answering
from tests.client.support import client, faker


@pytest.mark.parametrize(("number", "calls"), [(1, 1), (99, 1), (100, 2), (200, 3), (250, 3)])
def test_a_list_of_any_length_is_read_in_pages_of_a_hundred(
    airbyte: Airbyte, twin: RunningTwin, number: int, calls: int
) -> None:
    known = filled(twin, number)
    assert {actor.actor_id for actor in airbyte.list_actors("source", twin.workspace_id)} == known
    assert len(twin.calls()) == calls
    assert all("limit=100" in call.query for call in twin.calls())


def test_an_empty_list_is_one_call(airbyte: Airbyte, twin: RunningTwin) -> None:
    assert airbyte.ids("connections", "connectionId") == frozenset()
    assert len(twin.calls()) == 1


def test_a_list_of_one_workspace_leaves_the_others_out(airbyte: Airbyte, twin: RunningTwin) -> None:
    airbyte.create_actor("source", faker(twin))
    other = airbyte.create_workspace({"name": "other"})
    assert airbyte.ids("sources", "sourceId", other.workspace_id) == frozenset()
    assert len(airbyte.ids("sources", "sourceId")) == 1


def test_pages_in_another_order_each_time_come_to_an_end() -> None:
    with running_twin(unstable_lists=True) as twin, client(twin.public_url) as airbyte:
        known = filled(twin, 250)
        assert {actor.actor_id for actor in airbyte.list_actors("source")} <= known
        assert len(twin.calls()) <= 3


def page(*numbers: int, **envelope: Any) -> Answer:
    data = [{"workspaceId": f"w{number}", "name": str(number)} for number in numbers]
    return Answer(body={"previous": "", "next": "http://127.0.0.1:1/never", "data": data} | envelope)


def test_what_comes_on_two_pages_is_listed_once_and_next_is_never_followed() -> None:
    with answering(page(*range(100)), page(*range(95, 105))) as server, client(server.url) as airbyte:
        assert [workspace.name for workspace in airbyte.list_workspaces()] == [str(number) for number in range(105)]
    assert server.asked == ["GET /workspaces?limit=100&offset=0", "GET /workspaces?limit=100&offset=100"]


def test_a_server_that_does_not_page_is_not_asked_for_ever() -> None:
    with answering(page(*range(100))) as server, client(server.url) as airbyte:
        assert len(airbyte.list_workspaces()) == 100
    assert len(server.asked) == 2
