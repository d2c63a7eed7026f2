"""The Pulumi project around a lake: its stacks, their values and which losses they acknowledge.

Reads the files, without the engine; encrypted values stay encrypted.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from lotus_infra.config import production, stack_files
from lotus_infra.config.dagster import DAGSTER_KEY, DagsterSettings, parse_dagster_settings
from lotus_infra.errors import LotusError

ACKNOWLEDGE: Final = "acknowledge"
ACKNOWLEDGE_KEY: Final = f"lotus:{ACKNOWLEDGE}"
_OBJECT: Final = re.compile(r"\S+ \S(.*\S)?")
PROJECT_FILE = stack_files.PROJECT_FILE
STACK_VARIABLE = "PULUMI_STACK"


def acknowledged(value: object) -> frozenset[str]:
    """The objects whose loss the stack acknowledges, such as `stream shopify/orders`.

    Args:
        value: The value of `lotus:acknowledge`: a list from YAML, or its JSON text from the engine; None if not set.

    Raises:
        LotusError: It is not a list of objects.
    """
    if isinstance(value, str):
        with suppress(ValueError):
            value = json.loads(value)
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not all(isinstance(each, str) and _OBJECT.fullmatch(each) for each in value):
        what = f"{ACKNOWLEDGE_KEY} is not a list of objects"
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
        """Find the project of a lake: the nearest folder at or above it with a `Pulumi.yaml`; None without one."""
        here = directory.absolute()
        folder = next((above for above in (here, *here.parents) if (above / PROJECT_FILE).is_file()), None)
        if folder is None:
            return None
        return cls(folder, stack_files.stacks(folder))

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

    def values(self, stack: str) -> dict[str, object]:
        """The values of a stack by full key, the project's defaults included; encrypted values stay as they are.

        Raises:
            LotusError: A file can't be read.
        """
        name = production.Declared.at(self.folder, stack).name
        read = (self.folder / PROJECT_FILE, self.stacks[stack])
        defaults, own = (stack_files.configuration(_document(file), name) for file in read)
        return defaults | own

    def run(self, stack: str) -> production.Run:
        """The run of a stack, as the guard compares it.

        Raises:
            LotusError: A file can't be read.
        """
        declared = production.Declared.at(self.folder, stack)
        return production.Run(declared.name, stack, production.Values.of(self.values(stack)), declared)

    def dagster(self, stack: str) -> DagsterSettings | None:
        """The Dagster settings of a stack; None without any.

        Raises:
            LotusError: The file can't be read, or a setting is invalid.
        """
        document = self.values(stack).get(DAGSTER_KEY)
        if isinstance(document, str):
            # `pulumi config set` without --path stores an object as text.
            try:
                document = json.loads(document)
            except ValueError:
                what = f"{DAGSTER_KEY} of the stack {stack} is not valid JSON"
                raise LotusError(what, "write it as YAML into the stack's file") from None
        return parse_dagster_settings(document) if document is not None else None


def is_encrypted(value: object) -> bool:
    """Whether a value of a stack's file is encrypted: only the engine can decrypt it."""
    return isinstance(value, dict) and "secure" in value


def _document(file: Path) -> object:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise LotusError(
            f"{file.name}{line} can't be read as YAML", "correct it, or restore it from version control"
        ) from None
