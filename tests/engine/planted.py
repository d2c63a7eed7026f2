"""A world in which every secret is a marker: those of a stack, its shell, an Airbyte, a cluster, a Terraform state.

Everything that a command leaves is searched: its output, the files below `place` (its project, the engine's state and
home, the user's home, the folder of temporary files), and the command lines of its processes.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

import httpx
import psutil
from airbyte_twin.jobs import drive, fail, start_sync
from airbyte_twin.records import Job, JobFailure
from airbyte_twin.testing import RunningTwin, running_twin
from airbyte_twin.twin import ByHand

from tests.engine.harness import REPOSITORY, Pulumi
from tests.engine.lake import Lake
from tests.support.clone import commit, git
from tests.support.markers import Finding, Marker, Searched, marker
from tests.support.relay import Relay, relayed

JSON_INSIDE: Final = '{"private_key": "{atom}\\n{atom}", "id": "{atom}"}'
PEM: Final = "-----BEGIN PRIVATE KEY-----\n{atom}{atom}\n{atom}{atom}\n-----END PRIVATE KEY-----\n"
HEADER_SAFE: Final = "{atom}/+=%{atom}"

IN_STACK: Final = {
    "lotus:shopify_api_password": marker("lotus:shopify_api_password"),
    "lotus:klaviyo_api_key": marker("lotus:klaviyo_api_key", JSON_INSIDE),
    "lotus:s3_access_key_id": marker("lotus:s3_access_key_id", "{number}"),
    "lotus:s3_secret_access_key": marker("lotus:s3_secret_access_key", "{atom}/+=&?#%{atom}"),
    "lotus:dagster_db_password": marker("lotus:dagster_db_password"),
    "lotus:ducklake_db_password": marker("lotus:ducklake_db_password", PEM),
    "airbyte:clientSecret": marker("airbyte:clientSecret", HEADER_SAFE),
}
"""Encrypted in the stack's file."""
IN_SHELL: Final = {
    "PULUMI_CONFIG_PASSPHRASE": marker("PULUMI_CONFIG_PASSPHRASE"),
    "PULUMI_ACCESS_TOKEN": marker("PULUMI_ACCESS_TOKEN", HEADER_SAFE),
    "AWS_SECRET_ACCESS_KEY": marker("AWS_SECRET_ACCESS_KEY", HEADER_SAFE),
    "AWS_SESSION_TOKEN": marker("AWS_SESSION_TOKEN", HEADER_SAFE),
    "GH_TOKEN": marker("GH_TOKEN", HEADER_SAFE),
    "GITHUB_TOKEN": marker("GITHUB_TOKEN", HEADER_SAFE),
    "PGPASSWORD": marker("PGPASSWORD"),
    "DAGSTER_PG_PASSWORD": marker("DAGSTER_PG_PASSWORD"),
    "AZURE_STORAGE_KEY": marker("AZURE_STORAGE_KEY", HEADER_SAFE),
    "GOOGLE_CREDENTIALS": marker("GOOGLE_CREDENTIALS", JSON_INSIDE),
    "LOTUS_CATALOG": marker("LOTUS_CATALOG", "postgres:host=127.0.0.1 port=1 dbname=lake password={atom}-{atom}"),
    "LOTUS_SECOND_API_PASSWORD": marker("LOTUS_SECOND_API_PASSWORD"),
}
"""In the environment of every command. `AIRBYTE_CLIENT_SECRET` has the stack's own value."""
ROTATED: Final = marker("a rotated secret", PEM)
ELSEWHERE: Final = {
    name: marker(name, form)
    for name, form in {
        "the kubeconfig's token": HEADER_SAFE,
        "the git remote's token": "{atom}",
        "a cursor": JSON_INSIDE,
        "a secret that somebody wrote into Airbyte": "{head}{atom}{atom}{tail}",
        "a mapper's key": "{atom}{atom}",
        "terraform: password": "{head}{atom}{atom}",
        "terraform: key id": "{number}",
        "terraform: access key": PEM,
        "terraform: output": JSON_INSIDE,
    }.items()
}
EVERY: Final = (*IN_STACK.values(), *IN_SHELL.values(), ROTATED, *ELSEWHERE.values())
ALLOWED: Final[dict[str, tuple[str, ...]]] = {
    # Git's own file, in which the user wrote it.
    "the git remote's token": (".git/config",),
}
"""The only files below the project, the state and the homes that may have a marker, and why."""
IN_AIRBYTE: Final = ("shopify_api_password", "klaviyo_api_key", "s3_access_key_id", "s3_secret_access_key")
"""The secrets of the stack that Airbyte's connectors have, and quote."""
SIGNS_IN: Final = "lotus-marker-client"
POLL_SECONDS: Final = 0.02
PATIENCE_SECONDS: Final = 60


@dataclass
class Ran:
    """A command that ended, and what was found of it."""

    command: Sequence[str]
    exit_code: int
    output: str
    findings: list[Finding]


@dataclass
class Planted:
    """The world.

    Attributes:
        lake: The lake's project, its engine and its Airbyte.
        relay: What stands between the commands and Airbyte.
        place: The folder of all that commands may write.
        given: The folder of what they read, and must leave alone.
        searched: Searches the first.
        environment: Of every command.
    """

    lake: Lake
    relay: Relay
    place: Path
    given: Path
    searched: Searched
    environment: dict[str, str]

    @property
    def project(self) -> Path:
        return self.lake.pulumi.project

    def __post_init__(self) -> None:
        self.planted = self.searched.markers

    def plant(self, added: Marker, *allowed: str) -> str:
        """Search for one more marker, except in these files; returns its value."""
        self.planted = (*self.planted, added)
        self.searched.allowed[added.name] = allowed
        return added.value

    def lotus(self, line: str, **environment: str) -> Ran:
        """Run a command as a user does, and search all that it leaves."""
        return self.run([str(Path(sys.executable).parent / "lotus"), *line.split()], **environment)

    def run(self, command: Sequence[str], **environment: str) -> Ran:
        process = subprocess.Popen(
            command, cwd=self.project, env=self.environment | environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0,
        )  # fmt: skip
        with _watched(process.pid) as lines:
            try:
                stdout, stderr = process.communicate(timeout=PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                stdout, stderr = process.communicate()
        named = " ".join(["lotus", *command[1:]])
        output = (stdout + b"\n" + stderr).decode(errors="replace")
        tokens = [Marker("a token that Airbyte issued", token[-20:], token) for token in self.relay.issued]
        self.searched.markers = (*self.planted, *tokens)
        findings = self.searched.text(stdout.decode(errors="replace"), f"standard output of `{named}`")
        findings += self.searched.text(stderr.decode(errors="replace"), f"standard error of `{named}`")
        findings += self.searched.text("\n".join(lines), f"a process of `{named}`")
        findings += [
            Finding(each.marker, f"{each.place} after `{named}`", each.excerpt) for each in self.searched.files()
        ]
        return Ran(command, process.returncode, output, findings)


@contextmanager
def _watched(pid: int) -> Iterator[set[str]]:
    """Collect the command lines of a process and of all that it starts."""
    lines: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            try:
                root = psutil.Process(pid)
                for each in (root, *root.children(recursive=True)):
                    lines.add("\0".join(each.cmdline()))
            except psutil.Error:
                continue

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lines
    finally:
        ended.set()
        thread.join()


@contextmanager
def planted(folder: Path, engine: Sequence[Path]) -> Iterator[Planted]:
    """The world in a new folder: deployed, but for the last change of a file."""
    place, given = folder / "place", folder / "given"
    for each in (place / "user", place / "temporary", given):
        each.mkdir(parents=True)
    with ExitStack() as stack:
        twin = stack.enter_context(
            running_twin(
                auth="client_credentials", client_id=SIGNS_IN, client_secret=IN_STACK["airbyte:clientSecret"].value
            )
        )
        relay = stack.enter_context(relayed(twin.url))
        pulumi = _engine(place, given, engine)
        lake = _lake(pulumi, twin, relay)
        yield Planted(lake, relay, place, given, Searched([place], EVERY, ALLOWED), pulumi.environment)


class _Engine(Pulumi):
    passphrase = IN_SHELL["PULUMI_CONFIG_PASSPHRASE"].value


def _engine(place: Path, given: Path, engine: Sequence[Path]) -> Pulumi:
    made = _Engine(place, engine, {"airbyte": Path(sys.executable).parent})
    made.environment |= {name: each.value for name, each in IN_SHELL.items()}
    made.environment |= {
        "PULUMI_STACK": "test",
        "HOME": str(place / "user"),
        "TMPDIR": str(place / "temporary"),
        "KUBECONFIG": str(given / "kubeconfig"),
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AIRBYTE_CLIENT_ID": SIGNS_IN,
        "AIRBYTE_CLIENT_SECRET": IN_STACK["airbyte:clientSecret"].value,
    }
    return made


def _lake(pulumi: Pulumi, twin: RunningTwin, relay: Relay) -> Lake:
    lake = Lake.copied(pulumi, twin)
    pulumi.environment["AIRBYTE_SERVER_URL"] = f"{relay.url}/api/public/v1"
    secret = [f"--secret={name}={each.value}" for name, each in IN_STACK.items()]
    pulumi.run("config", "set-all", f"--plaintext=airbyte:clientId={SIGNS_IN}", *secret).ok()
    # A second stack with a workspace of its own, to compare with.
    stack = (pulumi.project / "Pulumi.test.yaml").read_text(encoding="utf-8")
    other = stack.replace(twin.workspace_id, str(uuid5(NAMESPACE_OID, twin.workspace_id)))
    (pulumi.project / "Pulumi.other.yaml").write_text(other, encoding="utf-8")
    shutil.copytree(
        REPOSITORY / "dagster" / "dbt",
        pulumi.project / "dagster" / "dbt",
        ignore=shutil.ignore_patterns("target", "logs"),
    )
    (pulumi.project / ".gitignore").write_text("__pycache__/\n.review/\n", encoding="utf-8")
    git(pulumi.project, "init", "-q")
    token = ELSEWHERE["the git remote's token"].value
    git(pulumi.project, "remote", "add", "origin", f"https://x-access-token:{token}@github.example.com/o/lake.git")
    commit(pulumi.project, "A")
    return lake


def live(world: Planted) -> None:
    """Let Airbyte have what syncs leave there: cursors, and failed jobs that quote the configuration."""
    twin = world.lake.twin
    for connection in call(twin, "GET", "/connections?limit=100")["data"]:
        names = [stream["name"] for stream in connection["configurations"]["streams"]]
        blob = {"updated_at": "2026-01-05T00:00:00Z", "access_token": ELSEWHERE["a cursor"].value}
        rows = [{"streamDescriptor": {"name": name}, "streamState": blob} for name in names]
        state = {"connectionId": connection["connectionId"], "stateType": "stream", "streamState": rows}
        body = {"connectionId": connection["connectionId"], "connectionState": state}
        call(twin, "POST", "/state/create_or_update_safe", body, twin.config_url)
    twin.twin.runner = Failing(twin)
    for each in twin.store.connections:
        start_sync(twin.twin, each)


class Failing(ByHand):
    """Ends each job at once, with a message that quotes the configuration, as connectors do."""

    def __init__(self, twin: RunningTwin) -> None:
        self._twin = twin.twin

    def submit(self, job: Job) -> None:
        """Start a job, and let it fail."""
        quoted = json.dumps({name: IN_STACK[f"lotus:{name}"].value for name in IN_AIRBYTE})
        failure = JobFailure(origin="source", message=f"401 Unauthorized for {quoted}", internal=quoted)
        fail(self._twin, drive(self._twin, job, "running"), failure)


def call(twin: RunningTwin, method: str, path: str, body: object = None, root: str = "") -> dict[str, Any]:
    """A call by somebody else than the commands; it must succeed."""
    headers = {"Authorization": f"Bearer {twin.twin.tokens.issue(SIGNS_IN)}"}
    response = httpx.request(method, (root or twin.public_url) + path, json=body, timeout=60, headers=headers)
    assert response.is_success, response.text
    return dict(response.json()) if response.content else {}
