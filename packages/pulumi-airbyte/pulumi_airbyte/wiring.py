"""What the SDK's resources share: turning typed arguments into properties."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, cast

import pulumi


class Wired(Protocol):
    """An argument that knows its form on the wire."""

    def to_wire(self) -> Any:
        """The form on the wire."""


Argument = TypeVar("Argument", bound=Wired)


def wired(value: pulumi.Input[Argument] | None) -> Any:
    """The property of an argument: written at once where it is plain, so that a preview knows it."""
    if value is None:
        return None
    if isinstance(value, pulumi.Output):
        return value.apply(lambda argument: argument.to_wire())
    return cast("Argument", value).to_wire()


def wired_list(values: Sequence[pulumi.Input[Argument]] | None) -> Any:
    """The property of a list of arguments."""
    return None if values is None else [wired(value) for value in values]
