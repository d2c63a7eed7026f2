"""A GitHub of records: commits, pull requests, runs of `preview` and their artifacts, and the answers made from them.

A test changes a record and sees what is made of it. The answers go through a `gh` on PATH that reads them from files.
"""

import io
import json
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from toolchain.github import PREVIEWS, Checkout, Repository

GH = r"""#!/bin/bash
here="${0%/*}"
if [ "$3" != GET ]; then
    IFS= read -r -d '' body
    printf '["%s", "%s", %s]\n' "$3" "$4" "$body" >> "$here/written"
    exit
fi
answer="$here/answers/${4//[^A-Za-z0-9.=-]/_}"
if [ ! -e "$answer" ]; then
    echo "gh: Not Found (HTTP 404) $4" >&2
    exit 1
fi
exec /bin/cat "$answer"
"""
REPOSITORY = Repository("acme/lake")
HEAD, TREE, BLOB = "a" * 40, "7" * 40, "b" * 40
"""The checked-out commit of main, its tree, and its file of the workflow."""
LAST, EARLIER, ELSEWHERE = "c" * 40, "d" * 40, "e" * 40
"""Commits: the last and an earlier one of the pull request's branch, and one of another branch."""
HERE = Checkout(HEAD, TREE, BLOB)
OURS, FORK = 1, 2
"""Ids of repositories."""
PULL, REVIEW, SAID = 5, 21, 22
"""The pull request, and its run's artifacts."""
Json = dict[str, Any]


def at_minute(minute: int) -> str:
    """A time of the pull request's day: it was opened at 0, and merged at 30."""
    return f"2026-01-02T10:{minute:02}:00Z"


def pull(number: int = PULL, **changes: Any) -> Json:
    """A pull request that is merged."""
    made = {
        "number": number,
        "head": {"sha": LAST, "ref": "topic", "repo": {"id": OURS}},
        "base": {"ref": "main", "repo": {"id": OURS}},
        "created_at": at_minute(0),
        "closed_at": at_minute(30),
        "merged_at": at_minute(30),
        "merge_commit_sha": HEAD,
        "labels": [{"name": "accepts-data-loss"}, {"name": "urgent"}],
    }
    return made | changes


def run(number: int, sha: str = LAST, **changes: Any) -> Json:
    """A run of `preview` for the pull request."""
    made = {
        "id": number,
        "run_number": number,
        "run_attempt": 1,
        "html_url": f"https://github.com/acme/lake/actions/runs/{number}",
        "path": PREVIEWS,
        "event": "pull_request",
        "head_sha": sha,
        "head_branch": "topic",
        "repository": {"id": OURS},
        "head_repository": {"id": OURS, "owner": {"login": "acme"}},
        "status": "completed",
        "conclusion": "success",
        "created_at": at_minute(number),
        "run_started_at": at_minute(number),
    }
    return made | changes


def by_hand(number: int = 40, **changes: Any) -> Json:
    """A manual run on main."""
    return run(number, HEAD, event="workflow_dispatch", head_branch="main", **changes)


def artifact(number: int, of: Json, name: str, files: Json, minutes: int = 5) -> Json:
    """An artifact that a run made some minutes after its start."""
    made_by = {"id": of["id"], "repository_id": OURS, "head_repository_id": _of(of, "head_repository", "id")}
    return {
        "id": number,
        "name": name,
        "expired": False,
        "size_in_bytes": 1000,
        "created_at": at_minute(int(of["run_started_at"][14:16]) + minutes),
        "workflow_run": made_by | {"head_sha": of["head_sha"]},
        "files": files,
    }


def reviewed(of: Json, number: int = REVIEW, tree: str = TREE, stack: str = "prod", **origin: str) -> Json:
    """The artifact of a review."""
    written = {"stack": stack, "tree": tree, "commit": "f" * 40} | origin
    files = {"preview.json": {"by": of["id"]}, "plan.json": {}, "review.json": written}
    return artifact(number, of, f"review-prod-{tree}", files | {"sitecustomize.py": "boom"})


def honest() -> Json:
    """A merged pull request, whose last commit was previewed at 10:12, and an earlier one at 10:10."""
    earlier, last = run(10, EARLIER), run(12)
    said = {"comment.md": "<!-- lotus:comment stack=prod -->\n# safe\n", "../run.py": "print()"}
    return {
        "repository": {"id": OURS},
        "pulls": [pull()],
        "commits": {HEAD: [PULL]},
        "events": {str(PULL): [{"event": "labeled"}, {"event": "head_ref_force_pushed"}, {"event": "merged"}]},
        "runs": [earlier, last],
        "artifacts": [reviewed(earlier, 20, "6" * 40), reviewed(last), artifact(SAID, last, "comment", said)],
        "blobs": {sha: {"type": "file", "sha": BLOB} for sha in (HEAD, LAST, EARLIER, ELSEWHERE)},
        "comments": [],
        "issues": [],
    }


def opened() -> Json:
    """The same while the pull request is still open."""
    world = honest()
    world["pulls"][0] |= {"closed_at": None, "merged_at": None, "merge_commit_sha": None}
    return world


def packed(files: Json) -> bytes:
    """An artifact's archive; objects as JSON documents."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, str | bytes) else json.dumps(content))
    return into.getvalue()


def serve(folder: Path, world: Json) -> None:
    """Put `gh` into a folder, with what it answers about a world."""
    (folder / "gh").write_text(GH, encoding="utf-8")
    (folder / "gh").chmod(0o755)
    answers = folder / "answers"
    answers.mkdir(exist_ok=True)
    for file in answers.iterdir():
        file.unlink()
    for path, answer in _answers(world):
        name = re.sub("[^A-Za-z0-9.=-]", "_", f"/repos/{REPOSITORY.name}{path}")
        (answers / name).write_bytes(_content(answer))


def answering(world: Json) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """What `subprocess.run` does where `gh` answers about a world: a thousand times as many worlds in the same time."""
    answers = {f"/repos/{REPOSITORY.name}{path}": answer for path, answer in _answers(world)}

    def run_gh(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        assert command[:4] == ["gh", "api", "--method", "GET"]
        if command[4] not in answers:
            return subprocess.CompletedProcess(command, 1, b"", f"gh: Not Found (HTTP 404) {command[4]}".encode())
        return subprocess.CompletedProcess(command, 0, _content(answers[command[4]]), b"")

    return run_gh


def _content(answer: Any) -> bytes:
    return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


def written(folder: Path) -> list[list[Any]]:
    """What `gh` was given to write: method, path and body."""
    file = folder / "written"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def _answers(world: Json) -> Iterator[tuple[str, Any]]:
    page = "per_page=100&page=1"
    yield "", world["repository"]
    yield f"/issues?state=open&creator=github-actions%5Bbot%5D&{page}", world["issues"]
    pulls = world["pulls"]
    for commit, numbers in world["commits"].items():
        yield f"/commits/{commit}/pulls?{page}", [one for one in pulls if one.get("number") in numbers]
    for one in pulls:
        number = one.get("number")
        # Lists may be older than the pull request itself.
        yield f"/pulls/{number}", one | world.get("now", {})
        yield f"/issues/{number}/events?{page}", world["events"].get(str(number), [])
        yield f"/issues/{number}/comments?{page}", world["comments"]
    for owner, branch in {(owner, str(_of(one, "head", "ref"))) for one in pulls for owner in ("acme", "somebody")}:
        found = [one for one in pulls if _of(one, "head", "ref") == branch and _owner(one) == owner]
        yield f"/pulls?state=all&head={owner}%3A{branch}&{page}", found
        yield (
            f"/pulls?state=open&head={owner}%3A{branch}&{page}",
            [one for one in found if one.get("closed_at") is None],
        )
    runs = world["runs"]
    commits = {HEAD, LAST, *world["commits"], *world["blobs"], *(str(_of(one, "head", "sha")) for one in pulls)}
    for sha in commits:
        found = [one for one in runs if one.get("head_sha") == sha]
        yield f"/actions/workflows/preview.yml/runs?head_sha={sha}&{page}", {"workflow_runs": found}
    for one in runs:
        yield f"/actions/runs/{one.get('id')}", one
        for name in {str(each.get("name")) for each in world["artifacts"]} | {"comment", f"review-prod-{TREE}"}:
            found = [each for each in world["artifacts"] if _is_of(each, one, name)]
            listed = [{key: value for key, value in each.items() if key != "files"} for each in found]
            yield f"/actions/runs/{one.get('id')}/artifacts?name={name}&{page}", {"artifacts": listed}
    for each in world["artifacts"]:
        files = each["files"]
        yield f"/actions/artifacts/{each.get('id')}/zip", files if isinstance(files, bytes) else packed(files)
    for sha, blob in world["blobs"].items():
        yield f"/contents/{PREVIEWS}?ref={sha}", blob


def _is_of(made: Json, one: Json, name: str) -> bool:
    # A contradicting record is still listed where GitHub lists it: by the run that is asked for.
    by = made.get("listed_by", _of(made, "workflow_run", "id"))
    return by == one.get("id") and made.get("name") == name


def _owner(one: Json) -> str:
    return "somebody" if _of(one, "head", "repo", "id") == FORK else "acme"


def _of(document: Any, *path: str) -> Any:
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


Place = tuple[str | int, ...]


def leaves(document: Any, place: Place = ()) -> Iterator[Place]:
    """The places of all values in a document."""
    if isinstance(document, dict | list) and document:
        items = document.items() if isinstance(document, dict) else enumerate(document)
        for key, value in items:
            yield from leaves(value, (*place, key))
    else:
        yield place


def put(world: Json, place: Place, value: Any) -> Json:
    """A copy of a world with another value in one place; `...` removes it."""
    copy = deepcopy(world)
    node: Any = copy
    for key in place[:-1]:
        node = node[key]
    if value is ...:
        del node[place[-1]]
    else:
        node[place[-1]] = value
    return copy


def value_at(world: Json, place: Place) -> Any:
    """The value in a place."""
    node: Any = world
    for key in place:
        node = node[key]
    return node
