"""`lotus check`: hold a lake against every rule, against the stacks it is deployed with, and against its dbt project.

Of a stack it reads which names have values, and never a value.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from lotus_infra.errors import LotusError
from lotus_infra.ops.place import PROJECT_FILE, dbt_folder, project_folder
from lotus_infra.streams.references import StackValues
from lotus_infra.streams.report import Report, check_lake, with_findings

_NAMESPACE = "lotus:"


def check(directory: Path, stacks: Sequence[str] = (), dbt: Path | None = None) -> Report:
    """Check a lake, and the field contract when there is a dbt project.

    Args:
        directory: The lake's folder.
        stacks: The stacks whose values must be complete; all of the project's when none is named.
        dbt: The dbt project's folder; the one in the Pulumi project around the lake when none is named.

    Raises:
        LotusError: The folder holds no lake, a named stack or dbt project does not exist, or a stack's file can't be
            read.
    """
    report = check_lake(directory, stack_values(directory, stacks))
    folder = dbt_folder(directory, dbt)
    return report if folder is None else _with_contract(report, folder)


def _with_contract(report: Report, folder: Path) -> Report:
    # The parser of SQL takes longer to import than a small lake to check.
    from lotus_infra.dbt.contract import findings_in_lake, findings_in_project, join  # noqa: PLC0415
    from lotus_infra.dbt.project import load_project  # noqa: PLC0415

    joined = join(report.lake, load_project(folder))
    report = with_findings(report, report.lake.directory, findings_in_lake(joined))
    report = with_findings(report, folder, findings_in_project(joined))
    return replace(report, models=len(joined.project.models))


def stack_values(directory: Path, stacks: Sequence[str] = ()) -> tuple[StackValues, ...]:
    """The names that each stack of the project around a lake has values for.

    Args:
        directory: The lake's folder; the project is the nearest folder at or above it that has a `Pulumi.yaml`.
        stacks: Stacks by name, as `prod` or `organization/project/prod`; all that have a file when none is named.

    Raises:
        LotusError: A named stack has no file, or a file can't be read.
    """
    project = project_folder(directory)
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
