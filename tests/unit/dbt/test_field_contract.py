"""The field contract: a clean project, broken one way at a time."""

from pathlib import Path

import pytest

from lotus_infra.commands.check import check_lake_files
from lotus_infra.errors import ProjectError
from lotus_infra.lake.diagnostics import LocatedDiagnostic
from tests.support.broken_projects import BREAKS, NOTICES
from tests.support.lakes import write
from tests.support.projects import (
    CLEAN,
    DESCRIPTIONS,
    FIELDS,
    MART,
    MODEL,
    SOURCES,
    Break,
    broken,
    lake_files,
    write_project,
)

CITY_ALONE = {"type": "object", "properties": {"city": {"type": "string"}}}
EMAILS = """\
{{ config(unique_key='email', tags=['shop__orders']) }}
select email from {{ arrivals('shop', 'orders') }}
"""
RIGHT = (
    Break("star", edits=((MODEL, "        email,\n        address,\n", "        *,\n"),)),
    Break("capitals", edits=((MODEL, "        email,", "        EMAIL,"),)),
    Break("an alias", edits=((MODEL, "        email,", "        email as mail, upper(mail) as loud,"),)),
    Break("a table", edits=((MODEL, "        email,", "        a.email,"), (MODEL, "') }}\n)", "') }} as a\n)"))),
    Break(
        "an object of unknown members",
        edits=((MODEL, "$.city", "$.town"),),
        stream={"fields": FIELDS | {"address": {"type": "object"}}},
    ),
    Break(
        "a member that the source has",
        edits=((MODEL, "$.city", "$.zip"),),
        stream={"fields": FIELDS | {"address": CITY_ALONE}},
    ),
    Break(
        "tags elsewhere",
        edits=(
            (MODEL, ", tags=['shop__orders']", ""),
            (DESCRIPTIONS, "    columns:", "    config:\n      tags: shop__orders\n    columns:"),
        ),
    ),
    Break("a key in quotes", edits=((MODEL, "key='id', tags", "key='\"id\"', tags"),)),
    Break("a second model", files=(("models/core/shop/int_shop__emails.sql", EMAILS),)),
    Break("a model of a model", files=(("models/core/shop/int_shop__books.sql", CLEAN[MART]),)),
    Break(
        "a source of others", files=(("models/marts/_crm.yml", "sources: [{name: crm, tables: [{name: people}]}]\n"),)
    ),
    Break("a mart with statements", edits=((MART, "\n", "{% if true %} where id > 1 {% endif %}\n"),)),
    Break("a mart that is no SQL", edits=((MART, "select id", "select (id"),)),
    Break("a nested key", stream={"primary_key": [["address", "zip"]]}),
    Break("a comment", edits=((MODEL, "with\n", "-- it's {# {{ nothing }} #} here\nwith\n"),)),
)


def problems_and_notices(directory: Path, change: Break) -> tuple[list[str], list[str]]:
    """The report on the clean project after a change; files are relative to the project's folder."""
    lake = write(write_project(directory, broken(change)), lake_files(change))
    report = check_lake_files(lake)
    return [_line(problem, directory) for problem in report.problems], [
        _line(notice, directory) for notice in report.notices
    ]


def _line(problem: LocatedDiagnostic, directory: Path) -> str:
    return str(problem).removeprefix(f"{directory.as_posix()}/").removeprefix("dagster/dbt/")


def name_of(change: Break) -> str:
    return change.name


def test_the_clean_project_has_no_problems(tmp_path: Path) -> None:
    assert problems_and_notices(tmp_path, Break("clean")) == ([], [])


@pytest.mark.parametrize("change", BREAKS, ids=name_of)
def test_a_break_is_reported_with_file_and_line_and_nothing_else_is(change: Break, tmp_path: Path) -> None:
    assert problems_and_notices(tmp_path, change) == (change.told.splitlines(), [])


@pytest.mark.parametrize("change", NOTICES, ids=name_of)
def test_an_uncertain_case_is_a_notice(change: Break, tmp_path: Path) -> None:
    problems, notices = problems_and_notices(tmp_path, change)

    assert [problem for problem in problems if problem.startswith("models/")] == []
    assert notices == change.told.splitlines()


@pytest.mark.parametrize("change", RIGHT, ids=name_of)
def test_a_correct_project_gets_no_report(change: Break, tmp_path: Path) -> None:
    assert problems_and_notices(tmp_path, change) == ([], [])


def test_a_stream_file_that_can_not_be_read_is_the_only_thing_reported(tmp_path: Path) -> None:
    lake = write(write_project(tmp_path, CLEAN), lake_files(Break("clean")) | {"shop/orders.json": "{"})

    assert [problem.what for problem in check_lake_files(lake).problems] == [
        "is not JSON (expecting property name enclosed in double quotes, column 2)"
    ]


@pytest.mark.parametrize("file", [MODEL, MART])
def test_a_model_that_is_no_text_is_the_only_thing_reported(file: str, tmp_path: Path) -> None:
    lake = write(write_project(tmp_path, CLEAN), lake_files(Break("clean")))
    (tmp_path / "dagster" / "dbt" / file).write_bytes(b"\xff")

    assert [(Path(problem.file).name, problem.what) for problem in check_lake_files(lake).problems] == [
        (Path(file).name, "can't be read (not UTF-8)")
    ]


def test_a_prefix_is_that_of_the_destination_and_the_source(tmp_path: Path) -> None:
    files = lake_files(Break("clean"))
    for name, key, value in (("shop/_source.json", "prefix", "v2_"), ("shop/_source.json", "namespace", "eu")):
        document = files[name]
        assert isinstance(document, dict)
        files[name] = document | {key: value}
    lake = write(write_project(tmp_path, CLEAN), files)

    (problem,) = check_lake_files(lake).problems
    assert problem.remedy == "write `prefix: raw/eu/v2_orders/`"


def test_a_project_can_be_named_and_must_be_one(tmp_path: Path) -> None:
    lake = write(tmp_path / "streams", lake_files(Break("clean")))
    write(tmp_path / "elsewhere", {"dbt_project.yml": "", **CLEAN, SOURCES: None})

    assert check_lake_files(lake).models is None
    assert [problem.field for problem in check_lake_files(lake, dbt=tmp_path / "elsewhere").problems] == ["arrivals"]
    with pytest.raises(ProjectError, match=r"has no dbt_project\.yml: name the dbt project's folder with --dbt"):
        check_lake_files(lake, dbt=tmp_path)
