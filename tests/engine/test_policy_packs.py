"""A policy pack in Python, on the language host that is found: what passes, what stops a run, and how a pack fails."""

import json
from pathlib import Path

import pytest

from tests.engine.harness import Pulumi

PROGRAM = """
import pulumi

class Bucket(pulumi.ComponentResource):
    def __init__(self, name, public):
        super().__init__("test:index:Bucket", name, {"public": public})
        self.register_outputs({})

Bucket("lake", public=pulumi.Config().require_bool("public"))
"""
POLICY = """
import os
import pulumi
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy, StackValidationPolicy

def not_public(args, report):
    if args.resource_type == "test:index:Bucket" and args.props.get("public"):
        report(f"{args.name} is public in {pulumi.get_project()}/{pulumi.get_stack()}")

def count(args, report):
    buckets = [each for each in args.resources if each.resource_type == "test:index:Bucket"]
    report(f"{len(buckets)} bucket, public: {pulumi.Config('test-project').require('public')}")

PolicyPack(
    name="lake-rules",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[
        ResourceValidationPolicy(name="not-public", description="No bucket is public.", validate=not_public),
        StackValidationPolicy(
            name="count", description="Counts.", enforcement_level=EnforcementLevel.ADVISORY, validate=count
        ),
    ],
)
"""


def written_pack(folder: Path, virtualenv: str) -> Path:
    folder.mkdir()
    runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": virtualenv}}
    (folder / "PulumiPolicy.yaml").write_text(json.dumps({"runtime": runtime}), encoding="utf-8")
    (folder / "requirements.txt").write_text("pulumi-policy==1.21.0\n", encoding="utf-8")
    (folder / "__main__.py").write_text(POLICY, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, engine: list[Path]) -> Path:
    """The environment of a pack that `pulumi install` has installed: not Lotus's, whose protobuf is too new for it."""
    folder = tmp_path_factory.mktemp("installed")
    pack = written_pack(folder / "pack", "venv")
    project = Pulumi(folder, engine)
    project.project = pack
    project.run("install").ok()
    return pack / "venv"


@pytest.fixture
def pack(tmp_path: Path, installed: Path) -> Path:
    return written_pack(tmp_path / "a pack", str(installed))


@pytest.fixture
def project(pulumi: Pulumi) -> Pulumi:
    pulumi.program(PROGRAM)
    return pulumi


def test_a_preview_and_an_up_that_keep_the_rules_pass_and_show_what_the_pack_advises(
    project: Pulumi, pack: Path
) -> None:
    project.config_set("public", "false")

    previewed = project.preview("--policy-pack", str(pack)).ok().output
    applied = project.up("--policy-pack", str(pack)).ok().output

    for shown in (previewed, applied):
        assert "lake-rules" in shown
        assert "1 bucket, public: false" in shown
        assert "is public in" not in shown


@pytest.mark.parametrize("command", ["preview", "up"])
def test_a_run_that_breaks_a_rule_fails_and_names_the_resource_and_the_stack(
    project: Pulumi, pack: Path, command: str
) -> None:
    project.config_set("public", "true")

    run = project.preview if command == "preview" else project.up
    shown = run("--policy-pack", str(pack)).failed().output

    assert "lake is public in test-project/test" in shown
    assert project.resources().keys() == set() or all("Bucket" not in urn for urn in project.resources())


def test_a_pack_that_fails_shows_its_error(project: Pulumi, pack: Path) -> None:
    project.config_set("public", "false")
    (pack / "__main__.py").write_text("raise ValueError('broken on purpose')\n", encoding="utf-8")

    shown = project.preview("--policy-pack", str(pack)).failed().output

    assert "broken on purpose" in shown
    assert "Method not implemented" not in shown


@pytest.mark.usefixtures("stand_in_host")
def test_a_pack_that_prints_before_it_serves_runs(project: Pulumi, pack: Path) -> None:
    project.config_set("public", "false")
    (pack / "__main__.py").write_text(f"print('a line of its own')\n{POLICY}", encoding="utf-8")

    shown = project.preview("--policy-pack", str(pack)).ok().output

    assert "a line of its own" in shown
    assert "1 bucket, public: false" in shown


@pytest.mark.usefixtures("stand_in_host")
def test_a_pack_without_its_environment_fails_and_names_it(project: Pulumi, tmp_path: Path) -> None:
    project.config_set("public", "false")
    pack = written_pack(tmp_path / "a pack", "venv")

    shown = project.preview("--policy-pack", str(pack)).failed().output

    assert str(pack / "venv") in shown
    assert "Method not implemented" not in shown
