"""One object has one resource, whichever process of the plugin serves it and whatever the engine is asked for."""

import json
import sys
from pathlib import Path

import pytest
from airbyte_twin.testing import RunningTwin

from tests.engine.harness import Pulumi, Result
from tests.engine.lake import call

PROGRAM = """
import json
from pathlib import Path

import pulumi
import pulumi_airbyte as airbyte

wanted = json.loads(Path("wanted.json").read_text())
providers = {name: airbyte.Provider(name) for name in wanted["providers"]}
for name, provider in wanted["destinations"].items():
    airbyte.Destination(
        name,
        name="WH",
        workspace_id=wanted["workspace"],
        definition_id="a7bcc9d8-13b3-4e49-b80d-d020b90045e3",
        configuration={"test_destination": {"test_destination_type": "SILENT"}},
        opts=pulumi.ResourceOptions(provider=providers.get(provider)),
    )
"""


@pytest.fixture
def project(tmp_path: Path, engine: list[Path], twin: RunningTwin) -> Pulumi:
    pulumi = Pulumi(tmp_path, engine, {"airbyte": Path(sys.executable).parent})
    server = {"AIRBYTE_SERVER_URL": twin.public_url, "AIRBYTE_RETRY_BASE_SECONDS": "0"}
    pulumi.environment.update(server, AIRBYTE_ADOPT_EXISTING="identical")
    pulumi.program(PROGRAM)
    return pulumi


def declare(project: Pulumi, twin: RunningTwin, *providers: str, **destinations: str) -> None:
    """Let the program have these destinations, each with the name of its provider; an empty one is the default."""
    wanted = {"workspace": twin.workspace_id, "providers": providers, "destinations": destinations}
    (project.project / "wanted.json").write_text(json.dumps(wanted), encoding="utf-8")


def live(twin: RunningTwin) -> list[str]:
    return [str(found["destinationId"]) for found in call(twin, "GET", "/destinations")["data"]]


def managed(project: Pulumi) -> dict[str, str]:
    found = project.checkpoint()["resources"]
    return {one["urn"].split("::")[-1]: one["id"] for one in found if one["type"].endswith(":Destination")}


def nothing_to_do(preview: Result) -> bool:
    return preview.ok().changes() == ()


def test_asking_to_replace_what_is_unchanged_keeps_it_or_is_refused(project: Pulumi, twin: RunningTwin) -> None:
    declare(project, twin, wh="")
    project.up().ok()
    [before] = live(twin)
    urn = next(one for one in project.resources() if one.endswith("Destination::wh"))

    project.environment["AIRBYTE_ADOPT_EXISTING"] = "never"
    refused = project.up("--replace", urn).failed().output
    assert f"pulumi import airbyte:index/destination:Destination wh {before}" in refused
    assert (live(twin), managed(project)) == ([before], {"wh": before})

    project.environment["AIRBYTE_ADOPT_EXISTING"] = "identical"
    project.up("--replace", urn).ok()
    assert (live(twin), managed(project)) == ([before], {"wh": before})
    assert nothing_to_do(project.preview("--json", "--refresh"))


def test_another_name_and_another_provider_in_one_run_keep_the_object(project: Pulumi, twin: RunningTwin) -> None:
    declare(project, twin, wh="")
    project.up().ok()
    [before] = live(twin)

    declare(project, twin, "p", warehouse="p")
    project.up().ok()

    assert (live(twin), managed(project)) == ([before], {"warehouse": before})
    assert nothing_to_do(project.preview("--json", "--refresh"))


def test_the_second_of_two_identical_objects_is_refused_at_preview_though_its_provider_is_another(
    project: Pulumi, twin: RunningTwin
) -> None:
    declare(project, twin, "a", "b", first="a", second="b")
    assert 'The program has destination "WH" already' in project.preview().failed().output
    assert live(twin) == []

    declare(project, twin, "a", first="a")
    project.up().ok()
    declare(project, twin, "a", "b", first="a", second="b")
    # Which of the two the engine asks about first is not fixed: the second is refused, whichever it is.
    refused = project.preview().failed().output
    assert 'The program has destination "WH"' in refused or 'The resources "second"' in refused
    project.up().failed()
    declare(project, twin, "a", first="a")
    project.up().ok()
    assert managed(project) == {"first": live(twin)[0]}
