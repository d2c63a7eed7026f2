"""`lotus doctor --fix`: what a killed run left, its lock and Helm's pending record, is removed, and nothing else."""

import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from lotus_infra.commands.cli import main
from lotus_infra.commands.doctor.cluster import cluster
from lotus_infra.commands.doctor.context import StackContext
from tests.commands.prod import Prod
from tests.support.cluster import helm_record

LONG_AGO = 1767582000
NO_PID = 2**22 + 1
"""Above the kernel's highest process id."""


class Site(NamedTuple):
    """A stack with a state in a folder, and a cluster."""

    prod: Prod
    backend: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def lock(self, pid: int = NO_PID, host: str = "") -> Path:
        file = self.backend / ".pulumi/locks/organization/lotus/prod/one.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        held = {"pid": pid, "username": "ana", "hostname": host or socket.gethostname()}
        file.write_text(json.dumps(held | {"timestamp": datetime.now(UTC).isoformat()}), encoding="utf-8")
        file.with_name("one.json.attrs").write_text("{}", encoding="utf-8")
        return file

    def records(self, *records: Any) -> None:
        self.prod.cluster.objects += records

    def doctor(self, *options: str) -> tuple[int, str, str]:
        """The exit code and both outputs of the command."""
        self.capsys.readouterr()
        self.monkeypatch.setattr(sys, "argv", ["lotus", "doctor", *options])
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        printed = self.capsys.readouterr()
        return code, printed.out, printed.err

    def found(self) -> list[tuple[str, str]]:
        case = StackContext.of(self.prod.folder / "streams", "prod")
        return [(each.state, each.what) for each in cluster(case, first=False) if each.area == "helm"]


@pytest.fixture
def site(prod: Prod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Site:
    backend, engine = tmp_path / "backend", tmp_path / "bin" / "pulumi"
    backend.mkdir()
    engine.parent.mkdir()
    release = {"type": "kubernetes:helm.sh/v3:Release", "id": "lotus-lake/dagster", "urn": "urn:pulumi:a::b::c::d"}
    (tmp_path / "state").write_text(json.dumps({"deployment": {"resources": [release]}}), encoding="utf-8")
    engine.write_text(f"#!/bin/sh\nexec cat {tmp_path / 'state'}\n", encoding="utf-8")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{engine.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PULUMI_BACKEND_URL", backend.as_uri())
    monkeypatch.chdir(prod.folder)
    prod.declare(cluster={"kubeconfig": str(prod.kubeconfig), "context": "here"})
    return Site(prod, backend, monkeypatch, capsys)


PENDING = [helm_record(1, "superseded", LONG_AGO), helm_record(2, "deployed", LONG_AGO)]


@pytest.mark.parametrize("status", ["pending-install", "pending-upgrade", "pending-rollback"])
def test_a_pending_record_of_a_dead_run_is_removed_with_its_lock_and_nothing_else(status: str, site: Site) -> None:
    lock = site.lock()
    site.records(*PENDING, helm_record(3, status, int(time.time())))

    assert site.found() == [
        (
            "broken",
            (
                f"Helm's record of dagster is {status}, revision 3, and no run is at work on it: "
                "Helm refuses every install and upgrade"
            ),
        )
    ]
    code, printed, _ = site.doctor("--fix", "--yes")

    assert code == 0
    assert f"remove Helm's record of dagster, revision 3 ({status}); its objects stay as they are" in printed
    assert printed.splitlines()[-1] == (
        "removed 1 lock and Helm's record sh.helm.release.v1.dagster.v3; next: `lotus up --stack prod`"
    )
    assert site.prod.cluster.deleted == ["sh.helm.release.v1.dagster.v3"]
    assert not lock.exists()
    assert site.found() == [("ok", "dagster is deployed, revision 2")]
    assert site.doctor("--fix", "--yes")[1] == "nothing is stranded\n"


def test_a_record_older_than_the_time_limit_is_stranded_without_a_lock(site: Site) -> None:
    site.records(*PENDING, helm_record(3, "pending-upgrade", LONG_AGO))

    code, printed, _ = site.doctor("--fix", "--yes", "--json")

    assert code == 0
    assert json.loads(printed) == {
        "ok": True,
        "stack": "prod",
        "removed": [],
        "helm": ["sh.helm.release.v1.dagster.v3"],
    }


def test_a_young_record_without_a_lock_stays_until_its_time_is_up(site: Site) -> None:
    site.records(*PENDING, helm_record(3, "pending-upgrade", int(time.time())))

    code, _, error = site.doctor("--fix", "--yes")

    assert code == 1
    assert "Helm's record of dagster has to stay: its run may still be at work, because its time limit ends in" in error
    assert site.prod.cluster.deleted == []
    assert [level for level, _ in site.found()] == ["warning"]
    site.prod.declare(cluster={"kubeconfig": str(site.prod.kubeconfig)}, timeoutSeconds=1)
    site.records(helm_record(4, "pending-upgrade", int(time.time()) - 5))
    assert site.doctor("--fix", "--yes")[0] == 0


def test_a_run_that_is_alive_keeps_its_lock_and_its_record(site: Site) -> None:
    lock = site.lock(os.getpid())
    site.records(*PENDING, helm_record(3, "pending-upgrade", LONG_AGO))

    code, _, error = site.doctor("--fix", "--yes")

    assert code == 1
    assert "the stack stays locked by ana@" in error
    assert (lock.exists(), site.prod.cluster.deleted) == (True, [])
    [(level, what)] = site.found()
    assert level == "warning"
    assert what.endswith("holds the stack's lock, and runs")


def test_a_run_on_a_machine_that_is_gone_is_dead_with_the_option_that_says_so(site: Site) -> None:
    site.lock(host="runner-7")
    site.records(helm_record(1, "pending-install", int(time.time())))

    assert site.doctor("--fix", "--yes")[0] == 1
    assert site.prod.cluster.deleted == []
    assert site.doctor("--fix", "--yes", "--host-is-gone", "runner-7")[0] == 0
    assert site.prod.cluster.deleted == ["sh.helm.release.v1.dagster.v1"]


def test_a_plugin_that_outlives_its_engine_is_named(site: Site, tmp_path: Path) -> None:
    lock = site.lock()
    site.records(helm_record(1, "pending-install", int(time.time())))
    plugin = tmp_path / "pulumi-resource-kubernetes"
    plugin.symlink_to("/bin/cat")

    with subprocess.Popen([str(plugin)], stdin=subprocess.PIPE) as running:
        code, _, error = site.doctor("--fix", "--yes")
        assert running.stdin is not None
        running.stdin.close()

    assert code == 1
    assert f"a plugin of a killed run still runs on this machine (pid {running.pid})" in error
    assert (lock.exists(), site.prod.cluster.deleted) == (True, [])


def test_a_plugin_of_another_project_does_not_matter(site: Site, tmp_path: Path) -> None:
    site.lock()
    site.records(helm_record(1, "pending-install", int(time.time())))
    plugin = tmp_path / "pulumi-resource-kubernetes"
    plugin.symlink_to("/bin/cat")

    with subprocess.Popen([str(plugin)], stdin=subprocess.PIPE, cwd=tmp_path) as running:
        code = site.doctor("--fix", "--yes")[0]
        assert running.stdin is not None
        running.stdin.close()

    assert code == 0


def test_it_asks_and_without_an_answer_nothing_is_changed(site: Site) -> None:
    lock = site.lock()
    site.records(helm_record(1, "pending-install", LONG_AGO))

    assert site.doctor("--fix")[0] == 1
    assert (lock.exists(), site.prod.cluster.deleted) == (True, [])


def test_a_record_that_changed_meanwhile_stays(site: Site) -> None:
    record = helm_record(1, "pending-install", LONG_AGO)
    site.records(record)

    def finish(*_: object, **__: object) -> bool:
        """While the user reads the question, Helm ends."""
        record["metadata"]["resourceVersion"] = "2"
        return True

    site.monkeypatch.setattr("click.confirm", finish)
    code, _, error = site.doctor("--fix")

    assert code == 1
    assert "have changed meanwhile: run it again" in error
    assert site.prod.cluster.deleted == []


def test_no_permission_to_remove_it_is_reported_and_the_lock_stays(site: Site) -> None:
    lock = site.lock()
    site.records(helm_record(1, "pending-install", LONG_AGO))
    site.prod.cluster.denied = {"secrets"}

    code, _, error = site.doctor("--fix", "--yes")

    assert code == 1
    assert "you may not list secrets in the namespace lotus-lake" in error
    assert lock.exists()


def test_a_release_that_only_helm_or_only_the_state_has_is_broken(site: Site, tmp_path: Path) -> None:
    assert site.found() == [("broken", "the state has the release dagster, and the cluster does not")]
    site.records(*PENDING)
    (tmp_path / "state").write_text(json.dumps({"deployment": {"resources": []}}), encoding="utf-8")
    assert site.found() == [
        (
            "broken",
            "Helm has installed dagster, revision 2 (deployed), and the state does not have it: a run was killed",
        )
    ]
    # Only a pending record is removed.
    assert site.doctor("--fix", "--yes")[:2] == (0, "nothing is stranded\n")
    assert site.prod.cluster.deleted == []


def test_a_stack_without_dagster_has_only_locks(site: Site) -> None:
    lock = site.lock()
    (site.prod.folder / "Pulumi.prod.yaml").write_text(yaml.safe_dump({"config": {}}), encoding="utf-8")

    assert site.doctor("--fix", "--yes")[0] == 0
    assert not lock.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--yes",), "--yes and --host-is-gone require --unlock or --fix"),
        (("--fix", "--before-first-up"), "--before-first-up only checks"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: tuple[str, ...], message: str, site: Site) -> None:
    code, _, error = site.doctor(*options)
    assert code == 2
    assert message in error
