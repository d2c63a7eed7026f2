"""`deleted_with` what Airbyte holds: each object is deleted by its own call, and none stays live or is lost to view."""

import json
import sys
from collections import Counter
from pathlib import Path

import pytest
from airbyte_twin.testing import RunningTwin

from tests.engine.harness import Pulumi
from tests.engine.lake import call

PROGRAM = """
import pulumi
import pulumi_airbyte as airbyte

config = pulumi.Config()
parts = config.require_object("parts")
holder = config.require("holder")
way = config.get("way")
made = {}


def transformed(args):
    if way == "transformation" and holder in made and args.type_.startswith("airbyte:index/"):
        options = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(deleted_with=made[holder]))
        return pulumi.ResourceTransformationResult(args.props, options)
    return None


def options():
    if holder not in made or way == "transformation":
        return None
    return pulumi.ResourceOptions(deleted_with=made[holder], parent=made[holder] if way == "parent" else None)


def declare(name, make):
    if name in parts:
        made[name] = make(name)


pulumi.runtime.register_stack_transformation(transformed)
declare("team", lambda name: airbyte.Workspace(name))
workspace_id = made["team"].workspace_id if "team" in made else config.require("workspace")
declare(
    "source",
    lambda name: airbyte.Source(
        name,
        workspace_id=workspace_id,
        definition_id=airbyte.get_connector_definition("source-faker").definition_id,
        configuration={"count": 10},
        opts=options(),
    ),
)
declare(
    "destination",
    lambda name: airbyte.Destination(
        name,
        workspace_id=workspace_id,
        definition_id=airbyte.get_connector_definition("destination-dev-null").definition_id,
        configuration={"test_destination": {"test_destination_type": "SILENT"}},
        opts=options(),
    ),
)
declare(
    "connection",
    lambda name: airbyte.Connection(
        name,
        source_id=made["source"].source_id,
        destination_id=made["destination"].destination_id,
        configurations=airbyte.ConnectionConfigurationsArgs([airbyte.ConnectionConfigurationsStreamArgs("users")]),
        opts=options(),
    ),
)
"""
ENDS = ["source", "destination"]
ALL = [*ENDS, "connection"]
KINDS = ("workspaces", "sources", "destinations", "connections")


@pytest.fixture
def project(tmp_path: Path, engine: list[Path], twin: RunningTwin) -> Pulumi:
    pulumi = Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent})
    pulumi.program(PROGRAM)
    pulumi.config_set("airbyte:serverUrl", twin.public_url)
    pulumi.config_set("workspace", twin.workspace_id)
    return pulumi


def declare(pulumi: Pulumi, holder: str, parts: list[str], way: str = "option") -> None:
    values = {"holder": holder, "way": way, "parts": json.dumps(parts)}
    pulumi.run("config", "set-all", *(f"--plaintext={name}={value}" for name, value in values.items())).ok()


def live(twin: RunningTwin) -> list[str]:
    """Names of what is live, but for the twin's own workspace."""
    found = [item for kind in KINDS for item in call(twin, "GET", f"/{kind}?limit=100")["data"]]
    return sorted(
        item["name"]
        for item in found
        if item.get("workspaceId") != twin.workspace_id or "sourceId" in item or "destinationId" in item
    )


def held(pulumi: Pulumi) -> list[str]:
    """Names of what the state has of Airbyte."""
    return sorted(urn.split("::")[-1] for urn in pulumi.resources() if "airbyte:index/" in urn)


def deleted(twin: RunningTwin) -> Counter[str]:
    return Counter(one.path.split("/")[-2] for one in twin.calls() if one.method == "DELETE")


@pytest.mark.parametrize("way", ["option", "parent", "transformation"])
def test_a_connection_is_deleted_by_itself_before_the_source_that_it_is_deleted_with(
    project: Pulumi, twin: RunningTwin, way: str
) -> None:
    declare(project, "source", ALL, way)
    project.up().ok()
    assert held(project) == live(twin) == sorted(ALL)
    assert project.preview("--json").ok().changes() == ()
    declare(project, "source", [], way)
    twin.clear_calls()

    project.up().ok()

    assert (held(project), live(twin)) == ([], [])
    assert deleted(twin) == {"connections": 1, "sources": 1, "destinations": 1}


def test_a_connection_that_leaves_alone_is_deleted_and_its_source_stays(project: Pulumi, twin: RunningTwin) -> None:
    declare(project, "source", ALL)
    project.up().ok()

    declare(project, "source", ENDS)
    project.up().ok()

    assert held(project) == live(twin) == sorted(ENDS)
    assert project.preview("--json").ok().changes() == ()


def test_a_connection_outside_the_program_still_keeps_the_source(project: Pulumi, twin: RunningTwin) -> None:
    declare(project, "source", ALL)
    project.up().ok()
    [own] = call(twin, "GET", "/connections")["data"]
    call(twin, "POST", "/connections", {key: own[key] for key in ("sourceId", "destinationId")} | {"name": "foreign"})

    declare(project, "source", [])
    refused = project.up().failed().output

    assert "foreign" in refused
    assert "foreign" in live(twin)
    assert "connection" not in live(twin) + held(project)


@pytest.mark.parametrize("command", ["destroy", "up"])
def test_children_of_a_workspace_are_deleted_by_themselves_before_it(
    project: Pulumi, twin: RunningTwin, command: str
) -> None:
    declare(project, "team", ["team", *ALL])
    project.up().ok()
    assert held(project) == live(twin) == sorted(["team", *ALL])
    declare(project, "team", ["team", *ALL] if command == "destroy" else [])
    twin.clear_calls()

    (project.destroy() if command == "destroy" else project.up()).ok()

    assert (held(project), live(twin)) == ([], [])
    assert deleted(twin) == {"connections": 1, "sources": 1, "destinations": 1, "workspaces": 1}
