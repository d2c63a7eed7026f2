"""The Pulumi project around a lake: its stacks and their configuration, from the files, without the engine."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from lotus_infra.config import production, stack_files
from lotus_infra.config.backend import Backend, pulumi_home
from lotus_infra.config.dagster import DagsterSettings
from lotus_infra.config.settings import NAMESPACE, StackSettings, parse
from lotus_infra.config.stack_files import StackEntries
from lotus_infra.errors import LotusError
from lotus_infra.lake.diagnostics import Diagnostic
from lotus_infra.lake.loader import load_value_names
from lotus_infra.lake.references import LakeNames, StackValues

ACKNOWLEDGE: Final = "acknowledge"
ACKNOWLEDGE_KEY: Final = f"lotus:{ACKNOWLEDGE}"
PROJECT_FILE = stack_files.PROJECT_FILE
STACK_VARIABLE = "PULUMI_STACK"
_STREAMS: Final = f"{NAMESPACE}:streams"


@dataclass(frozen=True, slots=True)
class StackReading:
    """A stack's configuration as its files have it.

    Attributes:
        entries: The values, whatever is wrong with them.
        names: The names that have a value; None if a file can't be read.
        settings: The configuration; None if there is a problem.
        problems: Every problem, with file and line.
        missing: What a run requires beside these values, as problems.
    """

    entries: StackEntries
    names: StackValues | None
    settings: StackSettings | None
    problems: tuple[Diagnostic, ...]
    missing: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Project:
    """A Pulumi project.

    Attributes:
        folder: The folder of its `Pulumi.yaml`.
        stacks: The file of each stack that has one.
        lake: The lake's folder, for stacks without `lotus:streams`; None for the folder that the program reads.
        begins: Whether files are about to be written, whose values a stack may have already: any name may be one.
    """

    folder: Path
    stacks: Mapping[str, Path]
    lake: Path | None = None
    begins: bool = False

    @classmethod
    def around(cls, directory: Path) -> "Project | None":
        """Find the project of a lake: the nearest folder at or above it with a `Pulumi.yaml`; None without one."""
        here = directory.absolute()
        folder = next((above for above in (here, *here.parents) if (above / PROJECT_FILE).is_file()), None)
        if folder is None:
            return None
        return cls(folder, stack_files.stacks(folder), directory if directory.is_dir() and here != folder else None)

    @classmethod
    def needed(cls, directory: Path) -> "Project":
        """Find the project of a lake, as `around` does.

        Raises:
            LotusError: There is none.
        """
        project = cls.around(directory)
        if project is None:
            raise LotusError(f"no {PROJECT_FILE} at or above {directory}", "run it on a lake inside its Pulumi project")
        return project

    def named(self, stacks: Sequence[str]) -> tuple[str, ...]:
        """Shorten names of stacks: `organization/project/prod` is `prod`; each once.

        Raises:
            LotusError: One of them has no file.
        """
        names = tuple(dict.fromkeys(stack.rsplit("/", maxsplit=1)[-1] for stack in stacks))
        for name in names:
            if name not in self.stacks:
                known = f"known stacks are {', '.join(self.stacks)}" if self.stacks else "the project has no stacks yet"
                raise LotusError(f"the stack {name} has no file Pulumi.{name}.yaml", known)
        return names

    def select_all(self, stack: str | None, environment: Mapping[str, str]) -> tuple[str, ...]:
        """Select stacks: the named one, else that of `$PULUMI_STACK`, else the selected one; else all of the project.

        The selected one is that of `pulumi stack select`, unless it has no file, or the variable is set to nothing.

        Raises:
            LotusError: The named one has no file.
        """
        wanted = stack or environment.get(STACK_VARIABLE)
        if wanted:
            return self.named([wanted])
        if len(self.stacks) > 1 and STACK_VARIABLE not in environment:
            selected = selected_stack(self, environment).rpartition("/")[2]
            if selected in self.stacks:
                return (selected,)
        return tuple(self.stacks)

    def select(self, stack: str | None, environment: Mapping[str, str]) -> str:
        """Select one stack, as `select_all` does.

        Raises:
            LotusError: It has no file, or the project has several and none is named.
        """
        names = self.select_all(stack, environment)
        if len(names) != 1:
            known = f", one of {', '.join(names)}" if names else "; create one: `pulumi stack init NAME`"
            choices = f"pass --stack NAME{known}"
            raise LotusError("no stack selected", choices)
        return names[0]

    @classmethod
    def selected(cls, directory: Path, stack: str | None, environment: Mapping[str, str]) -> str:
        """The name of the stack whose lake a command means, as `select_all` selects it.

        Args:
            directory: The lake's folder.
            stack: The stack of the command's option.
            environment: The environment's variables.

        Returns:
            The name; empty if the lake is in no project, or if the project has several and none is named.

        Raises:
            LotusError: The named one has no file.
        """
        project = cls.needed(directory) if stack else cls.around(directory)
        names = project.select_all(stack, environment) if project is not None else ()
        return names[0] if len(names) == 1 else ""

    def read(self, stack: str, lake: Path | None = None, names: LakeNames | None = None) -> StackReading:
        """Read a stack's configuration, with all its problems.

        Args:
            stack: The stack.
            lake: A lake that is loaded already.
            names: The names of values that this lake refers to; None if they are unknown.
        """
        entries = stack_files.read_stack(self.folder, stack)
        given = entries.values.get(_STREAMS)
        folder = self.folder / given if isinstance(given, str) else self.lake or self.folder / "streams"
        if lake is None or folder.absolute() != lake.absolute():
            names = load_value_names(folder)
        found = parse(stack, entries.values, None if self.begins else names)
        wrong, missing = (
            tuple(entries.problem(each.path, each.what, each.remedy) for each in each_kind)
            for each_kind in (found.mistakes, found.missing)
        )
        problems = (*entries.problems, *wrong)
        readable = entries.project.readable and entries.own.readable
        return StackReading(
            entries=entries,
            names=found.names if readable and stack else None,
            settings=found.settings if not problems else None,
            problems=problems,
            missing=missing,
        )

    def settings(self, stack: str) -> StackSettings:
        """The configuration of a stack.

        Raises:
            LotusError: A file can't be read, or has mistakes; with the first of them.
        """
        found = self.read(stack)
        stack_files.refuse(found.problems)
        if found.settings is None:
            raise LotusError(f"the configuration of the stack {stack} is invalid", "`lotus check` has details")
        return found.settings

    def run(self, stack: str, settings: StackSettings | None = None) -> production.Run:
        """The run of a stack, as the guard compares it.

        Args:
            stack: The stack.
            settings: Its configuration, if it was read already.

        Raises:
            LotusError: A file can't be read, or has mistakes.
        """
        settings, declared = settings or self.settings(stack), production.Declared.at(self.folder, stack)
        return production.Run(declared.name, stack, production.Values.of(settings), declared)

    def dagster(self, stack: str) -> DagsterSettings | None:
        """The Dagster settings of a stack; None without any.

        Raises:
            LotusError: A file can't be read, or has mistakes.
        """
        return self.settings(stack).lotus.dagster


def selected_stack(project: Project, environment: Mapping[str, str]) -> str:
    """The stack that `pulumi stack select` noted for a project and its backend; empty if there is none.

    The CLI keeps one file for each project, named by the SHA-1 of the path of its `Pulumi.yaml`, below its own folder
    (`settingsPath` in pulumi, pkg/workspace; seen on Pulumi 3.259).
    """
    declared = production.Declared.at(project.folder, "")
    backend = Backend.chosen(declared.backend, environment).url
    path = hashlib.sha1(str(_working_folder(project, environment) / PROJECT_FILE).encode(), usedforsecurity=False)
    file = pulumi_home(environment) / "workspaces" / f"{declared.name}-{path.hexdigest()}-workspace.json"
    try:
        noted = _Selection.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return ""
    return noted.stacks.get(backend) or noted.stacks.get(backend.rstrip("/")) or noted.stack


def _working_folder(project: Project, environment: Mapping[str, str]) -> Path:
    """A project's folder under the name that the CLI has for it: `$PWD` if that is it, even through a link."""
    shell = environment.get("PWD", "")
    with suppress(OSError):
        if shell.startswith("/") and Path(shell).samefile(project.folder):
            return Path(shell)
    return project.folder.resolve()


class _Selection(BaseModel):
    """The CLI's file about a project (`Settings` in pulumi, pkg/workspace)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stack: str = ""
    stacks: Mapping[str, str] = {}
