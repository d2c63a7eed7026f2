"""The context of a verb: the resource's URN and time-out, and what the engine has shown during this run.

The engine announces a replacement by its checks: it checks the new inputs with those of the state and, once it has
decided to replace, again without them (pulumi, step_generator.go). It does not announce `--replace` and taints: then
the only check comes without the state's inputs, like that of a new resource.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pulumi_airbyte.provider.properties import Properties
from pulumi_airbyte.provider.run_record import Holder, RunRecord

PATIENCE: Final = 600.0
"""Seconds that a verb waits for jobs, unless the program sets customTimeouts."""


@dataclass(frozen=True)
class Known:
    """An object as the engine's state has it.

    Attributes:
        id: its id; empty if only its inputs are known.
        inputs: empty for an import, and for an object that only another process of the run has seen.
        outputs: empty if unknown.
    """

    id: str
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """The resource that a verb works on.

    Attributes:
        urn: its URN.
        say: shows a message beside the resource.
        replaced: the object that a create replaces, if any.
        seconds: the verb's time-out (customTimeouts); None if the program sets none.
    """

    urn: str
    say: Callable[[str], None]
    replaced: Known | None = None
    seconds: float | None = None

    @property
    def type(self) -> str:
        """The resource's type token, without its parents' types."""
        return type_of(self.urn)

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return name_of(self.urn)

    @property
    def parent_type(self) -> str:
        """The type token of the parent component; empty without one."""
        return self.urn.split("::")[2].rpartition("$")[0].rpartition("$")[2]


def name_of(urn: str) -> str:
    """The name in `urn:pulumi:<stack>::<project>::<type>::<name>`; it may contain colons."""
    return urn.split("::", maxsplit=3)[-1]


def type_of(urn: str) -> str:
    """The type token in a URN, without the parents' types."""
    return urn.split("::")[2].rsplit("$", maxsplit=1)[-1]


class Run:
    """What the engine has shown to this process in one run. Thread-safe.

    Attributes:
        record: the objects of the run, shared with its other plugin processes.
    """

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self._lock = threading.Lock()
        self._declared: dict[str, Properties] = {}
        self._wanted: dict[str, Properties] = {}
        self._replaced: set[str] = set()
        self._known: dict[str, Known] = {}

    def declares(self, urn: str, old: Properties, new: Properties, entry: str, successor: Callable[[], str]) -> None:
        """Record a resource of the program, after its check has passed.

        Args:
            urn: the resource.
            old: the state's inputs as the engine passed them; empty for a create and for a replacement.
            new: the checked inputs.
            entry: identity of the state's object by its inputs.
            successor: makes the note about a replacement's inputs, as JSON; called only for a replacement.
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
        """The state's inputs of a resource, if a check has shown them."""
        with self._lock:
            return self._declared.get(urn, {})

    def inputs_now(self, urn: str) -> Properties:
        """The program's inputs of a resource, if this process has checked them."""
        with self._lock:
            return self._wanted.get(urn, {})

    def keeps(self, urn: str, known: Known) -> Holder | None:
        """Record the state's object of a resource that the program declares.

        A refresh has no preceding check, so it is no evidence that the program declares the resource.

        Returns:
            Another resource that holds the object, if any.
        """
        with self._lock:
            if urn not in self._declared:
                return None
            self._known[urn] = known
        holder = self.record.take(known.id, urn, "kept")
        return None if holder.urn == urn else holder

    def deletes(self, urn: str, known: Known, entry: str) -> Holder | None:
        """Record that an object is about to be deleted, unless a resource holds it.

        Returns:
            The resource that holds it, if any.
        """
        holder = self.record.delete(known.id, urn, entry)
        if holder is None:
            with self._lock:
                self._known[urn] = known
        return holder

    def replaced(self, urn: str, entry: str) -> Known | None:
        """The object that a create replaces, if this run has shown it.

        Args:
            urn: the resource that is created.
            entry: identity of the state's object by its inputs; may be empty.
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
        """The state's inputs of an object that the program holds, if this process has seen them."""
        holder = self.record.holder(object_id)
        with self._lock:
            known = self._known.get(holder.urn) if holder else None
        return known.inputs if known and known.id == object_id else None


@dataclass(frozen=True)
class Deadline:
    """The end of a verb's time for waiting.

    Attributes:
        seconds: the whole time-out.
        at: its end, by the monotonic clock.
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
        """Whether the time is over."""
        return time.monotonic() >= self.at
