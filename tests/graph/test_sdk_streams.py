"""The SDK: streams of a connection whose mappers contain outputs, and streams of one name."""

import json
from typing import Any

import pulumi
import pulumi_airbyte as airbyte
import pytest
from airbyte_model.streams import ConfigurationError
from pulumi.runtime import rpc

from tests.graph.recorder import Graph, drained

Stream = airbyte.ConnectionConfigurationsStreamArgs
KEY = "a-made-up-key"


def encryption(key: pulumi.Input[str]) -> airbyte.ConnectionConfigurationsStreamMapperArgs:
    return airbyte.ConnectionConfigurationsStreamMapperArgs("encryption", {"algorithm": "AES", "key": key})


def plain(key: pulumi.Input[str]) -> dict[str, Any]:
    return {"type": "encryption", "mapperConfiguration": {"algorithm": "AES", "key": key}}


def declared(*streams: Stream, of: Any = None) -> Graph:
    """One connection of these streams."""

    async def program() -> None:
        configurations = of() if of else airbyte.ConnectionConfigurationsArgs(streams)
        airbyte.Connection("lab", source_id="source-1", destination_id="destination-1", configurations=configurations)

    return drained(program, {"lotus:aes": KEY}, ["lotus:aes"])


def sent(graph: Graph) -> Any:
    """The property `configurations` as it goes to the engine."""
    return rpc.deserialize_properties(graph.request("Connection", "lab").object)["configurations"]


def key_in(text: str) -> str:
    [mapper] = next(stream for stream in json.loads(text)["streams"] if stream["name"] == "users")["mappers"]
    return str(mapper["mapperConfiguration"]["key"])


def required() -> pulumi.Output[str]:
    return pulumi.Config("lotus").require_secret("aes")


WAYS: dict[str, Any] = {
    "typed": lambda: Stream("users", mappers=[encryption(required())]),
    "as the API takes it": lambda: Stream("users", mappers=[plain(required())]),
    "a mapper that is an output": lambda: Stream("users", mappers=[required().apply(encryption)]),
    "mappers that are an output": lambda: Stream("users", mappers=required().apply(lambda key: [plain(key)])),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_streams_whose_mapper_has_a_secret_key_are_secret_as_a_whole(way: Any) -> None:
    graph = declared(of=lambda: airbyte.ConnectionConfigurationsArgs([way(), Stream("orders", backfill="t1")]))
    assert rpc.is_rpc_secret(sent(graph))
    assert key_in(rpc.unwrap_rpc_secret(sent(graph))) == KEY
    tokens = rpc.deserialize_properties(graph.request("Connection", "lab").object)["backfills"]
    assert tokens == {"orders": "t1"}


def test_streams_that_are_an_output_with_outputs_in_them_are_resolved() -> None:
    def configurations() -> Any:
        made = airbyte.ConnectionConfigurationsArgs([Stream("users", mappers=[encryption(required())])])
        return pulumi.Output.from_input("ready").apply(lambda _: made)

    assert key_in(rpc.unwrap_rpc_secret(sent(declared(of=configurations)))) == KEY


def test_a_key_that_is_not_an_output_is_sent_as_text() -> None:
    typed, untyped = (declared(Stream("users", mappers=[make(KEY)])) for make in (encryption, plain))
    assert isinstance(sent(typed), str)
    assert sent(typed) == sent(untyped)


def test_a_mistake_in_a_stream_is_reported_before_its_outputs_are_known() -> None:
    def configurations() -> Any:
        return airbyte.ConnectionConfigurationsArgs(
            [Stream("users", selected_fields=["id", "id"], mappers=[encryption(required())])]
        )

    with pytest.raises(ConfigurationError, match="selects field 'id' twice"):
        declared(of=configurations)


def test_a_token_keeps_its_key_when_another_stream_of_the_name_comes() -> None:
    one = Stream("orders", namespace="sales", backfill="t1")
    more = [one, Stream("orders", namespace="hr"), Stream("sales.orders", namespace="dbo")]
    for streams in ([one], more):
        inputs = declared(*streams).named("Connection", "lab").inputs
        assert inputs["backfills"] == {'["sales","orders"]': "t1"}
        assert len(json.loads(inputs["configurations"])["streams"]) == len(streams)


def test_a_stream_that_is_listed_twice_is_refused_by_its_pair() -> None:
    with pytest.raises(ConfigurationError, match=r"'orders \(namespace sales\)' twice"):
        declared(*[Stream("orders", namespace="sales")] * 2)


def test_a_stream_that_selects_no_field_is_refused_since_the_server_takes_no_empty_list() -> None:
    with pytest.raises(ConfigurationError, match="'users' selects no field: name at least one"):
        declared(Stream("users", selected_fields=[]))
