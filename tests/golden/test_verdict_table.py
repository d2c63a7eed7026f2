"""The page of verdicts shows the table that the gate applies."""

from tests.engine.harness import REPOSITORY
from tests.support.golden import assert_matches
from toolchain.verdict_table import page


def test_the_page_of_verdicts_is_that_of_the_table() -> None:
    assert_matches(REPOSITORY / "docs" / "verdicts.md", page())
