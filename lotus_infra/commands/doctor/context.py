"""The stack to check."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lotus_infra.clients.pulumi import Engine
from lotus_infra.config import production
from lotus_infra.config.stack import Project


@dataclass(frozen=True)
class StackContext:
    """The stack to check.

    Attributes:
        directory: The lake's folder.
        project: The project around it.
        stack: One of its stacks that has a file.
        environment: The environment's variables.
    """

    directory: Path
    project: Project
    stack: str
    environment: Mapping[str, str]

    @cached_property
    def run(self) -> production.Run:
        """The run of the stack, as the guard compares it; raises as `Project.run`. It reads every source's file."""
        return self.project.run(self.stack)

    @classmethod
    def of(cls, directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ) -> "StackContext":
        """Select the named stack, else that of `$PULUMI_STACK`, else the project's only stack.

        Raises:
            LotusError: The project is not found, or no stack is selected.
        """
        project = Project.needed(directory)
        return cls(directory, project, project.select(stack, environment), environment)

    @property
    def engine(self) -> Engine:
        """The engine, without the guard of production stacks: its problems are results of the check `backend`."""
        return Engine(self.project, self.stack, self.environment, guarded=False)
