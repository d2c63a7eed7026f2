"""The workflows' calls of GitHub, by the `gh` command that its runners have.

Run by any Python from 3.11 on, with the standard library alone, so that a job that may write needs nothing else. What
comes from another run, an artifact or a pull request is data here: it is read, checked and posted, and never run.

A run of `preview` counts only by GitHub's own records, never by what the run says of itself (`Runs.of_pull`). Its
artifact is then read within limits, and must agree with those records.

Usage: `python3 toolchain/github.py comment` posts what the run of `preview` made that has just ended, on the stack
`$STACK`; `review STACK FOLDER` gets the review that counts of the commit that is checked out, and writes the step's
output `label`, the pull request's label of now that accepts losses, or nothing; `issue STACK FILE` opens or updates the
issue about drift, or closes it if the file is empty. They use `GH_TOKEN` and the variables of a runner.
"""

import io
import json
import os
import re
import subprocess
import sys
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

BOT = "github-actions[bot]"
LIMIT = 65_536
"""Characters of a comment's or an issue's body that GitHub takes."""
COMMENT_BYTES = 1_000_000
REVIEW_BYTES = 200_000_000
"""Bytes of an artifact, packed and unpacked: a comment's, and a review's."""
MAIN = "main"
PREVIEWS = ".github/workflows/preview.yml"
COMMENT = "comment.md"
ORIGIN = "review.json"
REVIEW = ("preview.json", "plan.json", ORIGIN)
LOSS_LABEL = "accepts-data-loss"
"""The one label that a deploy takes from a pull request, as `lotus_infra.naming` has it."""
STACK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
FORK = """<!-- lotus:comment fork -->
There is no preview of this pull request: it comes from a fork, and code from there gets no secrets. A maintainer who
has read it can push its branch to this repository and open a pull request of that.
"""
MANUAL: Final = (
    f"Run `preview` on {MAIN} (Actions, preview, Run workflow), review its output, and run this deploy again."
)
Json = dict[str, Any]
T = TypeVar("T")


class GithubError(Exception):
    """A condition is not met; the message has the remedy."""


class NotCountedError(GithubError):
    """A run, its artifact or its pull request is not the one that counts, by GitHub's records."""


# GitHub's records


def at(document: Any, *path: str, kind: type[T]) -> T:
    """The value at a path of an answer.

    Raises:
        GithubError: There is none of this type.
    """
    found = document
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, kind):
        raise GithubError(f"GitHub's answer has no {'.'.join(path)} of the type {kind.__name__}")
    return found


def time_at(document: Any, *path: str) -> datetime:
    """The time at a path of an answer.

    Raises:
        GithubError: There is none.
    """
    text = at(document, *path, kind=str)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise GithubError(f"GitHub's answer has no time in {'.'.join(path)}") from None
    if found.tzinfo is None:
        raise GithubError(f"GitHub's answer has no time zone in {'.'.join(path)}")
    return found


def of_none(document: Any, *path: str) -> bool:
    """Whether an answer has null at a path, or a null above it: GitHub writes so what no longer exists."""
    found = document
    for key in path:
        if found is None:
            return True
        found = found.get(key) if isinstance(found, dict) else found
    return found is None


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request.

    Attributes:
        number: Its number.
        sha: Its last commit.
        branch: The branch of its last commit.
        repository: The id of that branch's repository; 0 if that was deleted.
        base: The branch that it is for.
        base_repository: The id of the repository that it is for.
        opened: When it was opened.
        closed: When it was closed or merged; None if it is open.
        merged: When it was merged; None if it was not.
        merge: The commit that its merge made on the base; empty for none.
        labels: The labels that it has now.
    """

    number: int
    sha: str
    branch: str
    repository: int
    base: str
    base_repository: int
    opened: datetime
    closed: datetime | None
    merged: datetime | None
    merge: str
    labels: frozenset[str]

    @classmethod
    def of(cls, answer: Any) -> "Pull":
        """Parse an answer, of one pull request or an item of a list."""
        return cls(
            number=at(answer, "number", kind=int),
            sha=at(answer, "head", "sha", kind=str),
            branch=at(answer, "head", "ref", kind=str),
            repository=0 if of_none(answer, "head", "repo") else at(answer, "head", "repo", "id", kind=int),
            base=at(answer, "base", "ref", kind=str),
            base_repository=at(answer, "base", "repo", "id", kind=int),
            opened=time_at(answer, "created_at"),
            closed=None if of_none(answer, "closed_at") else time_at(answer, "closed_at"),
            merged=None if of_none(answer, "merged_at") else time_at(answer, "merged_at"),
            merge="" if of_none(answer, "merge_commit_sha") else at(answer, "merge_commit_sha", kind=str),
            labels=frozenset(at(label, "name", kind=str) for label in at(answer, "labels", kind=list)),
        )


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a workflow, at its newest attempt.

    Attributes:
        id: Its id.
        number: Its number: a later run of the workflow has a greater one.
        attempt: The number of the attempt, from 1 on.
        url: Its page.
        path: The workflow's file.
        event: What started it.
        sha: The commit that it is for: of a pull request, the last one of its branch at that time.
        branch: The branch of that commit.
        repository: The id of the repository that it ran in.
        source: The id of the repository that the commit is from; 0 if that was deleted.
        state: `success` if it is completed, else its status or its conclusion.
        created: When it was created.
        started: When the newest attempt started.
    """

    id: int
    number: int
    attempt: int
    url: str
    path: str
    event: str
    sha: str
    branch: str
    repository: int
    source: int
    state: str
    created: datetime
    started: datetime

    @classmethod
    def of(cls, answer: Any) -> "Run":
        """Parse an answer, of one run or an item of a list."""
        status = at(answer, "status", kind=str)
        return cls(
            id=at(answer, "id", kind=int),
            number=at(answer, "run_number", kind=int),
            attempt=at(answer, "run_attempt", kind=int),
            url=at(answer, "html_url", kind=str),
            # GitHub may put the ref behind the file.
            path=at(answer, "path", kind=str).partition("@")[0],
            event=at(answer, "event", kind=str),
            sha=at(answer, "head_sha", kind=str),
            branch="" if of_none(answer, "head_branch") else at(answer, "head_branch", kind=str),
            repository=at(answer, "repository", "id", kind=int),
            source=0 if of_none(answer, "head_repository") else at(answer, "head_repository", "id", kind=int),
            state=status if status != "completed" else at(answer, "conclusion", kind=str),
            created=time_at(answer, "created_at"),
            started=time_at(answer, "run_started_at"),
        )


class Repository:
    """A repository on GitHub.

    Attributes:
        name: `owner/name`.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def owner(self) -> str:
        """The owner's login."""
        return self.name.partition("/")[0]

    def ask(self, path: str, **query: str) -> Any:
        """What a path of the repository's API answers."""
        try:
            return json.loads(self._call("GET", _with(path, query)))
        except ValueError:
            raise GithubError(f"GET {path}: the answer is no JSON document") from None

    def pages(self, path: str, of: str = "", **query: str) -> Iterator[Json]:
        """All items of a list, page by page.

        Args:
            path: The list's path.
            of: The key of the list, if the answer is an object.
            query: What to ask for.
        """
        for page in range(1, 101):
            answer = self.ask(path, **query, per_page="100", page=str(page))
            found = at(answer, of, kind=list) if of else answer
            if not isinstance(found, list):
                raise GithubError(f"GET {path}: the answer is no list")
            yield from found
            if len(found) < 100:
                return

    def write(self, method: str, path: str, body: Mapping[str, str]) -> None:
        """Send a body."""
        self._call(method, path, json.dumps(body))

    def download(self, artifact: int) -> bytes:
        """The packed files of an artifact."""
        return self._call("GET", f"/actions/artifacts/{artifact}/zip")

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


# The run that counts


@dataclass(frozen=True, slots=True)
class Checkout:
    """The commit that is checked out: main's, in both workflows that call this.

    Attributes:
        commit: Its hash.
        tree: The hash of all its files.
        workflow: The hash of its file of the workflow `preview`.
    """

    commit: str
    tree: str
    workflow: str

    @classmethod
    def here(cls) -> "Checkout":
        """Ask git in the current folder."""
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD", "HEAD^{tree}", f"HEAD:{PREVIEWS}"], capture_output=True, text=True, check=False
        )
        if asked.returncode:
            raise GithubError(f"no commit with {PREVIEWS} is checked out: {asked.stderr.strip()}")
        return cls(*asked.stdout.split())


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of `preview` in a repository, and which of them counts.

    A run of `pull_request` executes the workflow's file of the merge of the branch into its base. GitHub records the
    branch's commit, but not the merge. So the file is compared in the branch's commit, and a pull request whose run
    could be one of another base is refused: the other base may have another file.

    Attributes:
        repository: The repository.
        id: Its id.
        here: The commit that is checked out.
    """

    repository: Repository
    id: int
    here: Checkout

    @classmethod
    def of(cls, repository: Repository, here: Checkout) -> "Runs":
        """Ask for the repository's id."""
        return cls(repository, at(repository.ask(""), "id", kind=int), here)

    def of_pull(self, pull: Pull) -> Run:
        """The newest run for a pull request's last commit; a run after its merge does not count.

        Raises:
            NotCountedError: There is none, it is not by main's workflow, or it may be one of another pull request.
        """
        self._refuse_another_base(pull)
        run = self._newest("pull_request", pull.sha, pull.branch, since=pull.opened, until=pull.merged)
        for other in self._pulls_of(pull.branch):
            if other.number != pull.number and (other.base != MAIN or _was_open(other, run.created)):
                raise NotCountedError(
                    f"the branch {pull.branch} has another pull request, {other.number}, for {other.base}: which of "
                    "them was previewed is unknown"
                )
        return run

    def by_hand(self) -> Run:
        """The newest manual run on main for the checked-out commit.

        Raises:
            NotCountedError: There is none.
        """
        return self._newest("workflow_dispatch", self.here.commit, MAIN)

    def refuse_another_workflow(self, run: Run) -> None:
        """Check that a run was by the checked-out file of the workflow.

        The scripts that it calls are not compared: they are among the reviewed files, whose hash names the artifact.

        Raises:
            NotCountedError: It was not.
        """
        found = self.repository.ask(f"/contents/{PREVIEWS}", ref=run.sha)
        if at(found, "type", kind=str) != "file" or at(found, "sha", kind=str) != self.here.workflow:
            raise NotCountedError(f"{PREVIEWS} at {run.sha} differs from the one of {MAIN}")

    def _newest(
        self, event: str, sha: str, branch: str, since: datetime | None = None, until: datetime | None = None
    ) -> Run:
        listed = self.repository.pages("/actions/workflows/preview.yml/runs", "workflow_runs", head_sha=sha)
        found = [
            run
            for run in map(Run.of, listed)
            if (run.event, run.sha, run.branch, run.path) == (event, sha, branch, PREVIEWS)
            and run.repository == run.source == self.id
            and (since is None or run.created >= since)
            and (until is None or run.created <= until)
            # GitHub skips a job of a pull request that was closed meanwhile.
            and run.state != "skipped"
        ]
        if not found:
            raise NotCountedError(
                f"no run of `preview` is of the event {event}, the branch {branch} and its commit {sha}"
            )
        return max(found, key=lambda run: run.number)

    def _pulls_of(self, branch: str) -> Iterator[Pull]:
        listed = self.repository.pages("/pulls", state="all", head=f"{self.repository.owner}:{branch}")
        return (pull for pull in map(Pull.of, listed) if (pull.branch, pull.repository) == (branch, self.id))

    def _refuse_another_base(self, pull: Pull) -> None:
        if (pull.base, pull.base_repository) != (MAIN, self.id):
            raise NotCountedError(f"pull request {pull.number} is for {pull.base}, not for {MAIN}")
        if pull.repository != self.id:
            raise NotCountedError(f"pull request {pull.number} comes from a fork")
        events = self.repository.pages(f"/issues/{pull.number}/events")
        if any("base" in at(event, "event", kind=str) for event in events):
            raise NotCountedError(
                f"the base of pull request {pull.number} was changed: its preview may be of the other"
            )


def _was_open(pull: Pull, when: datetime) -> bool:
    return pull.opened <= when and (pull.closed is None or when <= pull.closed)


def _refuse_unfinished(run: Run) -> None:
    if run.state != "success":
        raise NotCountedError(f"the newest run of `preview` for {run.sha} is no success but {run.state}: {run.url}")


# Artifacts


def _artifact(repository: Repository, run: Run, name: str, most_bytes: int) -> int | None:
    """The id of a run's artifact of its newest attempt; None if it made none.

    Raises:
        NotCountedError: It is too large, or GitHub's records contradict each other.
    """
    listed = repository.pages(f"/actions/runs/{run.id}/artifacts", "artifacts", name=name)
    found = [each for each in listed if time_at(each, "created_at") >= run.started]
    if not found:
        return None
    newest = max(found, key=lambda each: at(each, "id", kind=int))
    made_by = [at(newest, "workflow_run", key, kind=int) for key in ("id", "repository_id", "head_repository_id")]
    recorded = [at(newest, "name", kind=str), at(newest, "workflow_run", "head_sha", kind=str), *made_by]
    if recorded != [name, run.sha, run.id, run.repository, run.source]:
        raise NotCountedError(f"the artifact {name} is not one of the run {run.url}")
    if at(newest, "expired", kind=bool):
        raise NotCountedError(f"the artifact {name} of the run {run.url} has expired")
    if at(newest, "size_in_bytes", kind=int) > most_bytes:
        raise NotCountedError(f"the artifact {name} of the run {run.url} is larger than {most_bytes} bytes")
    return at(newest, "id", kind=int)


def unpack(packed: bytes, names: tuple[str, ...], most_bytes: int) -> dict[str, bytes]:
    """The files of an artifact that have these names; whatever else it has is not read.

    Raises:
        NotCountedError: It is no archive, lacks one, has one twice, or they are too large.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(packed))
        found = [each for each in archive.infolist() if each.filename in names]
        if sorted(each.filename for each in found) != sorted(names):
            raise NotCountedError(f"the artifact has not each of {', '.join(names)} once")
        if any(
            each.flag_bits & 1 or each.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for each in found
        ):
            raise NotCountedError("the artifact's files are encrypted, or packed as GitHub does not")
        # Python reads at most as much of a file as its header says.
        if sum(each.file_size for each in found) > most_bytes:
            raise NotCountedError(f"the artifact's files are larger than {most_bytes} bytes")
        return {each.filename: archive.read(each) for each in found}
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise NotCountedError(f"the artifact can't be unpacked: {error}") from None


# The comment


def comment(repository: Repository, event: Json, stack: str, here: Checkout) -> str:
    """Post the comment of a run of `preview` on its pull request, in place of an earlier one.

    The pull request is the open one whose head is the run's commit by GitHub's answer, not by an artifact. A run that
    does not count posts a notice instead, so that an earlier comment does not stand for it.
    """
    run = Run.of(repository.ask(f"/actions/runs/{at(event, 'workflow_run', 'id', kind=int)}"))
    runs = Runs.of(repository, here)
    if (run.event, run.path, run.repository) != ("pull_request", PREVIEWS, runs.id):
        return f"{run.url} is no run of {PREVIEWS} for a pull request: no comment is posted."
    if run.attempt != at(event, "workflow_run", "run_attempt", kind=int):
        return "The run was started again: no comment is posted."
    pulls = [pull for pull in _opened(repository, event) if (pull.sha, pull.branch) == (run.sha, run.branch)]
    # A fork's pull request may be for any branch: the text is the same, and nothing of the run is read.
    numbers = [pull.number for pull in pulls if pull.repository == run.source]
    if run.source != runs.id:
        for number in numbers:
            _stick(repository, number, FORK)
        return f"A fork: posted on {numbers}."
    mains = [pull for pull in pulls if pull.repository == runs.id and pull.base == MAIN]
    if not mains:
        return f"No open pull request for {MAIN} has the head {run.sha}: no comment is posted."
    body = _body(runs, mains[0], run, stack)
    if body is None:
        return "The run made no comment, or a newer one will."
    _stick(repository, mains[0].number, body)
    return f"Posted on {mains[0].number}."


def _opened(repository: Repository, event: Json) -> list[Pull]:
    """The open pull requests of the branch of an event's run."""
    if of_none(event, "workflow_run", "head_repository"):
        return []
    owner = at(event, "workflow_run", "head_repository", "owner", "login", kind=str)
    branch = at(event, "workflow_run", "head_branch", kind=str)
    return [Pull.of(each) for each in repository.pages("/pulls", state="open", head=f"{owner}:{branch}")]


def _body(runs: Runs, pull: Pull, run: Run, stack: str) -> str | None:
    """What a run made, or why that does not count; None for nothing."""
    marker = f"<!-- lotus:comment stack={re.sub('[^A-Za-z0-9._]', '_', stack)} -->"
    try:
        newest = runs.of_pull(pull)
        if newest.id != run.id:
            return None
        runs.refuse_another_workflow(run)
    except NotCountedError as error:
        # Names of branches are anybody's text.
        why = re.sub(r"[^\w .,:;/()'-]", "", str(error))
        return (
            f"{marker}\nThe preview of {run.sha} is not shown, and is no review: {why}. Its output is in the "
            f"[run]({run.url}). After the merge, run `preview` on {MAIN} by hand before the deploy.\n"
        )
    found = _artifact(runs.repository, run, "comment", COMMENT_BYTES)
    if found is None:
        return None
    made = unpack(runs.repository.download(found), (COMMENT,), COMMENT_BYTES)[COMMENT]
    text = made.decode(errors="replace").replace("\0", "")
    if not text.startswith(f"{marker}\n") or len(text) > LIMIT:
        raise GithubError(f"the run's {COMMENT} does not start with {marker}, or is too long: nothing is posted")
    return text


def _stick(repository: Repository, number: int, body: str) -> None:
    marker = body.splitlines()[0]
    for comment in repository.pages(f"/issues/{number}/comments"):
        if comment["user"]["login"] == BOT and comment["body"].startswith(marker):
            if comment["body"].strip() != body.strip():
                repository.write("PATCH", f"/issues/comments/{comment['id']}", {"body": body})
            return
    repository.write("POST", f"/issues/{number}/comments", {"body": body})


# The review


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A review that counts.

    Attributes:
        run: The run that made it.
        label: The pull request's label of now that accepts losses; empty for none. A manual run was judged without.
        files: Its files by name.
    """

    run: Run
    label: str
    files: Mapping[str, bytes]


def review(repository: Repository, stack: str, here: Checkout) -> Reviewed:
    """Get what was reviewed of the checked-out commit of main.

    By a manual run on main for this very commit, or else by the newest run for the last commit of the pull request that
    brought it. The run must be of this repository and of the checked-out workflow, and must have succeeded.

    Raises:
        GithubError: Nothing was; the message says why.
    """
    runs, refusals = Runs.of(repository, here), list[str]()
    for find in (_by_hand, _by_pull):
        try:
            run, label = find(runs)
            return Reviewed(run, label, _reviewed_files(runs, run, stack))
        except NotCountedError as error:
            refusals.append(str(error))
    raise GithubError(f"the commit {here.commit} has no review that counts: {'; '.join(refusals)}. {MANUAL}")


def _by_hand(runs: Runs) -> tuple[Run, str]:
    return runs.by_hand(), ""


def _by_pull(runs: Runs) -> tuple[Run, str]:
    pull = _merged(runs)
    return runs.of_pull(pull), LOSS_LABEL if LOSS_LABEL in pull.labels else ""


def _merged(runs: Runs) -> Pull:
    """The pull request whose merge, squash or rebase ended in the checked-out commit."""
    listed = [Pull.of(each) for each in runs.repository.pages(f"/commits/{runs.here.commit}/pulls")]
    found = [pull.number for pull in listed if pull.merged is not None and pull.merge == runs.here.commit]
    if len(found) != 1:
        raise NotCountedError(f"{len(found)} merged pull requests made the commit {runs.here.commit}")
    # The list may be older than the pull request itself, whose labels count now.
    pull = Pull.of(runs.repository.ask(f"/pulls/{found[0]}"))
    if pull.number != found[0] or pull.merged is None or pull.merge != runs.here.commit:
        raise NotCountedError(f"pull request {found[0]} was not merged as {runs.here.commit}")
    return pull


def _reviewed_files(runs: Runs, run: Run, stack: str) -> dict[str, bytes]:
    _refuse_unfinished(run)
    runs.refuse_another_workflow(run)
    name = f"review-{stack}-{runs.here.tree}"
    found = _artifact(runs.repository, run, name, REVIEW_BYTES)
    if found is None:
        raise NotCountedError(f"the run {run.url} has no artifact {name}: it previewed other files, or did not finish")
    files = unpack(runs.repository.download(found), REVIEW, REVIEW_BYTES)
    try:
        origin = json.loads(files[ORIGIN])
    except (ValueError, RecursionError):
        raise NotCountedError(f"{ORIGIN} of the run {run.url} is no JSON document") from None
    recorded = dict(origin) if isinstance(origin, dict) else {}
    if (recorded.get("stack"), recorded.get("tree")) != (stack, runs.here.tree):
        raise NotCountedError(f"{ORIGIN} of the run {run.url} is of another stack or of other files")
    # A pull request's preview is of its merge with main, which GitHub does not record.
    if run.event == "workflow_dispatch" and recorded.get("commit") != runs.here.commit:
        raise NotCountedError(f"{ORIGIN} of the run {run.url} is of another commit")
    return files


# The issue about drift


def issue(repository: Repository, stack: str, file: Path) -> str:
    """Keep one open issue about a stack's drift, with a file's text; close it if the file is empty.

    Raises:
        GithubError: There is no file: the comparison failed, and whether there is drift is unknown.
    """
    if not file.is_file():
        raise GithubError(f"there is no {file}: the comparison failed, so the issue stays as it is")
    text = file.read_text(encoding="utf-8", errors="replace")
    marker = f"<!-- lotus:drift stack={stack} -->"
    opened = [
        each
        for each in repository.pages("/issues", state="open", creator=BOT)
        if "pull_request" not in each and (each["body"] or "").startswith(marker)
    ]
    if not text.strip():
        for each in opened:
            repository.write("PATCH", f"/issues/{each['number']}", {"state": "closed", "state_reason": "completed"})
        return "No drift."
    body = f"{marker}\n{text}"[:LIMIT]
    if not opened:
        repository.write("POST", "/issues", {"title": f"Drift in {stack}", "body": body})
        return "Opened an issue."
    if opened[0]["body"].strip() != body.strip():
        repository.write("PATCH", f"/issues/{opened[0]['number']}", {"body": body})
    return f"The issue {opened[0]['number']} is up to date."


# The command line


def _run(arguments: list[str]) -> str:
    repository = Repository(os.environ["GITHUB_REPOSITORY"])
    match arguments:
        case ["comment"]:
            event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
            return comment(repository, event, _stack(os.environ.get("STACK") or "prod"), Checkout.here())
        case ["review", stack, folder]:
            return _write(review(repository, _stack(stack), Checkout.here()), Path(folder))
        case ["issue", stack, file]:
            return issue(repository, _stack(stack), Path(file))
    raise GithubError("comment, review STACK FOLDER, or issue STACK FILE")


def _stack(name: str) -> str:
    if not STACK.fullmatch(name):
        raise GithubError(f"{name!r} is no name of a stack: use letters, digits, '.', '_' and '-'")
    return name


def _write(reviewed: Reviewed, folder: Path) -> str:
    """Write a review's files, and the step's output `label`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in reviewed.files.items():
        (folder / name).write_bytes(content)
    output = os.environ.get("GITHUB_OUTPUT")
    if output:
        with Path(output).open("a", encoding="utf-8") as opened:
            opened.write(f"label={reviewed.label}\n")
    return f"Reviewed in {reviewed.run.url}, {'with' if reviewed.label else 'without'} the label {LOSS_LABEL}."


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
