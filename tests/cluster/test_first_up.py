"""From nothing to a stack that runs on a real API server, and the commands that look at it."""

import json
from typing import Any

from lotus_infra import naming
from lotus_infra.dagster_fingerprint import definitions_fingerprint
from tests.cluster.world import IMAGE, World
from tests.support.clone import git

COMPONENTS = {"dagster-daemon", "dagster-webserver", "user-deployments"}


def reported(commit: str, definitions: str) -> dict[str, Any]:
    """The webserver's answer about the code location, as Dagster words it."""
    values = {"commit": commit, "definitions": definitions}
    shown = [{"key": key, "value": json.dumps(value)} for key, value in values.items()]
    repository = {"allTopLevelResourceDetails": [{"name": "build", "configuredValues": shown}]}
    location = {"name": naming.CODE_LOCATION, "locationOrLoadError": {"repositories": [repository]}}
    return {"data": {"workspaceOrError": {"locationEntries": [location]}}}


def test_the_first_up_makes_everything_and_no_preview_or_refresh_after_it_finds_a_change(world: World) -> None:
    first = world.pulumi.up().ok()

    secrets = [value for key, value in world.values.items() if key.endswith("password")]
    assert [value for value in secrets if value in first.output] == []
    assert set(world.custom("clusters")) == {naming.DAGSTER_DATABASE, naming.CATALOG_DATABASE}
    assert world.revisions().keys() == COMPONENTS
    assert IMAGE in world.pods().values()
    assert world.helm_records() == [(1, "deployed")]
    assert world.lake.changes() == []
    world.pulumi.refresh("--expect-no-changes").ok()
    assert world.lake.changes() == []
    world.pulumi.up("--expect-no-changes").ok()


def test_lotus_verify_and_doctor_agree_with_the_cluster_and_a_review_finds_nothing_to_do(world: World) -> None:
    world.pulumi.up().ok()
    commit = world.commit()
    definitions = definitions_fingerprint(world.pulumi.project)
    world.machine.network.answers[world.namespace] = reported(commit, definitions)

    verified = world.lotus("verify --json")
    document = json.loads(verified.stdout)
    states = {(each["what"], each["state"]) for each in document["findings"]}
    assert verified.returncode == 0, verified.stdout
    # The stack declares its own image by a tag, which could be moved.
    assert {what for what, state in states if state != "same"} == {"image"}
    assert {("definitions deployed", "same"), ("definitions loaded", "same"), ("commit loaded", "same")} <= states

    examined = world.lotus("doctor --json")
    cluster = [each for each in json.loads(examined.stdout)["findings"] if each["area"] == "cluster"]
    assert [each for each in cluster if each["state"] == "broken"] == []

    reviewed = world.lotus("preview")
    assert reviewed.returncode == 0, reviewed.stderr
    preview = world.pulumi.project / ".review" / "test" / "preview.json"
    assert "nothing changes" in world.lotus(f"comment --preview {preview}").stdout
    assert world.lotus(f"gate --preview {preview}").returncode == 0
    deployed = world.lotus("deploy --yes --reviewed .review/test")
    assert deployed.returncode == 0, deployed.stderr
    assert git(world.pulumi.project, "status", "--porcelain") == ""
