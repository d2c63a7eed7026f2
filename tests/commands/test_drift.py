"""`lotus drift` as a user runs it, with an engine that prints what it is given."""

import json
from pathlib import Path
from typing import Any

import pytest

from lotus_infra.commands import drift as view
from lotus_infra.commands.drift import FilePatch
from lotus_infra.plan.drift import Drift, DriftedObject, PropertyDrift
from tests.support.commands import Lotus, lotus_in, stand_in_engine
from tests.support.lakes import clean_files, write

URN = "urn:pulumi:dev::lotus::lotus:airbyte:Pipeline$airbyte:index/source:Source::shop"


@pytest.fixture
def lotus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lotus:
    """Runs the command beside a lake; `pulumi` prints the file `preview.json`, and fails where it has an error."""
    write(tmp_path / "streams", clean_files())
    stand_in_engine(tmp_path, monkeypatch, "cat preview.json || exit 255\n! grep -q '\"error\"' preview.json")
    return lotus_in(tmp_path, monkeypatch, "drift")


def preview(code: int, state: int, live: int, severity: str = "info") -> str:
    """What the engine prints of a source whose number of rows differs."""
    inputs = [{"inputs": {"name": "Shop", "configuration": {"count": count}}} for count in (code, state, live)]
    steps: list[Any] = [
        {"op": "refresh", "urn": URN, "oldState": inputs[1], "newState": inputs[1]},
        {"op": "same" if code == live else "update", "urn": URN, "oldState": inputs[2], "newState": inputs[0]},
    ]
    said = {"severity": severity, "message": "connection refused\n"}
    return json.dumps({"steps": steps, "diagnostics": [said], "changeSummary": {"same": 1}}, indent=2)


def test_what_differs_is_told_and_the_exit_code_says_so(
    lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "preview.json").write_text(preview(10, 10, 20))
    assert lotus() == 1
    assert capsys.readouterr().out == (
        "Changed outside of the program, in Airbyte's UI or by Airbyte itself (1)\n"
        "  source shop: configuration.count: code 10, state 10, live 20\n"
        "\n"
        "1 difference in 1 object: 1 changed outside\n"
    )
    assert lotus("--json") == 1
    assert json.loads(capsys.readouterr().out)["objects"][0]["differences"][0]["verdict"] == "changed"


def test_a_patch_goes_to_a_file_and_a_second_one_has_nothing_to_take_over(
    lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "preview.json").write_text(preview(10, 10, 20))
    assert lotus("--patch", "--output", "drift.patch") == 0
    assert '+    "count": 20\n' in (tmp_path / "drift.patch").read_text()
    (tmp_path / "preview.json").write_text(preview(20, 10, 20))
    assert lotus("--patch") == 0
    assert capsys.readouterr() == ("", "No changes in Airbyte.\n")
    assert lotus() == 0


def test_without_drift_there_is_one_line(lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "preview.json").write_text(preview(10, 10, 10))
    assert lotus() == 0
    assert capsys.readouterr().out == "No drift: code, state and Airbyte match.\n"


@pytest.mark.parametrize("text", [preview(1, 1, 1, severity="error"), None])
def test_a_preview_that_fails_is_one_error(
    text: str | None, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (tmp_path / "preview.json").write_text(text)
    assert lotus() == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("lotus: ")
    assert ("connection refused" if text else "the preview failed, so drift is unknown") in told.err


def test_an_issue_has_the_patch_and_nothing_in_it_ends_a_block(
    lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "preview.json").write_text(preview(10, 10, 20))
    assert lotus("--format", "markdown") == 1
    assert "\n```diff\ndiff --git a/streams/shop/_source.json" in capsys.readouterr().out

    nasty = PropertyDrift(("configuration", "a\n```"), None, None, "@everyone ````")
    body = view.markdown(Drift((DriftedObject("source", "shop", (nasty,), (), {}),), {}), FilePatch("", (), ()))
    assert body.startswith("`````text\n")
    assert "\\n```" in body


def test_an_issue_stays_below_the_limit() -> None:
    drift = Drift((), {})
    body = view.markdown(drift, FilePatch("+" * view.LIMIT, (), ()))
    assert len(body) < view.LIMIT
    assert "too long for an issue" in body
