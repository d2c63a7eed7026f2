"""The state of a stack, parsed from the output of `pulumi stack export` (`apitype.UntypedDeployment`).

Only the engine reads a state: it may be on any backend, and encrypted.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from lotus_infra.clients.pulumi import Engine
from lotus_infra.config.stack import PROJECT_FILE, STACK_VARIABLE, Project
from lotus_infra.errors import LotusError
from lotus_infra.urns import Urn

AIRBYTE: Final = "airbyte:index/"
TYPES: Final = {
    "source": f"{AIRBYTE}source:Source",
    "destination": f"{AIRBYTE}destination:Destination",
    "connection": f"{AIRBYTE}connection:Connection",
    "source_definition": f"{AIRBYTE}sourceDefinition:SourceDefinition",
    "destination_definition": f"{AIRBYTE}destinationDefinition:DestinationDefinition",
    "declarative_source_definition": f"{AIRBYTE}declarativeSourceDefinition:DeclarativeSourceDefinition",
    "tag": f"{AIRBYTE}tag:Tag",
}
"""Pulumi's types of Airbyte's objects, by kind."""
PIPELINE: Final = "lotus:airbyte:Pipeline"
"""Pulumi's type of a source with its connections."""
_NO_STATE: Final = "or pass --no-state if there is no state any more"
_VOLATILE: Final = frozenset({"ciphertext", "sourcePosition", "stackTrace", "time"})
"""Keys that an update without changes may write differently; a changed secret shows by its `modified`."""


class _StatePart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Resource(_StatePart):
    """A resource of a state.

    Attributes:
        urn: Its URN.
        type: Its type.
        id: The provider's id; empty for a component.
        inputs: The program's inputs as the provider checked them; a secret is an object with the engine's signature.
        outputs: The provider's outputs.
    """

    urn: str
    type: str
    id: str = ""
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    outputs: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name in the program."""
        return Urn.parse(self.urn).name


class PendingOperation(_StatePart):
    """An operation that began and did not end, such as `creating` or `updating`."""

    type: str
    resource: Resource


class State(_StatePart):
    """The resources and pending operations of a stack."""

    resources: tuple[Resource, ...]
    pending_operations: tuple[PendingOperation, ...]

    @classmethod
    def parse(cls, exported: str, stack: str, hint: str = "") -> Self:
        """Parse the output of `pulumi stack export`.

        Args:
            exported: The output, with or without `--show-secrets`.
            stack: The stack's name, for the error.
            hint: What to do about an error.

        Raises:
            LotusError: The output has another format.
        """
        try:
            deployment = _Export.model_validate_json(exported).deployment
        except ValidationError:
            raise LotusError(f"the state of the stack {stack} has an unknown format", hint) from None
        return cls(
            resources=tuple(deployment.resources or ()), pending_operations=tuple(deployment.pending_operations or ())
        )


class _Deployment(_StatePart):
    # Both are null for an empty stack.
    resources: list[Resource] | None = None
    pending_operations: list[PendingOperation] | None = None


class _Export(_StatePart):
    deployment: _Deployment


@dataclass(frozen=True, slots=True)
class Managed:
    """What a stack's state has of the lake.

    Attributes:
        ids: The ids of Airbyte's objects.
        pipelines: The URNs of the sources' pipelines, by name.
    """

    ids: frozenset[str] = frozenset()
    pipelines: Mapping[str, str] = field(default_factory=dict)


def managed_ids(directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ) -> frozenset[str]:
    """The ids of the Airbyte objects in a stack's state; arguments and errors as in `managed_objects`."""
    return managed_objects(directory, stack, environment).ids


def managed_objects(directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ) -> Managed:
    """The Airbyte objects in a stack's state, and the pipelines around them.

    Args:
        directory: The lake's folder, inside its Pulumi project.
        stack: The stack; else `$PULUMI_STACK`, else the project's only stack.
        environment: The environment's variables.

    Raises:
        LotusError: No stack is selected, or its state can't be read.
    """
    project = Project.around(directory)
    if project is None:
        raise LotusError(f"no {PROJECT_FILE} at or above {directory}", f"run it inside the Pulumi project, {_NO_STATE}")
    name = project.select(stack, environment)
    engine = Engine(project, stack or environment.get(STACK_VARIABLE) or name, environment)
    export = engine.run("stack", "export")
    if export.exit_code != 0:
        # The engine prints progress before its error.
        last = export.reason.splitlines()[-1].removeprefix("error: ")
        why, remedy = export.cause or (last, "")
        hint = f"{remedy}, {_NO_STATE}" if remedy else _NO_STATE
        raise LotusError(f"the state of the stack {engine.stack} can't be read: {why}", hint)
    resources = State.parse(export.stdout, engine.stack, _NO_STATE).resources
    return Managed(
        frozenset(each.id for each in resources if each.type.startswith(AIRBYTE) and each.id),
        {each.name: each.urn for each in resources if each.type == PIPELINE},
    )


def state_fingerprint(exported: str) -> str:
    """The SHA-256, in hexadecimal, of the resources and pending operations in the output of `pulumi stack export`.

    An update without changes keeps it, whatever the order in which the engine writes the resources. It covers all keys
    of the raw JSON, so that a change of a key that `Resource` does not model changes it too.

    Raises:
        LotusError: The output has another format.
    """
    try:
        document = json.loads(exported)
        deployment = document["deployment"]
        parts = [*(deployment.get("resources") or ()), *(deployment.get("pending_operations") or ())]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise LotusError("the stack's state has an unknown format", "use the engine that `make env` finds") from None
    texts = sorted(json.dumps(_without_volatile(part), sort_keys=True) for part in parts)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _without_volatile(value: JsonValue) -> JsonValue:
    """A part of a state without its volatile keys, and with lists of URNs sorted, because they have no order."""
    if isinstance(value, dict):
        return {key: _without_volatile(item) for key, item in value.items() if key not in _VOLATILE}
    if isinstance(value, list):
        urns = [item for item in value if isinstance(item, str) and item.startswith("urn:pulumi:")]
        return [*sorted(urns)] if value and len(urns) == len(value) else [_without_volatile(item) for item in value]
    return value
