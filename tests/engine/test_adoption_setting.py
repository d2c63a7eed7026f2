"""Where a stack says that identical objects are adopted, and that saying so changes nothing by itself."""

import sys
from pathlib import Path

import pytest
from airbyte_twin.testing import RunningTwin

from tests.engine.harness import Pulumi
from tests.engine.lake import Lake, for_all_stacks

PROGRAM = """
import pulumi
import pulumi_airbyte as airbyte

airbyte.Destination(
    "nowhere",
    workspace_id=pulumi.Config().require("workspace"),
    definition_id=airbyte.get_connector_definition("destination-dev-null").definition_id,
    configuration={"test_destination": {"test_destination_type": "SILENT"}},
)
"""
EXPLICIT = """
import pulumi
import pulumi_airbyte as airbyte

airbyte.Provider("asked", adopt_existing=pulumi.Config().get("adopt"))
"""
KEY = "airbyte:adoptExisting"


@pytest.fixture
def project(tmp_path: Path, engine: list[Path], twin: RunningTwin) -> Pulumi:
    pulumi = Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent})
    pulumi.program(PROGRAM)
    pulumi.config_set("airbyte:serverUrl", twin.public_url)
    pulumi.config_set("workspace", twin.workspace_id)
    return pulumi


def asked(pulumi: Pulumi) -> object:
    """What the provider in the state was given."""
    [provider] = [one for urn, one in pulumi.resources().items() if "::pulumi:providers:airbyte::" in urn]
    return provider.get("inputs", {}).get("adoptExisting")


@pytest.mark.parametrize("form", ["identical", {"value": "identical"}], ids=["plain", "value"])
def test_a_state_made_without_the_setting_previews_empty_and_takes_it_from_the_project(
    project: Pulumi, form: object
) -> None:
    project.up().ok()
    assert asked(project) is None

    for_all_stacks(project, {KEY: form})

    assert project.preview("--json", "--expect-no-changes").ok().changes() == ()
    assert project.up("--expect-no-changes").ok()
    assert asked(project) == "identical"
    project.config_set(KEY, "never")
    assert project.preview("--json", "--expect-no-changes").ok().changes() == ()
    assert project.up("--expect-no-changes").ok()
    assert asked(project) == "never"
    project.destroy().ok()


def test_a_setting_that_there_is_not_stops_the_run_and_lists_the_two(project: Pulumi) -> None:
    for_all_stacks(project, {KEY: "always"})

    assert "'always' is not allowed: give one of never, identical" in project.preview().failed().output

    for_all_stacks(project, {KEY: "never"})
    project.preview().ok()


def test_an_explicit_provider_takes_the_setting_as_an_argument(project: Pulumi) -> None:
    project.program(EXPLICIT)
    project.up().ok()

    project.config_set("adopt", "identical")

    assert project.preview("--json", "--expect-no-changes").ok().changes() == ()
    project.up().ok()
    assert asked(project) == "identical"
    project.config_set("adopt", "always")
    assert "give one of never, identical" in project.preview().failed().output


def test_every_stack_of_a_lake_adopts_what_is_identical(applied: Lake) -> None:
    assert asked(applied.pulumi) == "identical"


def test_a_lake_that_was_made_before_the_setting_previews_empty(applied: Lake) -> None:
    for_all_stacks(applied.pulumi, {})
    applied.pulumi.up().ok()
    assert asked(applied.pulumi) is None

    for_all_stacks(applied.pulumi, {KEY: "identical"})

    assert applied.changes() == []
