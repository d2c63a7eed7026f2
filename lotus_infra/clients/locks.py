"""Who holds a stack's lock on a self-managed backend, and whether that process is still there.

The engine writes one object for each run that changes a stack, below `.pulumi/locks` as
`<organization>/<project>/<stack>/<uuid>.json`, with `pid`, `username`, `hostname` and `timestamp`, and removes it
at the run's end (seen on Pulumi 3.259, in a folder and on S3). Other backends have locks that can't be looked into.
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

from lotus_infra.clients.storage import KNOWN, Objects, at
from lotus_infra.config.production import Backend, Declared
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError

PLACE: Final = ".pulumi/locks/organization"
"""Self-managed backends have one organization, and it has this name."""
CLOCK_TOLERANCE: Final = timedelta(seconds=5)
Fate = Literal["alive", "dead", "elsewhere", "unknown"]


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock.

    Attributes:
        key: The object's, in the backend.
        pid: The owner's process; 0 where the lock does not say.
        user: Who started it.
        host: The machine that it runs on; empty where the lock does not say.
        since: When it took the lock, by that machine's clock.
    """

    key: str
    pid: int
    user: str
    host: str
    since: datetime

    @property
    def owner(self) -> str:
        """Its owner in words."""
        return f"{self.user}@{self.host} (pid {self.pid})" if self.host else "somebody (the lock can't be read)"

    def age(self, now: datetime) -> str:
        """How long it has been held: `3 min`."""
        seconds = max(0, int((now - self.since).total_seconds()))
        for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
            if seconds >= 2 * length:
                return f"{seconds // length} {unit}"
        return f"{seconds} s"


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this machine: the name of its program, and when it started."""

    name: str
    started: datetime


@dataclass(frozen=True, slots=True)
class Machine:
    """This machine.

    Attributes:
        host: Its name.
        process: The process of a number; None where there is none, or one that has ended and waits to be collected.
    """

    host: str
    process: Callable[[int], Process | None]

    @classmethod
    def here(cls) -> "Machine":
        """The one that this runs on."""
        return cls(socket.gethostname(), _process)


def fate_of(lock: Lock, machine: Machine) -> Fate:
    """Whether a lock's owner is still there.

    Numbers of processes are used again. One that started after the lock was taken is another, unless it is an engine:
    a clock that was set may have moved its start, so that an engine is let live.
    """
    if not lock.host:
        return "unknown"
    if lock.host != machine.host:
        return "elsewhere"
    process = machine.process(lock.pid)
    if process is None:
        return "dead"
    another = process.started > lock.since + CLOCK_TOLERANCE and process.name != "pulumi"
    return "dead" if another else "alive"


def advice(lock: Lock, fate: Fate) -> str:
    """What to do about a lock."""
    if fate == "alive":
        return "it runs: wait for its end"
    if fate == "dead":
        return "it is gone: `lotus doctor --unlock` removes the lock"
    if fate == "elsewhere":
        command = f"`lotus doctor --unlock --host-is-gone {lock.host}`"
        return f"wait for its end; once it is certain that it is gone: {command}"
    return "once it is certain that no run is under way: `pulumi cancel`"


def place_of(project: Project, environment: Mapping[str, str] = os.environ) -> Objects | None:
    """What the backend of a project holds; None where that can't be looked into.

    The variable that diverts the AWS SDKs diverts the engine too, and both read the same environment.
    """
    backend = Backend.chosen(Declared.at(project.folder, "").backend, environment)
    return at(backend.url) if backend.scheme in KNOWN else None


def locks_of(place: Objects, project: str, stack: str) -> list[Lock]:
    """The locks of a stack, the oldest first.

    Raises:
        LotusError: the backend can't be asked.
    """
    folder = f"{PLACE}/{project}/{stack.rsplit('/', maxsplit=1)[-1]}/"
    found = []
    for each in place.listed(folder):
        try:
            found.append(_lock(each.key, place.read(each.key), each.modified))
        except (LotusError, FileNotFoundError):
            # A run that ends between list and read takes its lock along.
            if any(each.key == again.key for again in place.listed(each.key)):
                raise
    return sorted(found, key=lambda lock: lock.since)


def held(project: Project, stack: str, environment: Mapping[str, str] = os.environ) -> list[Lock]:
    """The locks of a stack, for whoever would rather go on than know: a backend that can't be asked has none."""
    with suppress(LotusError, OSError):
        place = place_of(project, environment)
        return locks_of(place, Declared.at(project.folder, stack).name, stack) if place is not None else []
    return []


def refuse(project: Project, stack: str, environment: Mapping[str, str] = os.environ) -> None:
    """Refuse to start what would fail at somebody's lock, and say whose it is.

    Raises:
        LotusError: the stack is locked.
    """
    machine, now = Machine.here(), datetime.now(UTC)
    lines = [
        f"the stack {stack} is locked by {lock.owner}, for {lock.age(now)}: {advice(lock, fate_of(lock, machine))}"
        for lock in held(project, stack, environment)
    ]
    if lines:
        raise LotusError("\n".join(lines))


class _Noted(BaseModel):
    """What the engine writes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    username: str
    hostname: str
    timestamp: datetime


def _lock(key: str, content: bytes, modified: datetime) -> Lock:
    try:
        noted = _Noted.model_validate_json(content)
    except ValidationError:
        return Lock(key, 0, "", "", modified)
    return Lock(key, noted.pid, noted.username, noted.hostname, noted.timestamp)


def _process(pid: int) -> Process | None:
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return Process(process.name(), datetime.fromtimestamp(process.create_time(), UTC))
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return Process("pulumi", datetime.fromtimestamp(0, UTC))


@dataclass(frozen=True)
class Unlocking:
    """What is to be done about a stack's locks.

    Attributes:
        place: The backend's objects.
        gone: Locks whose owners are gone.
        kept: The others, each with why.
    """

    place: Objects
    gone: Sequence[Lock]
    kept: Sequence[tuple[Lock, Fate]]

    def lines(self, now: datetime) -> list[str]:
        """The plan in words, a line for each lock."""
        removed = [f"remove the lock of {lock.owner}, held for {lock.age(now)}" for lock in self.gone]
        return removed + [f"keep the lock of {lock.owner}: {advice(lock, fate)}" for lock, fate in self.kept]

    def refuse_if_any_is_kept(self) -> None:
        """Nothing is removed while another lock stays: the stack would be locked as before.

        Raises:
            LotusError: with the owners that are not known to be gone.
        """
        if self.kept:
            told = "; ".join(f"{lock.owner}: {advice(lock, fate)}" for lock, fate in self.kept)
            raise LotusError(f"the stack stays locked by {told}")

    def carry_out(self) -> None:
        """Remove the locks of those that are gone, and leave every lock that has come since.

        Raises:
            LotusError: The backend refuses.
        """
        for lock in self.gone:
            self.place.delete(lock.key)


def plan(
    project: Project,
    stack: str,
    gone_hosts: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
    machine: Machine | None = None,
) -> Unlocking:
    """Look at a stack's locks.

    Args:
        project: The project.
        stack: The stack.
        gone_hosts: Machines that the user says are gone, with all that ran on them. This machine is looked at all the
            same.
        environment: What tells which backend it is.
        machine: This one.

    Raises:
        LotusError: The backend can't be asked.
    """
    place = place_of(project, environment)
    if place is None:
        raise LotusError("the backend's locks can't be looked into", "`pulumi cancel` asks it to end a run")
    here = machine or Machine.here()
    fates = [(lock, fate_of(lock, here)) for lock in locks_of(place, Declared.at(project.folder, stack).name, stack)]
    dead = [lock for lock, fate in fates if fate == "dead" or (fate == "elsewhere" and lock.host in gone_hosts)]
    return Unlocking(place, dead, [each for each in fates if each[0] not in dead])
