"""`lotus gate` as a user runs it, on exposures and on changes that are not known to be harmless."""

import json
from pathlib import Path

import pytest

from tests.support.commands import Lotus, lotus_in, write_stack
from tests.support.previews import Digest

BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
CLOSED = dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True)


@pytest.fixture
def lotus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lotus:
    """Runs the command in a project with a lake and the stack `prod`."""
    (tmp_path / "streams").mkdir()
    write_stack(tmp_path, "prod", {})
    opened = Digest().step(
        "update", BLOCK, "landing", CLOSED, CLOSED | {"blockPublicPolicy": False}, "blockPublicPolicy"
    )
    (tmp_path / "opened.json").write_text(opened.text(), encoding="utf-8")
    unknown = Digest().step("update", "aws:s3/bucket:Bucket", "jobs", {"colour": "a"}, {"colour": "b"}, "colour")
    (tmp_path / "unknown.json").write_text(unknown.text(), encoding="utf-8")
    return lotus_in(tmp_path, monkeypatch)


def test_an_exposure_is_blocked_until_it_is_acknowledged_by_object_or_by_label(
    lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus("gate", "--preview", "opened.json") == 1
    assert capsys.readouterr().out == (
        "blocked: bucket landing no longer blocks public access completely: label the pull request accepts-data-loss, "
        'or add "bucket landing" to lotus:acknowledge in the stack\'s file\n'
    )

    assert lotus("gate", "--preview", "opened.json", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["verdict"]) == (False, "exposes")
    assert document["blocked"] == [
        {
            "object": "bucket landing",
            "what": "no longer blocks public access completely",
            "refused": False,
            "effect": "exposes",
        }
    ]

    assert lotus("gate", "--preview", "opened.json", "--label", "accepts-data-loss") == 0
    write_stack(tmp_path, "prod", {"lotus:acknowledge": ["bucket landing"]})
    assert lotus("gate", "--preview", "opened.json") == 0


def test_a_change_that_is_not_known_to_be_harmless_leaves_the_gate_open_and_is_not_called_safe(
    lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus("gate", "--preview", "unknown.json") == 0
    assert capsys.readouterr().out == "the gate is open: no losses or exposures\n"

    assert lotus("comment", "--preview", "unknown.json", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["verdict"] == "look"
    assert document["others"][0]["notes"] == [
        {"effect": "look", "what": "changes in a property that the table of verdicts does not have"}
    ]
    assert "🟢" not in document["markdown"]
