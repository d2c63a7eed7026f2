"""Behind a proxy that answers creates wrongly there is one object of each, however many there are."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from airbyte_twin.testing import running_twin
from pulumi.runtime.proto import provider_pb2
from pulumi_airbyte.client.environment import POLL_SECONDS, RETRY_SECONDS
from pulumi_airbyte.provider.properties import encode

from tests.provider.heard import serving
from tests.provider.lab import with_lab
from tests.provider.lake import Lake, lake_of
from tests.provider.plugin import Plugin, running_plugin, urn
from tests.provider.unruly import TROUBLES, Plan, Unruly, unruly

AT_ONCE = 60
SECONDS = 1.5
"""How long the program lets a create take."""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Lake, Unruly]]:
    """An Airbyte behind a proxy; what waits in between does so as it would."""
    for variable in (POLL_SECONDS, RETRY_SECONDS):
        monkeypatch.setenv(variable, "0.1")
    with (
        running_twin(saves=False, data_dir=with_lab(tmp_path)) as twin,
        lake_of(twin) as lake,
        unruly(twin.url, Plan(share=0.3)) as proxy,
    ):
        yield lake, proxy


@pytest.mark.parametrize("objects", [80, pytest.param(300, marks=pytest.mark.nightly)])
def test_creates_behind_an_unruly_proxy_make_one_object_each(own: tuple[Lake, Unruly], objects: int) -> None:
    lake, proxy = own
    names = [f"made {number}" for number in range(objects)]

    first = round_of(lake, proxy, names)
    assert set(proxy.done) == {"fine", *TROUBLES}
    unsure = {name: text for name, text in first.items() if text.startswith("error: ")}
    assert 0 < len(unsure) < objects
    assert [text for text in unsure.values() if "not known" not in text] == []

    proxy.calm = True
    second = round_of(lake, proxy, list(unsure))

    live = {actor.name: actor.id for actor in lake.twin.store.actors if actor.name.startswith("made ")}
    assert len([actor for actor in lake.twin.store.actors if actor.name.startswith("made ")]) == objects
    assert live == first | second


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_connection_that_a_proxy_lets_through_after_its_error_is_taken_and_not_made_twice(
    status: int, own: tuple[Lake, Unruly]
) -> None:
    lake, _ = own
    plan = Plan(collection="connections", troubles=("late",), statuses=(status,))
    cron = {"scheduleType": "cron", "cronExpression": "0 0 5 * * ?"}
    with unruly(lake.twin.url, plan) as proxy, serving() as (_, address), running_plugin(address) as plugin:
        plugin.configure(serverUrl=f"{proxy.url}/api/public/v1")
        # The proxy lets it through when it comes to it: the plugin looks for it until then.
        made = plugin.create("connection", plugin.checked("connection", lake.connection(schedule=cron)), seconds=60)
        assert proxy.done == {"late": 1}
    assert [(one.id, one.status) for one in lake.twin.store.connections] == [(made.id, "active")]


def round_of(lake: Lake, proxy: Unruly, names: list[str]) -> dict[str, str]:
    """A run of the engine that creates sources of these names; their ids, or why there are none."""
    with serving() as (_, address), running_plugin(address) as plugin:
        plugin.configure(serverUrl=f"{proxy.url}/api/public/v1", adoptExisting="identical")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip(names, pool.map(lambda name: created(plugin, lake, name), names), strict=True))


def created(plugin: Plugin, lake: Lake, name: str) -> str:
    inputs = encode(plugin.checked("source", lake.source() | {"name": name}, name))
    try:
        request = provider_pb2.CreateRequest(urn=urn("source", name), properties=inputs, timeout=SECONDS)
        return str(plugin.stub.Create(request).id)
    except grpc.RpcError as error:
        return f"error: {error.details()}"
