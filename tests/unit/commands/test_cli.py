"""The command line: its output and exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lotus_infra import commands
from lotus_infra.commands.cli import main
from lotus_infra.errors import LotusError
from tests.support.broken_lake import MISTAKES, write_broken_lake
from tests.support.lakes import clean_files, write
from tests.support.lotus import LOADED
from tests.support.projects import CLEAN, MODEL, Break, lake_files, write_project


def lotus(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command in this process, and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["lotus", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clean lake in the folder that the command runs in."""
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "streams", clean_files())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clean dbt project beside a clean lake, in the folder that the command runs in."""
    monkeypatch.chdir(tmp_path)
    write(write_project(tmp_path, CLEAN), lake_files(Break("clean")))
    return tmp_path / "dagster" / "dbt"


def test_a_clean_lake_is_one_line_and_exit_code_0(
    lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus(monkeypatch, "check") == 0
    assert capsys.readouterr() == ("1 stream in 1 source: no problems\n", "")


def test_a_problem_is_a_line_that_starts_with_the_path_from_here_and_exit_code_1(
    lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(lake, {"shop/orders.json": "", "shop/_catalog.json": ""})

    assert lotus(monkeypatch, "check") == 1
    assert capsys.readouterr().out.splitlines() == [
        "streams/shop/orders.json:1: (file): is empty: write a JSON object into it, or delete it",
        "note: streams/shop/_catalog.json:1: (file): is obsolete and not read: delete it",
        "0 streams in 1 source: 1 problem",
    ]


def test_json_is_one_document_whether_or_not_there_are_problems(
    lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus(monkeypatch, "check", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "ok": True,
        "sources": 1,
        "streams": 1,
        "models": None,
        "problems": [],
        "notices": [],
    }
    write(lake, {"shop/orders.json": ""})

    assert lotus(monkeypatch, "check", "--json") == 1
    assert json.loads(capsys.readouterr().out)["problems"] == [
        {
            "file": "streams/shop/orders.json",
            "line": 1,
            "field": "",
            "what": "is empty",
            "remedy": "write a JSON object into it, or delete it",
        }
    ]


@pytest.mark.parametrize("verb", ["check", "schema", "graph"])
def test_a_folder_that_does_not_exist_is_one_line_and_exit_code_1(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--write"] if verb == "schema" else []

    assert lotus(monkeypatch, verb, *options, "--streams", "no/such/folder") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("lotus: no/such/folder ")
    assert printed.err.count("\n") == 1

    assert lotus(monkeypatch, verb, *options, "--streams", "no/such/folder", "--json") == 1
    again = capsys.readouterr()
    assert again.err == printed.err
    assert json.loads(again.out) == {"ok": False, "error": printed.err.removeprefix("lotus: ").rstrip()}


def test_a_schema_is_printed_by_its_kind(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert lotus(monkeypatch, "schema", "source") == 0
    printed = json.loads(capsys.readouterr().out)
    assert "non_breaking_changes" in printed["properties"]
    assert lotus(monkeypatch, "schema", "source", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "kind": "source", "schema": printed}


def test_an_unknown_kind_is_reported_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus(monkeypatch, "schema", "sorce") == 1
    assert capsys.readouterr().err == 'lotus: unknown kind of file "sorce": did you mean "source"?\n'


def test_schemas_are_written_where_editors_look_and_the_lake_stays_clean(
    lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus(monkeypatch, "schema", "--write") == 0
    assert capsys.readouterr().out.splitlines()[0] == "streams/.schema/stream.json"
    assert lotus(monkeypatch, "check") == 0


def test_a_clean_lake_and_project_are_one_line_with_the_number_of_compared_models(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus(monkeypatch, "check") == 0
    assert capsys.readouterr().out == "1 stream in 1 source and 2 models: no problems\n"


def test_a_break_of_the_contract_is_a_line_with_the_path_from_here_and_exit_code_1(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / MODEL).write_text(CLEAN[MODEL].replace("        email,", "        line_items,"))

    assert lotus(monkeypatch, "check") == 1
    assert capsys.readouterr().out.splitlines() == [
        (
            f"dagster/dbt/{MODEL}:8: line_items: the model reads it from shop/orders, which does not select it: "
            "add it to the fields of shop/orders.json, or don't read it"
        ),
        "1 stream in 1 source and 2 models: 1 problem",
    ]


def test_scaffold_prints_what_it_wrote_and_what_to_run_next(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / MODEL).unlink()

    assert lotus(monkeypatch, "scaffold", "shop", "orders", "--dry-run") == 0
    assert capsys.readouterr().out.splitlines() == [f"dagster/dbt/{MODEL}: the model", "nothing was written"]
    assert not (project / MODEL).exists()
    assert lotus(monkeypatch, "scaffold", "shop", "orders", "--dry-run", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["written"]) == (True, False)
    assert document["files"] == [f"dagster/dbt/{MODEL}: the model"]

    assert lotus(monkeypatch, "scaffold", "shop", "orders") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"dagster/dbt/{MODEL}: the model",
        "next: lotus check && dbt build --project-dir dagster/dbt --profiles-dir dagster/dbt --select tag:shop__orders",
    ]
    assert lotus(monkeypatch, "scaffold", "--all") == 0
    assert capsys.readouterr().out == "every selected stream has its model\n"
    assert lotus(monkeypatch, "scaffold", "shop", "orders") == 1
    assert capsys.readouterr().err.startswith("lotus: the model int_shop__orders already exists")


@pytest.mark.parametrize(
    "arguments", [[], ["shop"], ["shop", "orders", "--all"], ["--all", "--force"], ["a", "b", "c"]]
)
def test_scaffold_needs_a_stream_or_all_of_them(
    arguments: list[str], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus(monkeypatch, "scaffold", *arguments) == 2
    assert "--all" in capsys.readouterr().err


def test_a_graph_is_printed_or_written_in_the_format_of_the_files_suffix(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus(monkeypatch, "graph", "--source", "shop") == 0
    assert capsys.readouterr().out.startswith("flowchart LR\n")
    assert lotus(monkeypatch, "graph", "--format", "svg") == 0
    drawn = capsys.readouterr().out
    assert drawn.startswith("<svg ")
    assert lotus(monkeypatch, "graph", "--output", "lake.svg") == 0
    assert capsys.readouterr().out == "lake.svg\n"
    assert Path("lake.svg").read_text() == drawn
    assert lotus(monkeypatch, "graph", "--output", "LAKE.SVG") == 0
    assert Path("LAKE.SVG").read_text() == drawn
    assert lotus(monkeypatch, "graph", "--format", "svg", "--json") == 0
    assert json.loads(capsys.readouterr().out.partition("\n")[2])["drawing"] == drawn


def test_a_graph_is_not_written_to_a_file_with_the_suffix_of_another_format(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus(monkeypatch, "graph", "--output", "lake.png") == 2
    assert ".png is not a suffix of Mermaid or SVG" in capsys.readouterr().err
    assert not Path("lake.png").exists()
    assert lotus(monkeypatch, "graph", "--output", "lake.png", "--format", "svg") == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_an_output_that_takes_no_more_is_one_line_and_exit_code_1(lake: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "lotus_infra.commands.cli", "check"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (1, "lotus: [Errno 28] No space left on device\n")


def test_a_graph_of_an_unknown_source_or_into_a_missing_folder_is_one_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus(monkeypatch, "graph", "--source", "shp") == 1
    assert capsys.readouterr().err == 'lotus: streams has no source "shp": did you mean "shop"?\n'
    assert lotus(monkeypatch, "graph", "--output", "no/such/lake.svg") == 1
    assert capsys.readouterr().err.startswith("lotus: no/such/lake.svg can't be written (")


def test_a_lake_without_a_dbt_project_is_checked_without_the_parser_of_sql(lake: Path) -> None:
    checks = "import sys; from lotus_infra.commands.cli import main; sys.argv = ['lotus', 'check']\ntry:\n    main()\n"
    checks += "finally:\n    print('sqlglot' in sys.modules)"

    ended = subprocess.run([sys.executable, "-c", checks], capture_output=True, text=True, check=True)

    assert ended.stdout == "1 stream in 1 source: no problems\nFalse\n"


def test_no_mistake_makes_the_command_end_in_a_traceback(tmp_path: Path) -> None:
    """A terminal that knows ASCII alone, a project around the lake, and a mistake of every kind."""
    write_broken_lake(tmp_path / "streams")
    write(tmp_path, {"Pulumi.yaml": "name: lotus", "Pulumi.dev.yaml": "", "streams/shop/\udcff\n.txt": ""})
    environment = os.environ | {"PYTHONIOENCODING": "ascii:strict"}

    ended = subprocess.run(
        [sys.executable, "-m", "lotus_infra.commands.cli", "check", "--streams", str(tmp_path / "streams")],
        capture_output=True,
        check=False,
        env=environment,
    )

    assert ended.returncode == 1
    assert ended.stderr == b""
    assert len(ended.stdout.splitlines()) > len(MISTAKES)


@pytest.mark.parametrize(
    ("module", "foreign"),
    [
        ("check", {"pulumi", "httpx", "pulumi_airbyte", "kubernetes"}),
        ("sync", {"pulumi", "grpc", "kubernetes"}),
        ("discover", {"pulumi", "grpc", "kubernetes"}),
        ("verify", {"pulumi", "grpc", "pulumi_airbyte"}),
    ],
)
def test_no_verb_waits_for_what_only_another_needs(module: str, foreign: set[str]) -> None:
    code = f"import sys, lotus_infra.commands.cli, lotus_infra.commands.{module}; print(*sys.modules)"
    imported = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert foreign & set(imported) == set()


def test_every_file_of_a_command_is_in_the_list_that_help_prints_without_loading_any() -> None:
    shared = {"__init__", "add_configuration", "add_streams", "cli", "file_plan", "options", "output", "review"}
    shared |= {"add_module", "database_health", "findings", "runners", "terminal", "version"}
    folder = Path(commands.__file__).parent
    # A command of several concepts is a folder.
    found = [*folder.glob("*.py"), *(file.parent for file in folder.glob("*/__init__.py"))]
    files = {file.stem for file in found} - shared
    assert files == set(LOADED)
    assert all(command.name == name for name, command in LOADED.items())


def test_an_error_of_many_lines_is_a_list_and_its_control_characters_stay_escaped(
    lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise LotusError("two problems:\n  a \x1b[31m\nlotus: b\r")

    monkeypatch.setattr("lotus_infra.commands.check.check_lake_files", fail)

    assert lotus(monkeypatch, "check", "--json") == 1

    out, err = capsys.readouterr()
    assert err == "lotus: two problems:\n  a \\x1b[31m\n  lotus: b\n"
    assert json.loads(out) == {"ok": False, "error": "two problems:\n  a \\x1b[31m\n  lotus: b"}
