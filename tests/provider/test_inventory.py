"""Reads are served from list pages, and what a page lacks is not believed gone."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.provider.lab import LAB_DESTINATION
from tests.provider.lake import Lake, stream
from tests.provider.plugin import Object, Plugin, error

MANY = 120
"""More than one page."""


@pytest.fixture
def own(plugin: Plugin, lake: Lake) -> tuple[Plugin, Lake]:
    """A plugin and its Airbyte."""
    return plugin, lake


def without_secrets(lake: Lake, number: int) -> dict[str, object]:
    return lake.destination(path=f"raw/{number}") | {"name": f"destination {number}"}


def made(plugin: Plugin, lake: Lake, count: int) -> list[Object]:
    return [plugin.made("destination", without_secrets(lake, number)) for number in range(count)]


def restarted(plugin: Plugin, lake: Lake) -> None:
    """Another run of the engine."""
    plugin.configure(serverUrl=lake.twin.public_url)
    lake.twin.clear_calls()


def test_a_refresh_of_hundreds_of_objects_is_some_singles_and_some_pages(own: tuple[Plugin, Lake]) -> None:
    plugin, lake = own
    destinations = made(plugin, lake, MANY)
    connections = [
        plugin.made("connection", lake.connection(stream(), destinationId=each.id, name=f"c {each.id}"))
        for each in destinations
    ]
    restarted(plugin, lake)

    with ThreadPoolExecutor(16) as engine:
        for kind, objects in (("destination", destinations), ("connection", connections)):
            found = list(engine.map(lambda each, kind=kind: plugin.refreshed(kind, each), objects))
            assert [each.inputs for each in found] == [each.inputs for each in objects]

    asked = lake.asked()
    assert asked.count("GET /destinations") == asked.count("GET /connections") == MANY // 100 + 1
    # Three of each are read one by one, and one more finds out where the others are listed.
    assert len(asked) <= 2 * (MANY // 100 + 1 + 4)


def test_a_small_stack_in_a_big_workspace_lists_nothing(own: tuple[Plugin, Lake]) -> None:
    plugin, lake = own
    few = made(plugin, lake, 3)
    restarted(plugin, lake)
    for each in few:
        plugin.refreshed("destination", each)
    assert lake.asked() == [f"GET /destinations/{each.id}" for each in few]


def test_an_object_that_the_pages_lack_is_asked_for_before_it_is_believed_gone(own: tuple[Plugin, Lake]) -> None:
    plugin, lake = own
    objects = made(plugin, lake, 6)
    restarted(plugin, lake)
    lake.twin.twin.store.actors.put(
        lacking := lake.twin.store.actors.get(objects[-1].id).model_copy(update={"deleted": True})  # type: ignore[union-attr]
    )
    for each in objects[:-1]:
        plugin.refreshed("destination", each)
    lake.twin.store.actors.put(lacking.model_copy(update={"deleted": False}))
    assert plugin.refreshed("destination", objects[-1]).inputs == objects[-1].inputs


def test_what_is_read_again_is_read_anew(own: tuple[Plugin, Lake]) -> None:
    plugin, lake = own
    objects = made(plugin, lake, 6)
    restarted(plugin, lake)
    for each in objects:
        plugin.refreshed("destination", each)
    lake.api(
        "PUT", f"/destinations/{objects[-1].id}", {"name": "renamed by somebody", "configuration": {"path": "raw/5"}}
    )
    assert plugin.refreshed("destination", objects[-1]).inputs["name"] == "renamed by somebody"


def test_what_this_run_has_written_is_not_read_from_an_older_list(own: tuple[Plugin, Lake]) -> None:
    plugin, lake = own
    objects = made(plugin, lake, 6)
    restarted(plugin, lake)
    for each in objects[:-1]:
        plugin.refreshed("destination", each)
    written = plugin.update("destination", objects[-1], plugin.checked("destination", without_secrets(lake, 99)))
    assert plugin.refreshed("destination", written).inputs == written.inputs


@pytest.mark.parametrize("status", [500, 403])
def test_a_list_that_fails_is_an_error_and_nothing_is_gone(own: tuple[Plugin, Lake], status: int) -> None:
    plugin, lake = own
    objects = made(plugin, lake, 6)
    restarted(plugin, lake)
    for each in objects[:3]:
        plugin.refreshed("destination", each)
    lake.fault(method="GET", path=r"/destinations\?", status=status, times=None)
    assert f"could not list destinations: {status}" in error(lambda: plugin.read("destination", objects[3]))


def test_a_destination_that_is_gone_from_list_and_server_is_gone(own: tuple[Plugin, Lake]) -> None:
    plugin, lake = own
    objects = made(plugin, lake, 6)
    lake.api("DELETE", f"/destinations/{objects[-1].id}")
    restarted(plugin, lake)
    found = [plugin.read("destination", each) for each in objects]
    assert [each is None for each in found] == [False] * 5 + [True]
    assert lake.live("destinations", objects[0].id)["definitionId"] == LAB_DESTINATION
