"""`lotus check`: hold a lake against every rule and against the stacks it is deployed with.

Of a stack it reads which names have values, and never a value.
"""

from collections.abc import Sequence
from pathlib import Path

from lotus_infra.errors import LotusError
from lotus_infra.ops.stacks import PROJECT_FILE, Project
from lotus_infra.streams.references import StackValues
from lotus_infra.streams.report import Report, check_lake

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
    project = Project.around(directory)
    if project is None:
        if stacks:
            raise LotusError(f"no {PROJECT_FILE} at or above {directory}", "run it on a lake inside its Pulumi project")
        return ()
    names = project.named(stacks) if stacks else tuple(project.stacks)
    return tuple(
        StackValues(name, frozenset(key.removeprefix(_NAMESPACE) for key in project.values(name))) for name in names
    )
