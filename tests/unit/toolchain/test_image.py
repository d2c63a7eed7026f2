"""`make image`: what Docker is asked for, and what is said where it can't be."""

from pathlib import Path

import pytest

from lotus_infra.dagster_fingerprint import definitions_fingerprint
from lotus_infra.errors import LotusError
from tests.support.clone import git, write_clone
from toolchain import image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clean clone of a repository."""
    return write_clone(tmp_path / "repository")


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker on PATH that writes down what it is asked, and can be told to fail."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    asked = tmp_path / "asked.txt"
    program.write_text(f'#!/bin/sh\necho "$@" >> {asked}\nexec test "$1" != "$FAILS"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return asked


def test_the_image_is_named_by_the_commit_and_told_commit_and_definitions(folder: Path, docker: Path) -> None:
    commit = git(folder, "rev-parse", "HEAD")

    assert str(image.build("ghcr.io/example/lake", folder)) == f"ghcr.io/example/lake:{commit}"
    assert docker.read_text(encoding="utf-8").splitlines()[-1] == (
        f"build --file dagster/Dockerfile --tag ghcr.io/example/lake:{commit} --build-arg LOTUS_COMMIT={commit} "
        f"--build-arg LOTUS_DEFINITIONS={definitions_fingerprint(folder)} ."
    )


def test_without_docker_one_line_says_where_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert image.main([]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: there is no docker on PATH: install it")


@pytest.mark.parametrize(
    ("fails", "told"), [("version", "daemon does not answer: start it"), ("build", "docker build failed")]
)
def test_a_docker_that_fails_is_told(
    fails: str, told: str, folder: Path, docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILS", fails)
    with pytest.raises(LotusError, match=told):
        image.build("lake", folder)


def test_what_is_not_committed_is_not_built(folder: Path, docker: Path) -> None:
    (folder / "streams/shopify/new.json").touch()
    with pytest.raises(LotusError, match="not committed: commit them"):
        image.build("lake", folder)


def test_a_folder_that_is_no_clone_is_told(tmp_path: Path, docker: Path) -> None:
    with pytest.raises(LotusError, match="git does not have the commit"):
        image.build("lake", tmp_path)
