"""The two commands as a user runs them: what they print, and with which exit code they end."""

import io
import json
from pathlib import Path

import click
import pytest
from airbyte_twin.records import Temper
from rich.console import Console

from lotus_infra.commands.sync import ProgressObserver, sync_sources
from tests.commands.lab import Lab, with_fields
from tests.support.commands import Lotus, stand_in_engine


def test_a_sync_ends_with_a_table_and_its_progress_is_beside_it(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.steps = [
        lambda: lab.drive(1, "running", rows_synced=7),
        lambda: lab.drive(1, "running", rows_synced=8),
        lambda: lab.drive(1, "succeeded", rows_synced=1234, bytes_synced=56789),
    ]

    assert lotus("sync", "shop") == 0

    out, err = capsys.readouterr()
    row = next(line for line in out.splitlines() if "shop" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")][:5] == ["shop", "1", "succeeded", "1,234", "56.8 kB"]
    assert err.splitlines() == [
        "shop: job 1 pending",
        "shop: job 1 running, 7 rows",
        "shop: job 1 succeeded, 1,234 rows, 56.8 kB",
    ]


def test_a_dry_run_of_a_sync_shows_what_is_under_way_and_starts_nothing(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus("sync", "shop", "--no-wait") == 0
    capsys.readouterr()
    assert lotus("sync", "--all", "--dry-run", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    shown = [(run["source"], run["status"], run["was_running"]) for run in document["syncs"]]
    assert (document["ok"], shown) == (True, [("shop", "pending", True), ("store", "not started", False)])
    assert lotus("sync", "shop", "--cancel", "--dry-run") == 0
    assert [job.status for job in lab.twin.store.jobs] == ["pending"]


def test_a_failed_sync_ends_with_exit_code_1_and_the_reason(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.steps = [lambda: lab.drive(1, "failed"), lambda: lab.drive(2, "succeeded")]

    assert lotus("sync", "--all") == 1
    assert capsys.readouterr().err.splitlines()[-1] == "shop: Airbyte reports no reason: see the job's log in its UI"


def test_a_sync_as_json_is_one_document(lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]) -> None:
    lab.steps = [lambda: lab.drive(1, "succeeded", rows_synced=3)]

    assert lotus("sync", "store", "--json") == 0

    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is True
    [run] = document["syncs"]
    assert (run["source"], run["job_id"], run["status"], run["rows"], run["was_running"]) == (
        "store",
        1,
        "succeeded",
        3,
        False,
    )


def test_a_job_that_was_under_way_is_said_to_be_so(lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]) -> None:
    lotus("sync", "shop", "--no-wait")
    capsys.readouterr()
    lab.steps = [lambda: lab.drive(1, "succeeded")]

    assert lotus("sync", "shop") == 0
    assert capsys.readouterr().err.splitlines() == [
        "shop: job 1 pending, already running",
        "shop: job 1 succeeded, already running",
    ]


def test_without_waiting_the_ids_of_the_jobs_are_all_that_is_printed(
    lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus("sync", "--all", "--no-wait") == 0
    assert capsys.readouterr().out == "1\n2\n"

    assert lotus("sync", "--all", "--cancel") == 0
    assert capsys.readouterr().out.count("cancelled") == 2


def test_where_nothing_is_under_way_a_cancel_has_nothing_to_do_and_all_is_well(
    lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus("sync", "shop", "--cancel", "--json") == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_a_sync_that_can_not_start_is_told_even_where_only_ids_are_printed(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = lab.connection_id("shop")
    lab.airbyte.patch_connection(shop, {"status": "inactive"})

    assert lotus("sync", "--all", "--no-wait") == 1
    out, err = capsys.readouterr()
    assert out == "1\n"
    assert f"shop: Airbyte could not sync connection {shop}: 409" in err


def test_progress_moves_on_a_terminal(lab: Lab) -> None:
    written = io.StringIO()
    lab.steps = [lambda: lab.drive(1, "succeeded", rows_synced=9)]

    with ProgressObserver(Console(file=written, force_terminal=True, width=80)) as watched:
        sync_sources(lab.syncs(), ["shop"], watched, patience=lab.patience())

    assert "job 1 succeeded, 9 rows" in written.getvalue()


def test_who_interrupts_a_sync_gets_exit_code_130_and_a_way_on(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    lab.steps = [interrupt]

    assert lotus("sync", "shop") == 130
    assert capsys.readouterr().err.splitlines()[-1] == (
        "lotus: no longer waiting: job 1 of shop continues; "
        "`lotus sync shop` follows it again, `lotus sync --cancel shop` cancels it"
    )


def test_a_sync_that_takes_too_long_ends_with_exit_code_1(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.steps = [lambda: None]

    assert lotus("sync", "shop", "--timeout", "10") == 1
    assert capsys.readouterr().err.splitlines()[-1] == "shop: not finished after 10 s; the job continues"


@pytest.mark.parametrize("verb", ["sync", "discover"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no source is selected: name one of shop, store, or pass --all"),
        (["--all", "shop"], "both sources and --all are given: leave one of the two out"),
        (["shp"], 'streams has no source "shp": did you mean "shop"?'),
        (["shop", "--stack", "prod"], "the stack prod has no file Pulumi.prod.yaml: known stacks are dev"),
        (["shop", "--streams", "nowhere"], "nowhere does not exist: name the folder that holds the stream files"),
    ],
)
def test_what_was_asked_wrongly_is_one_line_and_exit_code_1(
    lotus: Lotus, capsys: pytest.CaptureFixture[str], verb: str, arguments: list[str], message: str
) -> None:
    assert lotus(verb, *arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"lotus: {message}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("verb", ["sync", "discover"])
def test_a_server_that_does_not_answer_is_one_line_and_exit_code_1(
    lotus: Lotus, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    file = Path("Pulumi.dev.yaml")
    file.write_text(file.read_text().replace("/api/public/v1", "/elsewhere"))

    assert lotus(verb, "shop") == 1
    err = capsys.readouterr().err
    assert err.startswith("lotus: Airbyte could not list sources: 404")
    assert err.count("\n") == 1


def test_a_discovery_prints_what_has_changed_and_breaks_nothing(
    lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus("discover", "shop", "--dry-run") == 0
    assert capsys.readouterr().out.splitlines() == [
        "shop: 3 streams, 3 added",
        "  + products",
        "  + purchases",
        "  + users",
        "  nothing written",
    ]
    assert lotus("discover", "shop") == 0
    capsys.readouterr()
    assert lotus("discover", "shop") == 0
    assert capsys.readouterr().out == "shop: 3 streams, no changes\n"
    assert lotus("check") == 0


def test_a_discovery_that_breaks_a_stream_ends_with_exit_code_1(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.outside(lambda streams: streams.update(users=with_fields(streams["users"], email=None)))

    assert lotus("discover", "shop", "--json") == 1

    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    [source] = document["sources"]
    assert (source["written"], source["streams"], len(source["changes"])) == (True, 3, 3)
    assert [(problem["file"], problem["field"]) for problem in source["problems"]] == [
        ("streams/shop/users.json", "fields.email")
    ]
    assert lotus("check") == 1


def test_one_source_that_fails_is_not_in_the_way_of_the_others(
    lab: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Airbyte's message is shown only if the stack's secrets are known.
    stand_in_engine(tmp_path, monkeypatch, """echo '{"lotus:s3_secret_access_key": {"value": "decrypted"}}'""")
    shop = lab.live.source_id(lab.live.folders(["shop"])[0])
    lab.twin.store.tempers.put(Temper(id=shop, discover_failure="Access denied"))

    assert lotus("discover", "--all") == 1
    out = capsys.readouterr().out
    assert out.startswith("shop: Airbyte could not discover the streams of source ")
    assert "store: 3 streams, 3 added" in out

    assert lotus("discover", "shop") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "Access denied" in err


def test_one_sources_id_is_not_that_of_all(lotus: Lotus, capsys: pytest.CaptureFixture[str]) -> None:
    assert lotus("discover", "--all", "--source-id", "any") == 2
    assert "--source-id selects one source" in capsys.readouterr().err


def test_a_person_at_a_terminal_is_asked_for_the_source(
    lotus: Lotus, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def prompt(text: str, **_: object) -> int:
        asked.append(text)
        return 2

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "prompt", prompt)

    assert lotus("discover", "--dry-run") == 0
    out, err = capsys.readouterr()
    assert out.startswith("store: 3 streams")
    assert err.splitlines()[:2] == ["  1. shop", "  2. store"]
    assert asked == ["Which source"]
