"""Fixtures of all tests: servers that take seconds to start, once a process of tests."""

from collections.abc import Iterator

import pytest

from tests.support.postgres import Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A Postgres server; a test that stops it starts it again."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def catalog(postgres: Postgres) -> str:
    """A DuckLake catalog in an empty Postgres database, as `LOTUS_CATALOG` names it."""
    return postgres.new_catalog()
