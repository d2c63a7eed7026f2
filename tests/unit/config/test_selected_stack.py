"""The stack of a command without --stack: the variable's, else the selected one, else the only one."""

import hashlib
import json
from pathlib import Path

import pytest

from lotus_infra.clients.pulumi import Engine
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError


def select(project: Path, home: Path, stack: str) -> dict[str, str]:
    """Note a selection as `pulumi stack select` does; returns the environment."""
    name = hashlib.sha1(str(project / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    file = home / "workspaces" / f"lotus-{name}-workspace.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"stack": stack}))
    return {"PULUMI_HOME": str(home), "PULUMI_BACKEND_URL": f"file://{home}"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "streams").mkdir(parents=True)
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        (folder / name).write_text("name: lotus\nruntime: python\n" if name == "Pulumi.yaml" else "config: {}\n")
    return folder


def test_of_several_stacks_the_selected_one_is_meant(project: Path, tmp_path: Path) -> None:
    environment = select(project, tmp_path / "home", "organization/lotus/dev")
    found = Project.needed(project / "streams")
    assert found.select(None, environment) == "dev"
    assert found.select(None, environment | {"PULUMI_STACK": "prod"}) == "prod"
    assert found.select("prod", environment) == "prod"


@pytest.mark.parametrize("selected", ["", "gone"])
def test_without_a_selection_that_has_a_file_several_stacks_are_refused(
    project: Path, tmp_path: Path, selected: str
) -> None:
    environment = select(project, tmp_path / "home", selected)
    with pytest.raises(LotusError, match="no stack selected: pass --stack NAME, one of dev, prod"):
        Project.needed(project / "streams").select(None, environment)


def test_an_empty_variable_selects_none(project: Path, tmp_path: Path) -> None:
    environment = select(project, tmp_path / "home", "dev") | {"PULUMI_STACK": ""}
    with pytest.raises(LotusError, match="no stack selected"):
        Project.needed(project / "streams").select(None, environment)


def test_the_engine_runs_the_only_stack_where_none_is_selected(project: Path, tmp_path: Path) -> None:
    environment = {"PULUMI_HOME": str(tmp_path / "home")}
    assert Engine.around(project, None, environment).stack == ""
    (project / "Pulumi.prod.yaml").unlink()
    assert Engine.around(project, None, environment).stack == "dev"
    assert Engine.around(project, None, environment | {"PULUMI_STACK": ""}).stack == ""
    selected = select(project, tmp_path / "other", "dev")
    assert Engine.around(project, None, selected).stack == ""
