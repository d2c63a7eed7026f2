"""What the workflows ask of GitHub, with a `gh` on PATH that answers from a file and writes down what it is told."""

import io
import json
import sys
import zipfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolchain import github
from toolchain.github import BOT, FORK, GithubError, Repository

GH = f"""#!{sys.executable}
import base64, json, pathlib, sys
here = pathlib.Path(__file__).parent
method, path = sys.argv[sys.argv.index("--method") + 1], sys.argv[sys.argv.index("--method") + 2]
if method != "GET":
    with (here / "written").open("a") as written:
        print(json.dumps([method, path, json.load(sys.stdin)]), file=written)
    sys.exit()
answers = json.loads((here / "answers").read_text())
if path not in answers:
    sys.exit(f"gh: Not Found (HTTP 404) {{path}}")
answer = answers[path]
sys.stdout.buffer.write(base64.b64decode(answer) if isinstance(answer, str) else json.dumps(answer).encode())
"""
REPOSITORY = Repository("acme/lake")
SHA, TREE = "c" * 40, "7" * 40
PULLS = "/repos/acme/lake/pulls?state=open&head=acme%3Atopic&per_page=100&page=1"
SAID = "/repos/acme/lake/issues/5/comments?per_page=100&page=1"
MADE = "<!-- lotus:comment stack=prod -->\n# safe\n"
ISSUES = "/repos/acme/lake/issues?state=open&creator=github-actions%5Bbot%5D&per_page=100&page=1"
ARTIFACTS = f"/repos/acme/lake/actions/artifacts?name=review-prod-{TREE}&per_page=100"
Github = Callable[..., None]


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Github:
    """Says what GitHub answers, by path."""
    (tmp_path / "gh").write_text(GH, encoding="utf-8")
    (tmp_path / "gh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    def answer(given: dict[str, Any]) -> None:
        (tmp_path / "answers").write_text(json.dumps(given), encoding="utf-8")

    return answer


def written(folder: Path) -> list[list[Any]]:
    file = folder / "written"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def packed(**files: str) -> str:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return b64encode(into.getvalue()).decode()


def event(head: int = 1) -> Any:
    owner = {"id": head, "owner": {"login": "acme"}}
    run = {"id": 9, "head_sha": SHA, "head_branch": "topic", "head_repository": owner}
    return {"repository": {"id": 1}, "workflow_run": run}


def pull(sha: str = SHA) -> list[dict[str, Any]]:
    return [{"number": 5, "head": {"sha": sha}}]


def run_with(body: str) -> dict[str, Any]:
    return {
        PULLS: pull(),
        "/repos/acme/lake/actions/runs/9/artifacts?name=comment": {"artifacts": [{"id": 3}]},
        "/repos/acme/lake/actions/artifacts/3/zip": packed(**{"comment.md": body, "../run.py": "print()"}),
        SAID: [],
    }


def test_the_first_comment_is_made_and_the_next_ones_take_its_place(answers: Github, tmp_path: Path) -> None:
    answers(run_with(MADE))
    github.comment(REPOSITORY, event())
    theirs = {"id": 1, "user": {"login": "somebody"}, "body": MADE}
    other = {"id": 2, "user": {"login": BOT}, "body": "<!-- lotus:comment stack=test -->\nold"}
    mine = {"id": 3, "user": {"login": BOT}, "body": "<!-- lotus:comment stack=prod -->\nold"}
    answers(run_with(MADE) | {SAID: [theirs, other, mine]})
    github.comment(REPOSITORY, event())
    answers(run_with(MADE) | {SAID: [mine | {"body": MADE}]})
    github.comment(REPOSITORY, event())

    assert written(tmp_path) == [
        ["POST", "/repos/acme/lake/issues/5/comments", {"body": MADE}],
        ["PATCH", "/repos/acme/lake/issues/comments/3", {"body": MADE}],
    ]


def test_a_forks_pull_request_is_told_why_there_is_no_preview_whatever_its_run_made(
    answers: Github, tmp_path: Path
) -> None:
    answers(run_with("<!-- lotus:comment stack=prod -->\nall is well"))
    github.comment(REPOSITORY, event(head=2))

    assert written(tmp_path) == [["POST", "/repos/acme/lake/issues/5/comments", {"body": FORK}]]


@pytest.mark.parametrize("body", ["all is well", MADE + "x" * 70_000], ids=["no marker", "too long"])
def test_what_is_no_comment_of_ours_is_not_posted(answers: Github, tmp_path: Path, body: str) -> None:
    answers(run_with(body))
    with pytest.raises(GithubError, match="nothing is posted"):
        github.comment(REPOSITORY, event())
    assert written(tmp_path) == []


def test_a_pull_request_that_has_moved_on_gets_no_comment_of_an_older_head(answers: Github, tmp_path: Path) -> None:
    answers(run_with(MADE) | {PULLS: pull("d" * 40)})
    assert "no comment is posted" in github.comment(REPOSITORY, event())
    assert written(tmp_path) == []


def artifact(number: int, run: int, *, head: int = 1, expired: bool = False) -> dict[str, Any]:
    made_by = {"id": run, "repository_id": 1, "head_repository_id": head}
    return {"id": number, "expired": expired, "workflow_run": made_by}


def run(path: str = github.PREVIEWS, conclusion: str = "success") -> dict[str, str]:
    return {"path": path, "conclusion": conclusion, "html_url": "https://github.com/acme/lake/actions/runs/11"}


def test_the_newest_whole_review_of_these_files_by_this_repository_is_taken(answers: Github, tmp_path: Path) -> None:
    found = [
        artifact(1, 11),
        artifact(2, 12),
        artifact(3, 13),
        artifact(4, 14, head=2),
        artifact(5, 15, expired=True),
    ]
    files = {"plan.json": "{}", "preview.json": "{}", "review.json": "{}", "sitecustomize.py": "boom"}
    runs = {11: run(), 12: run(conclusion="failure"), 13: run(path=".github/workflows/other.yml"), 14: run(), 15: run()}
    answers(
        {ARTIFACTS: {"artifacts": found}, "/repos/acme/lake/actions/artifacts/1/zip": packed(**files)}
        | {f"/repos/acme/lake/actions/runs/{number}": told for number, told in runs.items()}
    )

    github.review(REPOSITORY, "prod", TREE, tmp_path / "review")

    assert sorted(file.name for file in (tmp_path / "review").iterdir()) == ["plan.json", "preview.json", "review.json"]


def test_files_that_nobody_reviewed_are_an_error_that_says_what_to_do(answers: Github, tmp_path: Path) -> None:
    answers({ARTIFACTS: {"artifacts": []}})
    with pytest.raises(GithubError, match="Run `preview` on this branch"):
        github.review(REPOSITORY, "prod", TREE, tmp_path / "review")
    assert not (tmp_path / "review").exists()


def test_one_issue_tells_the_drift_is_brought_up_and_goes(answers: Github, tmp_path: Path) -> None:
    told = tmp_path / "drift.md"
    told.write_text("prefix differs\n", encoding="utf-8")
    body = "<!-- lotus:drift stack=prod -->\nprefix differs\n"
    request = {"number": 6, "body": body, "pull_request": {}}
    answers({ISSUES: [request]})
    github.issue(REPOSITORY, "prod", told)
    answers({ISSUES: [request, {"number": 7, "body": body.replace("prefix", "status")}]})
    github.issue(REPOSITORY, "prod", told)
    answers({ISSUES: [{"number": 7, "body": body}]})
    github.issue(REPOSITORY, "prod", told)
    told.unlink()
    github.issue(REPOSITORY, "prod", told)

    assert written(tmp_path) == [
        ["POST", "/repos/acme/lake/issues", {"title": "Drift in prod", "body": body}],
        ["PATCH", "/repos/acme/lake/issues/7", {"body": body}],
        ["PATCH", "/repos/acme/lake/issues/7", {"state": "closed", "state_reason": "completed"}],
    ]


def test_what_github_refuses_is_one_line_with_its_reason(
    answers: Github, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers({})
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/lake")

    assert github.main(["issue", "prod", str(tmp_path / "drift.md")]) == 1

    assert "gh: Not Found (HTTP 404)" in capsys.readouterr().err
