"""What the SDK's resources share: turning typed arguments into properties."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol, TypeVar, cast

import pulumi
from pulumi._types import resource_py_to_pulumi_names


class Wired(Protocol):
    """An argument that knows its form on the wire."""

    def to_wire(self) -> Any:
        """The form on the wire."""


Argument = TypeVar("Argument", bound=Wired)


def wired(value: pulumi.Input[Argument] | None) -> Any:
    """The property of an argument."""
    return applied(value, lambda argument: argument.to_wire())


def applied(value: pulumi.Input[Argument] | None, form: Callable[[Argument], Any]) -> Any:
    """What is made of an argument: at once where it is plain, so that a preview knows it."""
    if value is None:
        return None
    if isinstance(value, pulumi.Output):
        return value.apply(form)
    return form(cast("Argument", value))


def wired_list(values: Sequence[pulumi.Input[Argument]] | None) -> Any:
    """The property of a list of arguments."""
    return None if values is None else [wired(value) for value in values]


class Resource(pulumi.CustomResource):
    """A resource whose properties are its getters: each is known to the engine by the name that its getter gives.

    `deleted_with` another resource of Airbyte is a dependency on that one, and no more. With the option the engine
    would call no delete here, and the other's delete could not distinguish this object from one outside the program,
    which it refuses to take along.
    """

    def __init__(
        self, token: str, resource_name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None
    ) -> None:
        typed = _typed_properties(type(self))  # type: ignore[arg-type]  # classes hash, whatever the SDK declares
        properties = object.__new__(typed)
        vars(properties).update({**dict.fromkeys(_getters(type(self))), **inputs})
        super().__init__(token, resource_name, properties, opts)

    def _get_providers(
        self, t: str, pkg: str | None, opts: pulumi.ResourceOptions
    ) -> tuple[pulumi.ProviderResource | None, Mapping[str, pulumi.ProviderResource]]:
        """As the SDK does, which calls it with its own copy of the options once every transformation has changed them.

        No public method of the SDK sees the options after transformations of the parents and the stack.
        """
        _delete_by_itself(opts)
        return super()._get_providers(t, pkg, opts)


def _delete_by_itself(opts: pulumi.ResourceOptions) -> None:
    """Turn `deleted_with` one of our resources into a dependency on it, in place."""
    other = opts.deleted_with
    if isinstance(other, Resource):
        own, added = (pulumi.ResourceOptions(depends_on=each) for each in (opts.depends_on, [other]))
        opts.depends_on, opts.deleted_with = pulumi.ResourceOptions.merge(own, added).depends_on, None


@cache
def _typed_properties(resource: type[Resource]) -> type[Any]:
    """The resource's getters as an input type.

    Only with one does the SDK take names from getters; otherwise it would rename keys inside a configuration as well.
    """
    made: type[Any] = type(f"{resource.__name__}Properties", (), _getters(resource))
    return pulumi.input_type(made)


def _getters(resource: type[Resource]) -> dict[str, Any]:
    return {
        name: getattr(resource, name) for name in resource_py_to_pulumi_names(resource) if name not in {"id", "urn"}
    }
