"""The plugin in this process, spoken to as the engine speaks: raw gRPC, with plain dictionaries at this end.

It knows the engine's protocol. It must not know Airbyte.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from pulumi_airbyte.provider.plugin import serve
from pulumi_airbyte.provider.properties import Properties, decode, encode

from tests.provider.ways import NAMELESS

EMPTY: Final = empty_pb2.Empty()
NUMBERS: Final = itertools.count(1)
Values = dict[str, Any]


@dataclass(frozen=True)
class Checked:
    """An answer to a check: canonical inputs, or reasons by property path."""

    inputs: Values
    failures: dict[str, str]


@dataclass(frozen=True)
class Difference:
    """An answer to a diff.

    Attributes:
        some: whether anything differs.
        properties: names of the top-level properties that differ.
        replaces: paths that need a new object.
        detail: kind by path, e.g. `update` or `delete-replace`.
    """

    some: bool
    properties: list[str]
    replaces: list[str]
    detail: dict[str, str]


NOTHING: Final = Difference(some=False, properties=[], replaces=[], detail={})


@dataclass(frozen=True)
class Object:
    """An object as the engine keeps it in its state."""

    id: str
    inputs: Values
    outputs: Values


def token(kind: str) -> str:
    """`connection` to `airbyte:index/connection:Connection`; functions are camelCase in both places."""
    return f"airbyte:index/{kind}:{kind if kind.startswith('get') else kind[0].upper() + kind[1:]}"


def difference(answer: provider_pb2.DiffResponse) -> Difference:
    """The answer, which must not contradict itself."""
    some = answer.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert answer.hasDetailedDiff
    assert some or answer.changes == provider_pb2.DiffResponse.DIFF_NONE
    assert all(entry.inputDiff for entry in answer.detailedDiff.values())
    kind = provider_pb2.PropertyDiff.Kind.Name
    detail = {path: kind(entry.kind).lower().replace("_", "-") for path, entry in answer.detailedDiff.items()}
    assert some == bool(detail) == bool(answer.diffs)
    assert {path for path, name in detail.items() if name.endswith("replace")} == set(answer.replaces)
    return Difference(some, list(answer.diffs), list(answer.replaces), detail)


@dataclass(frozen=True)
class Plugin:
    """One plugin, as one engine sees it.

    Attributes:
        stub: speaks to it.
        name: of what it makes, where a test gives none: objects of other tests, which stay, have other names.
    """

    stub: provider_pb2_grpc.ResourceProviderStub
    name: str = field(default_factory=lambda: f"thing-{next(NUMBERS)}")
    configuration: Values = field(default_factory=dict)

    def check_config(self, **news: Any) -> Checked:
        answer = self.stub.CheckConfig(provider_pb2.CheckRequest(news=encode(news)))
        return Checked(decode(answer.inputs), {failure.property: failure.reason for failure in answer.failures})

    def diff_config(self, old: Values, new: Values) -> Difference:
        return difference(self.stub.DiffConfig(provider_pb2.DiffRequest(old_inputs=encode(old), news=encode(new))))

    def configure(self, **args: Any) -> provider_pb2.ConfigureResponse:
        """Begin a run of the engine, which a plugin without an engine's address forgets at the next one."""
        self.configuration.update(args)
        answer: provider_pb2.ConfigureResponse = self.stub.Configure(provider_pb2.ConfigureRequest(args=encode(args)))
        return answer

    def next_run(self) -> None:
        """Begin another run with the same configuration."""
        self.configure(**self.configuration)

    def check(self, kind: str, news: Values, old: Values | None = None, name: str = "thing") -> Checked:
        request = provider_pb2.CheckRequest(urn=urn(kind, name), news=encode(news), olds=encode(old or {}))
        answer = self.stub.Check(request)
        return Checked(decode(answer.inputs), {failure.property: failure.reason for failure in answer.failures})

    def checked(self, kind: str, news: Values, name: str = "") -> Values:
        """Canonical inputs of a new resource, which must pass; with a name, it is what the display name defaults to."""
        named = {} if kind in NAMELESS else {"name": self.name}
        answer = self.check(kind, news, name=name) if name else self.check(kind, named | news)
        assert answer.failures == {}
        return answer.inputs

    def diff(
        self,
        kind: str,
        old: Values,
        new: Values,
        outputs: Properties | None = None,
        *,
        object_id: str = "",
        name: str = "thing",
    ) -> Difference:
        """A comparison as the engine makes it: after a check, and, where it leads to a replacement, before another."""
        self.check(kind, new, old, name)
        request = provider_pb2.DiffRequest(
            id=object_id or str(uuid5(NAMESPACE_OID, kind)),
            urn=urn(kind, name),
            old_inputs=encode(old),
            news=encode(new),
            olds=encode(outputs or {}),
        )
        found = difference(self.stub.Diff(request))
        if found.replaces:
            self.check(kind, new, name=name)
        return found

    def create(
        self, kind: str, inputs: Values, *, preview: bool = False, name: str = "thing", seconds: float = 0.5
    ) -> Object:
        """A create; where an answer is lost, its object is looked for until these seconds are over."""
        request = provider_pb2.CreateRequest(
            urn=urn(kind, name), properties=encode(inputs), preview=preview, timeout=seconds
        )
        answer = self.stub.Create(request)
        return Object(answer.id, inputs, decode(answer.properties))

    def made(self, kind: str, news: Values) -> Object:
        """A new object of checked inputs."""
        return self.create(kind, self.checked(kind, news))

    def read(self, kind: str, known: Object) -> Object | None:
        """The object as it is now; None when it is gone."""
        request = provider_pb2.ReadRequest(
            id=known.id, urn=urn(kind), inputs=encode(known.inputs), properties=encode(known.outputs)
        )
        answer = self.stub.Read(request)
        return Object(answer.id, decode(answer.inputs), decode(answer.properties)) if answer.id else None

    def refreshed(self, kind: str, known: Object) -> Object:
        """The object as it is now, which must be there."""
        found = self.read(kind, known)
        assert found is not None
        return found

    def imported(self, kind: str, object_id: str) -> Object:
        """An object of which the engine knows nothing but the id, which must be there."""
        return self.refreshed(kind, Object(object_id, {}, {}))

    def update(self, kind: str, known: Object, news: Values, *, preview: bool = False) -> Object:
        request = provider_pb2.UpdateRequest(
            id=known.id,
            urn=urn(kind),
            old_inputs=encode(known.inputs),
            news=encode(news),
            olds=encode(known.outputs),
            preview=preview,
        )
        return Object(known.id, news, decode(self.stub.Update(request).properties))

    def delete(self, kind: str, object_id: str, inputs: Values | None = None, name: str = "thing") -> None:
        """A delete in a run of its own: a run does not delete what it has made."""
        self.next_run()
        self.delete_now(kind, object_id, inputs, name)

    def delete_now(self, kind: str, object_id: str, inputs: Values | None = None, name: str = "thing") -> None:
        """A delete in the run that is under way."""
        request = provider_pb2.DeleteRequest(id=object_id, urn=urn(kind, name), old_inputs=encode(inputs or {}))
        self.stub.Delete(request)

    def invoke(self, function: str, **arguments: Any) -> Values:
        """What a look-up gives; its complaints about arguments are under `failures`."""
        answer = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token(function), args=encode(arguments)))
        if answer.failures:
            return {"failures": {failure.property: failure.reason for failure in answer.failures}}
        return decode(getattr(answer, "return"))


def urn(kind: str, name: str = "thing") -> str:
    """As the engine makes it for a child of a component."""
    return f"urn:pulumi:stack::project::lotus:airbyte:Pipeline${token(kind)}::{name}"


def error(call: Callable[[], object], code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> str:
    """The message with which a call fails."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    failed: Any = caught.value
    assert failed.code() == code
    return str(failed.details())


@contextmanager
def running_plugin(engine_address: str = "") -> Iterator[Plugin]:
    """A plugin that was not configured yet."""
    with serve(engine_address) as port, grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Plugin(provider_pb2_grpc.ResourceProviderStub(channel))
