"""The only reader of the stack's configuration. Gives it out typed and frozen; knows no file of the lake.

Keys, all under `lotus:`: `workspaceId`, `streams`, `protectSources`, and one for each name that the lake's files
refer to.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pulumi
from pulumi.runtime.config import CONFIG

from lotus_infra.errors import LotusError
from lotus_infra.streams.references import Reference, ReferenceType, StackValues

NAMESPACE: Final = "lotus"
PLACEHOLDER: Final = "replace-me"
"""What a stack file has where nobody has set a value yet."""
NO_WORKSPACE: Final = str(UUID(int=0))


@dataclass(frozen=True)
class Settings:
    """What differs from stack to stack.

    Attributes:
        workspace_id: the Airbyte workspace that holds the lake's objects.
        streams: the lake's folder.
        protect_sources: whether deleting a source takes an unprotect first.
        values: the names that the stack has values for.
        value: the value of a reference, as a secret output where it is one.
    """

    workspace_id: str
    streams: Path
    protect_sources: bool
    values: StackValues
    value: Callable[[Reference], pulumi.Input[Any]]


def load(project: Path) -> Settings:
    """Read the stack's configuration.

    Args:
        project: the folder of `Pulumi.yaml`, which relative paths start from.

    Raises:
        LotusError: a value is missing or is not of its type.
    """
    config = pulumi.Config(NAMESPACE)
    return Settings(
        workspace_id=_workspace_id(config),
        streams=project / (config.get("streams") or "streams"),
        protect_sources=config.get_bool("protectSources") or False,
        values=StackValues(pulumi.get_stack(), _names()),
        value=lambda reference: _value(config, reference),
    )


def _workspace_id(config: pulumi.Config) -> str:
    given = (config.get("workspaceId") or "").replace(NO_WORKSPACE, "")
    try:
        return str(UUID(given))
    except ValueError:
        what = (
            f"lotus:workspaceId is {given!r}, which is no id"
            if given
            else "the stack does not say which workspace to use"
        )
        raise LotusError(
            what, "pulumi config set lotus:workspaceId <id>, from the address of the workspace in Airbyte"
        ) from None


def _names() -> frozenset[str]:
    """The names that have a value; a placeholder is none."""
    prefix = f"{NAMESPACE}:"
    given = {key for key, value in CONFIG.get().items() if value != PLACEHOLDER}
    return frozenset(key.removeprefix(prefix) for key in given if key.startswith(prefix))


def _value(config: pulumi.Config, reference: Reference) -> pulumi.Input[Any]:
    if reference.secret:
        return config.require_secret(reference.name)
    return _typed(reference, config.require(reference.name))


def _typed(reference: Reference, text: str) -> object:
    """The text as the reference's type.

    Raises:
        LotusError: it is not of that type.
    """
    try:
        value = text if reference.type == "string" else json.loads(text)
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, _PYTHON[reference.type]) or (reference.type != "boolean" and isinstance(value, bool)):
        what = f"lotus:{reference.name} is {text!r}, and the lake asks for type {reference.type}"
        raise LotusError(what, f"pulumi config set lotus:{reference.name} <{reference.type}>")
    return value


_PYTHON: Final[dict[ReferenceType, type | tuple[type, ...]]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "json": (dict, list, str, int, float),
}
