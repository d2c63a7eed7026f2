"""The locks of a stack on a self-managed backend: who holds them, whether that process still runs, and their removal.

The engine writes one object for each run that changes a stack, below `.pulumi/locks` as
`<organization>/<project>/<stack>/<uuid>.json`, with `pid`, `username`, `hostname` and `timestamp`, and deletes it when
the run ends (seen on Pulumi 3.259, in a folder and on S3). The locks of other backends can't be read.
"""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from lotus_infra.clients.storage import SCHEMES, ObjectStore, open_store
from lotus_infra.config import production
from lotus_infra.config.backend import Backend
from lotus_infra.config.production import Declared
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError

LOCKS_FOLDER: Final = ".pulumi/locks/organization"
"""Self-managed backends have one organization, and it has this name."""
CLOCK_TOLERANCE: Final = timedelta(seconds=5)
OwnerState = Literal["alive", "dead", "elsewhere", "unknown"]
"""`elsewhere` is on another machine, whose processes can't be listed; `unknown` is of a lock that can't be parsed."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock.

    Attributes:
        key: The object's key in the backend.
        pid: The owner's process id; 0 if the lock can't be parsed.
        user: Who started the run.
        host: The machine of the run; empty if the lock can't be parsed.
        since: When the run took the lock, by that machine's clock.
    """

    key: str
    pid: int
    user: str
    host: str
    since: datetime

    @property
    def owner(self) -> str:
        """The owner as messages show it."""
        return f"{self.user}@{self.host} (pid {self.pid})" if self.host else "somebody (the lock can't be read)"

    def age(self, now: datetime) -> str:
        """How long the lock has been held: `3 min`."""
        seconds = max(0, int((now - self.since).total_seconds()))
        for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
            if seconds >= 2 * length:
                return f"{seconds // length} {unit}"
        return f"{seconds} s"


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this machine: its program's name, and when it started."""

    name: str
    started: datetime


@dataclass(frozen=True, slots=True)
class Machine:
    """This machine.

    Attributes:
        host: Its name.
        process: Looks up a process by its id; None if there is none, or only a zombie.
    """

    host: str
    process: Callable[[int], Process | None]

    @classmethod
    def here(cls) -> "Machine":
        """The machine that this runs on."""
        return cls(socket.gethostname(), _find_process)


@dataclass(frozen=True)
class UnlockPlan:
    """Which of a stack's locks to remove.

    Attributes:
        store: The backend's objects.
        removable: Locks whose owners are dead.
        remaining: The other locks, each with the state of its owner.
    """

    store: ObjectStore
    removable: Sequence[Lock]
    remaining: Sequence[tuple[Lock, OwnerState]]

    def lines(self, now: datetime) -> list[str]:
        """The plan as a user reads it, one line for each lock."""
        removed = [f"remove the lock of {lock.owner}, held for {lock.age(now)}" for lock in self.removable]
        return removed + [f"keep the lock of {lock.owner}: {advice(lock, state)}" for lock, state in self.remaining]

    def refuse_remaining(self) -> None:
        """Refuse to remove anything while another lock remains: the stack would be locked as before.

        Raises:
            LotusError: A lock remains; the message names each owner.
        """
        if self.remaining:
            owners = "; ".join(f"{lock.owner}: {advice(lock, state)}" for lock, state in self.remaining)
            raise LotusError(f"the stack stays locked by {owners}")

    def remove_locks(self) -> None:
        """Delete the removable locks, and no lock that was taken after the plan was made.

        Raises:
            LotusError: The backend refuses.
        """
        for lock in self.removable:
            self.store.delete(lock.key)


def backend_store(project: Project, environment: Mapping[str, str] = os.environ) -> ObjectStore | None:
    """The objects of a project's backend; None if they can't be listed.

    A variable that redirects the AWS SDKs redirects the engine too, because both read the same environment.
    """
    backend = Backend.chosen(Declared.at(project.folder, "").backend, environment)
    return open_store(backend.url) if backend.scheme in SCHEMES else None


def locks_of(store: ObjectStore, project: str, stack: str) -> list[Lock]:
    """The locks of a stack, the oldest first.

    Raises:
        LotusError: The backend can't be read.
    """
    folder = f"{LOCKS_FOLDER}/{project}/{stack.rsplit('/', maxsplit=1)[-1]}/"
    found = []
    for each in store.list_objects(folder):
        try:
            found.append(_parse_lock(each.key, store.read(each.key), each.modified))
        except (LotusError, FileNotFoundError):
            # A run that ends between the listing and the read deletes its lock: only an object that still exists fails.
            if any(each.key == again.key for again in store.list_objects(each.key)):
                raise
    return sorted(found, key=lambda lock: lock.since)


def owner_state(lock: Lock, machine: Machine) -> OwnerState:
    """Whether a lock's owner still runs.

    Process ids are reused. A process that started after the lock was taken is another one, unless it is an engine: a
    corrected clock may have moved its start time, so that an engine always counts as alive.
    """
    if not lock.host:
        return "unknown"
    if lock.host != machine.host:
        return "elsewhere"
    process = machine.process(lock.pid)
    if process is None:
        return "dead"
    reused = process.started > lock.since + CLOCK_TOLERANCE and process.name != "pulumi"
    return "dead" if reused else "alive"


def advice(lock: Lock, state: OwnerState) -> str:
    """What to do about a lock."""
    if state == "alive":
        return "it runs: wait for its end"
    if state == "dead":
        return "it is gone: `lotus doctor --unlock` removes the lock"
    if state == "elsewhere":
        command = f"`lotus doctor --unlock --host-is-gone {lock.host}`"
        return f"wait for its end; once it is certain that it is gone: {command}"
    return "once it is certain that no run is under way: `pulumi cancel`"


def refuse_locked_stack(project: Project, stack: str, environment: Mapping[str, str] = os.environ) -> None:
    """Fail before a run that a lock would stop, with a message that names the lock's owner.

    Raises:
        LotusError: The stack is locked.
    """
    machine, now = Machine.here(), datetime.now(UTC)
    lines = [
        f"the stack {stack} is locked by {lock.owner}, for {lock.age(now)}: {advice(lock, owner_state(lock, machine))}"
        for lock in _readable_locks(project, stack, environment)
    ]
    if lines:
        raise LotusError("\n".join(lines))


def plan_unlock(
    project: Project,
    stack: str,
    gone_hosts: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
    machine: Machine | None = None,
) -> UnlockPlan:
    """Find out which of a stack's locks can be removed.

    Args:
        project: The project.
        stack: The stack.
        gone_hosts: Machines that the user declares gone, with all that ran on them. A process of this machine is
            looked up even if it is named.
        environment: The environment's variables, which may name the backend.
        machine: This machine.

    Raises:
        LotusError: The backend can't be read, or the stack may not run like this.
    """
    if stack in project.stacks:
        production.check(project.run(stack), environment)
    store = backend_store(project, environment)
    if store is None:
        raise LotusError("the backend's locks can't be listed", "`pulumi cancel` asks it to end a run")
    here = machine or Machine.here()
    locks = locks_of(store, Declared.at(project.folder, stack).name, stack)
    states = [(lock, owner_state(lock, here)) for lock in locks]
    dead = [lock for lock, state in states if state == "dead" or (state == "elsewhere" and lock.host in gone_hosts)]
    return UnlockPlan(store, dead, [each for each in states if each[0] not in dead])


def _readable_locks(project: Project, stack: str, environment: Mapping[str, str]) -> list[Lock]:
    """The locks of a stack; none if the backend can't be read, because the engine itself will report that."""
    with suppress(LotusError, OSError):
        store = backend_store(project, environment)
        return locks_of(store, Declared.at(project.folder, stack).name, stack) if store is not None else []
    return []


class _LockContent(BaseModel):
    """The engine's JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    username: str
    hostname: str
    timestamp: datetime


def _parse_lock(key: str, content: bytes, modified: datetime) -> Lock:
    try:
        parsed = _LockContent.model_validate_json(content)
    except ValidationError:
        return Lock(key, 0, "", "", modified)
    return Lock(key, parsed.pid, parsed.username, parsed.hostname, parsed.timestamp)


def _find_process(pid: int) -> Process | None:
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return Process(process.name(), datetime.fromtimestamp(process.create_time(), UTC))
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        # A process that can't be examined may be the owner, so that it must count as alive.
        return Process("pulumi", datetime.fromtimestamp(0, UTC))
