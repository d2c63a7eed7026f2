"""What the workflows ask of GitHub: which review counts, what is posted, and what a forged world gets instead."""

import io
import json
import os
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lotus_infra import naming
from tests.support.clone import commit, git
from tests.unit.toolchain.github_world import (
    BLOB,
    ELSEWHERE,
    FORK,
    HEAD,
    HERE,
    LAST,
    OURS,
    REPOSITORY,
    TREE,
    Json,
    answering,
    at_minute,
    by_hand,
    honest,
    leaves,
    opened,
    packed,
    pull,
    put,
    reviewed,
    run,
    serve,
    value_at,
    written,
)
from toolchain import github
from toolchain.github import BOT, LOSS_LABEL, PREVIEWS, GithubError, Reviewed, unpack

Serve = Callable[[Json], None]
Attack = Callable[[Json], object]
GIT = shutil.which("git") or "git"
MARKER = "<!-- lotus:comment stack=prod -->"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Makes a world the one that `gh` answers from."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return lambda world: serve(tmp_path, world)


def review() -> Reviewed:
    return github.review(REPOSITORY, "prod", HERE)


def of_run(found: Reviewed) -> int:
    """The run whose preview was found."""
    assert set(found.files) == {"preview.json", "plan.json", "review.json"}
    return int(json.loads(found.files["preview.json"])["by"])


# The review that counts


@pytest.mark.parametrize("way", ["merge", "squash", "rebase"])
def test_the_review_is_the_one_of_the_last_commit_of_the_pull_request_that_was_merged(served: Serve, way: str) -> None:
    # GitHub records the same for all three: the commit of main that the merge ended in, and the branch's last commit.
    world = honest()
    before = pull(3, head={"sha": "1" * 40, "ref": way, "repo": {"id": OURS}}, merge_commit_sha="2" * 40)
    world["pulls"].append(before)
    world["commits"][HEAD].append(3)
    served(world)

    assert of_run(review()) == 12
    assert review().label == LOSS_LABEL == naming.LOSS_LABEL


def test_the_label_is_the_one_of_now(served: Serve) -> None:
    world = honest()
    world["pulls"][0]["labels"] = [{"name": "urgent"}, {"name": "accepts-data-loss\nx=y"}]
    served(world)
    assert review().label == ""

    served(honest() | {"now": {"labels": []}})
    assert review().label == ""


def test_a_manual_run_on_main_counts_first_and_takes_no_label(served: Serve) -> None:
    world = honest()
    world["runs"].append(by_hand())
    world["artifacts"].append(reviewed(by_hand(), 30, commit=HEAD))
    served(world)
    assert (of_run(review()), review().label) == (40, "")

    served(world | {"pulls": [], "commits": {HEAD: []}})
    assert of_run(review()) == 40

    world["runs"][-1]["conclusion"] = "failure"
    served(world)
    assert (of_run(review()), review().label) == (12, LOSS_LABEL)


def test_a_merge_that_github_no_longer_attempts_is_no_reason_to_refuse(served: Serve) -> None:
    """Runs that count for nothing: skipped ones, and those that a label started after the merge."""
    world = honest()
    world["runs"] += [run(13, conclusion="skipped"), run(50, conclusion="failure")]
    served(world)

    assert of_run(review()) == 12


def another_review(world: Json, **changes: Any) -> None:
    """A later run that says it reviewed these very files, in place of the honest one."""
    forged = run(14, **({"sha": LAST} | changes))
    world["runs"] = [forged]
    world["artifacts"] = [reviewed(forged)]
    world["pulls"][0]["labels"] = [{"name": LOSS_LABEL}]


def in_addition(world: Json, **changes: Any) -> None:
    """A later run beside the honest one."""
    made = run(14, **changes)
    world["runs"].append(made)
    world["artifacts"].append(reviewed(made, 31))


def files(world: Json, **changes: Any) -> None:
    """Other files in the honest run's artifact; `...` leaves one out."""
    given = world["artifacts"][1]["files"] | {name.replace("_", "."): content for name, content in changes.items()}
    world["artifacts"][1]["files"] = {name: content for name, content in given.items() if content is not ...}


def origin(world: Json, **changes: Any) -> None:
    """Another origin in the honest run's artifact."""
    files(world, review_json=world["artifacts"][1]["files"]["review.json"] | changes)


def record(world: Json, **changes: Any) -> None:
    """Another record of the honest run's artifact, which GitHub lists there all the same."""
    world["artifacts"][1] |= {"listed_by": 12} | changes


def manual(world: Json, commit: str = HEAD, **changes: Any) -> None:
    """A manual run alone."""
    made = by_hand() | changes
    world["runs"] = [made]
    world["artifacts"] = [reviewed(made, commit=commit)]


def another_pull(world: Json, **changes: Any) -> None:
    """Another pull request of the same branch."""
    world["pulls"].append(pull(6, **({"merged_at": None, "merge_commit_sha": None} | changes)))


ATTACKS: dict[str, tuple[Attack, str]] = {
    "a push run of an edited workflow on the branch": (
        lambda w: another_review(w, event="push"),
        "no run of `preview`",
    ),
    "a push run on another branch": (
        lambda w: another_review(w, event="push", head_branch="evil", sha=ELSEWHERE),
        "no run of `preview`",
    ),
    "a pull request's run of another branch at the same commit": (
        lambda w: another_review(w, head_branch="evil"),
        "no run of `preview`",
    ),
    "a scheduled run": (lambda w: another_review(w, event="schedule"), "no run of `preview`"),
    "a fork's run of the same commit": (
        lambda w: another_review(w, head_repository={"id": FORK, "owner": {"login": "x"}}),
        "no run of `preview`",
    ),
    "a run of a repository that is gone": (lambda w: another_review(w, head_repository=None), "no run of `preview`"),
    "a run of another workflow": (
        lambda w: another_review(w, path=".github/workflows/evil.yml"),
        "no run of `preview`",
    ),
    "a run of an earlier commit, before a forced push": (
        lambda w: w.update(runs=[run(12, "d" * 40)], artifacts=[reviewed(run(12, "d" * 40))]),
        "no run of `preview`",
    ),
    "a run before the pull request was opened": (
        lambda w: another_review(w, created_at="2026-01-01T00:00:00Z"),
        "no run of `preview`",
    ),
    "a run after the merge": (lambda w: another_review(w, created_at=at_minute(31)), "no run of `preview`"),
    "an edited workflow in the last commit": (
        lambda w: w["blobs"].update({LAST: {"type": "file", "sha": "9" * 40}}),
        "differs from the one of main",
    ),
    "a link in place of the workflow": (
        lambda w: w["blobs"][LAST].update(type="symlink"),
        "differs from the one of main",
    ),
    "a newest run that failed its gate, after the label was removed": (
        lambda w: in_addition(w, conclusion="failure"),
        "no success but failure",
    ),
    "a newest run that was cancelled": (lambda w: in_addition(w, conclusion="cancelled"), "no success but cancelled"),
    "a newest run that still runs": (
        lambda w: in_addition(w, status="in_progress", conclusion=None),
        "no success but in_progress",
    ),
    "a newest run of other files": (
        lambda w: w["runs"].append(run(14)),
        f"has no artifact review-prod-{TREE}: it previewed other files",
    ),
    "a second attempt that made nothing": (
        lambda w: w["runs"][1].update(run_attempt=2, run_started_at=at_minute(20)),
        "has no artifact",
    ),
    "another pull request of the branch, for another base": (
        lambda w: another_pull(w, base={"ref": "evil", "repo": {"id": OURS}}, closed_at=at_minute(11)),
        "has another pull request, 6, for evil",
    ),
    "another pull request of the branch, opened at the same time": (
        lambda w: another_pull(w, closed_at=at_minute(20)),
        "has another pull request, 6, for main",
    ),
    "a base that was changed": (
        lambda w: w["events"]["5"].append({"event": "base_ref_changed"}),
        "the base of pull request 5 was changed",
    ),
    "a base that GitHub changed": (
        lambda w: w["events"]["5"].append({"event": "automatic_base_change_succeeded"}),
        "the base of pull request 5 was changed",
    ),
    "a pull request for another branch": (
        lambda w: w["pulls"][0].update(base={"ref": "evil", "repo": {"id": OURS}}),
        "is for evil, not for main",
    ),
    "a pull request of a fork": (
        lambda w: w["pulls"][0]["head"].update(repo={"id": FORK}),
        "pull request 5 comes from a fork",
    ),
    "a pull request of a fork that is gone": (lambda w: w["pulls"][0]["head"].update(repo=None), "comes from a fork"),
    "a pull request that was closed": (lambda w: w["pulls"][0].update(merged_at=None), "0 merged pull requests"),
    "a pull request that was merged as another commit": (
        lambda w: w["pulls"][0].update(merge_commit_sha=ELSEWHERE),
        "0 merged pull requests",
    ),
    "a pull request that only a list says was merged": (
        lambda w: w.update(now={"merged_at": None}),
        "pull request 5 was not merged as",
    ),
    "a commit without a pull request": (lambda w: w["commits"].update({HEAD: []}), "0 merged pull requests"),
    "a commit of two pull requests": (
        lambda w: (w["pulls"].append(pull(6)), w["commits"][HEAD].append(6)),
        "2 merged pull requests",
    ),
    "a manual run on another branch": (lambda w: manual(w, head_branch="evil"), "no run of `preview`"),
    "a manual run on an earlier main": (lambda w: manual(w, head_sha=ELSEWHERE), "no run of `preview`"),
    "a manual run of another commit, as it says": (lambda w: manual(w, commit=ELSEWHERE), "is of another commit"),
    "a manual run that failed": (lambda w: manual(w, conclusion="failure"), "no success but failure"),
    "an artifact for another stack": (lambda w: origin(w, stack="dev"), "of another stack or of other files"),
    "an artifact of other files, as it says": (
        lambda w: origin(w, tree="8" * 40),
        "of another stack or of other files",
    ),
    "an origin that is no object": (lambda w: files(w, review_json=["prod"]), "of another stack or of other files"),
    "an origin that is no document": (lambda w: files(w, review_json="{"), "is no JSON document"),
    "an origin of many levels": (lambda w: files(w, review_json="[" * 200_000), "is no JSON document"),
    "an artifact without a plan": (lambda w: files(w, plan_json=...), "not each of preview.json, plan.json"),
    "an artifact that expired": (lambda w: record(w, expired=True), "has expired"),
    "an artifact that is a bomb by its size": (lambda w: record(w, size_in_bytes=10**10), "is larger than"),
    "an artifact that is no archive": (lambda w: record(w, files=b"PK"), "can't be unpacked"),
    "an artifact that GitHub records for another run": (
        lambda w: record(w, workflow_run=w["artifacts"][1]["workflow_run"] | {"id": 14}),
        "is not one of the run",
    ),
    "an artifact that GitHub records for a fork": (
        lambda w: record(w, workflow_run=w["artifacts"][1]["workflow_run"] | {"head_repository_id": FORK}),
        "is not one of the run",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_not_the_review_that_counts_is_refused_with_the_reason(served: Serve, name: str) -> None:
    attack, why = ATTACKS[name]
    world = honest()
    attack(world)
    served(world)

    with pytest.raises(GithubError) as refused:
        review()

    assert why in str(refused.value)
    assert "no review that counts" in str(refused.value)
    assert "Run `preview` on main" in str(refused.value)


def others(value: Any) -> list[Any]:
    """What else could be in the place of a value, and nothing at all."""
    if isinstance(value, bool):
        return [not value, None, ...]
    if isinstance(value, int):
        return [value + 1, str(value), None, ...]
    if isinstance(value, str) and value.endswith("Z"):
        return ["2025-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "yesterday", "2026-01-02T10:12:00", None, ...]
    return [f"{value}x", ELSEWHERE, None, ...]


def by_hand_alone() -> Json:
    """A commit of main without a pull request, and a manual run for it."""
    made = by_hand()
    return honest() | {
        "pulls": [],
        "commits": {HEAD: []},
        "events": {},
        "runs": [made],
        "artifacts": [reviewed(made, commit=HEAD)],
    }


RECORDS = frozenset({"repository", "pulls", "commits", "events", "runs", "artifacts", "blobs"})


@pytest.mark.parametrize("start", [honest, by_hand_alone], ids=["pull request", "manual"])
def test_any_other_value_of_any_record_is_refused_or_finds_the_same_review(
    monkeypatch: pytest.MonkeyPatch, start: Callable[[], Json]
) -> None:
    def reviewed_in(world: Json) -> Reviewed:
        monkeypatch.setattr("toolchain.github.subprocess.run", answering(world))
        return review()

    world = start()
    expected = reviewed_in(world)
    mutants = [
        (place, other)
        for place in leaves(world)
        if place[0] in RECORDS and len(place) > 1
        for other in others(value_at(world, place))
    ]
    refusals = 0
    for place, other in mutants:
        try:
            found = reviewed_in(put(world, place, other))
        except GithubError:
            refusals += 1
            continue
        assert (found.run.id, found.label in {"", expected.label}) == (expected.run.id, True), (place, other)
        assert found.files == expected.files or "files" in place, (place, other)
    assert refusals > len(mutants) / 4


def test_a_refusal_writes_nothing_and_a_review_its_files_and_one_known_label(
    served: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", REPOSITORY.name)
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setattr(github.Checkout, "here", classmethod(lambda _: HERE))
    folder = tmp_path / "review"
    served(honest() | {"runs": []})
    assert github.main(["review", "prod", str(folder)]) == 1
    assert not folder.exists()
    assert not (tmp_path / "output").exists()
    assert capsys.readouterr().err.startswith(f"error: the commit {HEAD} has no review that counts: ")

    served(honest())
    assert github.main(["review", "prod", str(folder)]) == 0
    assert sorted(file.name for file in folder.iterdir()) == ["plan.json", "preview.json", "review.json"]
    assert (tmp_path / "output").read_text(encoding="utf-8") == "label=accepts-data-loss\n"
    assert capsys.readouterr().out.startswith(
        "Reviewed in https://github.com/acme/lake/actions/runs/12, with the label"
    )
    assert github.main(["review", "prod/../x", str(folder)]) == 1
    assert "is no name of a stack" in capsys.readouterr().err


def test_the_command_reads_the_checked_out_commit_and_the_workflow_of_its_tree(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    workflow = clone / PREVIEWS
    workflow.parent.mkdir(parents=True)
    workflow.write_text("name: preview\n", encoding="utf-8")
    git(clone, "init", "-q")
    head = commit(clone, "A")
    tree, blob = git(clone, "rev-parse", "HEAD^{tree}", f"HEAD:{PREVIEWS}").split()
    # What is only in the working tree does not count.
    workflow.write_text("name: evil\n", encoding="utf-8")
    world = json.dumps(honest()).replace(HEAD, head).replace(TREE, tree).replace(BLOB, blob)
    serve(tmp_path, json.loads(world))
    command = [sys.executable, str(Path(github.__file__)), "review", "prod", str(tmp_path / "review")]
    environment = {
        "PATH": os.pathsep.join([str(tmp_path), str(Path(GIT).parent)]),
        "GITHUB_REPOSITORY": REPOSITORY.name,
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }

    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "output").read_text(encoding="utf-8") == "label=accepts-data-loss\n"
    assert len(list((tmp_path / "review").iterdir())) == 3


# Artifacts


def test_a_file_that_is_in_an_archive_twice_is_not_chosen() -> None:
    archive = packed({"a.json": "1", "b.json": "2"}).replace(b"b.json", b"a.json")
    with pytest.raises(GithubError, match=r"not each of a\.json once"):
        unpack(archive, ("a.json",), 100)


def test_a_bomb_is_refused_by_its_size_and_one_that_lies_about_it_is_not_unpacked() -> None:
    bomb = packed({"a.json": b"0" * 10_000_000})
    with pytest.raises(GithubError, match="larger than 100 bytes"):
        unpack(bomb, ("a.json",), 100)
    lying = bomb.replace(struct.pack("<L", 10_000_000), struct.pack("<L", 10))
    with pytest.raises(GithubError, match="can't be unpacked"):
        unpack(lying, ("a.json",), 100)


def test_an_archive_that_github_does_not_make_is_refused() -> None:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.json", "{}")
    with pytest.raises(GithubError, match="packed as GitHub does not"):
        unpack(into.getvalue(), ("a.json",), 100)


# The comment


def event(of: Json) -> Json:
    """The event of a run that has ended."""
    return {"repository": {"id": OURS}, "workflow_run": of}


def test_the_first_comment_is_made_and_the_next_ones_take_its_place(served: Serve, tmp_path: Path) -> None:
    made = f"{MARKER}\n# safe\n"
    theirs = {"id": 1, "user": {"login": "somebody"}, "body": made}
    other = {"id": 2, "user": {"login": BOT}, "body": "<!-- lotus:comment stack=test -->\nold"}
    mine = {"id": 3, "user": {"login": BOT}, "body": f"{MARKER}\nold"}
    for there in ([], [theirs, other, mine], [mine | {"body": made}]):
        served(opened() | {"comments": there})
        github.comment(REPOSITORY, event(run(12)), "prod", HERE)

    assert written(tmp_path) == [
        ["POST", "/repos/acme/lake/issues/5/comments", {"body": made}],
        ["PATCH", "/repos/acme/lake/issues/comments/3", {"body": made}],
    ]


def test_a_forks_pull_request_is_told_why_there_is_no_preview_whatever_its_run_made(
    served: Serve, tmp_path: Path
) -> None:
    world = opened()
    source = {"id": FORK, "owner": {"login": "somebody"}}
    world["pulls"][0]["head"]["repo"] = {"id": FORK}
    world["runs"][1]["head_repository"] = source
    served(world)

    github.comment(REPOSITORY, event(run(12, head_repository=source)), "prod", HERE)

    assert written(tmp_path) == [["POST", "/repos/acme/lake/issues/5/comments", {"body": github.FORK}]]


def said(world: Json, body: str) -> None:
    """Another comment in the run's artifact."""
    world["artifacts"][2]["files"] = {"comment.md": body}


NOT_POSTED: dict[str, tuple[Attack, str]] = {
    "a pull request that has moved on": (
        lambda w: w["pulls"][0]["head"].update(sha="d" * 40),
        "no comment is posted",
    ),
    "a pull request that is closed": (lambda w: w["pulls"][0].update(closed_at=at_minute(20)), "no comment is posted"),
    "a pull request for another branch": (
        lambda w: w["pulls"][0]["base"].update(ref="evil"),
        "no comment is posted",
    ),
    "a push run": (lambda w: w["runs"][1].update(event="push"), "no comment is posted"),
    "another workflow of the same name": (
        lambda w: w["runs"][1].update(path=".github/workflows/evil.yml"),
        "no comment is posted",
    ),
    "a run that was started again": (lambda w: w["runs"][1].update(run_attempt=2), "no comment is posted"),
    "a run that is not the newest of its commit": (lambda w: w["runs"].append(run(14)), "or a newer one will"),
    "a run that made nothing": (lambda w: w["artifacts"].pop(), "made no comment"),
}


@pytest.mark.parametrize("name", NOT_POSTED)
def test_what_is_not_of_the_newest_run_of_an_open_pull_request_is_not_posted(
    served: Serve, tmp_path: Path, name: str
) -> None:
    attack, why = NOT_POSTED[name]
    world = opened()
    attack(world)
    served(world)

    assert why in github.comment(REPOSITORY, event(run(12)), "prod", HERE)

    assert written(tmp_path) == []


NOTICES: dict[str, tuple[Attack, str]] = {
    "an edited workflow": (
        lambda w: w["blobs"].update({LAST: {"type": "file", "sha": "9" * 40}}),
        "differs from the one of main",
    ),
    "a base that was changed": (
        lambda w: w["events"]["5"].append({"event": "base_ref_changed"}),
        "the base of pull request 5 was changed",
    ),
    "another pull request of the branch, for another base": (
        lambda w: another_pull(w, base={"ref": "<!--@evil", "repo": {"id": OURS}}),
        "has another pull request, 6, for --evil",
    ),
}


@pytest.mark.parametrize("name", NOTICES)
def test_a_run_that_is_no_review_gets_a_notice_in_place_of_the_comment(
    served: Serve, tmp_path: Path, name: str
) -> None:
    attack, why = NOTICES[name]
    world = opened() | {"comments": [{"id": 3, "user": {"login": BOT}, "body": f"{MARKER}\n# safe"}]}
    attack(world)
    served(world)

    github.comment(REPOSITORY, event(run(12)), "prod", HERE)

    [[method, path, body]] = written(tmp_path)
    assert (method, path) == ("PATCH", "/repos/acme/lake/issues/comments/3")
    assert body["body"].startswith(f"{MARKER}\nThe preview of {LAST} is not shown, and is no review: ")
    assert why in body["body"]
    assert "# safe" not in body["body"]


@pytest.mark.parametrize(
    "body",
    ["all is well", f"{MARKER}\n" + "x" * 70_000, "<!-- lotus:comment stack=dev -->\n# safe", f"{MARKER}<b>\n# safe"],
    ids=["no marker", "too long", "another stack", "more than the marker"],
)
def test_what_is_no_comment_of_ours_is_not_posted(served: Serve, tmp_path: Path, body: str) -> None:
    world = opened()
    said(world, body)
    served(world)

    with pytest.raises(GithubError, match="nothing is posted"):
        github.comment(REPOSITORY, event(run(12)), "prod", HERE)

    assert written(tmp_path) == []


def test_a_comment_that_is_too_large_is_not_downloaded(served: Serve, tmp_path: Path) -> None:
    world = opened()
    world["artifacts"][2]["size_in_bytes"] = 2_000_000
    served(world)

    with pytest.raises(GithubError, match="is larger than"):
        github.comment(REPOSITORY, event(run(12)), "prod", HERE)

    assert written(tmp_path) == []


# The issue about drift


def test_one_issue_tells_the_drift_is_updated_and_closed(served: Serve, tmp_path: Path) -> None:
    told = tmp_path / "drift.md"
    told.write_text("prefix differs\n", encoding="utf-8")
    body = "<!-- lotus:drift stack=prod -->\nprefix differs\n"
    request = {"number": 6, "body": body, "pull_request": {}}
    for there in ([request], [request, {"number": 7, "body": body.replace("prefix", "status")}]):
        served(honest() | {"issues": there})
        github.issue(REPOSITORY, "prod", told)
    served(honest() | {"issues": [{"number": 7, "body": body}]})
    github.issue(REPOSITORY, "prod", told)
    told.write_text("", encoding="utf-8")
    github.issue(REPOSITORY, "prod", told)

    assert written(tmp_path) == [
        ["POST", "/repos/acme/lake/issues", {"title": "Drift in prod", "body": body}],
        ["PATCH", "/repos/acme/lake/issues/7", {"body": body}],
        ["PATCH", "/repos/acme/lake/issues/7", {"state": "closed", "state_reason": "completed"}],
    ]


def test_a_report_that_is_missing_closes_no_issue(served: Serve, tmp_path: Path) -> None:
    served(honest() | {"issues": [{"number": 7, "body": "<!-- lotus:drift stack=prod -->\nprefix differs\n"}]})

    with pytest.raises(GithubError, match="the comparison failed, so the issue stays as it is"):
        github.issue(REPOSITORY, "prod", tmp_path / "drift.md")

    assert written(tmp_path) == []


def test_what_github_refuses_is_one_line_with_its_reason(
    served: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served(honest())
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/nothing")
    (tmp_path / "drift.md").write_text("", encoding="utf-8")

    assert github.main(["issue", "prod", str(tmp_path / "drift.md")]) == 1

    assert "gh: Not Found (HTTP 404)" in capsys.readouterr().err
