"""The engine's protocol for the stand-in. What it does not serve it refuses by name."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import Any, Final, NoReturn

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from pulumi_airbyte.provider.properties import UNKNOWN, Properties, Property, decode, encode, reveal, unwrap
from pulumi_airbyte.provider.reconcile import changes
from pulumi_airbyte.provider.resource import Failure
from pulumi_airbyte.provider.wire import diff_response, failures_response

from sandbox.plugins.aws.buckets import (
    Bucket,
    Encryption,
    Lifecycle,
    OwnershipControls,
    Policy,
    PublicAccessBlock,
    Versioning,
)
from sandbox.plugins.aws.identities import AccessKey, User, UserPolicy
from sandbox.plugins.aws.resource import Clients, Live, ResourceType, same_policy, without_defaults

VERSION: Final = metadata.version("pulumi-aws")
RESOURCE_TYPES: Final[tuple[type[ResourceType], ...]] = (
    *(Bucket, PublicAccessBlock, OwnershipControls, Policy, Encryption, Versioning, Lifecycle),
    *(User, UserPolicy, AccessKey),
)
STAND_IN: Final = "the stand-in for the aws provider"
SKIPPED: Final = frozenset(
    {"skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId"}
)
"""What the stand-in never does in the first place."""
SERVED: Final = frozenset({"region", "endpoints", "s3UsePathStyle", "version"}) | SKIPPED


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one engine."""

    def __init__(self) -> None:
        self._resources: dict[str, ResourceType] = {}

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: Any
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Exchange what each side can do."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def GetPluginInfo(self, request: empty_pb2.Empty, context: Any) -> plugin_pb2.PluginInfo:
        """The version of the SDK that it serves."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:
        """Refuse configuration that it would have to ignore."""
        failures = _configuration_failures(decode(request.news))
        return failures_response(failures) if failures else provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:
        """Another address or region replaces nothing."""
        return diff_response(list(changes(decode(request.old_inputs), decode(request.news))), lambda _: False)

    def Configure(self, request: provider_pb2.ConfigureRequest, context: Any) -> provider_pb2.ConfigureResponse:
        """Make the clients; nothing is called yet."""
        with _failures_reported(context):
            clients = _connected(decode(request.args))
            self._resources = {resource.token: resource(clients) for resource in RESOURCE_TYPES}
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Invoke(self, request: provider_pb2.InvokeRequest, context: Any) -> provider_pb2.InvokeResponse:
        """It has no functions."""
        _refuse(context, f"{STAND_IN} has no function {request.tok}: install the official plugin")

    def Check(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:
        """Refuse properties that it would have to ignore."""
        resource, inputs = self._resource(request.urn, context), decode(request.news)
        stray = sorted(inputs.keys() - resource.allowed)
        if stray:
            reason = f"is nothing that {STAND_IN} serves: install the official plugin"
            return failures_response([Failure(name, reason) for name in stray])
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:
        """Compare inputs; policies as documents."""
        with _failures_reported(context):
            resource = self._resource(request.urn, context)
            found = list(changes(without_defaults(decode(request.old_inputs)), without_defaults(decode(request.news))))
            found = [one for one in found if not (one[0] == ("policy",) and _same(one[1], one[2]))]
            return diff_response(found, lambda path: path[0] in resource.replacing)

    def Create(self, request: provider_pb2.CreateRequest, context: Any) -> provider_pb2.CreateResponse:
        """Create it; in a preview, return its expected outputs."""
        with _failures_reported(context):
            resource, inputs = self._resource(request.urn, context), decode(request.properties)
            if request.preview:
                coming: Properties = {**inputs, **dict.fromkeys(resource.computed, UNKNOWN)}
                return provider_pb2.CreateResponse(properties=encode(coming))
            made = resource.create(_plain(inputs))
            return provider_pb2.CreateResponse(id=made.id, properties=encode(made.outputs))

    def Read(self, request: provider_pb2.ReadRequest, context: Any) -> provider_pb2.ReadResponse:
        """Read it for a refresh or an import; an empty id means that it was deleted."""
        with _failures_reported(context):
            resource = self._resource(request.urn, context)
            live: Live | None = resource.read(request.id, _plain(decode(request.inputs)), decode(request.properties))
            if live is None:
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(id=live.id, inputs=encode(live.inputs), properties=encode(live.outputs))

    def Update(self, request: provider_pb2.UpdateRequest, context: Any) -> provider_pb2.UpdateResponse:
        """Change it in place."""
        with _failures_reported(context):
            resource, inputs, outputs = self._resource(request.urn, context), decode(request.news), decode(request.olds)
            if not request.preview:
                outputs = resource.update(request.id, _plain(inputs), outputs)
            return provider_pb2.UpdateResponse(properties=encode(outputs))

    def Delete(self, request: provider_pb2.DeleteRequest, context: Any) -> empty_pb2.Empty:
        """Remove it."""
        with _failures_reported(context):
            self._resource(request.urn, context).delete(request.id, _plain(decode(request.old_inputs)))
            return empty_pb2.Empty()

    def Cancel(self, request: empty_pb2.Empty, context: Any) -> empty_pb2.Empty:
        """Calls are short: let them end."""
        return empty_pb2.Empty()

    def _resource(self, urn: str, context: Any) -> ResourceType:
        token = urn.split("::")[2].rsplit("$", maxsplit=1)[-1]
        if token not in self._resources:
            served = ", ".join(sorted(resource.token.rpartition(":")[2] for resource in RESOURCE_TYPES))
            _refuse(context, f"{STAND_IN} does not serve {token}, only {served}: install the official plugin")
        return self._resources[token]


def _configuration_failures(configuration: Properties) -> list[Failure]:
    """Configuration that would have to be ignored."""
    stray = sorted(configuration.keys() - SERVED)
    return [Failure(name, "is nothing that the stand-in for the aws provider serves") for name in stray]


def _connected(configuration: Properties) -> Clients:
    """Clients for S3, at the endpoint that is given, and for IAM."""
    region = str(unwrap(configuration.get("region")) or "us-east-1")
    endpoints = _parsed(configuration.get("endpoints"))
    first = endpoints[0] if isinstance(endpoints, list) and endpoints else {}
    endpoint = first.get("s3") if isinstance(first, dict) else None
    by_path = _parsed(configuration.get("s3UsePathStyle")) is True
    return Clients(region, str(endpoint or ""), "path" if by_path else "auto")


def _parsed(value: Property) -> Property:
    """A provider's configuration travels as texts; what is no text in the program is JSON here."""
    text = unwrap(value)
    return json.loads(text) if isinstance(text, str) else text


def _plain(inputs: Properties) -> Any:
    return {key: reveal(value) for key, value in inputs.items()}


def _same(old: object, new: object) -> bool:
    try:
        return isinstance(old, str) and isinstance(new, str) and same_policy(old, new)
    except json.JSONDecodeError:
        return False


@contextmanager
def _failures_reported(context: Any) -> Iterator[None]:
    """Turn what the server and its client raise into one message."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        hint = ": the server lacks it, so take it out of lotus:landingZone.features" if code == "NotImplemented" else ""
        _refuse(context, f"{error}{hint}", grpc.StatusCode.UNKNOWN)
    except (BotoCoreError, ValueError) as error:
        _refuse(context, str(error), grpc.StatusCode.UNKNOWN)


def _refuse(context: Any, message: str, code: grpc.StatusCode = grpc.StatusCode.UNIMPLEMENTED) -> NoReturn:
    context.abort(code, message)
    raise AssertionError("abort raises")
