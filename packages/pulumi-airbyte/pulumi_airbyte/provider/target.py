"""What a verb may know beside an object's inputs: its place in the program, and what this run of the engine has shown.

A plugin serves one run of the engine (a preview, an update, a refresh), in which the engine asks about each resource of
the state before it makes a new object for it. So a create can know that it replaces something, and a delete that the
object has gone over to another resource.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from pulumi_airbyte.provider.properties import Properties


@dataclass(frozen=True)
class Known:
    """An object as the engine's state has it; inputs and outputs are empty for an import."""

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
    """What one run of the engine has shown until now. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Known] = {}
        self._owners: dict[str, str] = {}
        self._only_read: set[str] = set()
        self._leaving: set[str] = set()

    def reads(self, urn: str) -> None:
        """Note that a resource is refreshed: the state has it, the program need not."""
        with self._lock:
            self._only_read.add(urn)

    def checks(self, urn: str) -> None:
        """Note that the program has a resource."""
        with self._lock:
            self._only_read.discard(urn)

    def saw(self, urn: str, known: Known) -> None:
        """Remember the object that the state has for a resource; a refresh, which diffs too, gives it no claim."""
        with self._lock:
            if urn in self._only_read:
                return
            self._known[urn] = known
            self._owners.setdefault(known.id, urn)

    def leaves(self, urn: str) -> None:
        """Note that a resource gives up the object that the state has for it: it gets another one."""
        with self._lock:
            self._leaving.add(urn)

    def keeps(self, urn: str) -> bool:
        """Whether a resource goes on with the object that the state has for it, as far as this run has shown."""
        with self._lock:
            return urn not in self._leaving

    def known(self, urn: str) -> Known | None:
        """The object that the state has for a resource, as far as the engine has asked about it."""
        with self._lock:
            return self._known.get(urn)

    def claim(self, object_id: str, urn: str) -> str:
        """Take an object for a resource, unless another one has it.

        Args:
            object_id: the object's id; or, before it has one, what identifies it.
            urn: of the resource.

        Returns:
            The URN of the resource that has the object from now on.
        """
        with self._lock:
            return self._owners.setdefault(object_id, urn)

    def owner(self, object_id: str) -> str | None:
        """The URN of the resource that has an object, as far as this run has shown."""
        with self._lock:
            return self._owners.get(object_id)
