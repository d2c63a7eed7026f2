"""`lotus preview` and `lotus deploy` on the real engine: what was reviewed is applied, and never an older commit."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.lake import SECRETS, Document, Lake
from tests.support.clone import commit, git

Lotus = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def lotus(lake: Lake) -> Lotus:
    """Runs the command in the lake's project, which is a clone with one commit."""
    git(lake.pulumi.project, "init", "-q")
    commit(lake.pulumi.project, "A")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = lake.pulumi.environment
        return subprocess.run(
            ["lotus", *arguments], cwd=lake.pulumi.project, env=environment, capture_output=True, text=True, check=False
        )

    return run


def without(field: str) -> Callable[[Document], object]:
    return lambda stream: stream["fields"].pop(field)


def unselect(lake: Lake, field: str) -> None:
    """Take a field of orders out as somebody does in Airbyte's own page."""
    connection = lake.one("connections", "Shopify → S3")
    streams = connection["configurations"]["streams"]
    for stream in streams:
        stream.pop("mappers", None)
        if stream["name"] == "orders":
            stream["selectedFields"] = [each for each in stream["selectedFields"] if each["fieldPath"] != [field]]
    lake.api("PATCH", f"/connections/{connection['connectionId']}", {"configurations": {"streams": streams}})


def refused(lotus: Lotus, lake: Lake, why: str) -> None:
    lake.twin.clear_calls()
    done = lotus("deploy", "--yes", "--reviewed", ".review/test")
    assert (done.returncode, why in done.stderr) == (1, True), done.stdout + done.stderr
    assert [call for call in lake.writes() if not call[1].startswith("/api/v1/")] == []


def test_what_was_reviewed_is_applied_and_nothing_once_the_files_or_airbyte_or_the_state_moved(
    lake: Lake, lotus: Lotus
) -> None:
    folder = lake.pulumi.project / ".review" / "test"
    made = lotus("preview", "--json")
    assert made.returncode == 0, made.stderr
    assert len([step for step in json.loads(made.stdout)["steps"] if step["type"].startswith("airbyte:")]) == 7
    assert sorted(file.name for file in folder.iterdir()) == [".gitignore", "plan.json", "preview.json", "review.json"]
    written = "".join(file.read_text(encoding="utf-8") for file in folder.iterdir()) + made.stdout
    assert not [value for value in SECRETS.values() if value in written]

    done = lotus("deploy", "--reviewed", ".review/test", "--yes", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"] is True
    assert len(lake.live("connections")) == 3

    lake.edit("shopify/orders.json", without("total_tax"))
    reviewed = commit(lake.pulumi.project, "B")
    assert lotus("preview").returncode == 0
    lake.edit("faker/users.json", without("email"))
    refused(lotus, lake, "uncommitted changes, which were not reviewed")
    commit(lake.pulumi.project, "C")
    refused(lotus, lake, "differ from those reviewed, of")
    git(lake.pulumi.project, "reset", "-q", "--hard", reviewed)
    unselect(lake, "total_discounts")
    refused(lotus, lake, "the changes differ from those reviewed: Connection shopify: preview again")
    lake.pulumi.refresh().ok()
    refused(lotus, lake, "the state of test has changed since the review")


def test_the_gate_is_judged_again_with_the_labels_and_acknowledgements_of_now(lake: Lake, lotus: Lotus) -> None:
    reviewed = ("deploy", "--yes", "--reviewed", ".review/test")
    assert lotus("deploy", "--yes").returncode == 0
    lake.edit("_destinations/s3.json", lambda destination: destination.update(name="Lake"))
    lake.remove("klaviyo")
    commit(lake.pulumi.project, "B")
    assert lotus("preview").returncode == 0

    refused(lotus, lake, "labels count as they are now\n  blocked: source klaviyo is deleted")
    assert len(lake.live("connections")) == 3
    done = lotus(*reviewed, "--label", "accepts-data-loss")
    assert done.returncode == 0, done.stderr
    assert len(lake.live("connections")) == 2

    lake.remove("faker")
    lake.pulumi.run("config", "set", "--path", "lotus:acknowledge[0]", "source faker").ok()
    commit(lake.pulumi.project, "C")
    assert lotus("preview").returncode == 0
    # A preview that was changed after the review so that it has no losses is not what the engine would do.
    saved = lake.pulumi.project / ".review" / "test" / "preview.json"
    document = json.loads(saved.read_text(encoding="utf-8"))
    steps = [step for step in document["steps"] if step["op"] != "delete"]
    summary = {op: count for op, count in document["changeSummary"].items() if op != "delete"}
    forged = document | {"steps": steps, "changeSummary": summary}
    saved.write_text(json.dumps(forged, indent=4), encoding="utf-8")
    refused(lotus, lake, "the changes differ from those reviewed")
    saved.write_text(json.dumps(document, indent=4), encoding="utf-8")
    done = lotus(*reviewed)
    assert done.returncode == 0, done.stderr
    assert len(lake.live("connections")) == 1


def test_ticket_001_a_fix_is_applied_in_its_own_run_and_no_older_commit_after_it(lake: Lake, lotus: Lotus) -> None:
    bad = lake.pulumi.project / "streams" / "shopify" / "orders.json"
    good = bad.read_text(encoding="utf-8")
    bad.write_text(good.replace('"updated_at"', '"updated"', 1), encoding="utf-8")
    older = commit(lake.pulumi.project, "B")
    failed = lotus("deploy", "--yes")
    assert failed.returncode == 1
    assert "orders.json" in failed.stderr
    assert lake.writes() == []

    bad.write_text(good, encoding="utf-8")
    newer = commit(lake.pulumi.project, "C")
    fixed = lotus("deploy", "--yes")
    assert fixed.returncode == 0, fixed.stderr
    # Its preview was in a folder that is gone.
    assert "saved in" not in fixed.stderr
    assert len(lake.live("connections")) == 3

    git(lake.pulumi.project, "checkout", "-q", older)
    late = lotus("deploy", "--yes")
    assert (late.returncode, f"the deployed commit {newer[:12]} is newer" in late.stderr) == (1, True)
    git(lake.pulumi.project, "checkout", "-q", "--orphan", "beside")
    beside = commit(lake.pulumi.project, "D")
    aside = lotus("deploy", "--yes")
    assert (aside.returncode, f"--supersede {newer[:12]}" in aside.stderr) == (1, True), beside


def test_a_preview_that_fails_says_why_and_leaves_nothing_to_deploy(lake: Lake, lotus: Lotus, tmp_path: Path) -> None:
    (lake.pulumi.project / "streams" / "shopify" / "orders.json").write_text("{", encoding="utf-8")
    assert "commit them: a review is for one commit" in lotus("preview").stderr
    commit(lake.pulumi.project, "B")

    failed = lotus("preview", "--output", str(tmp_path / "review"))

    assert failed.returncode == 1
    assert "orders.json" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert sorted(file.name for file in (tmp_path / "review").iterdir()) == [".gitignore", "preview.json"]
    assert "no complete saved plan in" in lotus("deploy", "--reviewed", str(tmp_path / "review"), "--yes").stderr
