"""The stack to check."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from lotus_infra.clients.kubernetes import Cluster
from lotus_infra.clients.pulumi import CommandResult, Engine
from lotus_infra.clients.state import Resource, State
from lotus_infra.config import production
from lotus_infra.config.dagster import DagsterSettings
from lotus_infra.config.stack import Project
from lotus_infra.config.stack_files import read, stack_file
from lotus_infra.errors import DOCS, LotusError
from lotus_infra.lake.lake import Lake
from lotus_infra.lake.loader import load_stack_lake

Purpose = Literal["deploy", "preview"]
"""What the shell's identities are for. A preview only reads, except for the state's lock."""
CI_PAGE = f"{DOCS}/how-to/set-up-ci.md"
"""The page with the policies and roles of both purposes."""


@dataclass(frozen=True)
class StackContext:
    """The stack to check.

    Attributes:
        directory: The lake's folder.
        project: The project around it.
        stack: One of its stacks that has a file.
        environment: The environment's variables.
        purpose: What the identities that the environment leads to are for.
    """

    directory: Path
    project: Project
    stack: str
    environment: Mapping[str, str]
    purpose: Purpose = "deploy"

    @cached_property
    def run(self) -> production.Run:
        """The run of the stack, as the guard compares it; raises as `Project.run`. It reads every source's file."""
        return self.project.run(self.stack)

    @classmethod
    def of(
        cls,
        directory: Path,
        stack: str | None,
        environment: Mapping[str, str] = os.environ,
        purpose: Purpose = "deploy",
    ) -> "StackContext":
        """Select the named stack, else that of `$PULUMI_STACK`, else the project's only stack.

        Raises:
            LotusError: The project is not found, or no stack is selected.
        """
        project = Project.needed(directory)
        return cls(directory, project, project.select(stack, environment), environment, purpose)

    @property
    def engine(self) -> Engine:
        """The engine, without the guard of production stacks: its problems are results of the check `backend`."""
        return Engine(self.project, self.stack, self.environment, guarded=False)

    @property
    def secrets_provider(self) -> str:
        """The provider of the stack's encryption key, `awskms://…`; empty for a passphrase."""
        return str(read(self.project.folder / stack_file(self.stack)).content.get("secretsprovider") or "")

    @cached_property
    def lake(self) -> Lake:
        """The stack's lake; raises as `load_stack_lake`."""
        return load_stack_lake(self.directory, self.stack)

    @property
    def uses_airbyte(self) -> bool:
        """Whether Airbyte reads a source; also if the lake can't be loaded, which other checks report."""
        try:
            return bool(self.lake.airbyte.sources) or not self.lake.sources
        except LotusError:
            return True

    @cached_property
    def exported(self) -> CommandResult:
        """The output of `pulumi stack export`, with its secrets encrypted; raises as `Engine.run`."""
        return self.engine.run("stack", "export")

    @cached_property
    def resources(self) -> tuple[Resource, ...] | None:
        """The resources in the state; None if it can't be read, which the check `state` reports."""
        try:
            return State.parse(self.exported.stdout, self.stack).resources if self.exported.exit_code == 0 else None
        except LotusError:
            return None

    def manages(self, type_: str, name: str) -> bool:
        """Whether the state has a resource by its type and its name in the program."""
        return any((each.type, each.name) == (type_, name) for each in self.resources or ())


@dataclass(frozen=True)
class Site:
    """The cluster that a stack deploys Dagster to.

    Attributes:
        case: The stack.
        cluster: The cluster.
        settings: The stack's settings of Dagster.
        first: Whether the stack has never been deployed.
    """

    case: StackContext
    cluster: Cluster
    settings: DagsterSettings
    first: bool = False

    @property
    def namespace(self) -> str:
        """The namespace of everything that the stack declares there."""
        return self.settings.namespace.name
