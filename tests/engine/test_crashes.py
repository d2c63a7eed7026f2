"""Whenever the engine is killed, running it again ends as if nothing had happened: one of each, no cursor lost."""

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.crashes import CURSORS, KILLS, OPERATIONS, Document, Operation, World, world_in

BASE = "first"
"""What is done before all operations that need an applied lake."""

Open = Callable[[Operation], World]


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run of pytest share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def calm(common: Path, engine: list[Path]) -> Callable[[str], Document]:
    """How an operation ends when nobody kills it; each is done once for all processes."""

    def ending(name: str) -> Document:
        if OPERATIONS[name].begun:
            ending(BASE)
        with (common / f"calm-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            record = common / f"calm-{name}.json"
            if not record.exists():
                text = json.dumps(done_calmly(common, name, engine))
                record.write_text(text, encoding="utf-8")
            return dict(json.loads(record.read_text(encoding="utf-8")))

    return ending


def done_calmly(common: Path, name: str, engine: list[Path]) -> Document:
    operation = OPERATIONS[name]
    with opened(common, common / f"calm-{name}", operation, engine) as world:
        world.pulumi.run(*operation.command).ok()
        calls = [f"{call.method} {call.path}" for call in world.twin.calls()]
        end = world.ending()
        if name == BASE:
            world.set_cursors()
    return {"calls": calls, "ending": end}


@contextmanager
def opened(common: Path, folder: Path, operation: Operation, engine: list[Path]) -> Iterator[World]:
    """A world just before an operation."""
    if operation.begun:
        shutil.copytree(common / f"calm-{BASE}", folder)
    with world_in(folder, engine, Path(sys.executable).parent) as world:
        world.prepare(operation)
        yield world


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_call_of_an_operation_is_left_out(
    name: str, calm: Callable[[str], Document], record_property: Callable[[str, object], None]
) -> None:
    calls = calm(name)["calls"]
    record_property("kills", len(OPERATIONS[name].kills()))
    assert len(calls) == OPERATIONS[name].calls, "\n".join(calls)


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if operation.begun])
def test_an_operation_that_nobody_kills_keeps_cursors(name: str, calm: Callable[[str], Document]) -> None:
    end = calm(name)["ending"]
    assert end["cursors"] == [CURSORS] * len(end["live"]["connections"])


@pytest.mark.parametrize(("name", "moment", "number"), KILLS)
def test_a_kill_at_any_call_ends_as_if_it_had_not_been(
    name: str,
    moment: str,
    number: int,
    common: Path,
    tmp_path: Path,
    engine: list[Path],
    calm: Callable[[str], Document],
) -> None:
    operation, expected = OPERATIONS[name], calm(name)["ending"]
    with opened(common, tmp_path / "world", operation, engine) as world:
        world.kill_at(operation, moment, number)
        world.pulumi.run("cancel", "--yes").ok()
        world.pulumi.run(*operation.command).ok()

        assert world.ending() == expected
        assert world.pending() == []
        if name != "destroy":
            assert world.pulumi.preview("--json").ok().changes() == ()
