"""A lake and a dbt project that break every rule of the field contract, and the report that users read."""

from pathlib import Path

from lotus_infra.commands.check import check_lake_files
from lotus_infra.lake.report import render
from tests.support.broken_projects import BREAKS, NOTICES
from tests.support.golden import assert_matches
from tests.support.lakes import Document, write
from tests.support.projects import broken, lake_files, renamed, write_project

BLESSED = Path(__file__).parent / "blessed"


def test_every_break_of_the_contract_is_reported_in_the_blessed_words(tmp_path: Path) -> None:
    project: dict[str, str | None] = {}
    lake: dict[str, Document | str | bytes | None] = {}
    for change in (*BREAKS, *NOTICES):
        project |= renamed(broken(change), change.name)
        lake |= lake_files(change, change.name)
    report = check_lake_files(write(write_project(tmp_path, project), lake))

    reported = render(report).replace(f"{tmp_path.as_posix()}/", "")

    assert_matches(BLESSED / "broken_project.txt", reported + "\n")
    assert len(report.problems) >= sum(len(change.told.splitlines()) for change in BREAKS)
