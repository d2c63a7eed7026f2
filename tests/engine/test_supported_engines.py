"""The oldest engine that is supported, with the SDK, plugin and program of today: a story on the project's own lake."""

import os
from pathlib import Path

import pytest
from airbyte_twin.testing import RunningTwin

from tests.engine.harness import find_engine
from tests.engine.lake import Lake
from tests.engine.prepared import Prepared
from toolchain import engine as engines
from toolchain import oldest_engine


@pytest.fixture
def oldest(tmp_path: Path, common: Path, twin: RunningTwin) -> Lake:
    """The project's own lake on the oldest engine, not applied yet."""
    folder = oldest_engine.found()
    if folder is None:
        pytest.skip("NO OLDEST ENGINE: it is not built; run `make oldest-engine`")
    lake = Prepared(common, find_engine()).new(tmp_path, twin)
    path = lake.pulumi.environment["PATH"]
    lake.pulumi.environment["PATH"] = os.pathsep.join([str(folder), path])
    return lake


def test_the_oldest_engine_takes_the_lake_from_nothing_to_nothing(oldest: Lake) -> None:
    pulumi = oldest.pulumi
    version = ".".join(map(str, engines.pinned_engine(oldest_engine.MODULE)))
    assert pulumi.run("version").stdout.strip() == f"v{version}"

    assert pulumi.preview("--json").ok().changes()
    pulumi.up().ok()
    refreshed = pulumi.refresh("--json").ok()
    again = pulumi.preview("--json").ok()

    assert refreshed.changes() == ()
    assert again.changes() == ()
    assert pulumi.resources()

    pulumi.destroy().ok()

    assert oldest.live("connections") == oldest.live("sources") == oldest.live("destinations") == []
