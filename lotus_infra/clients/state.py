"""A stack's state, as `pulumi stack export` prints it (`apitype.UntypedDeployment`), parsed in one place.

The state may be anywhere, and encrypted: only the engine reads it.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from lotus_infra.clients.pulumi import Engine
from lotus_infra.config.stack import PROJECT_FILE, STACK_VARIABLE, Project
from lotus_infra.errors import LotusError
from lotus_infra.urns import Urn

AIRBYTE: Final = "airbyte:index/"
TYPES: Final = {kind: f"{AIRBYTE}{kind}:{kind.capitalize()}" for kind in ("source", "destination", "connection")}
"""Pulumi's types of Airbyte's objects, by kind."""
NO_STATE: Final = "or pass --no-state where there is none any more"
_WRITTEN_EACH_TIME: Final = frozenset({"ciphertext", "sourcePosition", "stackTrace", "time"})
"""What an update without changes may write differently; a changed secret shows by its `modified`."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Resource(_Part):
    """A resource of a state.

    Attributes:
        urn: Its URN.
        type: Its type.
        id: The provider's id; empty for a component.
        inputs: What the program gave, as the provider checked it; a secret is an object with the engine's signature.
        outputs: What the provider returned.
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


class PendingOperation(_Part):
    """An operation that began and did not end: `creating` or `updating`."""

    type: str
    resource: Resource


class State(_Part):
    """The resources and pending operations of a stack."""

    resources: tuple[Resource, ...]
    pending_operations: tuple[PendingOperation, ...]

    @classmethod
    def parse(cls, exported: str, stack: str, hint: str = "") -> Self:
        """Read the output of `pulumi stack export`.

        Args:
            exported: The output, with or without `--show-secrets`.
            stack: The stack's name, for the error.
            hint: What to do about an error.

        Raises:
            LotusError: The output has another form.
        """
        try:
            deployment = _Export.model_validate_json(exported).deployment
        except ValidationError:
            raise LotusError(f"the state of the stack {stack} is not what pulumi exports", hint) from None
        return cls(
            resources=tuple(deployment.resources or ()), pending_operations=tuple(deployment.pending_operations or ())
        )


class _Deployment(_Part):
    # An empty stack has null in place of both.
    resources: list[Resource] | None = None
    pending_operations: list[PendingOperation] | None = None


class _Export(_Part):
    deployment: _Deployment


def managed_ids(directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ) -> frozenset[str]:
    """The ids of the Airbyte objects in a stack's state.

    Args:
        directory: The lake's folder, inside its Pulumi project.
        stack: The stack; else that of `$PULUMI_STACK`, else the only one of the project.
        environment: The environment's variables.

    Raises:
        LotusError: No stack is selected, or its state can't be read.
    """
    project = Project.around(directory)
    if project is None:
        raise LotusError(f"no {PROJECT_FILE} at or above {directory}", f"run it inside the Pulumi project, {NO_STATE}")
    name = project.select(stack, environment)
    engine = Engine(project, stack or environment.get(STACK_VARIABLE) or name, environment)
    ran = engine.ran("stack", "export")
    if ran.exit_code != 0:
        last = ran.reason.splitlines()[-1].removeprefix("error: ")
        raise LotusError(f"the state of the stack {engine.stack} can't be read: {last}", NO_STATE)
    resources = State.parse(ran.stdout, engine.stack, NO_STATE).resources
    return frozenset(each.id for each in resources if each.type.startswith(AIRBYTE) and each.id)


def state_fingerprint(exported: str) -> str:
    """The SHA-256, in hexadecimal, of resources and pending operations in the output of `pulumi stack export`.

    An update without changes keeps it, in whichever order the engine writes the resources.

    Raises:
        LotusError: the output has another form.
    """
    try:
        document = json.loads(exported)
        deployment = document["deployment"]
        parts = [*(deployment.get("resources") or ()), *(deployment.get("pending_operations") or ())]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise LotusError(
            "the stack's state is not what pulumi exports", "use the engine that `make env` finds"
        ) from None
    texts = sorted(json.dumps(_settled(part), sort_keys=True) for part in parts)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _settled(value: JsonValue) -> JsonValue:
    """A part of a state without what is written differently each time; lists of URNs have no order."""
    if isinstance(value, dict):
        return {key: _settled(item) for key, item in value.items() if key not in _WRITTEN_EACH_TIME}
    if isinstance(value, list):
        urns = [item for item in value if isinstance(item, str) and item.startswith("urn:pulumi:")]
        return [*sorted(urns)] if value and len(urns) == len(value) else [_settled(item) for item in value]
    return value
