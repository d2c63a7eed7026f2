"""The guard of production stacks around the engine: no process is started for a stack that is refused."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from lotus_infra.clients.airbyte import airbyte_workspace
from lotus_infra.clients.locks import plan_unlock
from lotus_infra.clients.pulumi import Engine
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError

BACKEND = "s3://lake-state?region=us-west-1"
WORKSPACE = "7c2e9a54-1f0b-4f7e-9a41-6f3a5d1c8b20"
REFUSED = "the stack prod is marked lotus:production, and may not run like this"
ELSEWHERE = {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a production stack and another one; a `pulumi` on PATH notes that it was started."""
    folder = tmp_path / "project"
    (folder / "streams").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text(json.dumps({"name": "lotus", "backend": {"url": BACKEND}}), encoding="utf-8")
    url = "https://airbyte.example.com/api/public/v1"
    config = {"lotus:production": "true", "airbyte:serverUrl": url, "lotus:workspaceId": WORKSPACE}
    (folder / "Pulumi.prod.yaml").write_text(json.dumps({"config": config}), encoding="utf-8")
    (folder / "Pulumi.sandbox.yaml").write_text(json.dumps({"config": {}}), encoding="utf-8")
    (tmp_path / "pulumi").write_text('#!/bin/sh\ntouch "$HOME/started"\n', encoding="utf-8")
    (tmp_path / "pulumi").chmod(0o755)
    found = Project.around(folder)
    assert found is not None
    return found


def environment(project: Project, **variables: str) -> dict[str, str]:
    """A home folder beside the project, and variables."""
    home = str(project.folder.parent)
    return {"HOME": home, "PATH": f"{home}:/usr/bin:/bin", **variables}


def select(project: Project, document: object) -> None:
    """Select a stack, as `pulumi stack select` notes it."""
    path = hashlib.sha1(str(project.folder / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    file = project.folder.parent / ".pulumi" / "workspaces" / f"lotus-{path}-workspace.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document), encoding="utf-8")


def started(project: Project) -> bool:
    return (project.folder.parent / "started").exists()


def run(project: Project, stack: str, variables: dict[str, str], arguments: Sequence[str] = ()) -> None:
    Engine(project, stack, environment(project, **variables)).up(arguments)


@pytest.mark.parametrize(
    ("stack", "selected", "variables", "arguments"),
    [
        ("prod", None, {}, ()),
        ("organization/lotus/prod", None, {}, ()),
        ("", None, {"PULUMI_STACK": "prod"}, ()),
        ("", None, {"PULUMI_STACK": "organization/lotus/prod"}, ()),
        ("", {"stacks": {BACKEND: "sandbox"}}, {"PULUMI_STACK": "sandbox", "PULUMI_OPTION_STACK": "prod"}, ()),
        ("", {"stacks": {BACKEND: "organization/lotus/prod"}}, {}, ()),
        ("", {"stack": "prod"}, {}, ()),
        ("", {"stack": "sandbox", "stacks": {BACKEND: "prod"}}, {}, ()),
        ("sandbox", None, {}, ("--stack", "prod")),
        ("sandbox", None, {}, ("--stack=prod",)),
        ("sandbox", None, {}, ("--yes", "-s", "prod")),
        ("sandbox", None, {}, ("-ysprod",)),
        ("sandbox", None, {}, ("-ys", "organization/lotus/prod")),
        ("", None, {}, ()),
        ("", {"stack": "sandbox"}, {"PULUMI_STACK": ""}, ()),
        ("", "damaged", {}, ()),
    ],
)
def test_production_is_refused_however_it_is_named(
    project: Project, stack: str, selected: object, variables: dict[str, str], arguments: Sequence[str]
) -> None:
    if selected is not None:
        select(project, selected)

    with pytest.raises(LotusError, match=REFUSED):
        run(project, stack, variables | ELSEWHERE, arguments)
    assert not started(project)

    run(project, stack, variables, arguments)
    assert started(project)


@pytest.mark.parametrize(
    ("stack", "selected", "variables"),
    [
        ("sandbox", None, {}),
        ("", {"stacks": {BACKEND: "sandbox"}}, {}),
        ("", {"stack": "prod"}, {"PULUMI_STACK": "sandbox"}),
    ],
)
def test_another_stack_runs_in_any_environment(
    project: Project, stack: str, selected: object, variables: dict[str, str]
) -> None:
    if selected is not None:
        select(project, selected)

    run(project, stack, variables | ELSEWHERE, ("--message", "prod"))

    assert started(project)


def test_the_state_of_another_project_is_refused(project: Project) -> None:
    with pytest.raises(LotusError, match="the engine has the state of the project other"):
        run(project, "organization/other/prod", {})


@pytest.mark.parametrize(
    ("variables", "arguments"),
    [
        ({}, ("--config-file", "a.yaml")),
        ({}, ("--config-file=a.yaml",)),
        ({}, ("--cwd", "..")),
        ({}, ("-C", "..")),
        ({}, ("-yC..",)),
        ({}, ("--remote",)),
        ({}, ("--client=127.0.0.1:1",)),
        ({}, ("https://example.com/template",)),
        ({}, ("--yes", "aws-python")),
        ({}, ("-y", "--", "aws-python")),
        ({"PULUMI_OPTION_CWD": ".."}, ()),
        ({"PULUMI_OPTION_CONFIG_FILE": "a.yaml"}, ()),
    ],
)
def test_options_that_run_something_else_are_refused_for_production(
    project: Project, variables: dict[str, str], arguments: Sequence[str]
) -> None:
    with pytest.raises(LotusError, match="redirects a run of production"):
        run(project, "prod", variables, arguments)
    assert not started(project)

    run(project, "sandbox", variables, arguments)
    assert started(project)


@pytest.mark.parametrize(
    "argument", ["-turn:pulumi:prod::lotus::aws:s3/bucket:Bucket::C", "-mC", "--target-dependents"]
)
def test_other_options_are_no_redirection(project: Project, argument: str) -> None:
    run(project, "prod", {}, (argument,))

    assert started(project)


def test_no_client_is_made_and_no_lock_is_listed_for_a_stack_that_is_refused(project: Project) -> None:
    variables = environment(project, **ELSEWHERE)

    with pytest.raises(LotusError, match=REFUSED):
        airbyte_workspace(project.folder / "streams", "prod", variables)
    with pytest.raises(LotusError, match=REFUSED):
        plan_unlock(project, "prod", [], variables)


@pytest.mark.parametrize(
    ("key", "variable"),
    [("airbyte:serverUrl", "AIRBYTE_SERVER_URL"), ("lotus:workspaceId", "AIRBYTE_WORKSPACE_ID")],
)
@pytest.mark.parametrize("value", [None, {"secure": "v1:a"}])
def test_the_environment_names_no_place_of_production(project: Project, key: str, variable: str, value: object) -> None:
    file = project.stacks["prod"]
    document = json.loads(file.read_text(encoding="utf-8"))
    document["config"].pop(key)
    document["config"] |= {} if value is None else {key: value}
    file.write_text(json.dumps(document), encoding="utf-8")
    elsewhere = {"AIRBYTE_SERVER_URL": "http://127.0.0.1:1/api/public/v1", "AIRBYTE_WORKSPACE_ID": WORKSPACE}

    # An encrypted id is refused in any stack: commands can't decrypt it.
    is_refused = value is not None and key == "lotus:workspaceId"
    with pytest.raises(LotusError, match="is encrypted" if is_refused else variable):
        airbyte_workspace(project.folder / "streams", "prod", environment(project, **elsewhere))
