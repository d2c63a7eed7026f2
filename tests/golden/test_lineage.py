"""The lineage of the repository's own lake."""

from pathlib import Path
from typing import Literal

import pytest

from lotus_infra.commands.graph import draw_graph
from tests.support.golden import assert_matches
from tests.support.lakes import OWN_STREAMS

MERMAID = Path(__file__).parent / "blessed" / "lake.mmd"
README_PICTURE = OWN_STREAMS.parent / "docs" / "pictures" / "lineage.svg"


@pytest.mark.parametrize(("kind", "file"), [("mermaid", MERMAID), ("svg", README_PICTURE)])
def test_the_lineage_of_the_own_lake_is_the_blessed_one(kind: Literal["mermaid", "svg"], file: Path) -> None:
    drawn = draw_graph(OWN_STREAMS, kind, dbt=OWN_STREAMS.parent / "dagster" / "dbt")

    assert_matches(file, drawn)
