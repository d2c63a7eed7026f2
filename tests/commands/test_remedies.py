"""Command lines that fail: one error, exit code 1 or 2, and a remedy that this command can follow."""

import shlex
from pathlib import Path

import click
import pytest
from pulumi_airbyte.client.environment import RETRY_SECONDS

from tests.docs.commands import commands as shell_commands
from tests.docs.commands import mistake
from tests.support.clone import write_project
from tests.support.commands import Lotus, lotus_in, write_stack
from tests.support.lotus import LOADED
from tests.support.messages import QUOTED, command_of, options_nearby, options_of, options_said

SERVER = {
    "airbyte:serverUrl": "http://127.0.0.1:9/api/public/v1",
    "lotus:workspaceId": "7c2e9a54-1f0b-4f7e-9a41-6f3a5d1c8b20",
}
LINES = (
    "add source",
    "add source stripe --connector source-stripe --stack nowhere",
    "add stream shopify orders --stack dev",
    "add stream nowhere orders --stack dev",
    "add stream shopify --all --fields id --stack dev",
    "add destination s3 --connector destination-s3",
    "audit",
    "audit --stack nowhere",
    "audit --stack dev",
    "backfill shopify",
    "completion tcsh",
    "init streams",
    "init lake --bucket A",
    "init --upgrade",
    "query --catalog nowhere.ducklake",
    "backfill nowhere orders",
    "backfill shopify nothing",
    "backfill shopify orders",
    "check --stack nowhere",
    "check --streams nowhere",
    "comment --preview nowhere.json",
    "completion",
    "completion powershell",
    "connector add stripe",
    "connector add source-stripe --stack nowhere",
    "connector add source-mine --image mine",
    "connector add source-mine --image mine:1",
    "connector add source-mine --image mine:1 --manifest m.yaml",
    "connector update",
    "connector update source-nothing --stack dev",
    "deploy",
    "deploy --stack dev",
    "deploy --stack dev --reviewed nowhere",
    "diff",
    "diff --stack dev --stack nowhere",
    "discover",
    "discover shopify --all --stack dev",
    "discover nowhere --stack dev",
    "discover shopify --stack dev",
    "doctor",
    "doctor --yes --stack dev",
    "drift --stack dev",
    "gate --preview nowhere.json",
    "graph --output lake.xyz",
    "graph --streams nowhere",
    "init",
    "init lake --upgrade",
    "init . --replace Makefile",
    "init lake --name . --region nowhere --bucket A",
    "migrate --from live --offline",
    "migrate --from live --stack dev",
    "migrate --from nowhere.tfstate",
    "preview",
    "preview --stack dev",
    "query",
    "query --catalog nowhere.ducklake",
    "query --catalog nowhere.ducklake --stack nowhere",
    "query --format parquet --catalog nowhere.ducklake",
    "scaffold",
    "scaffold shopify nothing",
    "schema --write --streams nowhere",
    "status",
    "status --stack dev",
    "status --stack nowhere",
    "sync",
    "sync --all shopify --stack dev",
    "sync nowhere --stack dev",
    "sync --all --stack dev",
    "up --stack dev",
    "verify",
    "verify --stack dev",
)


@pytest.fixture
def lotus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lotus:
    """Runs the command in a clone with two stacks and neither engine nor server."""
    for variable in ("AIRBYTE_SERVER_URL", "AIRBYTE_WORKSPACE_ID", "PULUMI_STACK"):
        monkeypatch.delenv(variable, raising=False)
    project = write_project(tmp_path / "lake")
    run = lotus_in(project, monkeypatch)
    for stack in ("dev", "test"):
        write_stack(project, stack, SERVER)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv(RETRY_SECONDS, "0")
    return run


@pytest.mark.parametrize("line", LINES)
def test_a_command_that_fails_names_only_what_it_has(
    lotus: Lotus, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    words = shlex.split(line)
    code = lotus(*words)
    told = "".join(capsys.readouterr())
    command = command_of(words)
    assert command is not None
    assert not isinstance(command, click.Group)
    assert code in {1, 2}, told
    assert "Traceback" not in told
    wrong = [mistake(found) for quoted in QUOTED.findall(told) for found in shell_commands(quoted)]
    assert [each for each in wrong if each] == [], told
    lines = [each for each in told.splitlines() if not each.startswith("Usage: ")]
    named = [option for each in lines for option in options_said(each) - options_nearby(each)]
    assert [option for option in named if option not in options_of(command)] == [], told


def test_every_command_fails_in_one_of_these_lines() -> None:
    failing = {line.split()[0] for line in LINES}
    assert LOADED.keys() - failing == set()
