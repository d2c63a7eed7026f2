"""What is on the server already is taken over or left alone, and never made twice."""

import sys
from collections import Counter
from pathlib import Path

import pytest
from airbyte_twin.faults import Fault
from airbyte_twin.testing import RunningTwin

from tests.engine.harness import Pulumi
from tests.engine.lake import Lake

COLLECTIONS = ("sources", "destinations", "connections")


def ids(lake: Lake) -> set[str]:
    return {str(item[f"{kind[:-1]}Id"]) for kind in COLLECTIONS for item in lake.live(kind)}


def posts(twin: RunningTwin) -> list[str]:
    """What was made by the public API."""
    return [call.path for call in twin.calls() if call.method == "POST" and call.path.endswith(COLLECTIONS)]


def test_ticket_002_creates_whose_answers_are_lost_make_one_of_each(lake: Lake) -> None:
    lake.twin.twin.faults.add(Fault(method="POST", path="/sources$", drop="after", times=None))
    lake.twin.twin.faults.add(Fault(method="POST", path="v1/connections$", status=504, commit=True, times=None))

    lake.pulumi.up().ok()

    assert Counter(posts(lake.twin)) == {
        "/api/public/v1/sources": 3,
        "/api/public/v1/connections": 3,
        "/api/public/v1/destinations": 1,
    }
    assert len(ids(lake)) == 7
    lake.twin.twin.faults.clear()
    assert lake.changes("--refresh") == []


PROGRAM = """
import pulumi
import pulumi_airbyte as airbyte

config = pulumi.Config()
workspace_id = config.require("workspace")
source = airbyte.Source(
    config.require("source"),
    name="Made up",
    workspace_id=workspace_id,
    definition_id=airbyte.get_connector_definition("source-faker").definition_id,
    configuration={"count": 10},
)
destination = airbyte.Destination(
    "nowhere",
    workspace_id=workspace_id,
    definition_id=airbyte.get_connector_definition("destination-dev-null").definition_id,
    configuration={"test_destination": {"test_destination_type": "SILENT"}},
)
airbyte.Connection(
    "all",
    source_id=source.source_id,
    destination_id=destination.destination_id,
    configurations=airbyte.ConnectionConfigurationsArgs([airbyte.ConnectionConfigurationsStreamArgs("users")]),
)
"""


@pytest.fixture
def project(tmp_path: Path, engine: list[Path], twin: RunningTwin) -> Pulumi:
    pulumi = Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent})
    pulumi.program(PROGRAM)
    pulumi.config_set("airbyte:serverUrl", twin.public_url)
    pulumi.config_set("workspace", twin.workspace_id)
    pulumi.config_set("source", "before")
    pulumi.environment["AIRBYTE_RETRY_BASE_SECONDS"] = "0"
    pulumi.config_set("airbyte:adoptExisting", "identical")
    return pulumi


def managed(project: Pulumi) -> dict[str, str]:
    """Ids by the names of the resources in the state."""
    return {
        urn.split("::")[-1]: str(resource["id"])
        for urn, resource in project.resources().items()
        if resource["type"].startswith("airbyte:")
    }


@pytest.mark.parametrize(
    "flags",
    [pytest.param((), id="by itself"), pytest.param(("--refresh",), id="with a refresh", marks=pytest.mark.nightly)],
)
def test_a_resource_that_is_renamed_without_an_alias_keeps_its_object(
    project: Pulumi, twin: RunningTwin, flags: tuple[str, ...]
) -> None:
    project.up().ok()
    before = managed(project)
    twin.clear_calls()

    project.config_set("source", "after")
    shown = project.preview("--json", *flags).ok().changes()
    assert sorted((step.op, step.name) for step in shown) == [("create", "after"), ("delete", "before")]
    done = project.up(*flags).ok().stdout

    assert "adopted" in done
    assert "is not deleted: the resource" in done
    after = managed(project)
    assert after == {name.replace("before", "after"): identity for name, identity in before.items()}
    assert [call for call in twin.calls() if call.method in {"POST", "PUT", "DELETE"} and "/public/" in call.path] == []
    assert project.preview("--json").ok().changes() == ()
