"""The package's README and changelog, held to what they say."""

import re
import tomllib

from pulumi_airbyte.client.environment import CLOUD, ENVIRONMENT, POLL_SECONDS, RETRY_SECONDS
from pulumi_airbyte.provider.configuration import ADOPT_VARIABLE
from pulumi_airbyte.provider.functions import FUNCTIONS
from pulumi_airbyte.provider.tables import PROVIDER_CONFIG

from tests.engine.harness import REPOSITORY

PACKAGE = REPOSITORY / "packages" / "pulumi-airbyte"
README = (PACKAGE / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_table_of_the_configuration_has_every_setting_and_variable() -> None:
    table = section("Configuration")
    first = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert {name for cell in first for name in re.findall(r"`(\w+)`", cell)} == {
        field.name for field in PROVIDER_CONFIG
    }
    variables = {*ENVIRONMENT.values(), ADOPT_VARIABLE, POLL_SECONDS, RETRY_SECONDS}
    assert set(re.findall(r"AIRBYTE_\w+", table)) == variables
    assert CLOUD in table


def test_the_table_of_the_look_ups_has_every_function() -> None:
    snake = {re.sub("([A-Z])", r"_\1", token.rpartition(":")[2]).lower() for token in FUNCTIONS}
    assert set(re.findall(r"^\| `(\w+)", section("Look-ups"), re.MULTILINE)) == snake


def test_the_changelog_begins_with_the_version_of_the_package() -> None:
    changelog = (PACKAGE / "CHANGELOG.md").read_text(encoding="utf-8")
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert re.findall(r"^## \[(.*?)\]", changelog, re.MULTILINE)[0] == project["version"]


def test_every_test_that_the_comparison_names_exists() -> None:
    rows = [row for row in section("Compared").splitlines() if row.startswith("| ")][1:]
    named = [re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row) for row in rows]
    assert rows
    assert all(named)
    for file, function in (test for tests in named for test in tests):
        assert f"def {function}(" in (REPOSITORY / file).read_text(encoding="utf-8"), f"{file}::{function}"
