"""What a stack's state has of Airbyte, asked of the Pulumi command: the state may be anywhere, and encrypted."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lotus_infra.errors import LotusError
from lotus_infra.ops.stacks import PROJECT_FILE, STACK_VARIABLE, Project

AIRBYTE = "airbyte:index/"
NO_STATE = "or pass --no-state where there is none any more"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Resource(_Part):
    urn: str
    type: str
    id: str = ""


class _Deployment(_Part):
    resources: list[_Resource] = []


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
    exported = _exported(project.folder, stack or environment.get(STACK_VARIABLE) or names[0])
    return frozenset(each.id for each in exported.deployment.resources if each.type.startswith(AIRBYTE) and each.id)


def _exported(folder: Path, stack: str) -> _Export:
    try:
        ran = subprocess.run(  # noqa: S603
            ["pulumi", "stack", "export", "--non-interactive", "--stack", stack],  # noqa: S607
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        raise LotusError("pulumi is not on PATH", '`eval "$(make -s env)"` puts it there') from None
    if ran.returncode != 0:
        said = next((line for line in reversed(ran.stderr.splitlines()) if line.strip()), "it does not say why")
        raise LotusError(f"the state of the stack {stack} can't be read: {said.removeprefix('error: ')}", NO_STATE)
    try:
        return _Export.model_validate_json(ran.stdout)
    except ValidationError:
        raise LotusError(f"the state of the stack {stack} is not what pulumi exports", NO_STATE) from None
