"""A lake with a mistake of every kind in, the words that users read out."""

import json
import re
from pathlib import Path

from lotus_infra.lake.references import StackValues
from lotus_infra.lake.report import as_document, check_lake, render
from tests.support.broken_lake import MISTAKES, VALUES, expected_line, write_broken_lake
from tests.support.golden import assert_matches

BLESSED = Path(__file__).parent / "blessed"
STACKS = (StackValues("prod", VALUES),)


def test_every_mistake_is_told_in_the_words_that_were_blessed(tmp_path: Path) -> None:
    write_broken_lake(tmp_path)

    told = render(check_lake(tmp_path, STACKS)).replace(f"{tmp_path.as_posix()}/", "")

    assert_matches(BLESSED / "broken_lake.txt", told + "\n")


def test_a_lake_with_a_mistake_of_every_kind_is_told_in_one_run_with_file_and_line(tmp_path: Path) -> None:
    write_broken_lake(tmp_path)
    report = check_lake(tmp_path, STACKS)
    told = {
        (Path(problem.file).relative_to(tmp_path).as_posix(), problem.line, problem.field): str(problem)
        for problem in report.problems
    }

    expected = {(mistake.file, expected_line(tmp_path, mistake), mistake.field): mistake.words for mistake in MISTAKES}

    assert len(MISTAKES) >= 30
    assert told.keys() == expected.keys()
    assert [place for place, words in expected.items() if words not in told[place]] == []


def test_problems_are_sorted_and_have_the_form_that_editors_can_follow(tmp_path: Path) -> None:
    write_broken_lake(tmp_path)

    lines = render(check_lake(tmp_path, STACKS)).splitlines()

    places = [re.match(r"(.+?):(\d+): (\S+): (.+): (.+)", line) for line in lines[:-1]]
    assert all(places)
    order = [(match[1], int(match[2])) for match in places if match is not None]
    assert order == sorted(order)
    assert lines[-1].endswith(f"{len(MISTAKES)} problems")


def test_the_json_form_has_the_same_facts(tmp_path: Path) -> None:
    write_broken_lake(tmp_path)
    report = check_lake(tmp_path, STACKS)

    document = json.loads(json.dumps(as_document(report)))

    assert document["ok"] is False
    assert [problem["what"] for problem in document["problems"]] == [problem.what for problem in report.problems]
    assert document["problems"][0].keys() == {"file", "line", "field", "what", "remedy"}
