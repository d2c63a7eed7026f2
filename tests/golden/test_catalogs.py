"""The project's own lake in, the catalogs that Airbyte is asked for out."""

import json
from dataclasses import asdict
from pathlib import Path

from lotus_infra.lake.catalog import catalog
from lotus_infra.lake.loader import load_lake
from tests.support.golden import assert_matches
from tests.support.lakes import OWN_STREAMS

BLESSED = Path(__file__).parent / "blessed"


def own_catalogs() -> str:
    """The catalog of each connection of the project's own lake, as JSON."""
    lake = load_lake(OWN_STREAMS).lake
    catalogs = {each.resource: [asdict(stream) for stream in catalog(each)] for each in lake.connections}
    return json.dumps(catalogs, indent=2) + "\n"


def test_the_own_lake_makes_the_catalogs_that_were_blessed() -> None:
    assert_matches(BLESSED / "catalogs.json", own_catalogs())


def test_the_own_lake_makes_the_same_catalogs_each_time() -> None:
    assert len({own_catalogs() for _ in range(10)}) == 1
