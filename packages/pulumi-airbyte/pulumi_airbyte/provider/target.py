"""What a verb may know beside an object's inputs: its place in the program, and what this run of the engine has shown.

The engine announces a replacement by its checks: it checks the new inputs with those of the state, and, once it has
decided to replace, again without them (pulumi, step_generator.go). `--replace` and a taint are not announced: the only
check comes without the state's inputs, as that of a resource which is not in the state.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pulumi_airbyte.provider.properties import Properties
from pulumi_airbyte.provider.run_record import Holder, RunRecord

PATIENCE: Final = 600.0
"""Seconds for a verb that waits for jobs, where the program does not say (customTimeouts)."""


@dataclass(frozen=True)
class Known:
    """An object as the engine's state has it.

    Attributes:
        id: its id; empty where only its inputs are known yet.
        inputs: empty for an import, and for an object of which another process knows no more than the id.
        outputs: empty where they are not known.
    """

    id: str
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """The resource that a verb works for.

    Attributes:
        urn: its URN.
        say: shows a line to people, beside the resource.
        replaced: the object that a create is to take the place of; None where the resource had none.
        seconds: how long the program lets the verb take; None where it does not say.
    """

    urn: str
    say: Callable[[str], None]
    replaced: Known | None = None
    seconds: float | None = None

    @property
    def type(self) -> str:
        """The resource's type token, without those of the components that hold it."""
        return type_of(self.urn)

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return name_of(self.urn)

    @property
    def parent_type(self) -> str:
        """The type token of the component that holds the resource; empty where none does."""
        return self.urn.split("::")[2].rpartition("$")[0].rpartition("$")[2]


def name_of(urn: str) -> str:
    """The last part of `urn:pulumi:<stack>::<project>::<type>::<name>`; the name may have colons too."""
    return urn.split("::", maxsplit=3)[-1]


def type_of(urn: str) -> str:
    """The type token in a URN, without the types of the components that hold the resource."""
    return urn.split("::")[2].rsplit("$", maxsplit=1)[-1]


class Run:
    """What one run of the engine has shown until now. Thread-safe.

    Attributes:
        record: which objects the run has; shared with the other plugin processes of the run. What is below is what
            the engine has shown to this process.
    """

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self._lock = threading.Lock()
        self._declared: dict[str, Properties] = {}
        self._wanted: dict[str, Properties] = {}
        self._replaced: set[str] = set()
        self._known: dict[str, Known] = {}

    def declares(self, urn: str, old: Properties, new: Properties, entry: str, successor: Callable[[], str]) -> None:
        """Note that the program declares a resource, by a check that has passed.

        Args:
            urn: of the resource.
            old: the inputs that the check was given from the state; empty for a create, and for one that replaces.
            new: the inputs that passed.
            entry: what identifies an object by its inputs, of the inputs that the state has.
            successor: makes what is to be known of the new inputs, as JSON, where they belong to a new object.
        """
        with self._lock:
            self._wanted[urn] = new
            if old:
                self._declared[urn] = old
                self._replaced.discard(urn)
                return
            if urn not in self._declared:
                return
            self._replaced.add(urn)
        self.record.leave(urn, entry, successor())

    def old_inputs(self, urn: str) -> Properties:
        """The inputs that the state has of a resource, as far as a check has shown them."""
        with self._lock:
            return self._declared.get(urn, {})

    def inputs_now(self, urn: str) -> Properties:
        """The inputs that the program gives a resource now, as far as this process has checked them."""
        with self._lock:
            return self._wanted.get(urn, {})

    def keeps(self, urn: str, known: Known) -> Holder | None:
        """Note the object that the state has for a resource which the program declares.

        A refresh compares too, without a check before: it says nothing of the program.

        Returns:
            Another resource that has the object.
        """
        with self._lock:
            if urn not in self._declared:
                return None
            self._known[urn] = known
        holder = self.record.take(known.id, urn, "kept")
        return None if holder.urn == urn else holder

    def deletes(self, urn: str, known: Known, entry: str) -> Holder | None:
        """Note that an object is about to be deleted, unless a resource has it.

        Returns:
            The resource that has it.
        """
        holder = self.record.delete(known.id, urn, entry)
        if holder is None:
            with self._lock:
                self._known[urn] = known
        return holder

    def replaced(self, urn: str, entry: str) -> Known | None:
        """The object that a create is to take the place of, as far as this run has shown.

        Args:
            urn: of the resource that is created.
            entry: what identifies an object by its inputs, of the inputs that the state has; may be empty.
        """
        with self._lock:
            known = self._known.get(urn)
            if known is None and urn in self._replaced:
                known = Known("", self._declared[urn])
        if known is not None and known.id:
            return known
        gone = self.record.deleted(urn, entry)
        return known if gone is None else Known(gone, known.inputs if known else {})

    def inputs_of(self, object_id: str) -> Properties | None:
        """The inputs of an object that a resource of the program has, as far as this process has seen them."""
        holder = self.record.holder(object_id)
        with self._lock:
            known = self._known.get(holder.urn) if holder else None
        return known.inputs if known and known.id == object_id else None


@dataclass(frozen=True)
class Deadline:
    """When a verb has waited long enough.

    Attributes:
        seconds: how long it may wait in all.
        at: the end, by the monotonic clock.
    """

    seconds: float
    at: float

    @classmethod
    def of(cls, target: Target) -> "Deadline":
        """The deadline of a verb that starts now."""
        seconds = target.seconds or PATIENCE
        return cls(seconds, time.monotonic() + seconds)

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return time.monotonic() >= self.at
