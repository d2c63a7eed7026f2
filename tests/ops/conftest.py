"""Fixtures of the tests of commands that talk to Airbyte."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from airbyte_twin.testing import running_twin
from pulumi_airbyte.client import Airbyte, ClientSettings, RetryPolicy

from tests.ops.lab import Lab, write_lake


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
