"""A source or destination is not deleted with connections of others."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.provider.lake import Lake, stream
from tests.provider.plugin import Object, Plugin, error


def made(plugin: Plugin, lake: Lake, kind: str, number: int = 1) -> Object:
    said = lake.source() if kind == "source" else lake.destination()
    return plugin.made(kind, said | {"name": f"{plugin.name} {number}"})


def by_hand(lake: Lake, kind: str, object_id: str, name: str = "by hand") -> str:
    """A connection that no program knows of."""
    body = {
        "name": name,
        "sourceId": lake.source_id,
        "destinationId": lake.destination_id,
        "configurations": {"streams": [{"name": stream()["name"]}]},
    }
    return str(lake.api("POST", "/connections", body | {f"{kind}Id": object_id})["connectionId"])


@pytest.mark.parametrize("kind", ["source", "destination"])
def test_foreign_connections_are_named_and_nothing_is_deleted(plugin: Plugin, lake: Lake, kind: str) -> None:
    actor = made(plugin, lake, kind)
    connection = by_hand(lake, kind, actor.id)
    lake.twin.clear_calls()
    message = error(lambda: plugin.delete(kind, actor.id, actor.inputs))
    assert f'1 connection that the program has not deleted: "by hand" ({connection})' in message
    assert "Delete them in Airbyte and run `pulumi up` again." in message
    assert (
        f"declare the {kind} with forceDestroy (again, if it has left the program), run `pulumi up`, and then"
        in message
    )
    assert lake.writes() == []


@pytest.mark.parametrize("kind", ["source", "destination"])
def test_a_connection_that_somebody_makes_after_the_list_was_read_is_seen(
    plugin: Plugin, lake: Lake, kind: str
) -> None:
    actor, other = made(plugin, lake, kind), made(plugin, lake, kind, 2)
    plugin.next_run()
    plugin.delete_now(kind, other.id, other.inputs)
    connection = by_hand(lake, kind, actor.id)
    assert connection in error(lambda: plugin.delete_now(kind, actor.id, actor.inputs))
    assert lake.live("connections", connection)["status"] == "active"


def test_what_the_message_advises_works_where_the_source_has_left_the_program(plugin: Plugin, lake: Lake) -> None:
    actor = made(plugin, lake, "source")
    connection = by_hand(lake, "source", actor.id)
    error(lambda: plugin.delete("source", actor.id, actor.inputs))
    again = plugin.update("source", actor, actor.inputs | {"forceDestroy": True})
    plugin.delete("source", again.id, again.inputs)
    assert lake.live("connections", connection)["status"] == "deprecated"


def test_many_foreign_connections_are_counted(plugin: Plugin, lake: Lake) -> None:
    actor = made(plugin, lake, "source")
    for number in range(7):
        by_hand(lake, "source", actor.id, f"by hand {number}")
    message = error(lambda: plugin.delete("source", actor.id, actor.inputs))
    assert "7 connections that the program has not deleted" in message
    assert "and 2 more" in message


def test_forced_it_is_deleted_with_them_and_without_a_look(plugin: Plugin, lake: Lake) -> None:
    actor = made(plugin, lake, "source")
    by_hand(lake, "source", actor.id)
    lake.twin.clear_calls()
    plugin.delete("source", actor.id, actor.inputs | {"forceDestroy": True})
    assert lake.asked() == [f"DELETE /sources/{actor.id}"]


def test_the_programs_own_connections_are_gone_before(plugin: Plugin, lake: Lake) -> None:
    actor = made(plugin, lake, "source")
    connection = plugin.made("connection", lake.connection(sourceId=actor.id))
    other = made(plugin, lake, "source", 2)
    plugin.next_run()
    plugin.delete_now("source", other.id, other.inputs)
    plugin.delete_now("connection", connection.id, connection.inputs)
    plugin.delete_now("source", actor.id, actor.inputs)
    assert plugin.read("source", actor) is None


def test_what_somebody_deleted_after_the_list_was_read_holds_nothing_back(plugin: Plugin, lake: Lake) -> None:
    actor, other = made(plugin, lake, "source"), made(plugin, lake, "source", 2)
    plugin.next_run()
    connection = by_hand(lake, "source", actor.id)
    plugin.delete_now("source", other.id, other.inputs)
    lake.api("DELETE", f"/connections/{connection}")
    plugin.delete_now("source", actor.id, actor.inputs)
    assert plugin.read("source", actor) is None


@pytest.mark.parametrize(("others", "looks"), [(1, 1), (300, 2)])
def test_each_delete_looks_by_one_call_or_two_however_many_connections_there_are(
    plugin: Plugin, lake: Lake, others: int, looks: int
) -> None:
    twin = lake.twin
    actors = [made(plugin, lake, "source", number) for number in range(12)]
    plugin.next_run()
    elsewhere = twin.store.connections.get(by_hand(lake, "source", lake.source_id))
    assert elsewhere is not None
    for number in range(1, others):
        twin.store.connections.put(elsewhere.model_copy(update={"id": f"00000000-0000-0000-0000-{number:012}"}))
    twin.clear_calls()
    for actor in actors:
        plugin.delete_now("source", actor.id, actor.inputs)
    asked = [each for each in lake.asked() if not each.startswith("DELETE") and each != "POST /workspaces/get"]
    assert len(asked) == 12 * looks
    assert len(lake.writes()) == 12


def test_deletes_at_the_same_time_share_their_looks(plugin: Plugin, lake: Lake) -> None:
    actors = [made(plugin, lake, "source", number) for number in range(12)]
    plugin.next_run()
    lake.twin.clear_calls()
    lake.fault(method="GET", path="/connections", delay=0.2, times=None)
    with ThreadPoolExecutor(12) as engine:
        list(engine.map(lambda actor: plugin.delete_now("source", actor.id, actor.inputs), actors))
    assert lake.asked().count("GET /connections") < 12
    assert len(lake.writes()) == 12


def test_a_look_that_is_forbidden_deletes_nothing(plugin: Plugin, lake: Lake) -> None:
    actor = made(plugin, lake, "source")
    lake.fault(method="GET", path="/connections", status=403, times=None)
    assert "could not list connections: 403" in error(lambda: plugin.delete("source", actor.id, actor.inputs))
    assert lake.live("sources", actor.id)["configuration"]


def test_a_list_that_fails_deletes_nothing(plugin: Plugin, lake: Lake) -> None:
    actor = made(plugin, lake, "source")
    lake.fault(method="GET", path="/connections", status=500, times=None)
    assert "could not list connections: 500" in error(lambda: plugin.delete("source", actor.id, actor.inputs))
    assert lake.live("sources", actor.id)["configuration"]


def test_what_went_with_its_workspace_is_deleted_without_an_error(plugin: Plugin, lake: Lake) -> None:
    workspace = plugin.made("workspace", {"name": "short-lived"})
    actor = plugin.made("destination", lake.destination() | {"workspaceId": workspace.id})
    plugin.delete("workspace", workspace.id, workspace.inputs | {"forceDestroy": True})
    plugin.delete("destination", actor.id, actor.inputs)
