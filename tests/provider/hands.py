"""Runs of an engine in which objects of each kind change hands, as calls to plugins in the engine's own order."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import grpc
from pulumi.runtime.proto import provider_pb2
from pulumi_airbyte.provider.properties import Properties, decode, encode

from tests.provider.engine_orders import Side, Step, registered
from tests.provider.heard import serving
from tests.provider.jobs import CURSOR, state, write_state
from tests.provider.lake import ORGANIZATION, OTHER_ORGANIZATION, Document, Lake, stream
from tests.provider.plain import ALL, live_ids
from tests.provider.plugin import Object, Plugin, difference, running_plugin, token
from tests.provider.ways import KINDS, MANIFEST, NAMELESS, By, Declared, Way

OAUTH: Final = {"actorType": "source", "name": "faker", "configuration": {"credentials": {"client_id": "an-app"}}}
NUMBERS: Final = itertools.count(1)
CURSORS: Final = {"bare": CURSOR}


@contextmanager
def run(lake: Lake, adopt: str, processes: int = 1) -> Iterator[list[Plugin]]:
    """The processes of the plugin that an engine starts in one run."""
    with serving() as (_, address), ExitStack() as stack:
        plugins = [stack.enter_context(running_plugin(address)) for _ in range(processes)]
        for plugin in plugins:
            plugin.stub.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address=address))
            plugin.configure(serverUrl=lake.twin.public_url, adoptExisting=adopt)
        yield plugins


@dataclass
class Subject:
    """An object that changes hands.

    Attributes:
        kind: such as `source`.
        label: its display name.
        known: as the state has it.
        inputs: that the program's declaration has come to.
    """

    kind: str
    label: str
    known: Object
    inputs: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Hands:
    """A lake in which a program has an object of each kind.

    Attributes:
        lake: an Airbyte.
        way: how they change hands.
        far_source: another source of the same connector.
        room: another workspace.
    """

    lake: Lake
    way: Way
    far_source: str
    room: str

    def made(self) -> list[Subject]:
        """The objects, made by an earlier run, with cursors."""
        number = next(NUMBERS)
        with run(self.lake, "never") as [plugin]:
            subjects = [self._made(plugin, kind, f"{kind} {number}") for kind in KINDS]
        write_state(self.lake, subjects[-1].known.id, *CURSORS)
        return subjects

    def _made(self, plugin: Plugin, kind: str, label: str) -> Subject:
        subject = Subject(kind, label, Object("", {}, {}))
        inputs = _checked(plugin, self._urn(subject, "before"), self._said(subject, self.way.before), {})
        request = provider_pb2.CreateRequest(urn=self._urn(subject, "before"), properties=encode(inputs))
        answer = plugin.stub.Create(request)
        return replace(subject, known=Object(answer.id, inputs, decode(answer.properties)))

    def change(self, subjects: list[Subject], adopt: str) -> dict[str, str]:
        """Let them change hands in one run; what each kind was refused with, if it was."""
        with run(self.lake, adopt, processes=2 if self.way.other_provider else 1) as plugins:
            orders = [(subject, subject.known, *registered(self.way, subject.kind)) for subject in subjects]
            refused = {one.kind: self._taken(plugins, one, old, begin) for one, old, begin, _ in orders}
            for one, old, _, end in reversed(orders):
                # A run that goes on after an error deletes what the program gave up all the same.
                if not refused[one.kind] or (self.way.by is By.GO_ON and not self.way.known):
                    refused[one.kind] += self._taken(plugins, one, old, end)
        return {kind: text for kind, text in refused.items() if text}

    def _taken(self, plugins: list[Plugin], subject: Subject, old: Object, order: list[Step]) -> str:
        """One call after another, until one fails."""
        for step in order:
            plugin = plugins[0 if step.provider == "before" else -1]
            try:
                self._take(plugin, subject, old, step)
            except grpc.RpcError as error:
                failed: Any = error
                assert failed.code() == grpc.StatusCode.UNKNOWN, failed.details()
                return str(failed.details())
        return ""

    def _take(self, plugin: Plugin, subject: Subject, old: Object, step: Step) -> None:
        urn, known = self._urn(subject, step.side), subject.known
        if step.verb == "Check":
            before = known.inputs if step.olds else {}
            subject.inputs = _checked(plugin, urn, self._said(subject, self.way.after), before)
        elif step.verb == "Diff":
            news = known.inputs if step.side == "before" else subject.inputs
            replaces = _compared(plugin, urn, known, news)
            named = subject.kind == MANIFEST and self.way.before.label != self.way.after.label
            assert replaces == ((self.way.after.moved or named) and step.side == "after")
        elif step.verb == "Create":
            answer = plugin.stub.Create(provider_pb2.CreateRequest(urn=urn, properties=encode(subject.inputs)))
            subject.known = Object(answer.id, subject.inputs, decode(answer.properties))
        elif step.verb == "Read":
            subject.known = _read(plugin, urn, old if step.olds else Object(old.id, {}, {}))
        elif step.verb == "Update":
            subject.known = _updated(plugin, urn, known, subject.inputs)
        else:
            inputs, outputs = encode(old.inputs), encode(old.outputs)
            request = provider_pb2.DeleteRequest(id=old.id, urn=urn, old_inputs=inputs, properties=outputs)
            plugin.stub.Delete(request)

    def live(self) -> dict[str, set[str]]:
        """The ids on the server, by kind."""
        return live_ids(self.lake.twin.store)

    def cursors(self, connection_id: str) -> Document:
        """Of a connection."""
        return state(self.lake, connection_id)

    def _urn(self, subject: Subject, side: Side) -> str:
        declared = self.way.before if side == "before" else self.way.after
        suffix = self.way.after.suffix if self.way.by is By.RENAME else declared.suffix
        parent = "test:index:Group$" if declared.parent else ""
        return f"urn:pulumi:stack::project::{parent}{token(subject.kind)}::{subject.label}{suffix}"

    def _said(self, subject: Subject, declared: Declared) -> Document:
        place = {"workspaceId": self.room} if declared.moved else {}
        said: dict[str, Document] = {
            "workspace": {"organizationId": OTHER_ORGANIZATION} if declared.moved else {},
            **{kind: plain.given(self.lake) | place for kind, plain in ALL.items()},
            "oauthCredentials": OAUTH | {"organizationId": OTHER_ORGANIZATION if declared.moved else ORGANIZATION},
            "source": self.lake.source() | place,
            "destination": self.lake.destination() | place,
            "connection": self.lake.connection(
                stream("bare", syncMode="incremental_append", cursorField=["updated_at"]),
                **({"sourceId": self.far_source} if declared.moved else {}),
            ),
        }
        named = {} if subject.kind in NAMELESS else {"name": subject.label + declared.label}
        return said[subject.kind] | named


def _checked(plugin: Plugin, urn: str, news: Document, olds: Properties) -> Properties:
    answer = plugin.stub.Check(provider_pb2.CheckRequest(urn=urn, news=encode(news), olds=encode(olds)))
    assert not answer.failures
    return decode(answer.inputs)


def _compared(plugin: Plugin, urn: str, known: Object, news: Properties) -> bool:
    """Whether a comparison asks for a new object."""
    request = provider_pb2.DiffRequest(
        id=known.id, urn=urn, old_inputs=encode(known.inputs), news=encode(news), olds=encode(known.outputs)
    )
    return bool(difference(plugin.stub.Diff(request)).replaces)


def _read(plugin: Plugin, urn: str, known: Object) -> Object:
    request = provider_pb2.ReadRequest(
        id=known.id, urn=urn, inputs=encode(known.inputs), properties=encode(known.outputs)
    )
    answer = plugin.stub.Read(request)
    return Object(answer.id, decode(answer.inputs), decode(answer.properties))


def _updated(plugin: Plugin, urn: str, known: Object, news: Properties) -> Object:
    request = provider_pb2.UpdateRequest(
        id=known.id, urn=urn, old_inputs=encode(known.inputs), news=encode(news), olds=encode(known.outputs)
    )
    return Object(known.id, news, decode(plugin.stub.Update(request).properties))
