"""Which engines the doctor accepts: those that Pulumi.yaml supports, by the same rule as `make engine`."""

import os
import sys
from pathlib import Path

import pytest

from lotus_infra.commands.doctor.context import StackContext
from lotus_infra.commands.doctor.results import CheckResult
from lotus_infra.commands.doctor.versions import versions
from lotus_infra.config.stack import Project
from toolchain import engine, oldest_engine

REPOSITORY = Path(__file__).resolve().parents[3]
NEWEST = ".".join(map(str, engine.pinned_engine()))
OLDEST = ".".join(map(str, engine.pinned_engine(oldest_engine.MODULE)))


def checked(tmp_path: Path, version: str, folder: Path = REPOSITORY) -> CheckResult:
    """What the doctor says of a CLI of this version on PATH."""
    cli = tmp_path / "pulumi"
    cli.write_text(f'#!/bin/sh\ncase "$*" in *version*) echo v{version} ;; *) echo "[]" ;; esac\n', encoding="utf-8")
    cli.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    case = StackContext(folder, Project(folder, {}), "prod", {**os.environ, "PATH": path})
    return next(each for each in versions(case) if "pulumi" in each.what)


@pytest.mark.parametrize("version", [OLDEST, NEWEST, "3.260.1", "3.274.1"])
def test_an_engine_within_the_limits_is_fine_whatever_the_sdk_is(tmp_path: Path, version: str) -> None:
    found = checked(tmp_path, version)

    assert (found.state, found.what) == ("ok", f"pulumi {version} (supported: >=3.259.0 <4.0.0)")


def test_an_engine_that_is_newer_than_the_newest_tested_is_fine_and_noted(tmp_path: Path) -> None:
    found = checked(tmp_path, "3.999.0")

    assert found.state == "ok"
    assert f"newer than {NEWEST}, the newest that was tested" in found.what


@pytest.mark.parametrize("version", ["3.258.9", "2.300.0", "4.0.0", "unknown"])
def test_an_engine_outside_of_the_limits_is_broken_and_the_limits_are_named(tmp_path: Path, version: str) -> None:
    found = checked(tmp_path, version)

    assert found.state == "broken"
    assert f"is {version}, and >=3.259.0 <4.0.0 is supported" in found.what
    assert "make engine" in found.remedy


def test_a_project_without_limits_is_a_warning_that_shows_how_to_write_them(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: lake\nruntime: python\n", encoding="utf-8")

    found = checked(tmp_path, NEWEST, tmp_path)

    assert found.state == "warning"
    assert '">=3.259.0 <4.0.0"' in found.what


@pytest.mark.parametrize("version", ["3.258.9", OLDEST, NEWEST, "3.274.1", "3.999.0", "4.0.0"])
def test_the_doctor_and_make_accept_the_same_engines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    says = checked(tmp_path, version).state
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent)]))

    assert engine._is_on_path() == (says == "ok")


def test_the_limits_are_said_in_one_place_and_the_others_agree() -> None:
    oldest, too_new = engine.supported_engines()

    assert oldest == engine.pinned_engine(oldest_engine.MODULE) <= engine.pinned_engine() < too_new
    dotted = ".".join(map(str, oldest))
    short = f"{oldest[0]}.{oldest[1]}"
    package = REPOSITORY / "packages" / "pulumi-airbyte"
    assert f'"pulumi>={short},<{too_new[0]}"' in (package / "pyproject.toml").read_text("utf-8")
    assert f'requiredPulumiVersion: ">={dotted}"' in (package / "PulumiPlugin.yaml").read_text("utf-8")
    for page in ("README.md", "docs/installation-configuration.md"):
        assert f"Pulumi CLI {short} or newer" in (package / page).read_text("utf-8")
    for page in ("README.md", "docs/contributing.md"):
        assert f"Pulumi CLI ({short} or newer)" in (REPOSITORY / page).read_text("utf-8")
