"""`lotus check`: hold a lake against every rule and against the stacks it is deployed with.

Of a stack it reads which names have values, and never a value.
"""

from collections.abc import Sequence
from pathlib import Path

import yaml

from lotus_infra.errors import LotusError
from lotus_infra.streams.references import StackValues
from lotus_infra.streams.report import Report, check_lake

PROJECT_FILE = "Pulumi.yaml"
_NAMESPACE = "lotus:"


def check(directory: Path, stacks: Sequence[str] = ()) -> Report:
    """Check a lake.

    Args:
        directory: The lake's folder.
        stacks: The stacks whose values must be complete; all of the project's when none is named.

    Raises:
        LotusError: The folder holds no lake, a named stack does not exist, or a stack's file can't be read.
    """
    return check_lake(directory, stack_values(directory, stacks))


def stack_values(directory: Path, stacks: Sequence[str] = ()) -> tuple[StackValues, ...]:
    """The names that each stack of the project around a lake has values for.

    Args:
        directory: The lake's folder; the project is the nearest folder at or above it that has a `Pulumi.yaml`.
        stacks: Stacks by name, as `prod` or `organization/project/prod`; all that have a file when none is named.

    Raises:
        LotusError: A named stack has no file, or a file can't be read.
    """
    here = directory.absolute()
    project = next((folder for folder in (here, *here.parents) if (folder / PROJECT_FILE).is_file()), None)
    if project is None:
        if stacks:
            raise LotusError(f"no {PROJECT_FILE} at or above {directory}", "run it on a lake inside its Pulumi project")
        return ()
    files = {
        file.name.removeprefix("Pulumi.").removesuffix(".yaml"): file for file in sorted(project.glob("Pulumi.*.yaml"))
    }
    names = [stack.rsplit("/", maxsplit=1)[-1] for stack in stacks] or list(files)
    for name in names:
        if name not in files:
            known = f"known stacks are {', '.join(files)}" if files else "the project has no stacks yet"
            raise LotusError(f"the stack {name} has no file Pulumi.{name}.yaml", known)
    defaults = _names(project / PROJECT_FILE)
    return tuple(StackValues(name, defaults | _names(files[name])) for name in dict.fromkeys(names))


def _names(file: Path) -> frozenset[str]:
    """The names that a file's `config` gives a value, without the project's name before them."""
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise LotusError(
            f"{file.name}{line} can't be read as YAML", "mend it, or restore it from version control"
        ) from None
    config = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict):
        return frozenset()
    given = {str(key) for key, value in config.items() if value is not None and not _is_declaration(value)}
    return frozenset(key.removeprefix(_NAMESPACE) for key in given)


def _is_declaration(value: object) -> bool:
    """Whether a project's file only says that a value may be set, without giving one."""
    return isinstance(value, dict) and "type" in value and not value.keys() & {"value", "default"}
