"""The repository's own lake and its own dbt project."""

import shutil
from pathlib import Path

import pytest

from lotus_infra import naming
from lotus_infra.commands.check import check_lake_files
from lotus_infra.dbt.scaffold import model_entry, model_sql, table_entry
from lotus_infra.lake.lake import SourceFolder, StreamFile
from lotus_infra.lake.loader import load_lake
from tests.support.lakes import OWN_STREAMS

OWN_PROJECT = OWN_STREAMS.parent / "dagster" / "dbt"
LAKE = load_lake(OWN_STREAMS).lake
STREAMS = [(source, stream) for source in LAKE.sources for stream in source.selected_streams]
NAMES = [f"{source.name}/{stream.name}" for source, stream in STREAMS]


def as_scaffolded(text: str) -> str:
    """A text without what only people know: that amounts have a scale."""
    return text.replace("decimal(18, 4)", "double")


each_stream = pytest.mark.parametrize(("source", "stream"), STREAMS, ids=NAMES)


def test_the_own_project_keeps_the_contract_with_no_problem_and_no_notice() -> None:
    report = check_lake_files(OWN_STREAMS, dbt=OWN_PROJECT)

    assert (report.problems, report.notices) == ((), ())
    assert report.models == 15


def test_order_lines_that_read_a_field_which_orders_do_not_select_are_found_before_they_run(tmp_path: Path) -> None:
    project = shutil.copytree(OWN_PROJECT, tmp_path / "dbt", ignore=shutil.ignore_patterns("target"))
    lines = project / "models" / "core" / "shopify" / "int_shopify__order_lines.sql"
    lines.write_text(
        "{{ config(unique_key='id', tags=['shopify__orders']) }}\n\n"
        "select\n    id,\n    unnest(json_extract(fulfillments, '$[*]')) as line\n"
        "from {{ arrivals('shopify', 'orders') }}\n"
    )

    (problem,) = check_lake_files(OWN_STREAMS, dbt=project).problems

    assert (Path(problem.file), problem.line, problem.field) == (lines, 5, "fulfillments")
    assert problem.what == "the model reads it from shopify/orders, which does not select it"


@each_stream
def test_a_scaffold_has_the_core_of_the_model_that_was_written_by_hand(
    source: SourceFolder, stream: StreamFile
) -> None:
    written = as_scaffolded((OWN_PROJECT / naming.dbt_model_file(source.name, stream.name)).read_text())
    by_hand, separator, _ = written.partition(",\n\ntyped as (")
    made = model_sql(stream)

    assert made == (written if not separator else made.replace(made.partition("\n\n{{ latest")[0], by_hand))


@each_stream
def test_a_scaffold_declares_the_table_as_it_is_declared(source: SourceFolder, stream: StreamFile) -> None:
    file = f"{naming.dbt_models_folder(source.name)}/{naming.dbt_sources_file(source.name)}"
    text = as_scaffolded((OWN_PROJECT / file).read_text())
    prefix = LAKE.prefix_of(source, stream)
    assert prefix is not None
    indented = "\n".join(f"        {line}" for line in table_entry(stream, prefix).splitlines())

    assert f"\n      - {indented.strip()}\n" in text


@each_stream
def test_a_scaffold_describes_and_tests_the_key_as_people_did(source: SourceFolder, stream: StreamFile) -> None:
    lines = model_entry(stream, source.label).splitlines()
    file = f"{naming.dbt_models_folder(source.name)}/{naming.dbt_models_file(source.name)}"
    text = (OWN_PROJECT / file).read_text()

    until_cursor = "\n".join(f"    {line}" for line in lines[:-1])
    assert f"\n  - {until_cursor.strip()}\n" in text
    assert lines[-1] == "    data_tests: [not_null]"
