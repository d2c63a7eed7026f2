"""What the plugin says of itself, and what it says before and beside its work."""

import json
from importlib import metadata, resources

import grpc
import pytest
from pulumi.runtime.proto import plugin_pb2, provider_pb2
from pulumi_airbyte.provider.properties import encode

from tests.provider.lake import Lake
from tests.provider.plugin import EMPTY, Plugin, Values, error, urn


def test_the_handshake_takes_secrets_and_no_richer_values(unconfigured: Plugin) -> None:
    answer = unconfigured.stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    assert (answer.accept_secrets, answer.accept_resources, answer.accept_outputs) == (True, False, False)


def test_the_configuration_is_taken_with_secrets_and_previews(unconfigured: Plugin) -> None:
    answer = unconfigured.configure(serverUrl="https://airbyte.example.com/api/public/v1")
    assert (answer.acceptSecrets, answer.supportsPreview, answer.acceptResources) == (True, True, False)


def test_the_version_is_the_packages(unconfigured: Plugin) -> None:
    assert unconfigured.stub.GetPluginInfo(EMPTY).version == metadata.version("pulumi-airbyte")


def test_the_schema_that_is_served_is_the_file_beside_the_sdk(unconfigured: Plugin) -> None:
    served = unconfigured.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema
    assert served == resources.files("pulumi_airbyte").joinpath("schema.json").read_text(encoding="utf-8")
    assert json.loads(served)["name"] == "airbyte"


def test_an_engine_may_attach_later(unconfigured: Plugin) -> None:
    assert unconfigured.stub.Attach(plugin_pb2.PluginAttach(address="127.0.0.1:1")) == EMPTY


def test_a_cancellation_is_fine_at_any_time(unconfigured: Plugin, lake: Lake) -> None:
    assert unconfigured.stub.Cancel(EMPTY) == EMPTY
    unconfigured.configure(serverUrl=lake.twin.public_url)
    assert unconfigured.stub.Cancel(EMPTY) == EMPTY


def test_after_a_cancellation_nothing_is_tried_again(plugin: Plugin, lake: Lake) -> None:
    lake.fault(method="GET", path="/sources/", status=503, times=None)
    plugin.stub.Cancel(EMPTY)
    error(lambda: plugin.imported("source", lake.source_id))
    assert lake.asked() == [f"GET /sources/{lake.source_id}"]


@pytest.mark.parametrize("verb", ["check", "read", "create", "invoke"])
def test_nothing_is_done_before_the_configuration(unconfigured: Plugin, verb: str) -> None:
    calls = {
        "check": lambda: unconfigured.check("source", {}),
        "read": lambda: unconfigured.imported("source", "id"),
        "create": lambda: unconfigured.create("source", {}),
        "invoke": lambda: unconfigured.invoke("getWorkspace"),
    }
    message = error(calls[verb], grpc.StatusCode.FAILED_PRECONDITION)
    assert message == "the provider has not been configured"


def test_an_unknown_resource_or_function_is_an_error_that_names_it(plugin: Plugin) -> None:
    message = error(lambda: plugin.check("pipe", {}), grpc.StatusCode.UNIMPLEMENTED)
    assert message == "airbyte:index/pipe:Pipe is no resource of the airbyte provider"
    message = error(lambda: plugin.invoke("getNothing"), grpc.StatusCode.UNIMPLEMENTED)
    assert message == "airbyte:index/getNothing:getNothing is no function of the airbyte provider"


def test_a_value_that_no_airbyte_property_can_have_is_an_error(plugin: Plugin) -> None:
    asset: Values = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "text": "x"}
    request = provider_pb2.CheckRequest(urn=urn("source"), news=encode({"configuration": {"file": asset}}))
    message = error(lambda: plugin.stub.Check(request), grpc.StatusCode.INVALID_ARGUMENT)
    assert message == "assets, archives and resource references are no Airbyte properties"


def test_an_output_of_a_newer_engine_is_a_value_that_may_be_secret_or_unknown(plugin: Plugin, lake: Lake) -> None:
    def output(**parts: object) -> dict[str, object]:
        return {"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4", **parts}

    named = lake.source() | {"name": output(value="known"), "resourceAllocation": output(secret=True)}
    checked = plugin.checked("source", named)
    assert checked["name"] == "known"
    assert repr(checked["resourceAllocation"]) == "Secret()"
