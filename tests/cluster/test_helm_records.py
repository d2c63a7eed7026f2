"""Runs that are killed while Helm installs or upgrades, and the way back: a real API server, the real plugin."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil
import pytest
from kubernetes import client

from tests.cluster.world import IMAGE, World

NEXT_IMAGE = IMAGE.replace(":0123456", ":89abcde")
IN_USE = "cannot re-use a name that is still in use"
IN_PROGRESS = "another operation (install/upgrade/rollback) is in progress"


@pytest.fixture
def missing(world: World) -> Iterator[set[str]]:
    """Images that no registry has, so that Helm waits."""
    yield world.machine.kubelet.missing
    world.machine.kubelet.missing.clear()


@contextmanager
def held_at(world: World, record: tuple[int, str]) -> Iterator[subprocess.Popen[str]]:
    """An `up` that is at work in Helm, after the release's objects were created."""
    running = world.pulumi.start("up", "--yes", "--skip-preview")
    try:
        world.wait(
            lambda: (
                running.poll() is not None
                or (record in world.helm_records() and "lotus-lake" in "".join(deployments(world)))
            ),
            seconds=240,
        )
        assert running.poll() is None, "".join(running.communicate())[-3000:]
        yield running
    finally:
        kill(running)
        running.communicate()


def deployments(world: World) -> dict[str, str]:
    """The uid of each deployment, by its name."""
    found = client.AppsV1Api(world.machine.server.client()).list_namespaced_deployment(world.namespace).items
    return {each.metadata.name: each.metadata.uid for each in found}


def kill(running: "subprocess.Popen[str]", *, plugins: bool = True) -> list[psutil.Process]:
    """Kill the engine and its plugins, as a machine that is switched off does; returns the plugins.

    The engine starts each plugin in a process group of its own, so that a plugin outlives an engine that is killed.
    """
    try:
        engine = psutil.Process(running.pid)
        family = engine.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    for each in (engine, *(family if plugins else ())):
        with suppress(psutil.NoSuchProcess):
            each.kill()
    running.wait()
    return family


def found(world: World, area: str) -> list[tuple[str, str]]:
    """What the doctor finds broken or warns of in an area."""
    examined = json.loads(world.lotus("doctor --json").stdout)
    return [
        (each["state"], each["what"]) for each in examined["findings"] if each["area"] == area and each["state"] != "ok"
    ]


def test_a_run_that_is_killed_in_the_first_install_is_fixed_and_the_next_one_adopts_its_objects(
    world: World, missing: set[str]
) -> None:
    missing.add(IMAGE)
    with held_at(world, (1, "pending-install")) as running:
        alive = found(world, "helm")
        kill(running)
    before = deployments(world)

    assert [level for level, _ in alive] == ["warning"]
    assert [level for level, _ in found(world, "helm")] == ["broken"]
    fixed = world.lotus("doctor --fix --yes")
    assert fixed.returncode == 0, fixed.stderr
    assert "removed 1 lock and Helm's record sh.helm.release.v1.dagster.v1" in fixed.stdout
    assert deployments(world) == before
    missing.clear()
    world.pulumi.up().ok()

    assert deployments(world) == before
    assert world.helm_records() == [(1, "deployed")]
    assert found(world, "helm") == []
    world.pulumi.refresh("--clear-pending-creates").ok()
    assert world.lake.changes() == []


@pytest.mark.nightly
def test_a_lock_that_was_removed_by_hand_leaves_a_record_that_is_fixed_when_its_time_is_up(
    world: World, missing: set[str]
) -> None:
    missing.add(IMAGE)
    with held_at(world, (1, "pending-install")) as running:
        kill(running)
    world.pulumi.run("cancel", "--yes").ok()
    missing.clear()

    assert IN_USE in world.pulumi.up().failed().output
    young = world.lotus("doctor --fix --yes")
    assert young.returncode == 1
    assert "its time limit ends in" in young.stderr
    long_ago: Any = {"metadata": {"labels": {"createdAt": "1767582000", "modifiedAt": "1767582000"}}}
    world.core.patch_namespaced_secret("sh.helm.release.v1.dagster.v1", world.namespace, long_ago)
    assert world.lotus("doctor --fix --yes").returncode == 0
    world.pulumi.up().ok()

    assert world.helm_records() == [(1, "deployed")]


@pytest.mark.nightly
def test_a_run_that_is_killed_in_an_upgrade_is_fixed_without_downtime(world: World, missing: set[str]) -> None:
    world.pulumi.up().ok()
    before, running_pods = deployments(world), world.revisions()
    missing.add(NEXT_IMAGE)
    world.change("image", NEXT_IMAGE)
    with held_at(world, (2, "pending-upgrade")) as running:
        kill(running)
    world.pulumi.run("cancel", "--yes").ok()

    assert IN_PROGRESS in world.pulumi.up().failed().output
    long_ago: Any = {"metadata": {"labels": {"createdAt": "1767582000"}}}
    world.core.patch_namespaced_secret("sh.helm.release.v1.dagster.v2", world.namespace, long_ago)
    assert world.lotus("doctor --fix --yes").returncode == 0
    assert world.helm_records() == [(1, "deployed")]
    # The old pods have served the whole time.
    assert world.revisions() == running_pods
    missing.clear()
    world.pulumi.up().ok()

    assert deployments(world) == before
    assert world.helm_records() == [(1, "superseded"), (2, "deployed")]
    assert world.lake.changes() == []


@pytest.mark.nightly
def test_a_release_whose_engine_was_killed_before_it_noted_it_is_imported(world: World, missing: set[str]) -> None:
    missing.add(IMAGE)
    with held_at(world, (1, "pending-install")) as running:
        plugins = kill(running, plugins=False)
        orphaned = world.lotus("doctor --fix --yes")
        missing.clear()
        world.wait(lambda: world.helm_records() == [(1, "deployed")])
        for plugin in plugins:
            with suppress(psutil.NoSuchProcess):
                plugin.kill()
    before = deployments(world)

    assert orphaned.returncode == 1
    assert "a plugin of a killed run still runs on this machine" in orphaned.stderr
    assert world.lotus("doctor --fix --yes").returncode == 0
    assert IN_USE in world.pulumi.up().failed().output
    examined = json.loads(world.lotus("doctor --json").stdout)["findings"]
    [finding] = [each for each in examined if each["area"] == "helm"]
    command = finding["remedy"].split("`")[1].split()
    assert command[:2] == ["pulumi", "import"]
    world.pulumi.run(*command[1:]).ok()

    assert found(world, "helm") == []
    world.pulumi.up().ok()
    assert deployments(world) == before
    assert world.lake.changes() == []


@pytest.mark.nightly
def test_a_release_that_was_uninstalled_by_hand_is_installed_again_with_a_refresh(world: World) -> None:
    world.pulumi.up().ok()
    for record in world.core.list_namespaced_secret(world.namespace, label_selector="owner=helm").items:
        world.core.delete_namespaced_secret(record.metadata.name, world.namespace)

    assert found(world, "helm") == [("broken", "the state has the release dagster, and the cluster does not")]
    up = world.lotus("up --refresh --yes --skip-preview")
    assert up.returncode == 0, up.stdout + up.stderr

    assert world.helm_records() == [(1, "deployed")]
    assert world.lake.changes() == []
