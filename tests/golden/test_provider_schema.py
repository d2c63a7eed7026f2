"""The provider's committed schema is what its field tables make."""

from pathlib import Path

import pulumi_airbyte
from pulumi_airbyte.provider import schema

from tests.support.golden import assert_matches
from toolchain.provider_enums import enumerations


def test_the_served_schema_is_what_the_tables_make() -> None:
    assert_matches(Path(pulumi_airbyte.__file__).parent / "schema.json", schema.rendered())


def test_the_enumerations_of_the_sdk_are_those_of_the_schema() -> None:
    assert_matches(Path(pulumi_airbyte.__file__).parent / "enums.py", enumerations())
