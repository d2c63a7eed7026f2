"""Fixtures of the engine tests: the engine itself, and a Pulumi project per test. `stories` says which run by day."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from airbyte_twin.testing import RunningTwin, running_twin

from tests.engine.harness import NoEngineError, Pulumi, find_engine
from tests.engine.lake import Lake
from tests.engine.prepared import Prepared
from tests.engine.stories import BY_DAY

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what is nightly
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not item.path.is_relative_to(HERE) or item.path.name == "test_stories.py":
            continue
        item.add_marker(pytest.mark.engine)
        if f"{item.path.name}::{item.name.partition('[')[0]}" not in BY_DAY:
            item.add_marker(pytest.mark.nightly)


@pytest.fixture(scope="session")
def engine() -> list[Path]:
    """The folders that lead to the engine; without one, the test is skipped with the reason."""
    try:
        return find_engine()
    except NoEngineError as error:
        pytest.skip(f"NO ENGINE: {error}")


@pytest.fixture
def stand_in_host(engine: list[Path]) -> None:
    """Skips a test of a difference of our own language host where the official one is on PATH."""
    if not engine:
        pytest.skip("the official Python host is on PATH, and this is a difference of the stand-in")


@pytest.fixture
def pulumi(tmp_path: Path, engine: list[Path]) -> Pulumi:
    """A project without plugins."""
    return Pulumi(tmp_path, engine)


@pytest.fixture
def pulumi_with(tmp_path: Path, engine: list[Path]) -> Callable[[Mapping[str, Path]], Pulumi]:
    """Makes a project with the plugins given by provider name and the folder of the executable."""
    return lambda plugins: Pulumi(tmp_path, engine, plugins)


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of a run of pytest share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def prepared(common: Path, engine: list[Path]) -> Prepared:
    """The project's own lakes to copy."""
    return Prepared(common, engine)


@pytest.fixture
def twin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    """An Airbyte: with the lake where the test asks for it `applied`, else empty."""
    if "applied" in request.fixturenames:
        prepared: Prepared = request.getfixturevalue("prepared")
        data = prepared.applied_data(tmp_path_factory.mktemp("airbyte"))
        with running_twin(data_dir=data) as twin:
            yield twin
    else:
        with running_twin() as twin:
            yield twin


@pytest.fixture
def lake(tmp_path: Path, prepared: Prepared, twin: RunningTwin) -> Lake:
    """The project's own lake, not applied yet."""
    return prepared.new(tmp_path, twin)


@pytest.fixture
def applied(tmp_path: Path, prepared: Prepared, twin: RunningTwin) -> Lake:
    """The project's own lake, applied; the twin's log is empty."""
    return prepared.applied(tmp_path, twin)
