"""Lists that decide what is made or deleted are read whole, whatever moves meanwhile."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from airbyte_twin.faults import Fault
from airbyte_twin.testing import RunningTwin, running_twin
from pulumi_airbyte.client import Airbyte
from pulumi_airbyte.client.errors import Unsettled

from tests.client.moving import Moving, filled, moving, sources, touch
from tests.client.scripted import Answer, answering
from tests.client.support import client

MANY = 250


@pytest.fixture
def busy(twin: RunningTwin) -> Iterator[Moving]:
    """A twin with many sources, of which some are touched after each page that is read."""
    filled(twin, MANY)
    with moving(twin, lambda: touch(twin)) as proxy:
        yield proxy


def ids(airbyte: Airbyte, twin: RunningTwin) -> list[str]:
    return sorted(actor.actor_id for actor in airbyte.every_actor("source", twin.workspace_id))


def known(twin: RunningTwin) -> list[str]:
    return sorted(actor.id for actor in sources(twin))


def calm_after(twin: RunningTwin, pages: int, change: Callable[[RunningTwin], object] = touch) -> Callable[[], None]:
    """Something that happens after so many pages, and not any more then."""
    left = [pages]

    def after_page() -> None:
        left[0] -= 1
        if left[0] >= 0:
            change(twin)

    return after_page


def test_pages_alone_skip_rows_that_moved(busy: Moving) -> None:
    with client(busy.public_url) as airbyte:
        assert len(airbyte.list_actors("source", busy.twin.workspace_id)) < MANY


def test_with_the_config_api_every_object_is_listed_while_rows_move(busy: Moving) -> None:
    with client(busy.public_url) as airbyte:
        assert ids(airbyte, busy.twin) == known(busy.twin)
        assert airbyte.ids("sources", "sourceId", busy.twin.workspace_id) == set(known(busy.twin))
    missed = [each for each in busy.asked if each.startswith("GET /sources/")]
    assert missed
    others = [each for each in busy.asked if not each.startswith("GET /sources/")]
    one = ["GET /sources"] * 3 + ["POST /workspaces/get", "POST /sources/list"]
    assert others == one + [each for each in one if each != "POST /workspaces/get"]


def test_without_the_config_api_pages_are_read_until_two_readings_agree(twin: RunningTwin) -> None:
    filled(twin, MANY)
    with moving(twin, calm_after(twin, 4)) as proxy, client(proxy.without_config_api) as airbyte:
        assert ids(airbyte, twin) == known(twin)
        assert proxy.asked == ["GET /sources"] * 3 * 4


def test_a_row_that_leaves_shifts_others_and_is_found_out_by_the_next_reading(twin: RunningTwin) -> None:
    filled(twin, MANY)

    def delete(_: RunningTwin) -> None:
        twin.store.actors.put(sources(twin)[0].model_copy(update={"deleted": True}))

    with moving(twin, calm_after(twin, 2, delete)) as proxy, client(proxy.without_config_api) as airbyte:
        assert ids(airbyte, twin) == known(twin)
    assert len(known(twin)) == MANY - 2


def test_rows_that_are_made_meanwhile_hold_nothing_up(twin: RunningTwin) -> None:
    filled(twin, MANY)
    made = iter(range(1000, 2000))

    def make() -> None:
        twin.store.actors.put(sources(twin)[0].model_copy(update={"id": f"00000000-0000-0000-0000-{next(made):012}"}))

    with moving(twin, make) as proxy, client(proxy.without_config_api) as airbyte:
        before = known(twin)
        assert set(before) <= set(ids(airbyte, twin))
        assert proxy.asked == ["GET /sources"] * 3 * 2


def test_a_list_that_never_settles_is_an_error_that_says_what_to_do(busy: Moving) -> None:
    with client(busy.without_config_api) as airbyte, pytest.raises(Unsettled, match="changed each of the") as caught:
        ids(airbyte, busy.twin)
    assert "Run the command again when the workspace changes less" in caught.value.hint
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("number", [0, 1, 99])
def test_what_fits_into_a_page_is_one_call(airbyte: Airbyte, twin: RunningTwin, number: int) -> None:
    if number:
        filled(twin, number)
    assert ids(airbyte, twin) == known(twin)
    assert len(twin.calls()) == 1


def test_what_was_deleted_after_the_pages_were_read_is_not_listed(twin: RunningTwin) -> None:
    filled(twin, MANY)

    def delete(_: RunningTwin) -> None:
        twin.store.actors.put(sources(twin)[0].model_copy(update={"deleted": True}))

    with moving(twin, calm_after(twin, 3, delete)) as proxy, client(proxy.public_url) as airbyte:
        assert ids(airbyte, twin) == known(twin)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_config_api_that_is_not_permitted_is_done_without_and_not_asked_again(twin: RunningTwin, status: int) -> None:
    filled(twin, MANY)
    twin.twin.faults.add(Fault(path="^/api/v1/", status=status, times=None))
    with moving(twin, calm_after(twin, 2)) as proxy, client(proxy.public_url) as airbyte:
        assert ids(airbyte, twin) == known(twin)
        assert ids(airbyte, twin) == known(twin)
    assert proxy.asked.count("POST /workspaces/get") == 1


def test_the_config_api_of_another_server_is_not_believed(twin: RunningTwin) -> None:
    filled(twin, MANY)
    with running_twin() as other, client(twin.public_url, config_url=other.config_url) as airbyte:
        assert other.workspace_id == twin.workspace_id
        assert ids(airbyte, twin) == known(twin)


def page(*numbers: int) -> Answer:
    rows = [{"sourceId": str(number), "name": "n", "definitionId": "d", "workspaceId": "w"} for number in numbers]
    return Answer(body={"data": [row | {"configuration": {}} for row in rows]})


def test_a_statement_that_does_not_answer_everything_is_not_believed() -> None:
    some: dict[str, Any] = {"sources": [{"sourceId": "1"}], "page_size": 20, "num_connections": 105}
    pages = [page(*range(100)), page(*range(100, 105))]
    answers = [*pages, Answer(body={"workspaceId": "w"}), Answer(body=some), *pages]
    with answering(*answers) as server, client(server.url, config_url=f"{server.url}/config") as airbyte:
        assert len(airbyte.every_actor("source", "w")) == 105
    assert [each.partition("?")[0] for each in server.asked[2:4]] == [
        "POST /config/workspaces/get",
        "POST /config/sources/list",
    ]


def test_a_server_that_does_not_page_answers_in_one_statement() -> None:
    with answering(page(*range(150))) as server, client(server.url) as airbyte:
        assert len(airbyte.every_actor("source", "w")) == 150
    assert len(server.asked) == 1


def connected(airbyte: Airbyte, twin: RunningTwin, number: int) -> set[str]:
    """That many connections of one source."""
    sinks = airbyte.connector_definitions("destination", twin.workspace_id)
    [silent] = [each.definition_id for each in sinks if each.name.endswith("(/dev/null)")]
    source = airbyte.create_actor(
        "source", {"name": "s", "workspaceId": twin.workspace_id, "configuration": {"sourceType": "faker", "count": 1}}
    )
    body = {"name": "d", "workspaceId": twin.workspace_id, "definitionId": silent}
    nothing: dict[str, Any] = {"test_destination": {"test_destination_type": "SILENT"}}
    sink = airbyte.create_actor("destination", body | {"configuration": nothing})
    airbyte.create_connection({"sourceId": source.actor_id, "destinationId": sink.actor_id})
    [first] = twin.store.connections
    for index in range(1, number):
        copy = first.model_copy(update={"id": f"00000000-0000-0000-0000-{index:012}"})
        twin.store.connections.put(copy)
    twin.clear_calls()
    return {each.id for each in twin.store.connections}


@pytest.mark.parametrize(("number", "calls"), [(1, 1), (MANY, 3)])
def test_what_connections_connect_is_one_page_or_one_statement(
    airbyte: Airbyte, twin: RunningTwin, number: int, calls: int
) -> None:
    made = connected(airbyte, twin, number)
    assert {each.connection_id for each in airbyte.every_end(twin.workspace_id)} == made
    assert len(twin.calls()) == calls
    assert {each.connection_id for each in airbyte.every_connection(twin.workspace_id)} == made
