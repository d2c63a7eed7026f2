"""The Pulumi project around a lake: its stacks and their configuration, from the files, without the engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lotus_infra.config import production, stack_files
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
        """Select stacks: the named one, or that of `$PULUMI_STACK`; else all of the project.

        Raises:
            LotusError: The named one has no file.
        """
        wanted = stack or environment.get(STACK_VARIABLE)
        return self.named([wanted]) if wanted else tuple(self.stacks)

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
