"""The package's README, held to what it says."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from airbyte_twin.testing import RunningTwin, running_twin
from pulumi_airbyte.client.environment import CLOUD, ENVIRONMENT, POLL_SECONDS, RETRY_SECONDS
from pulumi_airbyte.provider.functions import FUNCTIONS
from pulumi_airbyte.provider.tables import PROVIDER_CONFIG

from tests.engine.harness import REPOSITORY, NoEngineError, Pulumi, find_engine

README = (REPOSITORY / "packages" / "pulumi-airbyte" / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_table_of_the_configuration_has_every_setting_and_variable() -> None:
    table = section("Configuration")
    first = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert {name for cell in first for name in re.findall(r"`(\w+)`", cell)} == {
        field.name for field in PROVIDER_CONFIG
    }
    assert set(re.findall(r"AIRBYTE_\w+", table)) == {*ENVIRONMENT.values(), POLL_SECONDS, RETRY_SECONDS}
    assert CLOUD in table


def test_the_table_of_the_look_ups_has_every_function() -> None:
    snake = {re.sub("([A-Z])", r"_\1", token.rpartition(":")[2]).lower() for token in FUNCTIONS}
    assert set(re.findall(r"^\| `(\w+)", section("Look-ups"), re.MULTILINE)) == snake


@pytest.fixture
def twin() -> Iterator[RunningTwin]:
    with running_twin(auth="client_credentials") as running:
        yield running


@pytest.mark.engine
def test_the_example_comes_up_and_is_clean(tmp_path: Path, twin: RunningTwin) -> None:
    try:
        engine = find_engine()
    except NoEngineError as error:
        pytest.skip(f"NO ENGINE: {error}")
    pulumi = Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent})
    [program] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    pulumi.program(program)
    pulumi.config_set("airbyte:serverUrl", twin.public_url)
    pulumi.config_set("airbyte:clientId", twin.client_id)
    pulumi.config_set("airbyte:clientSecret", twin.client_secret, secret=True)
    for name in ("accessKeyId", "secretAccessKey"):
        pulumi.config_set(name, f"value-of-{name}", secret=True)

    pulumi.up().ok()
    assert pulumi.outputs() == {"connection": next(iter(twin.store.connections)).id}
    assert pulumi.preview("--json", "--refresh").ok().changes() == ()
