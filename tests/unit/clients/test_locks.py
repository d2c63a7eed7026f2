"""Who holds a lock, whether its owner still runs, and which locks are removed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lotus_infra.clients.locks import LOCKS_FOLDER, Lock, Machine, Process, locks_of, owner_state, plan_unlock
from lotus_infra.clients.storage import Folder
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError

TAKEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LOCK = Lock("a.json", 41, "ana", "laptop", TAKEN)
BEFORE, AFTER = TAKEN - timedelta(minutes=1), TAKEN + timedelta(minutes=1)


def machine(process: Process | None, host: str = "laptop") -> Machine:
    return Machine(host, {41: process}.get)


@pytest.mark.parametrize(
    ("here", "state"),
    [
        (machine(None), "dead"),
        (machine(Process("pulumi", BEFORE)), "alive"),
        (machine(Process("bash", BEFORE)), "alive"),
        (machine(Process("bash", AFTER)), "dead"),
        (machine(Process("pulumi", AFTER)), "alive"),
        (machine(None, host="runner-7"), "elsewhere"),
    ],
)
def test_an_owner_is_dead_only_if_that_is_certain(here: Machine, state: str) -> None:
    assert owner_state(LOCK, here) == state


def test_an_age_is_shown_in_its_largest_unit() -> None:
    ages = [timedelta(seconds=-5), timedelta(seconds=90), timedelta(minutes=90), timedelta(hours=47), timedelta(days=9)]

    assert [LOCK.age(TAKEN + age) for age in ages] == ["0 s", "90 s", "90 min", "47 h", "9 d"]


@pytest.fixture
def backend(tmp_path: Path) -> Folder:
    """A backend with locks of the stack `prod` of the project `lotus`, and of others."""
    noted = {
        "lotus/prod/dead.json": {"pid": 41, "hostname": "laptop", "timestamp": "2026-03-01T12:00:00.123456789Z"},
        "lotus/prod/far.json": {"pid": 41, "hostname": "runner-7", "timestamp": "2026-03-01T11:00:00Z"},
        "lotus/production/a.json": {"pid": 1, "hostname": "laptop", "timestamp": "2026-03-01T12:00:00Z"},
        "another/prod/a.json": {"pid": 1, "hostname": "laptop", "timestamp": "2026-03-01T12:00:00Z"},
    }
    for key, lock in noted.items():
        file = tmp_path / ".pulumi" / "locks" / "organization" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"username": "ana", **lock}), encoding="utf-8")
    return Folder(tmp_path)


def test_the_locks_of_a_stack_are_listed_oldest_first(backend: Folder) -> None:
    found = locks_of(backend, "lotus", "organization/lotus/prod")

    assert [lock.owner for lock in found] == ["ana@runner-7 (pid 41)", "ana@laptop (pid 41)"]


def test_the_attributes_that_the_engine_keeps_beside_a_lock_in_a_folder_are_no_lock_and_go_with_it(
    backend: Folder,
) -> None:
    lock = backend.path / ".pulumi/locks/organization/lotus/prod/dead.json"
    attributes = lock.with_name("dead.json.attrs")
    attributes.write_text('{"user.content_type":"text/plain; charset=utf-8"}', encoding="utf-8")

    found = locks_of(backend, "lotus", "prod")
    backend.delete(found[-1].key)

    assert [lock.owner for lock in found] == ["ana@runner-7 (pid 41)", "ana@laptop (pid 41)"]
    assert not lock.exists()
    assert not attributes.exists()


def test_an_unreadable_lock_has_an_unknown_owner(backend: Folder) -> None:
    (backend.path / ".pulumi/locks/organization/lotus/prod/dead.json").write_text("{", encoding="utf-8")

    [_, unknown] = locks_of(backend, "lotus", "prod")

    assert unknown.owner == "somebody (the lock can't be read)"
    assert owner_state(unknown, machine(None)) == "unknown"


def test_the_attributes_beside_a_lock_in_a_folder_are_no_lock_and_go_with_it(tmp_path: Path) -> None:
    lock = tmp_path / LOCKS_FOLDER / "lotus" / "prod" / "one.json"
    lock.parent.mkdir(parents=True)
    held = {"pid": 1, "username": "ana", "hostname": "laptop", "timestamp": "2026-01-05T03:00:00Z"}
    lock.write_text(json.dumps(held), encoding="utf-8")
    lock.with_name("one.json.attrs").write_text('{"user.content_type":"text/plain","md5":"x"}', encoding="utf-8")
    folder = Folder(tmp_path)

    [found] = locks_of(folder, "lotus", "prod")
    folder.delete(found.key)

    assert found.owner == "ana@laptop (pid 1)"
    assert list(lock.parent.iterdir()) == []


def test_a_lock_of_another_machine_is_removed_once_that_is_declared_gone(backend: Folder, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\n", encoding="utf-8")
    project = Project(tmp_path, {})
    environment = {"PULUMI_BACKEND_URL": tmp_path.as_uri()}

    refused = plan_unlock(project, "prod", [], environment, machine(None))
    assert [lock.host for lock in refused.removable] == ["laptop"]
    with pytest.raises(LotusError, match=r"stays locked by ana@runner-7 .*--host-is-gone runner-7"):
        refused.refuse_remaining()

    plan_unlock(project, "prod", ["runner-7"], environment, machine(None)).remove_locks()

    assert locks_of(backend, "lotus", "prod") == []
    assert len(locks_of(backend, "lotus", "production")) == 1


def test_a_running_owner_keeps_its_lock_even_if_its_machine_is_declared_gone(backend: Folder, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\n", encoding="utf-8")
    environment = {"PULUMI_BACKEND_URL": tmp_path.as_uri()}
    alive = machine(Process("pulumi", BEFORE))

    planned = plan_unlock(Project(tmp_path, {}), "prod", ["laptop", "runner-7"], environment, alive)

    assert [(lock.host, state) for lock, state in planned.remaining] == [("laptop", "alive")]
    with pytest.raises(LotusError, match="it runs: wait for its end"):
        planned.refuse_remaining()
