"""Translate the engine's protocol (provider.proto) to resource types, and their errors to responses."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib import metadata
from typing import Any, Final, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from pulumi_airbyte.client import Airbyte, AirbyteError, ClientSettings
from pulumi_airbyte.provider import adoption, configuration, schema
from pulumi_airbyte.provider.functions import FUNCTIONS
from pulumi_airbyte.provider.functions.function import Directory
from pulumi_airbyte.provider.inventory import Inventory
from pulumi_airbyte.provider.messages import Messages
from pulumi_airbyte.provider.properties import UNKNOWN, Properties, decode, encode
from pulumi_airbyte.provider.registry import registry
from pulumi_airbyte.provider.resource import Checking, ResourceType, Server
from pulumi_airbyte.provider.run_record import RunRecord
from pulumi_airbyte.provider.secrecy import Specifications
from pulumi_airbyte.provider.target import Known, Run, Target, name_of, type_of
from pulumi_airbyte.provider.unfinished import UnfinishedError, details
from pulumi_airbyte.provider.wire import diff_response, failures_response

VERSION: Final = metadata.version("pulumi-airbyte")
STATUS_DETAILS: Final = "grpc-status-details-bin"
MAY_BE_ABSENT: Final = frozenset({"serverRewrites", "secretVersions", "unfinished"})
NOT_CONFIGURED: Final = "the provider has not been configured"
NOT_KNOWN_YET: Final = ClientSettings(public_url="")
"""Settings for a server whose address is unknown in a preview, because another resource creates it. Calls fail."""


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one engine, which calls from many threads."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._airbyte: Airbyte | None = None
        self._clients: list[Airbyte] = []
        self._resources: dict[str, ResourceType] = {}
        self._directory: Directory | None = None
        self._importing: set[str] = set()
        self._run = Run(RunRecord())

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: Any
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Exchange capabilities."""
        self._messages.connect(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=False, accept_outputs=False)

    def Attach(self, request: plugin_pb2.PluginAttach, context: Any) -> empty_pb2.Empty:
        """Take the engine's address when the plugin runs under a debugger."""
        self._messages.connect(request.address)
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: Any) -> plugin_pb2.PluginInfo:
        """Return the version."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: provider_pb2.GetSchemaRequest, context: Any) -> provider_pb2.GetSchemaResponse:
        """Serve the committed schema."""
        return provider_pb2.GetSchemaResponse(schema=schema.served())

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:
        """Check the provider's own configuration."""
        with _failures_reported(context):
            inputs, failures = configuration.checked(decode(request.news))
            return failures_response(failures) if failures else provider_pb2.CheckResponse(inputs=encode(inputs))

    def DiffConfig(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:
        """Compare configurations. No change of them replaces resources."""
        with _failures_reported(context):
            old, new = decode(request.old_inputs), decode(request.news)
            message = configuration.settings_change(old, new)
            if message:
                self._messages.info(request.urn, message)
            return diff_response(configuration.changed_settings(old, new), lambda _: False)

    def Configure(self, request: provider_pb2.ConfigureRequest, context: Any) -> provider_pb2.ConfigureResponse:
        """Create the client, without a call."""
        with _failures_reported(context):
            given = decode(request.args)
            settings = configuration.client_settings(given)
            self._connect(settings or NOT_KNOWN_YET, adopts_identical=configuration.adopts_identical(given))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
        )

    def _connect(self, settings: ClientSettings, *, adopts_identical: bool) -> None:
        self.close()
        self._airbyte = Airbyte(settings)
        quick = Airbyte(replace(settings, retry=replace(settings.retry, attempts=3), read_seconds=15.0))
        self._clients = [self._airbyte, quick]
        self._run = Run(RunRecord.of(self._messages.address))
        inventory, specifications = Inventory(self._airbyte), Specifications(quick)
        server = Server(self._airbyte, inventory, self._run, adopts_identical)
        self._resources = registry(server, specifications)
        self._directory = Directory(self._airbyte, inventory, specifications)

    def Invoke(self, request: provider_pb2.InvokeRequest, context: Any) -> provider_pb2.InvokeResponse:
        """Answer a look-up."""
        with _failures_reported(context):
            if request.tok not in FUNCTIONS:
                _abort(context, f"{request.tok} is no function of the airbyte provider", grpc.StatusCode.UNIMPLEMENTED)
            if self._directory is None:
                _abort(context, NOT_CONFIGURED, grpc.StatusCode.FAILED_PRECONDITION)
            answer = FUNCTIONS[request.tok].call(self._directory, decode(request.args))
            if isinstance(answer, list):
                return provider_pb2.InvokeResponse(failures=failures_response(answer).failures)
            response = provider_pb2.InvokeResponse()
            getattr(response, "return").CopyFrom(encode(answer))
            return response

    def Check(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:
        """Bring a resource's inputs into canonical form, or report failures."""
        with _failures_reported(context):
            old, resource = decode(request.olds), self._resource(request.urn, context)
            checking = Checking(name_of(request.urn), old, request.urn in self._importing)
            checked = resource.check(decode(request.news), checking)
            if checked.failures:
                return failures_response(checked.failures)
            entry = resource.entry(old or self._run.old_inputs(request.urn))
            self._run.declares(request.urn, old, checked.inputs, entry, partial(resource.successor, checked.inputs))
            return provider_pb2.CheckResponse(inputs=encode(checked.inputs))

    def Diff(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:
        """Compare inputs by meaning."""
        with _failures_reported(context):
            resource = self._resource(request.urn, context)
            known, new = Known(request.id, decode(request.old_inputs), decode(request.olds)), decode(request.news)
            adoption.refuse_shared(self._run, known, request.urn)
            found = resource.diff(known, new)
            explanation = "; ".join(
                filter(None, [resource.missing(known) if found else "", resource.explain(known, new, found)])
            )
            if explanation:
                self._messages.info(request.urn, explanation)
            return diff_response(found, resource.replaces)

    def Create(self, request: provider_pb2.CreateRequest, context: Any) -> provider_pb2.CreateResponse:
        """Create an object; in a preview, return the outputs that are known."""
        inputs = decode(request.properties)
        with _failures_reported(context, inputs):
            resource = self._resource(request.urn, context)
            entry = resource.entry(self._run.old_inputs(request.urn))
            replaced = self._run.replaced(request.urn, entry)
            target = replace(self._target(request.urn, request.timeout), replaced=replaced)
            if request.preview:
                known = _to_come(resource) | resource.foresee(inputs, target)
                return provider_pb2.CreateResponse(properties=encode(known))
            made = resource.create(inputs, target)
            return provider_pb2.CreateResponse(id=made.id, properties=encode(made.outputs))

    def Read(self, request: provider_pb2.ReadRequest, context: Any) -> provider_pb2.ReadResponse:
        """Read an object for a refresh or an import. An empty id in the response means that it does not exist."""
        with _failures_reported(context):
            known = Known(request.id, decode(request.inputs), decode(request.properties))
            # For an import, and for a resource that the program looks up by id, the engine sends the same properties
            # as inputs and outputs (pulumi, step.go). A refresh sends the state's outputs.
            by_id = known.inputs == known.outputs
            if by_id:
                self._resource(request.urn, context).require_id(request.id)
                self._importing.add(request.urn)
            live = self._resource(request.urn, context).read(known, self._target(request.urn))
            if live is None:
                return provider_pb2.ReadResponse()
            if by_id:
                self._run.record.take(request.id, request.urn, "read")
            return provider_pb2.ReadResponse(id=request.id, properties=encode(live.outputs), inputs=encode(live.inputs))

    def Update(self, request: provider_pb2.UpdateRequest, context: Any) -> provider_pb2.UpdateResponse:
        """Change an object in place."""
        new = decode(request.news)
        with _failures_reported(context, new):
            resource, old = self._resource(request.urn, context), decode(request.olds)
            if request.preview:
                return provider_pb2.UpdateResponse(properties=encode(old))
            known = Known(request.id, decode(request.old_inputs), old)
            outputs = resource.update(known, new, self._target(request.urn, request.timeout))
            return provider_pb2.UpdateResponse(properties=encode(outputs))

    def Delete(self, request: provider_pb2.DeleteRequest, context: Any) -> empty_pb2.Empty:
        """Delete an object."""
        with _failures_reported(context):
            known = Known(request.id, decode(request.old_inputs), decode(request.properties))
            target = self._target(request.urn, request.timeout)
            resource = self._resource(request.urn, context)
            if adoption.may_delete(self._run, known, resource.entry(known.inputs), target):
                try:
                    resource.delete(known, target)
                except BaseException:
                    self._run.record.restore(known.id)
                    raise
            return empty_pb2.Empty()

    def Cancel(self, request: empty_pb2.Empty, context: Any) -> empty_pb2.Empty:
        """Let running calls finish, without further retries and waits."""
        for client in self._clients:
            client.cancel()
        return empty_pb2.Empty()

    def close(self) -> None:
        """Leave the run, and close the connections to the server. Running requests are cut off."""
        self._run.record.close()
        for client in self._clients:
            client.cancel()
            client.close()

    def _resource(self, urn: str, context: Any) -> ResourceType:
        token = type_of(urn)
        self._reachable(context)
        if token not in self._resources:
            _abort(context, f"{token} is no resource of the airbyte provider", grpc.StatusCode.UNIMPLEMENTED)
        return self._resources[token]

    def _target(self, urn: str, seconds: float = 0) -> Target:
        return Target(urn, partial(self._messages.info, urn), seconds=seconds or None)

    def _reachable(self, context: Any) -> Airbyte:
        if self._airbyte is None:
            _abort(context, NOT_CONFIGURED, grpc.StatusCode.FAILED_PRECONDITION)
        return self._airbyte


def _to_come(resource: ResourceType) -> Properties:
    return {field.name: UNKNOWN for field in resource.outputs if field.name not in MAY_BE_ABSENT}


@contextmanager
def _failures_reported(context: Any, inputs: Properties | None = None) -> Iterator[None]:
    """Turn our own errors into one message for the engine. Unexpected errors pass, with their traceback.

    Args:
        context: the call's context.
        inputs: the inputs that the engine stores if the object exists but is unfinished.
    """
    try:
        yield
    except UnfinishedError as error:
        context.set_trailing_metadata([(STATUS_DETAILS, details(error, inputs or {}))])
        _abort(context, str(error))
    except AirbyteError as error:
        _abort(context, str(error))
    except ValueError as error:
        _abort(context, str(error), grpc.StatusCode.INVALID_ARGUMENT)


def _abort(context: Any, message: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> NoReturn:
    context.abort(code, message)
    raise AssertionError("abort raises")
