"""Which requests are made again, and how often."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from airbyte_twin.faults import Fault
from airbyte_twin.testing import RunningTwin
from pulumi_airbyte.client import Airbyte, RetryPolicy
from pulumi_airbyte.client.errors import AirbyteError, Busy, ServerError, Unreachable

from tests.client.scripted import Answer, answering
from tests.client.support import all_at_once, client, faker

FOREVER = None
REPEATABLE: dict[str, Callable[[Airbyte, RunningTwin], object]] = {
    "GET": lambda airbyte, twin: airbyte.get_workspace(twin.workspace_id),
    "PUT": lambda airbyte, twin: airbyte.put_actor("source", next(iter(twin.store.actors)).id, faker(twin)),
    "PATCH": lambda airbyte, twin: airbyte.patch_workspace(twin.workspace_id, {"name": "other"}),
    "DELETE": lambda airbyte, twin: airbyte.delete_actor("source", next(iter(twin.store.actors)).id),
}


def failing(twin: RunningTwin, method: str, **fault: Any) -> None:
    """From now on the twin fails requests of this method."""
    twin.clear_calls()
    twin.twin.faults.add(Fault.model_validate({"method": method, "times": FOREVER} | fault))


def tried(twin: RunningTwin) -> int:
    """How often the failing request came; the log may not have a lost answer's yet."""
    [(_, seen)] = twin.twin.faults.orders()
    return seen


@pytest.fixture
def airbyte_with_a_source(airbyte: Airbyte, twin: RunningTwin) -> Airbyte:
    airbyte.create_actor("source", faker(twin))
    return airbyte


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("method", REPEATABLE)
def test_what_changes_nothing_when_repeated_is_tried_until_the_server_is_ready(
    airbyte_with_a_source: Airbyte, twin: RunningTwin, method: str, status: int
) -> None:
    failing(twin, method, status=status, times=2)
    REPEATABLE[method](airbyte_with_a_source, twin)
    assert tried(twin) == 3


@pytest.mark.parametrize("drop", ["before", "after"])
@pytest.mark.parametrize("method", REPEATABLE)
def test_what_changes_nothing_when_repeated_is_tried_again_after_a_lost_answer(
    airbyte_with_a_source: Airbyte, twin: RunningTwin, method: str, drop: str
) -> None:
    failing(twin, method, drop=drop, times=2)
    REPEATABLE[method](airbyte_with_a_source, twin)
    assert tried(twin) == 3


@pytest.mark.parametrize("method", REPEATABLE)
def test_a_failure_that_stays_is_not_repeated(airbyte_with_a_source: Airbyte, twin: RunningTwin, method: str) -> None:
    failing(twin, method, status=500)
    with pytest.raises(ServerError):
        REPEATABLE[method](airbyte_with_a_source, twin)
    assert twin.counts() == {method: 1}


def test_a_server_that_never_gets_ready_is_an_error_after_the_last_try(twin: RunningTwin) -> None:
    failing(twin, "GET", status=503)
    policy = RetryPolicy(attempts=4, base_seconds=0)
    with client(twin.public_url, retry=policy) as airbyte, pytest.raises(Busy) as caught:
        airbyte.get_workspace(twin.workspace_id)
    assert caught.value.status == 503
    assert "run the command again later" in caught.value.hint
    assert twin.counts() == {"GET": 4}


def test_a_create_that_the_server_has_not_begun_is_tried_again(airbyte: Airbyte, twin: RunningTwin) -> None:
    failing(twin, "POST", status=429, times=2)
    airbyte.create_actor("source", faker(twin))
    assert twin.counts() == {"POST": 3}
    assert len(twin.store.actors) == 1


@pytest.mark.parametrize(
    ("fault", "kind", "made"),
    [
        ({"status": 500}, ServerError, 0),
        ({"status": 502}, Busy, 0),
        ({"status": 503}, Busy, 0),
        ({"status": 504, "commit": True}, Busy, 1),
        ({"drop": "before"}, Unreachable, 0),
        ({"drop": "after"}, Unreachable, 1),
    ],
    ids=str,
)
def test_a_create_that_the_server_may_have_made_is_not_tried_again(
    airbyte: Airbyte, twin: RunningTwin, fault: dict[str, Any], kind: type[AirbyteError], made: int
) -> None:
    failing(twin, "POST", **fault)
    with pytest.raises(kind):
        airbyte.create_actor("source", faker(twin))
    assert tried(twin) == 1
    assert len(twin.store.actors) == made


WRITES: dict[str, Callable[[Airbyte, RunningTwin], object]] = {
    "POST": lambda airbyte, twin: airbyte.create_workspace({"name": "other"}),
    **{method: call for method, call in REPEATABLE.items() if method != "GET"},
}


@pytest.mark.parametrize(
    ("fault", "unknown"),
    [
        ({"status": 502}, True),
        ({"status": 503}, True),
        ({"status": 504, "commit": True}, True),
        ({"status": 520}, True),
        ({"status": 408}, True),
        ({"drop": "before"}, True),
        ({"drop": "after"}, True),
        ({"hold": "before"}, True),
        ({"hold": "after"}, True),
        ({"status": 429}, False),
        ({"status": 500}, False),
        ({"status": 501}, False),
        ({"status": 400}, False),
        ({"status": 409}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", WRITES)
def test_a_failed_write_says_whether_it_may_still_take_effect(
    airbyte_with_a_source: Airbyte, twin: RunningTwin, method: str, fault: dict[str, Any], *, unknown: bool
) -> None:
    failing(twin, method, **fault)
    with pytest.raises(AirbyteError) as caught, airbyte_with_a_source.within(0.5 if "hold" in fault else 30):
        WRITES[method](airbyte_with_a_source, twin)
    assert caught.value.outcome_unknown is unknown


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": "after"}], ids=str)
def test_a_read_that_fails_leaves_nothing_open(airbyte: Airbyte, twin: RunningTwin, fault: dict[str, Any]) -> None:
    failing(twin, "*", **fault)
    for call in (airbyte.list_workspaces, lambda: airbyte.get_config_connection("any")):
        with pytest.raises(AirbyteError) as caught:
            call()
        assert not caught.value.outcome_unknown


def test_a_create_is_tried_again_while_the_server_refuses_connections(
    airbyte: Airbyte, twin: RunningTwin, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, refusals = socket.create_connection, iter([True, True])

    def refusing_twice(*arguments: Any, **options: Any) -> socket.socket:
        if next(refusals, False):
            raise ConnectionRefusedError("nobody listens")
        return connect(*arguments, **options)

    monkeypatch.setattr(socket, "create_connection", refusing_twice)
    airbyte.create_actor("source", faker(twin))
    assert list(refusals) == []
    assert len(twin.store.actors) == 1


def test_nobody_there_is_an_error_that_names_the_address() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/api/public/v1"
        with client(url) as airbyte, pytest.raises(Unreachable) as caught:
            airbyte.create_workspace({"name": "any"})
    assert 'create workspace "any"' in caught.value.message
    assert url in caught.value.hint
    assert caught.value.status is None
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("fault", [{"status": 502}, {"drop": "before"}], ids=str)
def test_a_post_that_only_reads_is_tried_like_a_get(airbyte: Airbyte, twin: RunningTwin, fault: dict[str, Any]) -> None:
    [shopify] = [item for item in airbyte.connector_definitions("source", twin.workspace_id) if item.name == "Shopify"]
    failing(twin, "POST", **fault | {"times": 2})
    assert airbyte.specification("source", shopify.definition_id, twin.workspace_id)["properties"]
    assert tried(twin) == 3


def test_after_a_cancellation_nothing_is_tried_again(airbyte: Airbyte, twin: RunningTwin) -> None:
    failing(twin, "GET", status=503)
    airbyte.cancel()
    with pytest.raises(Busy):
        airbyte.get_workspace(twin.workspace_id)
    assert twin.counts() == {"GET": 1}


def test_a_cancellation_ends_the_wait_for_the_next_try() -> None:
    patient = RetryPolicy(base_seconds=3600, max_seconds=3600)
    with answering(Answer(status=503)) as server, client(server.url, retry=patient) as airbyte:
        failures: list[AirbyteError] = []

        def ask() -> None:
            try:
                airbyte.list_workspaces()
            except AirbyteError as error:
                failures.append(error)

        waiting = threading.Thread(target=ask, daemon=True)
        waiting.start()
        assert server.first_asked.wait(30)
        airbyte.cancel()
        waiting.join(30)
    assert [type(failure) for failure in failures] == [Busy]


def test_a_body_that_trickles_ends_at_the_deadline() -> None:
    with (
        answering(Answer(body={"data": []}, trickling=True)) as server,
        client(server.url, read_seconds=0.5) as airbyte,
    ):
        with pytest.raises(Unreachable, match="did not end in time"):
            airbyte.list_workspaces()
        assert len(server.asked) == 1


def test_the_whole_of_a_call_has_one_deadline(airbyte: Airbyte, twin: RunningTwin) -> None:
    failing(twin, "GET", hold="before")
    with airbyte.within(0.5), pytest.raises(Unreachable):
        airbyte.get_workspace(twin.workspace_id)
    assert tried(twin) == 1


def test_a_wait_that_would_outlast_the_deadline_is_not_begun(twin: RunningTwin) -> None:
    failing(twin, "GET", status=503)
    patient = RetryPolicy(base_seconds=1e12, max_seconds=1e12)
    with client(twin.public_url, retry=patient) as airbyte, pytest.raises(Busy):
        airbyte.get_workspace(twin.workspace_id)
    assert tried(twin) == 1


def test_what_has_no_time_left_is_not_sent(airbyte: Airbyte, twin: RunningTwin) -> None:
    with airbyte.within(0), airbyte.within(60), pytest.raises(Unreachable, match="no time is left") as caught:
        airbyte.create_workspace({"name": "any"})
    assert not caught.value.outcome_unknown
    assert twin.calls() == []
    assert airbyte.list_workspaces()


def test_a_setting_of_the_config_api_is_set_again_and_an_action_is_not(twin: RunningTwin, airbyte: Airbyte) -> None:
    failing(twin, "POST", status=503)
    for call, times in (
        (lambda: airbyte.update_config_connection("any", {}), 6),
        (lambda: airbyte.refresh("any", [], "merge"), 1),
        (lambda: airbyte.check_actor("source", "any"), 1),
    ):
        twin.clear_calls()
        with pytest.raises(Busy) as caught:
            call()
        assert twin.counts() == {"POST": times}
        assert caught.value.outcome_unknown


def test_a_write_waits_for_its_turn_no_longer_than_it_may_take(twin: RunningTwin) -> None:
    failing(twin, "POST", hold="before")
    with client(twin.public_url, parallel_writes=1, read_seconds=2) as airbyte:
        failures: list[object] = []
        first = threading.Thread(
            target=lambda: failures.extend(all_at_once(1, lambda: airbyte.create_workspace({"name": "first"})))
        )
        first.start()
        assert twin.held() is not None
        with airbyte.within(0.1), pytest.raises(Unreachable, match="not asked to create workspace") as caught:
            airbyte.create_workspace({"name": "second"})
        first.join(30)
    assert [type(failure) for failure in failures] == [Unreachable]
    assert not caught.value.outcome_unknown
    assert tried(twin) == 1


def test_only_so_many_writes_are_under_way_at_once() -> None:
    counting, pairs = threading.Lock(), threading.Barrier(2)
    under_way: list[int] = [0]
    most: list[int] = []

    def working() -> None:
        with counting:
            under_way[0] += 1
            most.append(under_way[0])
        pairs.wait(30)
        with counting:
            under_way[0] -= 1

    answer = Answer(body={"workspaceId": "id", "name": "any"})
    with answering(answer, working=working) as server, client(server.url, parallel_writes=2) as airbyte:
        made = all_at_once(8, lambda: airbyte.create_workspace({"name": "any"}).name)
    assert made == ["any"] * 8
    assert max(most) == 2
