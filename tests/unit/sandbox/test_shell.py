"""The file for shells: `. .sandbox/env`."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.layout import DAGSTER_URL, Layout

SHELLS = [
    pytest.param(shell, marks=pytest.mark.skipif(shutil.which(shell) is None, reason=f"no {shell}"))
    for shell in ("sh", "bash", "dash", "zsh")
]


@pytest.fixture
def place(tmp_path: Path) -> Layout:
    folder = tmp_path / "a lake's folder"
    folder.mkdir()
    layout = Layout(folder)
    variables = {"LOTUS_LANDING": "s3://landing", DAGSTER_URL: "http://127.0.0.1:1", "ODD": "a 'b' $c"}
    layout.write_environment(variables, [str(folder / "bin"), str(folder / "tools")], ["/opt/last"])
    return layout


def read_by(shell: str, place: Layout, then: str, **variables: str) -> list[str]:
    """The lines that a strict shell in another folder prints after it has read the file twice."""
    quoted = "'" + str(place.environment_file).replace("'", "'\\''") + "'"
    call = subprocess.run(
        [shell, "-eu", "-c", f". {quoted}; . {quoted}; {then}"],
        cwd="/",
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (call.returncode, call.stderr) == (0, "")
    return call.stdout.splitlines()


@pytest.mark.parametrize("shell", SHELLS)
def test_path_grows_once_however_often_the_file_is_read(place: Layout, shell: str) -> None:
    (path,) = read_by(shell, place, 'echo "$PATH"')

    first = f"{place.project / 'bin'}:{place.project / 'tools'}"
    assert path == f"{first}:{os.environ['PATH']}:/opt/last"


@pytest.mark.parametrize("shell", SHELLS)
def test_values_arrive_as_they_are(place: Layout, shell: str) -> None:
    assert read_by(shell, place, 'echo "$LOTUS_LANDING"; echo "$ODD"') == ["s3://landing", "a 'b' $c"]


@pytest.mark.parametrize("shell", SHELLS)
def test_what_means_another_lake_is_unset(place: Layout, shell: str) -> None:
    foreign = {"AWS_PROFILE": "production", "AIRBYTE_CLIENT_ID": "a b", "PULUMI_ACCESS_TOKEN": "c", "AWS_ODD": "d\ne=f"}

    assert read_by(shell, place, "env | grep -E '^(AWS|AIRBYTE|PULUMI)_' || echo none", **foreign) == ["none"]


def test_dagsters_address_can_change(place: Layout) -> None:
    place.set_dagster_url("http://127.0.0.1:2")

    assert read_by("sh", place, f'echo "${DAGSTER_URL}"') == ["http://127.0.0.1:2"]
