"""What was asked for and is not on the server is no rewrite: it is an error, and a difference until it is there."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2
from pulumi_airbyte.provider.properties import decode

from tests.provider.between import between, nothing
from tests.provider.lake import Document, Lake, stream
from tests.provider.plugin import NOTHING, NUMBERS, Object, Plugin, error
from tests.provider.refresh import assert_clean
from tests.provider.rewrites import HASHING, RENAMING

Change = Callable[[Document], Document]


def unfinished(call: Callable[[], object], inputs: Document) -> tuple[str, Object]:
    """The message with which a write fails that was made, and the object that the engine keeps of it."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    failed: Any = caught.value
    [packed] = [value for key, value in failed.trailing_metadata() if key == "grpc-status-details-bin"]
    [detail] = status_pb2.Status.FromString(packed).details
    assert isinstance(detail, any_pb2.Any)
    kept = provider_pb2.ErrorResourceInitFailed()
    detail.Unpack(kept)
    assert decode(kept.inputs) == inputs
    return str(failed.details()), Object(kept.id, inputs, decode(kept.properties))


def test_a_connection_with_a_tag_that_is_not_there_is_refused_before_it_is_made(plugin: Plugin, lake: Lake) -> None:
    kept, gone = lake.tag("kept here", "333333"), lake.tag("gone at once", "444444")
    lake.api("DELETE", f"/tags/{gone['tagId']}")
    inputs = plugin.checked("connection", lake.connection(tags=[kept, gone]))
    lake.twin.clear_calls()
    message = error(lambda: plugin.create("connection", inputs))
    assert f'tag "gone at once" ({gone["tagId"]})' in message
    assert "kept here" not in message
    assert lake.writes() == []


def test_a_tag_that_somebody_deleted_is_a_difference_and_its_update_is_refused(plugin: Plugin, lake: Lake) -> None:
    tag = lake.tag("short-lived", "555555")
    made = plugin.made("connection", lake.connection(tags=[tag]))
    lake.api("DELETE", f"/tags/{tag['tagId']}")
    live = plugin.refreshed("connection", made)
    assert plugin.diff("connection", live.inputs, made.inputs, live.outputs).properties == ["tags"]
    lake.twin.clear_calls()
    assert 'tag "short-lived"' in error(lambda: plugin.update("connection", live, made.inputs))
    assert lake.writes() == []


def test_a_tag_that_goes_while_it_is_written_is_an_error_and_then_a_difference(plugin: Plugin, lake: Lake) -> None:
    tag = lake.tag("hasty", "666666")
    with between(plugin, lake) as proxy:
        proxy.method, proxy.path = "POST", "/connections"
        proxy.happens = lambda: lake.api("DELETE", f"/tags/{tag['tagId']}")
        inputs = plugin.checked("connection", lake.connection(tags=[tag]))
        message, made = unfinished(lambda: plugin.create("connection", inputs), inputs)
    assert f'tag "hasty" ({tag["tagId"]})' in message
    assert lake.live("connections", made.id)["tags"] == []
    assert plugin.diff("connection", made.inputs, inputs, made.outputs).properties == ["tags"]
    assert 'tag "hasty"' in error(lambda: plugin.update("connection", made, inputs))

    without = plugin.checked("connection", lake.connection())
    assert_clean(plugin, "connection", plugin.update("connection", made, without))


def test_a_state_that_recorded_a_lost_tag_as_a_rewrite_shows_it(plugin: Plugin, lake: Lake) -> None:
    tag = lake.tag("of an earlier version", "777777")
    made = plugin.made("connection", lake.connection(tags=[tag]))
    lake.api("DELETE", f"/tags/{tag['tagId']}")
    outputs = made.outputs | {"serverRewrites": json.dumps([[["tags"], None]])}
    assert plugin.diff("connection", made.inputs, made.inputs, outputs).properties == ["tags"]
    live = plugin.refreshed("connection", replace(made, outputs=outputs))
    assert plugin.diff("connection", live.inputs, made.inputs, live.outputs).properties == ["tags"]
    assert "serverRewrites" not in live.outputs
    assert 'tag "of an earlier version"' in error(
        lambda: plugin.update("connection", replace(made, outputs=outputs), made.inputs)
    )


def test_a_state_that_recorded_true_rewrites_shows_nothing(plugin: Plugin, lake: Lake) -> None:
    made = plugin.made(
        "connection", lake.connection(stream("key_defined", syncMode="incremental_append", primaryKey=[["name"]]))
    )
    assert plugin.diff("connection", made.inputs, made.inputs, made.outputs) == NOTHING


def first_stream(**changes: Any) -> Change:
    def change(answer: Document) -> Document:
        one, *others = answer["configurations"]["streams"]
        return answer | {"configurations": {"streams": [one | changes, *others]}}

    return change


def last_stream_gone(answer: Document) -> Document:
    return answer | {"configurations": {"streams": answer["configurations"]["streams"][:-1]}}


KEYED = stream(
    "bare", syncMode="incremental_deduped_history", cursorField=["updated_at"], primaryKey=[["id"], ["name"]]
)
LOST: dict[str, tuple[list[Document], Change, str]] = {
    "a stream": ([stream("bare"), stream("spaced", namespace="left")], last_stream_gone, "stream spaced"),
    "a field": (
        [stream(selectedFields=["id", "name"])],
        first_stream(selectedFields=[{"fieldPath": ["id"]}]),
        "field name of stream bare",
    ),
    "all fields": ([stream(selectedFields=["id"])], first_stream(selectedFields=[]), "fields of stream bare"),
    "a field for another": (
        [stream(selectedFields=["id", "name"])],
        first_stream(selectedFields=[{"fieldPath": ["id"]}, {"fieldPath": ["note"]}]),
        "field name of stream bare",
    ),
    "a mapper": ([stream(mappers=[HASHING, RENAMING])], first_stream(mappers=[HASHING]), "mapper 2 of stream bare"),
    "a part of a key": ([KEYED], first_stream(primaryKey=[["id"]]), "primaryKey"),
    "a key": ([KEYED], first_stream(primaryKey=[]), "primaryKey"),
    "an object of the destination": (
        [stream(destinationObjectName="o")],
        first_stream(destinationObjectName=None),
        "destinationObjectName",
    ),
}


@pytest.mark.parametrize(("streams", "leaves", "named"), LOST.values(), ids=LOST)
def test_what_is_not_in_the_answer_to_a_connection_is_an_error_that_names_it(
    plugin: Plugin, lake: Lake, streams: list[Document], leaves: Change, named: str
) -> None:
    with between(plugin, lake) as proxy:
        proxy.method, proxy.path, proxy.leaves = "POST", "/connections", leaves
        inputs = plugin.checked("connection", lake.connection(*streams))
        message, made = unfinished(lambda: plugin.create("connection", inputs), inputs)
        assert named in message
        assert plugin.diff("connection", made.inputs, inputs, made.outputs).properties == ["configurations"]

        proxy.method, proxy.path = "PATCH", f"/connections/{made.id}"
        message, made = unfinished(lambda: plugin.update("connection", made, inputs), inputs)
        assert named in message
    lake.twin.clear_calls()
    written = plugin.update("connection", made, inputs)
    assert [call for call in lake.writes() if call.startswith("PATCH")] == [f"PATCH /connections/{made.id}"]
    assert_clean(plugin, "connection", written)


def test_mappers_and_fields_in_another_order_are_a_rewrite(plugin: Plugin, lake: Lake) -> None:
    with between(plugin, lake) as proxy:
        proxy.method, proxy.path = "POST", "/connections"
        proxy.leaves = first_stream(mappers=[HASHING, RENAMING])
        made = plugin.made("connection", lake.connection(stream(mappers=[RENAMING, HASHING])))
        assert plugin.diff("connection", made.inputs, made.inputs, made.outputs) == NOTHING


def test_a_key_of_a_configuration_that_is_not_in_the_answer_is_an_error(plugin: Plugin, lake: Lake) -> None:
    with between(plugin, lake) as proxy:
        proxy.method, proxy.path = "POST", "/sources"
        proxy.leaves = lambda answer: answer | {"configuration": {"host": answer["configuration"]["host"]}}
        inputs = plugin.checked("source", lake.source(port=1))
        message, made = unfinished(lambda: plugin.create("source", inputs), inputs)
    assert "configuration.port" in message
    assert plugin.diff("source", made.inputs, inputs, made.outputs).detail == {
        "configuration.credentials": "add",
        "configuration.port": "add",
    }
    written = plugin.update("source", made, inputs)
    assert lake.live("sources", made.id)["configuration"]["port"] == 1
    assert_clean(plugin, "source", written)


def test_an_item_of_a_configuration_or_a_limit_that_is_not_in_the_answer_is_an_error(
    plugin: Plugin, lake: Lake
) -> None:
    limits = {"default": {"cpu_limit": "1", "memory_limit": "1Gi"}}
    with between(plugin, lake) as proxy:
        made = plugin.made("source", lake.source(keys=[{"label": "a"}]) | {"resourceAllocation": limits})
        proxy.method, proxy.path = "PUT", f"/sources/{made.id}"

        def leaves(answer: Document) -> Document:
            answer["configuration"]["keys"].pop()
            del answer["resourceAllocation"]["default"]["memory_limit"]
            return answer

        proxy.leaves = leaves
        more = lake.source(keys=[{"label": "a"}, {"label": "b"}]) | {
            "resourceAllocation": {"default": {"cpu_limit": "1", "memory_limit": "2Gi"}}
        }
        inputs = plugin.checked("source", more)
        message, made = unfinished(lambda: plugin.update("source", made, inputs), inputs)
    assert "configuration.keys[1]" in message
    assert "resourceAllocation.default.memory_limit" in message
    assert plugin.diff("source", made.inputs, inputs, made.outputs).properties == [
        "configuration",
        "resourceAllocation",
    ]
    assert_clean(plugin, "source", plugin.update("source", made, inputs))


def test_a_notification_that_is_not_in_the_answer_is_an_error(plugin: Plugin, lake: Lake) -> None:
    on: Document = {"failure": {"email": {"enabled": True}}}
    with between(plugin, lake) as proxy:
        proxy.method, proxy.path = "POST", "/workspaces"
        proxy.leaves = lambda answer: answer | {"notifications": {"failure": {"email": {"enabled": False}}}}
        inputs = plugin.checked("workspace", {"notifications": on})
        message, made = unfinished(lambda: plugin.create("workspace", inputs), inputs)
    assert "notifications.failure.email.enabled" in message
    assert plugin.diff("workspace", made.inputs, inputs, made.outputs).properties == ["notifications"]
    assert_clean(plugin, "workspace", plugin.update("workspace", made, inputs))


def test_what_the_server_never_shows_of_a_workspace_is_no_loss(plugin: Plugin, lake: Lake) -> None:
    region = next(iter(lake.twin.store.regions)).id
    made = plugin.made("workspace", {"organizationId": "00000000-0000-4000-8000-000000000000", "regionId": region})
    assert_clean(plugin, "workspace", made)


def gone(lake: Lake, kind: str, object_id: str) -> Callable[[], object]:
    """Somebody else deletes an object."""
    return lambda: lake.api("DELETE", f"/{kind}s/{object_id}")


@pytest.mark.parametrize("kind", ["source", "destination"])
def test_a_connection_is_not_made_on_a_source_or_a_destination_that_was_deleted(
    plugin: Plugin, lake: Lake, kind: str
) -> None:
    end = plugin.made(kind, lake.source() if kind == "source" else lake.destination())
    inputs = plugin.checked("connection", lake.connection(**{f"{kind}Id": end.id}))
    gone(lake, kind, end.id)()
    lake.twin.clear_calls()
    message = error(lambda: plugin.create("connection", inputs))
    assert f'its {kind} "{end.inputs["name"]}" ({end.id}) does not exist any more' in message
    assert "pulumi refresh" in message
    assert lake.writes() == []


@pytest.mark.parametrize("kind", ["source", "destination"])
def test_a_connection_is_not_made_on_a_source_or_a_destination_that_never_was(
    plugin: Plugin, lake: Lake, kind: str
) -> None:
    nowhere = "00000000-0000-4000-8000-0000000000ee"
    inputs = plugin.checked("connection", lake.connection(**{f"{kind}Id": nowhere}))
    lake.twin.clear_calls()
    assert f"its {kind} {nowhere} does not exist." in error(lambda: plugin.create("connection", inputs))
    assert lake.writes() == []


def change(lake: Lake, kind: str) -> tuple[Document, Document]:
    """What a program says of an object, and then says of it."""
    before: Document = {
        "source": lake.source(),
        "destination": lake.destination(),
        "connection": lake.connection(),
        "workspace": {},
    }[kind]
    return before, before | {"name": f"renamed {kind}"}


@pytest.mark.parametrize("kind", ["source", "destination", "connection", "workspace"])
@pytest.mark.parametrize("when", ["before", "between"])
def test_an_update_of_what_was_deleted_says_so(plugin: Plugin, lake: Lake, kind: str, when: str) -> None:
    before, after = change(lake, kind)
    with between(plugin, lake) as proxy:
        made = plugin.made(kind, before)
        if when == "before":
            gone(lake, kind, made.id)()
        proxy.method = "PUT" if kind in {"source", "destination"} else "PATCH"
        proxy.path, proxy.happens = f"/{kind}s/{made.id}", gone(lake, kind, made.id) if when == "between" else nothing
        message = error(lambda: plugin.update(kind, made, plugin.checked(kind, after)))
    assert "does not exist any more" in message
    assert "It was deleted outside the program. Run `pulumi refresh`" in message
    assert " 500 " not in message


@pytest.mark.parametrize("changes", [{"tags": []}, {"prefix": "p_"}, {"notifySchemaChanges": True}], ids=str)
def test_a_connection_that_is_deleted_while_it_changes_is_said_to_be(
    plugin: Plugin, lake: Lake, changes: Document
) -> None:
    with between(plugin, lake) as proxy:
        made = plugin.made("connection", lake.connection(tags=[lake.tag(f"on {next(NUMBERS)}", "888888")]))
        settings = "notifySchemaChanges" in changes
        proxy.method, proxy.path = ("POST", "/connections/update") if settings else ("PATCH", f"/connections/{made.id}")
        proxy.happens = gone(lake, "connection", made.id)
        new = plugin.checked("connection", lake.connection(**{"tags": made.inputs["tags"]} | changes))
        message = error(lambda: plugin.update("connection", made, new))
    assert "does not exist any more" in message
    assert lake.live("connections", made.id)["status"] == "deprecated"
