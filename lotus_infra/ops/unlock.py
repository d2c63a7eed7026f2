"""`lotus doctor --unlock`: takes away the locks whose owners are gone, and no other."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lotus_infra.errors import LotusError
from lotus_infra.guard import Declared
from lotus_infra.ops.locks import Fate, Lock, Machine, advice, fate_of, locks_of, place_of
from lotus_infra.ops.objects import Objects
from lotus_infra.ops.stacks import Project


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
