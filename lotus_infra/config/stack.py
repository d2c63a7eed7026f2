"""The Pulumi project around a lake and its stacks' files, as they are: nothing that is encrypted is opened."""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from lotus_infra.config import production, stack_files
from lotus_infra.config.dagster import KEY, DagsterSettings, read
from lotus_infra.errors import LotusError

ACKNOWLEDGE: Final = "acknowledge"
ACKNOWLEDGE_KEY: Final = f"lotus:{ACKNOWLEDGE}"
_OBJECT: Final = re.compile(r"\S+ \S(.*\S)?")
PROJECT_FILE = stack_files.PROJECT_FILE
STACK_VARIABLE = "PULUMI_STACK"


def acknowledged(value: object) -> frozenset[str]:
    """The objects that may be lost.

    Args:
        value: what the stack says, as YAML has it or as the engine hands it out; None for nothing.

    Raises:
        LotusError: it is no list of objects.
    """
    if isinstance(value, str):
        with suppress(ValueError):
            value = json.loads(value)
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not all(isinstance(each, str) and _OBJECT.fullmatch(each) for each in value):
        what = f"{ACKNOWLEDGE_KEY} is no list of objects"
        raise LotusError(
            what, f'pulumi config set --path "{ACKNOWLEDGE_KEY}[0]" "stream shopify/orders", one object each'
        )
    return frozenset(value)


@dataclass(frozen=True)
class Project:
    """A Pulumi project.

    Attributes:
        folder: The folder of its `Pulumi.yaml`.
        stacks: The file of each stack that has one.
    """

    folder: Path
    stacks: Mapping[str, Path]

    @classmethod
    def around(cls, directory: Path) -> "Project | None":
        """The project that a lake is in: that of the nearest folder at or above it that has a `Pulumi.yaml`."""
        here = directory.absolute()
        folder = next((above for above in (here, *here.parents) if (above / PROJECT_FILE).is_file()), None)
        if folder is None:
            return None
        return cls(folder, stack_files.stacks(folder))

    @classmethod
    def needed(cls, directory: Path) -> "Project":
        """As `around`, for what can't do without.

        Raises:
            LotusError: There is none.
        """
        project = cls.around(directory)
        if project is None:
            raise LotusError(f"no {PROJECT_FILE} at or above {directory}", "run it on a lake inside its Pulumi project")
        return project

    def named(self, stacks: Sequence[str]) -> tuple[str, ...]:
        """Names of stacks, given as `prod` or `organization/project/prod`, each once.

        Raises:
            LotusError: One of them has no file.
        """
        names = tuple(dict.fromkeys(stack.rsplit("/", maxsplit=1)[-1] for stack in stacks))
        for name in names:
            if name not in self.stacks:
                known = f"known stacks are {', '.join(self.stacks)}" if self.stacks else "the project has no stacks yet"
                raise LotusError(f"the stack {name} has no file Pulumi.{name}.yaml", known)
        return names

    def meant(self, stack: str | None, environment: Mapping[str, str]) -> tuple[str, ...]:
        """The one stack that is meant: the named one, or that of `$PULUMI_STACK`; else all that there are.

        Raises:
            LotusError: The one that is meant has no file.
        """
        wanted = stack or environment.get(STACK_VARIABLE)
        return self.named([wanted]) if wanted else tuple(self.stacks)

    def chosen(self, stack: str | None, environment: Mapping[str, str]) -> str:
        """As `meant`, for what can't do without one.

        Raises:
            LotusError: It has no file, or it is not clear which one is meant.
        """
        names = self.meant(stack, environment)
        if len(names) != 1:
            choices = ", ".join(f"--stack {name}" for name in names) or f"{PROJECT_FILE} has none beside it"
            raise LotusError("which stack is meant is not clear", choices)
        return names[0]

    def values(self, stack: str) -> dict[str, object]:
        """What a stack's file and the project's defaults set, by the whole key; encrypted values as they lie there.

        Raises:
            LotusError: A file can't be read.
        """
        name = production.Declared.at(self.folder, stack).name
        read = (self.folder / PROJECT_FILE, self.stacks[stack])
        defaults, own = (stack_files.configuration(_document(file), name) for file in read)
        return defaults | own

    def run(self, stack: str) -> production.Run:
        """What the engine would run of a stack.

        Raises:
            LotusError: A file can't be read.
        """
        declared = production.Declared.at(self.folder, stack)
        return production.Run(declared.name, stack, production.Values.of(self.values(stack)), declared)

    def dagster(self, stack: str) -> DagsterSettings | None:
        """What a stack's file says of Dagster; None where it has none.

        Raises:
            LotusError: The file can't be read, or says it wrongly.
        """
        document = self.values(stack).get(KEY)
        if isinstance(document, str):
            # `pulumi config set` without --path keeps an object as the text that it was given.
            try:
                document = json.loads(document)
            except ValueError:
                what = f"{KEY} of the stack {stack} is no JSON"
                raise LotusError(what, "write it as YAML into the stack's file") from None
        return read(document) if document is not None else None


def is_encrypted(value: object) -> bool:
    """Whether a value of a stack's file is one that only the engine can open."""
    return isinstance(value, dict) and "secure" in value


def _document(file: Path) -> object:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise LotusError(
            f"{file.name}{line} can't be read as YAML", "mend it, or restore it from version control"
        ) from None
