"""A run that is killed or interrupted at each step of a stack on a cluster, and the documented way back.

The moment is chosen by the objects that the API server has, and never by time. After the way back the preview is empty,
the stack has one of each object, and a `destroy` leaves nothing. What is special about Helm is in `test_helm_records`.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from lotus_infra import naming
from tests.cluster.world import IMAGE, World

PLUGIN: Final = "pulumi-resource-kubernetes"
NEXT: Final = f"{IMAGE.rpartition(':')[0]}:89abcde"
PATIENCE_SECONDS: Final = 120
POLL_SECONDS: Final = 0.02
DATABASES: Final = {naming.DAGSTER_DATABASE, naming.CATALOG_DATABASE}
Reached = Callable[[World], bool]


@dataclass(frozen=True)
class Step:
    """A moment of a run.

    Attributes:
        reached: Whether the API server is there.
        command: The run.
        databases: Whether the databases stay unready until the run has ended.
        image: An image that no registry has until the run has ended, so that the release waits; empty for none.
    """

    reached: Reached
    command: str = "up"
    databases: bool = False
    image: str = ""


def has_namespace(world: World) -> bool:
    return world.namespace in {each.metadata.name for each in world.core.list_namespace().items}


def has_secret(name: str) -> Reached:
    return lambda world: (
        name in {each.metadata.name for each in world.core.list_namespaced_secret(world.namespace).items}
    )


def has_custom(kind: str) -> Reached:
    return lambda world: world.custom(kind) != {}


def has_record(status: str) -> Reached:
    return lambda world: status in {each for _, each in world.helm_records()}


def waits_for_an_image(world: World) -> bool:
    pods = world.core.list_namespaced_pod(world.namespace).items
    waiting = [status.state.waiting for pod in pods for status in pod.status.container_statuses or []]
    return any(each is not None and each.reason == "ImagePullBackOff" for each in waiting)


def without(reached: Reached) -> Reached:
    return lambda world: not reached(world)


STEPS: Final = {
    "the namespace": Step(has_namespace),
    "a database's secret": Step(has_secret(naming.credentials_secret(naming.DAGSTER_DATABASE))),
    "a backup's secret": Step(has_secret(naming.backup_secret(naming.DAGSTER_DATABASE))),
    "the lake's secret": Step(has_secret(naming.LAKE_SECRET)),
    "an object store": Step(has_custom("objectstores")),
    "databases awaited": Step(has_custom("clusters"), databases=True),
    "backups": Step(has_custom("scheduledbackups")),
    "the release is installed": Step(has_record("pending-install")),
    "the release is awaited": Step(waits_for_an_image, image=IMAGE),
    "the release is upgraded": Step(has_record("pending-upgrade"), image=NEXT),
    "the release is deleted": Step(without(has_record("deployed")), "destroy"),
    "backups are deleted": Step(without(has_custom("scheduledbackups")), "destroy"),
    "databases are deleted": Step(without(has_custom("clusters")), "destroy"),
    "the namespace is deleted": Step(without(has_namespace), "destroy"),
}


@contextmanager
def held(world: World, step: Step) -> Iterator[None]:
    """Keep a step from ending until the context ends."""
    operators, kubelet = world.machine.operators, world.machine.kubelet
    unready, missing = DATABASES if step.databases else set(), {step.image} - {""}
    operators.held |= unready
    kubelet.missing |= missing
    try:
        yield
    finally:
        operators.held -= unready
        kubelet.missing -= missing


@dataclass
class Run:
    """A command of the engine, in a process group of its own as a terminal has it. Plugins have groups of their own."""

    process: subprocess.Popen[bytes]
    log: Path
    plugins: list[psutil.Process] = field(default_factory=list)

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait until something is so; the run must not end before."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not reached():
            assert self.process.poll() is None, f"it ended before:\n{self.output}"
            assert time.monotonic() < deadline, f"it is never so:\n{self.output}"
            time.sleep(POLL_SECONDS)
        with suppress(psutil.NoSuchProcess):
            self.plugins = psutil.Process(self.process.pid).children(recursive=True)

    def kill_plugins(self, name: str = "") -> None:
        """Kill the programs that the engine started, or the one with a name."""
        for each in self.plugins:
            with suppress(psutil.NoSuchProcess):
                if name in {"", each.name()}:
                    each.kill()

    def interrupt(self) -> None:
        """Press Ctrl+C."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)


@contextmanager
def running(world: World, command: str) -> Iterator[Run]:
    """Start `up` or `destroy` without its preview; no process of it is left after the context."""
    log = world.pulumi.project.parent / "run.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["pulumi", "--non-interactive", "--color", "never", command, "--yes", "--skip-preview"],
            cwd=world.pulumi.project,
            env=world.pulumi.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
    run = Run(process, log)
    try:
        yield run
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)
        run.kill_plugins()


def lose_the_machine(run: Run) -> None:
    run.process.kill()
    run.kill_plugins()


def kill_the_engine(run: Run) -> None:
    run.process.kill()


def kill_the_plugin(run: Run) -> None:
    assert PLUGIN in {each.name() for each in run.plugins}
    run.kill_plugins(PLUGIN)


def interrupt(run: Run) -> None:
    run.interrupt()


def interrupt_twice(run: Run) -> None:
    run.interrupt()
    while run.process.poll() is None and "press ^C again" not in run.output:
        time.sleep(POLL_SECONDS)
    run.interrupt()


BLOWS: Final = {
    "the machine is lost": lose_the_machine,
    "the engine is killed": kill_the_engine,
    "the plugin is killed": kill_the_plugin,
    "interrupted": interrupt,
    "interrupted twice": interrupt_twice,
}
BY_DAY: Final = {
    ("databases awaited", "the plugin is killed"),
    ("databases are deleted", "interrupted"),
}
CASES: Final = [
    pytest.param(step, blow, id=f"{step}-{blow}", marks=() if (step, blow) in BY_DAY else pytest.mark.nightly)
    for step in STEPS
    for blow in BLOWS
]


def strike(world: World, step: Step, blow: Callable[[Run], None]) -> None:
    """Start the run, hit it at its step, and let what outlives the engine end its work."""
    with running(world, step.command) as run:
        with held(world, step):
            run.until(lambda: step.reached(world))
            blow(run)
            exit_code = run.process.wait(PATIENCE_SECONDS)
            # The engine (3.276) reports success for a `destroy` that Ctrl-C has ended early.
            assert exit_code != 0 or step.command == "destroy", run.output
        assert "panic" not in run.output
        if blow in {kill_the_engine, interrupt_twice} and has_namespace(world):
            # The plugin goes on by itself. Helm ends what it has begun.
            world.wait(lambda: not {"pending-install", "pending-upgrade"} & {each for _, each in world.helm_records()})


def recover(world: World, command: str) -> None:
    """What docs/how-to/recover-a-killed-run.md says."""
    fixed = world.lotus("doctor --fix --yes")
    assert fixed.returncode == 0, fixed.stdout + fixed.stderr
    for finding in findings(world, "helm"):
        if "`pulumi import" in finding["remedy"]:
            world.pulumi.run(*finding["remedy"].split("`")[1].split()[1:]).ok()
    world.pulumi.run(command, "--yes", "--skip-preview").ok()
    if world.pulumi.stack_export().get("pending_operations"):
        world.pulumi.refresh("--clear-pending-creates").ok()


def findings(world: World, area: str) -> list[dict[str, Any]]:
    """What the doctor finds broken in an area."""
    examined = json.loads(world.lotus("doctor --json").stdout)["findings"]
    return [each for each in examined if each["area"] == area and each["state"] == "broken"]


def is_whole(world: World) -> None:
    """The stack has one of each object, and is as its program says."""
    assert world.lake.changes() == []
    assert world.custom("clusters").keys() == DATABASES
    assert len(world.custom("scheduledbackups")) == len(world.custom("objectstores")) == len(DATABASES)
    assert [status for _, status in world.helm_records()].count("deployed") == 1
    assert all(len(hashes) == 1 for hashes in world.revisions().values())
    assert [len(world.lake.live(kind)) for kind in ("sources", "destinations", "connections")] == [3, 1, 3]


@pytest.mark.parametrize(("step", "blow"), CASES)
def test_a_run_that_is_hit_at_any_step_is_recovered_by_the_documented_way(world: World, step: str, blow: str) -> None:
    at = STEPS[step]
    if at.command == "destroy" or at.image == NEXT:
        world.pulumi.up().ok()
    if at.image == NEXT:
        world.change("image", NEXT)

    strike(world, at, BLOWS[blow])
    recover(world, at.command)

    if at.command == "up":
        is_whole(world)
        world.pulumi.destroy().ok()
    assert world.pulumi.resources() == {}
    assert not has_namespace(world)
    assert world.lake.live("connections") == world.lake.live("sources") == []
