"""The workflows' calls of GitHub, by the `gh` command that its runners have.

Run by any Python from 3.11 on, with the standard library alone, so that a job that may write needs nothing else. What
comes from another run, an artifact or a pull request is data here: it is read, checked and posted, and never run.

Usage: `python3 toolchain/github.py comment` posts what the run of `preview` made that has just ended; `review STACK
FOLDER` gets what was reviewed of the files that are checked out; `issue STACK FILE` opens or brings up the issue about
drift, or closes it where there is no such file. They take `GH_TOKEN` and what a runner sets.
"""

import io
import json
import os
import re
import subprocess
import sys
import urllib.parse
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

BOT = "github-actions[bot]"
LIMIT = 65_536
"""Characters of a comment's or an issue's body that GitHub takes."""
MEMBER_BYTES = 200_000_000
MARKER = re.compile(r"<!-- lotus:[\w:.= -]+ -->")
PREVIEWS = ".github/workflows/preview.yml"
COMMENT = "comment.md"
REVIEW = ("preview.json", "plan.json", "review.json")
FORK = """<!-- lotus:comment fork -->
There is no preview of this pull request: it comes from a fork, and code from there gets no secrets. A maintainer who
has read it can push its branch to this repository and open a pull request of that.
"""
Json = dict[str, Any]


class GithubError(Exception):
    """A condition is not met; the message has the remedy."""


class Repository:
    """A repository on GitHub.

    Attributes:
        name: `owner/name`.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def ask(self, path: str, **query: str) -> Any:
        """What a path of the repository's API answers."""
        return json.loads(self._call("GET", _with(path, query)))

    def pages(self, path: str, **query: str) -> Iterator[Json]:
        """All items of a list, page by page."""
        for page in range(1, 101):
            found = self.ask(path, **query, per_page="100", page=str(page))
            yield from found
            if len(found) < 100:
                return

    def write(self, method: str, path: str, body: Mapping[str, str]) -> None:
        """Send a body."""
        self._call(method, path, json.dumps(body))

    def members(self, artifact: int, names: tuple[str, ...]) -> dict[str, bytes]:
        """The files of an artifact that have these names; whatever else it has stays where it is."""
        packed = zipfile.ZipFile(io.BytesIO(self._call("GET", f"/actions/artifacts/{artifact}/zip")))
        found = [each for each in packed.infolist() if each.filename in names and each.file_size <= MEMBER_BYTES]
        return {each.filename: packed.read(each) for each in found}

    def _call(self, method: str, path: str, body: str | None = None) -> bytes:
        command = ["gh", "api", "--method", method, f"/repos/{self.name}{path}"]
        text = None if body is None else body.encode()
        done = subprocess.run(
            [*command, *(["--input", "-"] if text else [])], input=text, capture_output=True, check=False
        )
        if done.returncode:
            raise GithubError(f"{method} {path}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout


def _with(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urllib.parse.urlencode(query)}" if query else path


def comment(repository: Repository, event: Json) -> str:
    """Post the comment of a run of `preview` on its pull request, in place of an earlier one.

    The pull request is the one whose head is the run's commit by GitHub's answer, not by an artifact.
    """
    run = event["workflow_run"]
    ours = run["head_repository"]["id"] == event["repository"]["id"]
    head = f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
    opened = repository.pages("/pulls", state="open", head=head)
    numbers = [pull["number"] for pull in opened if pull["head"]["sha"] == run["head_sha"]]
    if not numbers:
        return f"No open pull request has the head {run['head_sha']}: no comment is posted."
    body = _made(repository, run["id"]) if ours else FORK
    if body is None:
        return "The run made no comment."
    for number in numbers:
        _stick(repository, number, body)
    return f"Posted on {numbers}."


def _made(repository: Repository, run: int) -> str | None:
    """What a run made, if it made anything."""
    found = repository.ask(f"/actions/runs/{run}/artifacts", name="comment")["artifacts"]
    if not found:
        return None
    made = repository.members(found[0]["id"], (COMMENT,)).get(COMMENT, b"")
    text = made.decode(errors="replace").replace("\0", "")
    if MARKER.match(text) is None or len(text) > LIMIT:
        raise GithubError(f"the run's {COMMENT} has no marker in front, or is too long: nothing is posted")
    return text


def _stick(repository: Repository, number: int, body: str) -> None:
    marker = body.splitlines()[0]
    for comment in repository.pages(f"/issues/{number}/comments"):
        if comment["user"]["login"] == BOT and comment["body"].startswith(marker):
            if comment["body"].strip() != body.strip():
                repository.write("PATCH", f"/issues/comments/{comment['id']}", {"body": body})
            return
    repository.write("POST", f"/issues/{number}/comments", {"body": body})


def review(repository: Repository, stack: str, tree: str, folder: Path) -> str:
    """Get what was reviewed of these very files: by a whole run of `preview` in this repository, the newest first.

    Raises:
        GithubError: nothing was.
    """
    name = f"review-{stack}-{tree}"
    found = repository.ask("/actions/artifacts", name=name, per_page="100")["artifacts"]
    for artifact in sorted(found, key=lambda each: -each["id"]):
        run = artifact["workflow_run"]
        if artifact["expired"] or run["head_repository_id"] != run["repository_id"]:
            continue
        details = repository.ask(f"/actions/runs/{run['id']}")
        if details["path"].partition("@")[0] == PREVIEWS and details["conclusion"] == "success":
            folder.mkdir(parents=True, exist_ok=True)
            for file, content in repository.members(artifact["id"], REVIEW).items():
                (folder / file).write_bytes(content)
            return f"Reviewed in {details['html_url']}."
    raise GithubError(
        f"these files were not reviewed: no whole run of the workflow `preview` has {name}. Run `preview` on this "
        "branch (Actions, preview, Run workflow), review its output, and run this again."
    )


def issue(repository: Repository, stack: str, file: Path) -> str:
    """Keep one open issue about a stack's drift, with a file's text; close it where there is no file."""
    marker = f"<!-- lotus:drift stack={stack} -->"
    opened = [
        each
        for each in repository.pages("/issues", state="open", creator=BOT)
        if "pull_request" not in each and (each["body"] or "").startswith(marker)
    ]
    if not file.exists():
        for each in opened:
            repository.write("PATCH", f"/issues/{each['number']}", {"state": "closed", "state_reason": "completed"})
        return "No drift."
    body = f"{marker}\n{file.read_text(encoding='utf-8')}"[:LIMIT]
    if not opened:
        repository.write("POST", "/issues", {"title": f"Drift in {stack}", "body": body})
        return "Opened an issue."
    if opened[0]["body"].strip() != body.strip():
        repository.write("PATCH", f"/issues/{opened[0]['number']}", {"body": body})
    return f"The issue {opened[0]['number']} is up to date."


def _run(arguments: list[str]) -> str:
    repository = Repository(os.environ["GITHUB_REPOSITORY"])
    match arguments:
        case ["comment"]:
            return comment(repository, json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8")))
        case ["review", stack, folder]:
            asked = subprocess.run(["git", "rev-parse", "HEAD^{tree}"], capture_output=True, text=True, check=True)
            return review(repository, stack, asked.stdout.strip(), Path(folder))
        case ["issue", stack, file]:
            return issue(repository, stack, Path(file))
    raise GithubError("comment, review STACK FOLDER, or issue STACK FILE: docs/how-to/set-up-ci.md")


def main(arguments: list[str]) -> int:
    """Run one command; print an error in one line, with exit code 1."""
    try:
        print(_run(arguments))
    except GithubError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
