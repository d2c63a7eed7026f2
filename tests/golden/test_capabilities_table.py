"""The page of engines and destinations shows the table that every reader asks."""

from typing import get_args

from lotus_infra.lake.capabilities import READERS, TABLE, Place
from lotus_infra.lake.models import Engine
from tests.engine.harness import REPOSITORY
from tests.support.golden import assert_matches
from toolchain.capabilities_table import PLACES, page


def test_the_page_of_engines_is_that_of_the_table() -> None:
    assert_matches(REPOSITORY / "docs" / "engines-and-destinations.md", page())


def test_every_engine_and_every_place_is_in_the_table() -> None:
    assert set(get_args(Engine)) == set(READERS) == {engine for engine, _ in TABLE}
    assert set(get_args(Place)) == set(PLACES) == {place for _, place in TABLE}
