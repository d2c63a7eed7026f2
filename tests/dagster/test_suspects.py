"""The search for files that break a build, on builds that are functions."""

import random
from collections.abc import Callable, Sequence

import pytest
from lotus_dagster.suspects import MOST, search

Build = Callable[[Sequence[int]], str | None]


def breaking(*bad: int) -> Build:
    return lambda files: next((f"file {one} is broken" for one in files if one in bad), None)


def test_single_bad_files_are_found_with_their_errors() -> None:
    for seed in range(50):
        chosen = random.Random(seed)
        files = range(chosen.randint(2, 60))
        bad = chosen.sample(files, chosen.randint(1, min(MOST - 1, len(files) - 1)))
        found = search(files, breaking(*bad))
        assert not found.systemic
        assert found.bad == {one: f"file {one} is broken" for one in bad}, seed


def test_a_lone_file_is_bad_if_the_build_passes_without_it() -> None:
    assert search([1], breaking(1)).bad == {1: "file 1 is broken"}


@pytest.mark.parametrize("files", [(), (1,), range(10)])
def test_a_build_that_fails_without_files_is_no_file_s_fault(files: Sequence[int]) -> None:
    found = search(files, lambda files: "the catalog is down")
    assert (found.systemic, found.bad) == (True, {})


def test_files_that_all_fail_are_no_file_s_fault() -> None:
    found = search(range(1000), lambda files: "no such column" if files else None)
    assert (found.systemic, found.bad) == (True, {})


def test_files_that_fail_together_alone_are_not_put_aside() -> None:
    found = search([1, 2], lambda files: "two of one key" if len(files) == 2 else None)
    assert (found.systemic, found.bad) == (False, {})


def test_a_file_that_failed_once_is_not_put_aside() -> None:
    found = search([1], lambda files: None)
    assert (found.systemic, found.bad) == (False, {})


def test_a_server_that_fails_in_the_middle_puts_no_file_aside() -> None:
    answers = iter([None, "no answer", None, "no answer", "no answer"])
    found = search([1, 2], lambda files: next(answers))
    assert (found.systemic, found.bad) == (True, {})


def test_a_search_ends() -> None:
    built = []

    def build(files: Sequence[int]) -> str | None:
        built.append(files)
        return "an even number" if any(one % 2 == 0 for one in files) else None

    found = search(range(5_000), build)
    assert len(found.bad) == MOST
    assert len(built) < 30 * MOST


@pytest.mark.parametrize(("first", "end", "files"), [(10, 50, 50), (975, 1000, 1000), (3, 25, 25), (0, 25, 30)])
def test_many_bad_files_beside_good_ones_are_all_found(first: int, end: int, files: int) -> None:
    found = search(range(files), breaking(*range(first, end)))
    assert not found.systemic
    assert set(found.bad) == set(range(first, end))


def test_a_server_that_is_away_for_a_part_of_the_search_puts_no_file_aside() -> None:
    for first in range(1, 12):
        for end in range(first, first + 8):
            built: list[Sequence[int]] = []

            def build(files: Sequence[int], first: int = first, end: int = end) -> str | None:
                built.append(files)  # noqa: B023
                return "no answer" if files and first <= len(built) < end else None  # noqa: B023

            assert search(range(8), build).bad == {}, (first, end)
