"""What a stack's state has of Airbyte, asked of the Pulumi command: the state may be anywhere, and encrypted."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lotus_infra.errors import LotusError
from lotus_infra.ops.engine import Engine
from lotus_infra.ops.stacks import PROJECT_FILE, STACK_VARIABLE, Project

AIRBYTE = "airbyte:index/"
TYPES = {kind: f"{AIRBYTE}{kind}:{kind.capitalize()}" for kind in ("source", "destination", "connection")}
"""Pulumi's types of what Airbyte has, by kind."""
NO_STATE = "or pass --no-state where there is none any more"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Resource(_Part):
    """A resource of a state."""

    urn: str
    type: str
    id: str = ""

    @property
    def name(self) -> str:
        """Its name in the program, which may have colons too."""
        return self.urn.split("::", maxsplit=3)[-1]


class _Deployment(_Part):
    resources: list[Resource] | None = None


class _Export(_Part):
    """What `pulumi stack export` prints (apitype.UntypedDeployment); an empty stack has no resources."""

    deployment: _Deployment


def managed_ids(directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ) -> frozenset[str]:
    """The ids of the Airbyte objects that a stack has.

    Args:
        directory: The lake's folder, inside its Pulumi project.
        stack: The stack; else that of `$PULUMI_STACK`, else the only one of the project.
        environment: The environment's variables.

    Raises:
        LotusError: It is not clear which stack is meant, or its state can't be had.
    """
    project = Project.around(directory)
    if project is None:
        raise LotusError(f"no {PROJECT_FILE} at or above {directory}", f"run it inside the Pulumi project, {NO_STATE}")
    names = project.meant(stack, environment)
    if len(names) != 1:
        known = f"choose one of {', '.join(names)} with --stack" if names else "the project has no stacks yet"
        raise LotusError("it is not clear which stack's state is meant", f"{known}, {NO_STATE}")
    engine = Engine(project, stack or environment.get(STACK_VARIABLE) or names[0], environment)
    ran = engine.ran("stack", "export")
    if ran.exit_code != 0:
        last = ran.reason.splitlines()[-1].removeprefix("error: ")
        raise LotusError(f"the state of the stack {engine.stack} can't be read: {last}", NO_STATE)
    resources = resources_of(ran.stdout, engine.stack, NO_STATE)
    return frozenset(each.id for each in resources if each.type.startswith(AIRBYTE) and each.id)


def resources_of(exported: str, stack: str, hint: str = "") -> list[Resource]:
    """The resources of a stack's state, as `pulumi stack export` prints it.

    Raises:
        LotusError: It is something else; `hint` then says what to do.
    """
    try:
        return _Export.model_validate_json(exported).deployment.resources or []
    except ValidationError:
        raise LotusError(f"the state of the stack {stack} is not what pulumi exports", hint) from None
