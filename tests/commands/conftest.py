"""Fixtures of the tests of commands that talk to Airbyte."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from airbyte_twin.testing import running_twin
from pulumi_airbyte.client import Airbyte, ClientSettings, RetryPolicy

from lotus_infra.commands import sync as syncs
from tests.commands.lab import Lab, write_lake
from tests.commands.prod import Prod, deployed
from tests.support.clone import write_clone
from tests.support.cluster import FakeCluster, serving
from tests.support.commands import Lotus, lotus_in, write_stack


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Lab]:
    """A lake, and a twin that has none of it."""
    with running_twin() as twin:
        settings = ClientSettings(twin.public_url, retry=RetryPolicy(base_seconds=0))
        with closing(Airbyte(settings)) as airbyte:
            yield Lab(write_lake(tmp_path / "streams"), twin, airbyte)


@pytest.fixture
def lab(bare: Lab) -> Lab:
    """A lake that is live in a twin."""
    destination_id = bare.destination()
    for label in ("Shop", "Store"):
        bare.deploy(label, destination_id)
    bare.twin.clear_calls()
    return bare


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copied for each test: git takes longer than a copy."""
    folder = write_clone(tmp_path_factory.mktemp("clone"))
    (folder / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n", encoding="utf-8")
    return folder


@pytest.fixture
def prod(clone: Path, tmp_path: Path) -> Iterator[Prod]:
    """A lake whose stack `prod` runs in a cluster just as it is."""
    folder, cluster = shutil.copytree(clone, tmp_path / "lake"), FakeCluster()
    with serving(cluster) as address:
        yield deployed(folder, tmp_path / "kubeconfig", cluster, address)


@pytest.fixture
def lotus(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lotus:
    """Runs the command beside the lake, with the twin as its stack's Airbyte and waits that take no time."""
    landing = {"lotus:landing_bucket": "landing", "lotus:s3_secret_access_key": {"secure": "v1:abc"}}
    write_stack(tmp_path, "dev", lab.values | landing)
    monkeypatch.setattr(syncs, "Polling", lab.patience)
    return lotus_in(tmp_path, monkeypatch)
