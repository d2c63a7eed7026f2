"""Fixtures of the provider's tests: one twin with the lab's connectors, as new for each test, and a plugin for each."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from airbyte_twin.testing import RunningTwin, Saved, running_twin
from pulumi_airbyte.client.environment import POLL_SECONDS, RETRY_SECONDS

from tests.provider.heard import Engine, listening
from tests.provider.lab import with_lab
from tests.provider.lake import Lake, lake_of
from tests.provider.plugin import Plugin, running_plugin


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, Saved]]:
    """One twin with the lab's connectors, its source and destination, and what it has before any test."""
    data = with_lab(tmp_path_factory.mktemp("twin"))
    with running_twin(saves=False, licensed=True, data_dir=data) as twin, lake_of(twin) as lake:
        yield lake, twin.saved()


@pytest.fixture
def lake(prepared: tuple[Lake, Saved]) -> Lake:
    """A lake as new: nothing of an earlier test, an empty log, and no failures on order."""
    lake, saved = prepared
    lake.twin.restore(saved)
    return lake


@pytest.fixture(autouse=True)
def _quick_and_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Retry at once, and know nothing of this machine's own Airbyte, nor of the runs of other tests.

    The record of a run is found by the address of its engine, whose port comes again, and each plugin that starts reads
    the records of runs that may be over: in a folder that all tests share, they would meet each other, and slow down.
    """
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    for variable in [name for name in os.environ if name.startswith("AIRBYTE_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv(RETRY_SECONDS, "0")
    monkeypatch.setenv(POLL_SECONDS, "0")


@pytest.fixture
def unconfigured() -> Iterator[Plugin]:
    """A plugin that has just started."""
    with running_plugin() as made:
        yield made


@pytest.fixture
def plugin(unconfigured: Plugin, lake: Lake) -> Plugin:
    """A plugin for `lake`."""
    unconfigured.configure(serverUrl=lake.twin.public_url)
    return unconfigured


@pytest.fixture
def engine(lake: Lake) -> Iterator[tuple[Engine, Plugin]]:
    """An engine, and the plugin for `lake` that it started."""
    with listening(lake.twin.public_url) as pair:
        yield pair


@pytest.fixture
def fresh(unconfigured: Plugin) -> Iterator[tuple[Plugin, RunningTwin]]:
    """A plugin with an Airbyte of its own, which has nothing but one workspace."""
    with running_twin() as twin:
        unconfigured.configure(serverUrl=twin.public_url)
        yield unconfigured, twin
