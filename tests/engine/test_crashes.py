"""Whenever the engine is killed, running it again ends as if nothing had happened: one of each, no cursor lost."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.crashes import CURSORS, KILLS, OPERATIONS, Matrix

CREATED = "POST /api/public/v1/sources"
SAMPLE = {("first", "after", 3), ("replace", "after", 13), ("destroy", "after", 3)}
"""Kills that are run by day: amid a first run, a replacement that carries cursors over, and a destroy."""
REFUSED = {("first", "after", 3)}
"""The same where the provider adopts nothing."""
assert set(KILLS) >= SAMPLE | REFUSED


def by_day(*chosen: tuple[str, str, int]) -> list[Any]:
    """All kills, of which these are run by day and the others at night."""
    return [pytest.param(*kill, marks=() if kill in chosen else pytest.mark.nightly) for kill in KILLS]


@pytest.fixture(scope="session")
def matrix(common: Path, engine: list[Path]) -> Matrix:
    return Matrix(common, engine)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in {kill[0] for kill in SAMPLE} else pytest.mark.nightly)
        for name in OPERATIONS
    ],
)
def test_no_call_of_an_operation_is_left_out(
    name: str, matrix: Matrix, record_property: Callable[[str, object], None]
) -> None:
    record_property("kills", len(OPERATIONS[name].kills()))
    calls = matrix.calm(name).calls
    assert len(calls) == OPERATIONS[name].calls, "\n".join(calls)


@pytest.mark.parametrize("name", ["update", "replace"])
def test_an_operation_that_nobody_kills_keeps_cursors(name: str, matrix: Matrix) -> None:
    assert matrix.calm(name).end["cursors"] == [CURSORS]


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "destroy"])
def test_where_an_operation_ends_a_preview_finds_nothing_to_do(name: str, matrix: Matrix) -> None:
    """Every kill ends there too: a preview, which asks nobody, then reads the same program and the same state."""
    assert matrix.calm(name).changes == []


@pytest.mark.parametrize(("name", "moment", "number"), by_day(*SAMPLE))
def test_a_kill_at_any_call_ends_as_if_it_had_not_been(
    name: str, moment: str, number: int, matrix: Matrix, tmp_path: Path
) -> None:
    operation, expected = OPERATIONS[name], matrix.calm(name).end
    with matrix.world(tmp_path / "world", operation) as world:
        world.kill_at(operation, moment, number)
        world.pulumi.run("cancel", "--yes").ok()
        world.pulumi.run(*operation.command).ok()

        assert world.end() == expected
        assert world.pending(known=False) == []


def test_a_create_that_was_cut_off_stays_noted_until_a_refresh_clears_it(matrix: Matrix, tmp_path: Path) -> None:
    first = OPERATIONS["first"]
    with matrix.world(tmp_path / "world", first) as world:
        world.kill_at(first, "after", first.calls)
        assert "is currently locked" in world.pulumi.up().failed().output
        world.pulumi.run("cancel", "--yes").ok()

        assert "interrupted while creating" in world.pulumi.up().ok().output
        assert len(world.pending()) == 1
        assert "unchanged" in world.pulumi.refresh("--clear-pending-creates").ok().stdout
        assert world.pending() == []


ADOPT = "AIRBYTE_ADOPT_EXISTING"


@pytest.mark.parametrize(("name", "moment", "number"), by_day(*REFUSED))
def test_where_nothing_is_adopted_a_kill_ends_the_same_once_its_refusal_is_followed(
    name: str, moment: str, number: int, matrix: Matrix, tmp_path: Path
) -> None:
    operation, expected = OPERATIONS[name], matrix.calm(name).end
    with matrix.world(tmp_path / "world", operation, adopt="never") as world:
        world.kill_at(operation, moment, number)
        world.pulumi.run("cancel", "--yes").ok()
        again = world.pulumi.run(*operation.command)
        if again.exit_code:
            assert f"{ADOPT}=identical" in again.output
            world.pulumi.environment[ADOPT] = "identical"
            world.pulumi.run(*operation.command).ok()

        assert world.end() == expected
        assert world.pending(known=False) == []


def test_where_nothing_is_adopted_the_printed_import_line_takes_over_what_a_killed_run_made(
    matrix: Matrix, tmp_path: Path
) -> None:
    first, expected = OPERATIONS["first"], matrix.calm("first").end
    made = next(number for number, call in enumerate(matrix.calm("first").calls, 1) if call == CREATED)
    with matrix.world(tmp_path / "world", first, adopt="never") as world:
        world.kill_at(first, "after", made)
        world.pulumi.run("cancel", "--yes").ok()
        refusal = world.pulumi.run(*first.command).failed().output
        [line] = set(re.findall(r"`pulumi (import [^`]*)`", refusal))

        world.pulumi.run(*line.split(), "--yes", "--skip-preview", "--protect=false", "--generate-code=false").ok()
        world.pulumi.run(*first.command).ok()

        end = world.end()
        assert {key: end[key] for key in ("live", "secrets")} == {key: expected[key] for key in ("live", "secrets")}
        assert world.pulumi.preview("--json").ok().changes() == ()
