"""The field reference beside the lake's files says what the models say."""

from lotus_infra.lake.json_schema import field_reference
from tests.support.golden import assert_matches
from tests.support.lakes import OWN_STREAMS


def test_the_field_reference_is_that_of_the_models() -> None:
    assert_matches(OWN_STREAMS / "README.md", field_reference())
