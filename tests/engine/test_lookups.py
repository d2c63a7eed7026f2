"""Look-ups in a program, on the real engine: both forms, previews with unknown arguments, and errors."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from airbyte_twin.testing import RunningTwin, running_twin

from tests.engine.harness import REPOSITORY, Pulumi

TOKEN = "value-of-the-secret-key"
PROGRAM = """
import pulumi
import pulumi_airbyte as airbyte

team = airbyte.get_workspace()
faker = airbyte.get_source_definition(docker_repository="airbyte/source-faker")
source = airbyte.Source(
    "made-up", workspace_id=team.workspace_id, definition_id=faker.definition_id, configuration={"count": 10}
)
lake = airbyte.Destination(
    "lake",
    workspace_id=team.workspace_id,
    definition_id=airbyte.get_destination_definition(name="S3").definition_id,
    configuration={
        "s3_bucket_name": "lake",
        "s3_bucket_path": "raw",
        "s3_bucket_region": "us-west-1",
        "access_key_id": "a-key",
        "secret_access_key": pulumi.Config().require_secret("key"),
        "format": {"format_type": "Parquet"},
    },
)
tag = airbyte.Tag("daily", workspace_id=team.workspace_id, color="FF00AA")
label = airbyte.TagArgs(tag.tag_id, tag.name, tag.color, team.workspace_id)
connection = airbyte.Connection(
    "made-up",
    source_id=source.source_id,
    destination_id=lake.destination_id,
    configurations=airbyte.ConnectionConfigurationsArgs(
        [airbyte.ConnectionConfigurationsStreamArgs("users", selected_fields=["id", "name"])]
    ),
    tags=[label],
)
found = airbyte.get_connection_output(connection_id=connection.connection_id)
pulumi.export("streams", found.streams)
pulumi.export("fields", found.streams[0].selected_fields)
pulumi.export("tags", found.tags.apply(lambda tags: [each.name for each in tags]))
pulumi.export("by name", airbyte.get_source_output(name=source.name, workspace_id=source.workspace_id).source_id)
pulumi.export("destination", airbyte.get_destination_output(destination_id=lake.destination_id).apply(
    lambda each: {"configuration": dict(each.configuration), "secret paths": list(each.secret_paths)}
))
after = pulumi.InvokeOutputOptions(depends_on=[connection])
tagged = airbyte.get_connections_output(tag_ids=[tag.tag_id], workspace_id=team.workspace_id, opts=after)
read = airbyte.get_source_output(source_id=source.source_id)
pulumi.export("count", read.apply(lambda each: f"{each.configuration['count']} since {type(each.created_at).__name__}"))
pulumi.export("tagged", tagged.apply(lambda each: [one.name for one in each]))
compared = airbyte.get_selection_differences_output(connection.connection_id)
pulumi.export("left out", compared.apply(lambda each: [one.stream_name for one in each.unselected_streams]))
pulumi.export("jobs", airbyte.get_jobs_output(connection_id=connection.connection_id).apply(len))
pulumi.export("source", source.source_id)
"""
LATER = """
import pulumi
import pulumi_airbyte as airbyte

first = airbyte.Workspace("first")
url = pulumi.Output.all(first.workspace_id, pulumi.Config("airbyte").require("serverUrl")).apply(lambda both: both[1])
later = airbyte.Provider("later", server_url=url)
pulumi.export("team", airbyte.get_workspace_output(name="first", opts=pulumi.InvokeOptions(provider=later)).name)
pulumi.export("all", airbyte.get_workspaces_output(opts=pulumi.InvokeOptions(provider=later)).apply(len))
"""


README = (REPOSITORY / "packages" / "pulumi-airbyte" / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def twin() -> Iterator[RunningTwin]:
    with running_twin() as twin:
        yield twin


@pytest.fixture
def project(tmp_path: Path, engine: list[Path], twin: RunningTwin) -> Pulumi:
    pulumi = Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent})
    pulumi.config_set("airbyte:serverUrl", twin.public_url)
    pulumi.config_set("key", TOKEN, secret=True)
    return pulumi


def test_a_program_looks_up_what_it_makes(project: Pulumi, twin: RunningTwin) -> None:
    project.program(PROGRAM)
    preview = project.preview("--diff").ok()
    assert "Traceback" not in preview.output

    project.up().ok()

    outputs = project.outputs()
    assert outputs["by name"] == outputs["source"]
    assert outputs["fields"] == ["id", "name"]
    assert outputs["tags"] == ["daily"]
    assert outputs["tagged"] == ["made-up"]
    assert outputs["count"] == "10 since int"
    assert outputs["left out"] == ["products", "purchases"]
    assert outputs["jobs"] == 0
    assert outputs["destination"]["configuration"]["secret_access_key"] == "**********"
    assert "secret_access_key" in outputs["destination"]["secret paths"]
    assert TOKEN not in project.run("stack", "export").output
    assert project.preview("--json").ok().changes() == ()


def test_the_example_of_the_readme_runs(project: Pulumi, twin: RunningTwin) -> None:
    project.program(
        """
import pulumi_airbyte as airbyte

team = airbyte.Workspace("Analytics")
faker, null = airbyte.get_connector_definition("source-faker"), airbyte.get_connector_definition("destination-dev-null")
airbyte.Source(
    "Shopify", workspace_id=team.workspace_id, definition_id=faker.definition_id, configuration={"count": 10}
)
silent = {"test_destination": {"test_destination_type": "SILENT"}}
airbyte.Destination("Lake", workspace_id=team.workspace_id, definition_id=null.definition_id, configuration=silent)
"""
    )
    project.up().ok()
    [example] = re.findall(r"^```python\n(team = .*?)^```$", README, re.MULTILINE | re.DOTALL)
    exports = 'pulumi.export("found", [shop.name, lake.name, len(failed)])'
    project.program(f"import pulumi\nimport pulumi_airbyte as airbyte\n\n{example}\n{exports}\n")
    preview = project.preview("--diff").ok().output
    assert all(text in preview for text in ("Shopify", "Lake"))


def test_a_look_up_of_a_provider_that_is_not_known_yet_is_unknown(project: Pulumi, twin: RunningTwin) -> None:
    project.program(LATER)
    project.preview().ok()
    project.up().ok()
    assert project.outputs() == {"team": "first", "all": 2}


def test_the_plain_form_of_such_a_look_up_names_the_other_one(project: Pulumi) -> None:
    project.program(LATER.replace("get_workspace_output(", "get_workspace("))
    assert "use the form that ends in _output" in project.preview().failed().output


def test_an_ambiguous_name_fails_the_preview_with_the_candidates(project: Pulumi, twin: RunningTwin) -> None:
    project.program(PROGRAM)
    project.up().ok()
    project.program(PROGRAM + '\nairbyte.get_source(name="made-down")\n')
    refused = project.preview().failed().output
    assert 'No source has the name "made-down".' in refused
    assert "There is: made-up." in refused
