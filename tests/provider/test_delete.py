"""Deletes, which may find that somebody was faster."""

import pytest
from airbyte_twin.faults import Fault
from airbyte_twin.testing import RunningTwin

from tests.provider.lake import Lake
from tests.provider.plugin import Plugin, error

KINDS = ("source", "destination", "connection", "workspace")


@pytest.mark.parametrize("kind", KINDS)
def test_a_delete_is_one_writing_call_and_may_be_repeated(plugin: Plugin, lake: Lake, kind: str) -> None:
    given = {"source": lake.source(), "destination": lake.destination(), "connection": lake.connection()}
    made = plugin.made(kind, given.get(kind, {}))
    lake.twin.clear_calls()
    plugin.delete(kind, made.id, made.inputs)
    assert lake.writes() == [f"DELETE /{kind}s/{made.id}"]
    plugin.delete(kind, made.id, made.inputs)
    assert plugin.read(kind, made) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_delete_of_what_never_was_is_no_error(plugin: Plugin, kind: str) -> None:
    plugin.delete(kind, "00000000-0000-0000-0000-0000000000ff")


@pytest.mark.parametrize("kind", KINDS)
def test_a_delete_that_is_forbidden_is_no_error_only_where_no_list_has_the_object(
    plugin: Plugin, lake: Lake, kind: str
) -> None:
    given = {"source": lake.source(), "destination": lake.destination(), "connection": lake.connection()}
    made = plugin.made(kind, given.get(kind, {}))
    lake.fault(method="DELETE", path="/", status=403, times=None)
    assert f"could not delete {kind} {made.id}: 403" in error(lambda: plugin.delete(kind, made.id))
    plugin.delete(kind, "00000000-0000-0000-0000-0000000000ff")


def test_a_connection_that_went_with_its_source_is_deleted_without_an_error(plugin: Plugin, lake: Lake) -> None:
    source = plugin.made("source", lake.source())
    connection = plugin.made("connection", lake.connection(sourceId=source.id))
    plugin.delete("source", source.id, source.inputs | {"forceDestroy": True})
    plugin.delete("connection", connection.id)


def test_a_lost_answer_to_a_delete_is_no_error(fresh: tuple[Plugin, RunningTwin]) -> None:
    plugin, twin = fresh
    made = plugin.made("workspace", {})
    twin.twin.faults.add(Fault(method="DELETE", drop="after"))
    plugin.delete("workspace", made.id)
    assert plugin.read("workspace", made) is None
