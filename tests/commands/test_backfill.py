"""`lotus backfill` as a user runs it beside a live Airbyte."""

import json
from pathlib import Path

import pytest

from lotus_infra.commands.backfill import MOST_JOBS, job_history
from lotus_infra.commands.sync import start
from tests.commands.lab import Lab
from tests.support.commands import Lotus


@pytest.fixture
def users(lab: Lab) -> Path:
    return lab.folder / "shop" / "users.json"


def test_the_plan_is_shown_with_what_jobs_brought_and_nothing_is_started(
    lab: Lab, lotus: Lotus, users: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for rows in (40, 2):
        [run] = start(lab.syncs(), ["shop"])
        assert run.job_id is not None
        lab.twin.twin.clock.advance(60)
        lab.drive(run.job_id, "succeeded", rows_synced=rows)
    before, jobs = users.read_bytes(), len(list(lab.twin.store.jobs))

    assert lotus("backfill", "shop", "users", "--token", "again", "--estimate", "--dry-run") == 0
    shown = capsys.readouterr().out
    assert '"backfill": false -> "again"' in shown
    assert "So far 2 jobs of shop read 42 rows, all streams together (all since " in shown
    assert "; the longest took 0:01:00." in shown
    assert users.read_bytes() == before

    assert lotus("backfill", "shop", "users", "--token", "again", "--estimate", "--yes", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["written"], told["history"]["rows"]) == (True, True, 42)
    assert json.loads(users.read_text())["backfill"] == "again"
    assert len(list(lab.twin.store.jobs)) == jobs
    assert job_history(lab.live, "shop").jobs == 2 < MOST_JOBS


def test_nothing_is_written_where_nobody_agrees(
    lab: Lab, lotus: Lotus, users: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = users.read_bytes()
    assert lotus("backfill", "shop", "users") == 1
    assert capsys.readouterr().err == "lotus: not a terminal, and nothing was changed: pass --yes to confirm\n"
    assert users.read_bytes() == before


def test_an_airbyte_that_does_not_answer_is_in_nobodys_way(
    lab: Lab, lotus: Lotus, users: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"airbyte:serverUrl": "http://127.0.0.1:9/api/public/v1", "lotus:workspaceId": lab.twin.workspace_id}
    (lab.folder.parent / "Pulumi.dev.yaml").write_text(json.dumps({"config": config}))
    monkeypatch.setenv("AIRBYTE_RETRY_BASE_SECONDS", "0")
    assert lotus("backfill", "shop", "users", "--estimate", "--yes") == 0
    printed = capsys.readouterr().out
    assert "The number of rows is unknown: " in printed
    assert "next: git commit " in printed
