"""`lotus comment` and `lotus gate` as a user runs them."""

import json
from pathlib import Path

import pytest

from tests.commands.lab import Lab
from tests.support.commands import Lotus, lotus_in, write_stack
from tests.support.previews import CONNECTION, SOURCE, Digest, Stream, actor, connection


@pytest.fixture
def lotus(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lotus:
    """Runs the command beside the lake, in a project with the stack `prod`, whose Airbyte is the twin."""
    write_stack(tmp_path, "prod", lab.values | {"lotus:acknowledge": ["source shop"]})
    return lotus_in(tmp_path, monkeypatch)


def written(folder: Path, digest: Digest) -> str:
    (folder / "preview.json").write_text(digest.text(), encoding="utf-8")
    return "preview.json"


def test_the_gate_names_each_object_with_its_ways_out_and_takes_what_the_stack_acknowledges(
    lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = Digest().step("delete", SOURCE, "shop", actor()).step("delete", SOURCE, "other", actor())
    preview = written(tmp_path, digest)

    assert lotus("gate", "--preview", preview) == 1
    blocked, accepted = capsys.readouterr().out.splitlines()
    assert blocked.startswith("blocked: source other is deleted")
    assert blocked.endswith(
        'label the pull request accepts-data-loss, or add "source other" to lotus:acknowledge in the stack\'s file'
    )
    assert accepted.startswith("accepted: source shop is deleted")
    assert lotus("gate", "--preview", preview, "--label", "accepts-data-loss", "--json") == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_a_comment_goes_into_a_file_with_the_rows_that_jobs_brought(
    lotus: Lotus, lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus("sync", "shop", "--no-wait") == 0
    lab.drive(1, "succeeded", rows_synced=1234)
    [job] = lab.twin.store.jobs
    tokens = connection([Stream()], backfills={"orders": "again"})
    old, places = connection([Stream()]), ["backfills.orders"]
    digest = Digest().step("update", CONNECTION, "shop", old, tokens, *places, id=job.connection_id)
    preview = written(tmp_path, digest)

    assert lotus("comment", "--preview", preview, "--airbyte", "--output", "comment.md") == 0

    comment = (tmp_path / "comment.md").read_text(encoding="utf-8")
    assert comment.startswith("<!-- lotus:comment stack=prod -->")
    assert "up to about 1,234 rows, which 1 job read" in comment
    capsys.readouterr()
    assert lotus("comment", "--preview", preview, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["verdict"]) == (True, "touches data")
    assert document["stale"] == ["source shop"]
    assert "the number of rows is unknown without `--airbyte`" in document["markdown"]


def test_what_is_not_there_is_one_error(lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lotus("gate", "--preview", "nothing.json") == 1
    assert capsys.readouterr().err.startswith("lotus: nothing.json can't be read (No such file or directory): create")

    assert lotus("comment", "--preview", written(tmp_path, Digest()), "--stack", "staging") == 1
    assert "the stack staging has no file Pulumi.staging.yaml: known stacks are prod" in capsys.readouterr().err
