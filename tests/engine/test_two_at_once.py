"""A production stack whose state is in a bucket: two runs at once, one that was killed, and runs that are refused."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from airbyte_twin.faults import Fault
from airbyte_twin.testing import PATIENCE, RunningTwin

from sandbox import s3
from sandbox.layout import S3_KEY, STATE_BUCKET, Layout
from sandbox.process import stop
from tests.engine.harness import Pulumi, Result
from tests.engine.lake import Lake

LOTUS = Path(sys.executable).with_name("lotus")


@pytest.fixture
def production(tmp_path: Path, engine: list[Path], twin: RunningTwin) -> Iterator[Lake]:
    """The project's own lake as a production stack, not applied yet."""
    place = Layout(tmp_path)
    server = s3.start(place)
    environment = place.environment("", twin.public_url, server.url)
    definition = {
        "name": "test-project",
        "runtime": {"name": "python"},
        "backend": {"url": environment["PULUMI_BACKEND_URL"]},
        "plugins": {"providers": [{"name": "airbyte", "path": str(Path(sys.executable).parent)}]},
    }
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "Pulumi.yaml").write_text(json.dumps(definition), encoding="utf-8")
    pulumi = Pulumi(tmp_path, engine)
    del pulumi.environment["PULUMI_BACKEND_URL"]
    pulumi.environment |= {"AWS_ACCESS_KEY_ID": S3_KEY, "AWS_SECRET_ACCESS_KEY": S3_KEY}
    pulumi.run("stack", "init", pulumi.stack).ok()
    lake = Lake.copied(pulumi, twin)
    pulumi.run(
        "config", "set-all", "--plaintext=lotus:production=true", f"--plaintext=airbyte:serverUrl={twin.public_url}"
    ).ok()
    twin.clear_calls()
    yield lake
    stop(server)


def lotus(lake: Lake, *arguments: str) -> Result:
    """A command of `lotus`, as its user runs it."""
    ran = subprocess.run(
        [str(LOTUS), *arguments],
        cwd=lake.pulumi.project,
        env=lake.pulumi.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Result(arguments, ran.returncode, ran.stdout, ran.stderr)


def test_of_two_runs_one_is_refused_and_what_a_killed_one_leaves_is_removed(production: Lake) -> None:
    pulumi, twin = production.pulumi, production.twin
    twin.twin.faults.add(Fault.model_validate({"method": "POST", "path": "sources$", "hold": "before"}))
    first = pulumi.start("up", "--yes", "--skip-preview")
    while (held := twin.held(seconds=0.2)) is None:
        assert first.poll() is None, first.communicate()
    owner = rf"\w+@\S+ \(pid {first.pid}\)"

    second = lotus(production, "up", "--yes", "--skip-preview").failed()

    assert re.fullmatch(
        rf"lotus: the stack test is locked by {owner}, for \d+ (s|min): it runs: wait for its end\n", second.output
    )
    refused = lotus(production, "doctor", "--unlock", "--yes").failed()
    assert re.search(rf"stays locked by {owner}: it runs", refused.stderr)

    children = subprocess.run(["pgrep", "-P", str(first.pid)], capture_output=True, text=True, check=True)
    for process in (first.pid, *map(int, children.stdout.split())):
        os.kill(process, signal.SIGKILL)
    first.communicate()
    assert held.left.wait(PATIENCE)
    twin.twin.faults.clear()

    stranded = lotus(production, "up", "--yes", "--skip-preview").failed()
    assert re.search(rf"{owner}, for \d+ (s|min): it is gone: `lotus doctor --unlock` removes", stranded.stderr)
    examined = json.loads(lotus(production, "doctor", "--json").failed().stdout)
    broken = [finding for finding in examined["findings"] if finding["state"] == "broken"]
    assert [finding["area"] for finding in broken] == ["locks"], examined
    assert re.match(owner, broken[0]["what"])
    assert {finding["area"] for finding in examined["findings"]} >= {"versions", "backend", "airbyte", "clock", "state"}

    unlocked = lotus(production, "doctor", "--unlock", "--yes").ok()

    assert re.search(rf"remove the lock of {owner}, held for ", unlocked.stdout)
    lotus(production, "up", "--yes", "--skip-preview").ok()
    assert [item["name"] for item in production.live("sources")] == ["Faker", "Klaviyo", "Shopify"]
    assert production.changes() == []


def test_ticket_003_what_is_applied_is_the_one_state_and_what_is_really_there(production: Lake, tmp_path: Path) -> None:
    pulumi, twin = production.pulumi, production.twin
    pulumi.up().ok()
    (tmp_path / "elsewhere").mkdir()
    pulumi.environment["PULUMI_BACKEND_URL"] = (tmp_path / "elsewhere").as_uri()
    pulumi.run("stack", "init", pulumi.stack).ok()
    twin.clear_calls()

    for refused in (pulumi.up().failed(), lotus(production, "up", "--yes").failed()):
        assert "may not run like this" in refused.output
        assert f"and Pulumi.yaml has s3://{STATE_BUCKET}" in refused.output

    del pulumi.environment["PULUMI_BACKEND_URL"]
    own = str(pulumi.project / "Pulumi.test.yaml")
    pulumi.run("stack", "init", "other").ok()
    other = pulumi.up("--stack", "other", "--config-file", own).failed()
    assert "its values are not those of Pulumi.other.yaml" in other.output
    assert twin.calls() == []

    production.api("DELETE", f"/sources/{production.one('sources', 'Faker')['sourceId']}")
    assert production.changes("--refresh") == [("create", "Connection", "faker"), ("create", "Source", "faker")]
