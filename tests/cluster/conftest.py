"""Fixtures of the tests on a real Kubernetes API server: one server for a process, a namespace for a test."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from airbyte_twin.testing import RunningTwin, running_twin
from moto.server import ThreadedMotoServer

from tests.cluster import definitions, platform
from tests.cluster.kubelet import Kubelet, repeated
from tests.cluster.network import Network, running_network
from tests.cluster.operators import Operators
from tests.cluster.server import ApiServer, running_api_server
from tests.cluster.world import Aws, Machine, World
from tests.engine.harness import NoEngineError, find_engine
from toolchain.cluster import ClusterPrograms, cluster_programs
from toolchain.engine import EngineError

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what the command line does not select
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.cluster)


@pytest.fixture(scope="session")
def programs() -> ClusterPrograms:
    """The programs of the cluster; without them, the test is skipped with the reason."""
    try:
        return cluster_programs(may_build=False)
    except EngineError as error:
        pytest.skip(f"NO CLUSTER: {error}")


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory, programs: ClusterPrograms) -> Iterator[ApiServer]:
    """The API server, with the definitions of CloudNativePG and its Barman Cloud plugin."""
    with running_api_server(tmp_path_factory.mktemp("cluster"), programs) as server:
        definitions.install(server.client())
        platform.install(server.client())
        yield server


@pytest.fixture(scope="session")
def network(api_server: ApiServer) -> Iterator[Network]:
    """The network of the pods."""
    with running_network(api_server.folder) as network:
        yield network


@pytest.fixture(scope="session")
def kubelet(api_server: ApiServer, network: Network) -> Iterator[Kubelet]:
    """The node on which every pod of the cluster runs."""
    kubelet = Kubelet(api_server.client(), network)
    with repeated("kubelet", kubelet.round):
        yield kubelet


@pytest.fixture(scope="session")
def operators(api_server: ApiServer) -> Iterator[Operators]:
    """The operator of the databases, with its plugin."""
    operators = Operators(api_server.client())
    with repeated("operators", operators.round):
        yield operators


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    """An AWS account."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield Aws(f"http://{host}:{port}")
    finally:
        server.stop()


@pytest.fixture
def twin() -> Iterator[RunningTwin]:
    """An empty Airbyte."""
    with running_twin() as twin:
        yield twin


@pytest.fixture(scope="session")
def machine(
    api_server: ApiServer, kubelet: Kubelet, network: Network, operators: Operators, programs: ClusterPrograms
) -> Machine:
    """Everything that a stack on this cluster needs."""
    try:
        engine = find_engine()
    except NoEngineError as error:
        pytest.skip(f"NO ENGINE: {error}")
    return Machine(api_server, kubelet, network, operators, engine, programs.plugin, Path(sys.executable).parent)


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path, machine: Machine, twin: RunningTwin, aws: Aws) -> World:
    """The production stack in a namespace of the test's own, not applied yet."""
    return World.new(tmp_path, machine, twin, aws, request.node.name)
