"""`lotus check`: hold a lake against every rule and against the stacks it is deployed with.

Of a stack it reads which names have values, and no value but what it says of Dagster.
"""

from collections.abc import Sequence
from pathlib import Path

from lotus_infra.cluster.environment import Lake
from lotus_infra.cluster.plan import planned
from lotus_infra.errors import LotusError
from lotus_infra.ops.stacks import PROJECT_FILE, Project
from lotus_infra.streams.references import StackValues
from lotus_infra.streams.report import Report, check_lake

_NAMESPACE = "lotus:"
_SOME_LAKE = Lake("landing", "us-west-1", "")
"""Where data lands makes no difference to whether the chart takes the values."""


def check(directory: Path, stacks: Sequence[str] = ()) -> Report:
    """Check a lake.

    Args:
        directory: The lake's folder.
        stacks: The stacks whose values must be complete; all of the project's when none is named.

    Raises:
        LotusError: The folder holds no lake, a named stack does not exist, or a stack's file can't be read or says
            wrong things of Dagster.
    """
    check_dagster(directory, stacks)
    return check_lake(directory, stack_values(directory, stacks))


def check_dagster(directory: Path, stacks: Sequence[str] = ()) -> None:
    """Hold what the stacks say of Dagster against what there is to say, and their chart's values against the chart.

    Args:
        directory: The lake's folder, as for `check`.
        stacks: Stacks, as for `check`.

    Raises:
        LotusError: With every mistake of every stack.
    """
    project = Project.around(directory)
    if project is None:
        return
    wrong = []
    for name in project.named(stacks) if stacks else tuple(project.stacks):
        try:
            settings = project.dagster(name)
            if settings is not None:
                planned(settings, _SOME_LAKE)
        except LotusError as error:
            wrong += [f"{project.stacks[name].name}: {line}" for line in str(error).splitlines()]
    if wrong:
        raise LotusError("\n".join(wrong))


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
