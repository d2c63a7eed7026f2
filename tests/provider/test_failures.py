"""A failure at any call of a verb: it succeeds, or fails with one error and succeeds when called again; one of each."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar

import grpc
import pytest
from airbyte_twin.faults import Fault
from airbyte_twin.testing import RunningTwin, Saved, running_twin

from tests.provider.lab import LAB_DESTINATION, LAB_SOURCE, with_lab
from tests.provider.lake import stream
from tests.provider.plugin import NOTHING, Object, Plugin, Values, running_plugin

if TYPE_CHECKING:
    from airbyte_twin.records import Actor, Workspace

Answer = TypeVar("Answer")
DEFINITIONS: Final = {"source": LAB_SOURCE, "destination": LAB_DESTINATION}
KINDS: Final = (*DEFINITIONS, "connection", "workspace")
FAULTS: Final[list[dict[str, Any]]] = [
    {"status": 429},  # a limit refuses before it lets through
    *({"status": status, "commit": commit} for status in (502, 503) for commit in (False, True)),
    {"drop": "before"},
    {"drop": "after"},
    {"end_tokens": True},
]
NUMBERS: Final = count()

of_any_kind = pytest.mark.parametrize("kind", KINDS)
at_any_call = pytest.mark.parametrize(
    "fault",
    [
        # The client treats 502 as it treats 503, which tests of the client show for each call.
        pytest.param(Fault.model_validate(fault), marks=[pytest.mark.nightly] if fault.get("status") == 502 else [])
        for fault in FAULTS
    ],
    ids=lambda fault: fault.title,
)


@dataclass(frozen=True)
class Fragile:
    """A plugin, and an Airbyte that asks for credentials, so that the calls for a token may fail too.

    Attributes:
        ends: the source and the destination of connections.
    """

    plugin: Plugin
    twin: RunningTwin
    ends: Values

    def begin(self) -> None:
        """A new run of the engine: without a token, and with nothing known of Airbyte."""
        client = {"clientId": self.twin.client_id, "clientSecret": self.twin.client_secret}
        self.plugin.configure(serverUrl=self.twin.public_url, adoptExisting="identical", **client)

    def checked(self, kind: str, name: str, *, newer: bool = False) -> Values:
        """What a program says of an object, before or after a change."""
        said: Values = {"name": f"{name} of others" if newer and kind == "workspace" else name}
        if kind == "connection":
            streams = [stream(), stream("cursor_default")] if newer else [stream()]
            said |= self.ends | {"configurations": json.dumps({"streams": streams})}
        elif kind != "workspace":
            configuration = {"path": "newer" if newer else "older"}
            said |= {"workspaceId": self.twin.workspace_id, "definitionId": DEFINITIONS[kind]}
            said |= {"configuration": configuration}
        self.begin()
        return self.plugin.checked(kind, said)

    def made(self, kind: str) -> Object:
        return self.plugin.create(kind, self.checked(kind, f"thing {next(NUMBERS)}"))

    def survive(self, fault: Fault, verb: Callable[[], Answer]) -> tuple[Answer, bool]:
        """What a verb gives, when it is called again if it failed; and whether the fault came to be."""
        faults = self.twin.twin.faults
        self.begin()
        faults.add(fault)
        try:
            given = [verb()]
        except grpc.RpcError as error:
            failed: Any = error
            assert (failed.code(), failed.details()[:8]) == (grpc.StatusCode.UNKNOWN, "Airbyte ")
            given = []
        [(_, seen)] = faults.orders()
        faults.clear()
        self.begin()
        return given[0] if given else verb(), seen >= fault.nth

    def named(self, kind: str, name: str) -> list[str]:
        """The ids of the objects of this name that are not deleted."""
        store = self.twin.store
        if kind == "connection":
            return [each.id for each in store.connections if each.name == name and each.status != "deprecated"]
        tables: dict[str, Iterable[Actor | Workspace]] = {"workspace": store.workspaces}
        return [each.id for each in tables.get(kind, store.actors) if each.name == name and not each.deleted]


def everywhere(fault: Fault) -> Iterator[Fault]:
    """The fault at the first call, the second, and so on; at each of them once, which may be retried, and for good."""
    for nth in count(1):
        for times in (1, None):
            yield fault.model_copy(update={"nth": nth, "times": times})


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fragile, Saved]]:
    data = with_lab(tmp_path_factory.mktemp("twin"))
    with running_plugin() as plugin, running_twin(saves=False, data_dir=data, auth="client_credentials") as twin:
        empty = Fragile(plugin, twin, {})
        ends = {f"{kind}Id": empty.made(kind).id for kind in DEFINITIONS}
        yield Fragile(plugin, twin, ends), twin.saved()


@pytest.fixture
def fragile(prepared: tuple[Fragile, Saved]) -> Fragile:
    found, saved = prepared
    found.twin.restore(saved)
    return found


@of_any_kind
@at_any_call
def test_a_create_that_fails_at_any_call_makes_one(fragile: Fragile, kind: str, fault: Fault) -> None:
    for failing in everywhere(fault):
        inputs = fragile.checked(kind, f"thing {next(NUMBERS)}")
        made, reached = fragile.survive(failing, partial(fragile.plugin.create, kind, inputs, seconds=0.05))
        assert fragile.named(kind, inputs["name"]) == [made.id], failing
        if not reached:
            break
    assert failing.nth > 1


@of_any_kind
@at_any_call
def test_an_update_that_fails_at_any_call_is_made_good(fragile: Fragile, kind: str, fault: Fault) -> None:
    for failing in everywhere(fault):
        known = fragile.made(kind)
        news = fragile.checked(kind, known.inputs["name"], newer=True)
        updated, reached = fragile.survive(failing, partial(fragile.plugin.update, kind, known, news))
        live = fragile.plugin.refreshed(kind, updated)
        assert fragile.plugin.diff(kind, live.inputs, news, live.outputs) == NOTHING, failing
        if not reached:
            break
    assert failing.nth > 1


@of_any_kind
@at_any_call
def test_a_delete_that_fails_at_any_call_is_made_good(fragile: Fragile, kind: str, fault: Fault) -> None:
    for failing in everywhere(fault):
        known = fragile.made(kind)
        _, reached = fragile.survive(failing, partial(fragile.plugin.delete, kind, known.id))
        assert fragile.named(kind, known.inputs["name"]) == [], failing
        if not reached:
            break
    assert failing.nth > 1


def test_a_create_whose_discovery_is_slow_is_waited_for(fragile: Fragile) -> None:
    inputs = fragile.checked("connection", "slowly discovered")
    fragile.twin.twin.faults.add(Fault(method="POST", path="connections$", delay=0.5))
    made = fragile.plugin.create("connection", inputs)
    assert fragile.twin.calls()[-1].fault == "delay"
    assert fragile.named("connection", inputs["name"]) == [made.id]
