"""`make sandbox`, in a checkout of its own."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lotus_infra.errors import LotusError
from sandbox import s3
from sandbox import twin as twins
from sandbox.down import down
from sandbox.lock import alone
from sandbox.place import Place
from sandbox.up import up
from tests.engine.harness import REPOSITORY

LINKED = ("Pulumi.yaml", "Pulumi.sandbox.yaml", "__main__.py", "streams", "toolchain", "lotus_infra", ".venv")


@pytest.fixture
def place(tmp_path: Path, engine: list[Path]) -> Iterator[Place]:
    for name in LINKED:
        (tmp_path / name).symlink_to(REPOSITORY / name)
    place = Place(tmp_path)
    yield place
    running = twins.found(place)
    if running is not None:
        twins.stop(running)


def test_the_sandbox_comes_up_stays_as_it_is_and_goes_down(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    up(place)
    assert "3 connections, 12 streams" in capfd.readouterr().out
    twin = twins.found(place)
    assert twin is not None
    httpx.delete(f"{twin.url}/_twin/calls")

    up(place)
    assert "11 unchanged" in capfd.readouterr().out
    assert set(httpx.get(f"{twin.url}/_twin/counts").json()) <= {"GET"}

    down(place)
    assert twins.found(place) is None

    up(place)
    assert "11 unchanged" in capfd.readouterr().out


def test_a_sandbox_whose_airbyte_was_lost_is_made_anew(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    up(place)
    down(place)
    shutil.rmtree(place.twin_data)

    up(place)

    assert "3 connections, 12 streams" in capfd.readouterr().out


@pytest.mark.parametrize("damage", ["", "{", '{"pid": "abc", "url": 3}'])
def test_a_damaged_note_of_the_twin_is_as_none(place: Place, damage: str) -> None:
    place.twin_file.write_text(damage, encoding="utf-8")

    assert twins.found(place) is None


def test_a_twin_that_does_not_start_is_one_error_with_a_remedy(place: Place) -> None:
    place.twin_data.mkdir()
    (place.twin_data / "state.json").write_text("no JSON", encoding="utf-8")

    with pytest.raises(LotusError, match=r"did not start[\s\S]+state\.json[\s\S]+rm -r \.sandbox"):
        twins.start(place)


def test_a_second_command_waits_for_the_first(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    waiting = threading.Thread(target=lambda: alone(place).__enter__(), daemon=True)
    with alone(place):
        waiting.start()
        while "waiting" not in capsys.readouterr().out:
            waiting.join(0.01)
        assert waiting.is_alive()
    waiting.join()


def test_the_environment_file_makes_pulumi_mean_the_sandbox(place: Place) -> None:
    up(place)

    shell = f". {place.environment_file} && pulumi preview --non-interactive"
    shown = subprocess.run(["sh", "-c", shell], cwd=place.project, capture_output=True, text=True, check=True)

    assert "11 unchanged" in shown.stdout


def test_unknown_words_are_refused_with_the_usage() -> None:
    command = [sys.executable, "-m", "sandbox", "sideways"]
    refused = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert (refused.returncode, refused.stderr) == (2, "usage: python -m sandbox up|down\n")
