"""Fixtures of the twin's tests."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # so that tests find their helpers whichever folder pytest starts in

from clients_support import Client, Ledger, Worker, working
from lab_connectors import LAB_CONNECTORS
from landing_support import NEW_YEAR, Lake, new_lake, s3_server
from sync_support import Script
from tables_support import Warehouse, new_warehouse
from twin_support import Api, serving

from tests.support.postgres import Postgres, running_postgres


@pytest.fixture
def api() -> Iterator[Api]:
    """A fresh community twin without authentication."""
    with serving() as served:
        yield served


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Api]:
    """A twin that also has the lab's connectors: a source that defines little, a destination that takes every mode."""
    folder = tmp_path / "connectors"
    folder.mkdir()
    for connector in LAB_CONNECTORS:
        (folder / f"{connector['type']}-{connector['kind']}.json").write_text(json.dumps(connector))
    with serving(data_dir=tmp_path) as served:
        yield served


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with s3_server() as served:
        yield served


@pytest.fixture
def lake(url: str) -> Lake:
    return new_lake(url)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A Postgres server."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def warehouse(postgres: Postgres) -> Warehouse:
    """An empty database."""
    return new_warehouse(postgres)


@pytest.fixture
def syncing() -> Iterator[Api]:
    """A twin that runs syncs, at the beginning of 2026."""
    with serving(run_syncs=True, first_records=30, later_records=10) as served:
        served.twin.twin.clock.freeze(NEW_YEAR)
        yield served


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


@pytest.fixture
def scripted(script: Script) -> Iterator[Api]:
    """A twin whose Shopify is a script."""
    with serving(run_syncs=True, checkpoint_records=1, commands={"airbyte/source-shopify": script.path}) as served:
        served.twin.twin.clock.freeze(NEW_YEAR)
        yield served


@pytest.fixture(scope="module")
def worker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """The client that the module names as `CLIENT`, in a process of its own environment."""
    name = request.module.CLIENT
    with working(name, tmp_path_factory.mktemp(name)) as started:
        yield started


@pytest.fixture
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """Compares the calls of the test's client with the facts, once the test is over."""
    written = Ledger(request.module.CLIENT, request.node.name.removeprefix("test_"))
    yield written
    written.close()


@pytest.fixture
def client(worker: Worker, ledger: Ledger) -> Client:
    """The module's client."""
    return Client(worker, ledger)
