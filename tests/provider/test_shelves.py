"""What decides a create is read whole; what another process may have written is read again."""

import threading
from collections.abc import Iterator

import pytest
from airbyte_twin.testing import RunningTwin, running_twin
from pulumi_airbyte.client import Airbyte
from pulumi_airbyte.client.models import Actor
from pulumi_airbyte.provider.inventory import Inventory, Shared, Shelf

from tests.client.moving import filled, moving, sources, touch
from tests.client.support import client

MANY = 250


@pytest.fixture
def twin() -> Iterator[RunningTwin]:
    with running_twin() as running:
        yield running


def names(records: list[Actor]) -> list[str]:
    return sorted(record.actor_id for record in records)


def known(twin: RunningTwin) -> list[str]:
    return sorted(actor.id for actor in sources(twin))


def shelf(airbyte: Airbyte) -> Shelf[Actor]:
    return Inventory(airbyte).actors("source")


def test_of_250_identical_sources_none_is_missing_while_rows_move(twin: RunningTwin) -> None:
    filled(twin, MANY)
    with moving(twin, lambda: touch(twin)) as proxy, client(proxy.public_url) as airbyte:
        found = shelf(airbyte)
        assert names(found.all(twin.workspace_id)) == known(twin)
        assert names(found.reload(twin.workspace_id)) == known(twin)


def test_nor_without_the_config_api_once_the_rows_rest(twin: RunningTwin) -> None:
    filled(twin, MANY)
    left = iter([True] * 5)
    with (
        moving(twin, lambda: touch(twin) if next(left, False) else None) as proxy,
        client(proxy.without_config_api) as airbyte,
    ):
        assert names(shelf(airbyte).all(twin.workspace_id)) == known(twin)


def test_what_pages_have_shown_to_a_refresh_is_not_enough_for_a_create(twin: RunningTwin) -> None:
    filled(twin, MANY)
    with moving(twin, lambda: touch(twin)) as proxy, client(proxy.public_url) as airbyte:
        found = shelf(airbyte)
        for actor_id in known(twin)[:5]:
            found.get(actor_id, twin.workspace_id)
        assert "POST /sources/list" not in proxy.asked
        assert names(found.all(twin.workspace_id)) == known(twin)


def test_once_it_is_reloaded_a_shelf_has_what_another_process_has_written(twin: RunningTwin) -> None:
    filled(twin, 5)
    with client(twin.public_url) as airbyte:
        found = Inventory(airbyte).actors("source")
        before = names(found.all(twin.workspace_id))
        twin.store.actors.put(sources(twin)[0].model_copy(update={"id": "00000000-0000-0000-0000-000000001000"}))
        assert names(found.all(twin.workspace_id)) == before
        found.reload(twin.workspace_id)
        assert names(found.all(twin.workspace_id)) == known(twin)
        twin.clear_calls()
        assert found.home(before[0]) == twin.workspace_id
        assert twin.calls() == []


def test_who_asks_while_an_answer_is_on_its_way_shares_the_next_one() -> None:
    started, go_on = threading.Semaphore(0), threading.Semaphore(0)
    asked: list[str] = []

    def ask(workspace_id: str) -> int:
        asked.append(workspace_id)
        number = len(asked)
        started.release()
        assert go_on.acquire(timeout=30)
        return number

    shared, answers = Shared(ask), list[int]()

    def run() -> None:
        answers.append(shared("w"))

    first, later = threading.Thread(target=run), [threading.Thread(target=run) for _ in range(5)]
    first.start()
    assert started.acquire(timeout=30)
    for thread in later:
        thread.start()
    go_on.release()
    first.join(30)
    assert started.acquire(timeout=30)
    # Those that came too late for the second answer get a third.
    for _ in later:
        go_on.release()
    for thread in later:
        thread.join(30)
    assert answers[0] == 1
    assert set(answers[1:]) <= set(range(2, 7))
    assert len(answers) == 6


def test_a_shared_question_that_fails_fails_for_all_and_is_asked_again() -> None:
    failures = iter([ValueError("no"), ValueError("no")])

    def ask(_: str) -> str:
        for failure in failures:
            raise failure
        return "yes"

    shared = Shared(ask)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            shared("w")
    assert shared("w") == "yes"
