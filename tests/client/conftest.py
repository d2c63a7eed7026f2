"""Fixtures of the client's tests."""

from collections.abc import Iterator

import pytest
from airbyte_twin.testing import RunningTwin, running_twin
from pulumi_airbyte.client import Airbyte

from tests.client.support import client


@pytest.fixture
def twin() -> Iterator[RunningTwin]:
    """An Airbyte that asks for no credentials."""
    with running_twin() as running:
        yield running


@pytest.fixture
def guarded() -> Iterator[RunningTwin]:
    """An Airbyte that asks for client credentials."""
    with running_twin(auth="client_credentials") as running:
        yield running


@pytest.fixture
def airbyte(twin: RunningTwin) -> Iterator[Airbyte]:
    """A client of `twin`."""
    with client(twin.public_url) as made:
        yield made
