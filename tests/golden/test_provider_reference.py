"""The provider's reference says what its field tables and the SDK's classes say."""

from tests.engine.harness import REPOSITORY
from tests.support.golden import assert_matches
from toolchain.provider_reference import reference


def test_the_reference_is_that_of_the_tables_and_classes() -> None:
    assert_matches(REPOSITORY / "packages" / "pulumi-airbyte" / "docs" / "reference.md", reference())
