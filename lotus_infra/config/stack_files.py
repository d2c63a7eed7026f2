"""The files of a Pulumi project as text: `Pulumi.yaml` and those of its stacks. Nothing that is encrypted is opened."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

PROJECT_FILE: Final = "Pulumi.yaml"


def stack_file(stack: str) -> str:
    """The name of a stack's file."""
    return f"Pulumi.{stack}.yaml"


def stacks(folder: Path) -> dict[str, Path]:
    """The file of each stack of a folder that has one, sorted."""
    files = sorted(folder.glob(stack_file("*")))
    return {file.name.removeprefix("Pulumi.").removesuffix(".yaml"): file for file in files}


def document(file: Path) -> dict[str, object]:
    """What a file says; one that can't be read says nothing."""
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def configuration(document: object, project: str) -> dict[str, object]:
    """The values that a file sets, by the whole key; encrypted values as they lie there.

    Args:
        document: What the file says.
        project: The project's name, which is the namespace of keys that have none.
    """
    config = document.get("config") if isinstance(document, dict) else None
    given = {str(key): _value(value) for key, value in config.items()} if isinstance(config, dict) else {}
    return {key if ":" in key else f"{project}:{key}": value for key, value in given.items() if value is not None}


def values(folder: Path) -> dict[str, Mapping[str, object]]:
    """What the file of each stack and the project's defaults set; files that can't be read set nothing."""
    project = document(folder / PROJECT_FILE)
    name = str(project.get("name", ""))
    defaults = configuration(project, name)
    return {stack: defaults | configuration(document(file), name) for stack, file in stacks(folder).items()}


def _value(value: object) -> object:
    """The value of an entry; None for one of a project's file that only says that a value may be set."""
    if isinstance(value, dict) and value.keys() & {"type", "value", "default"} and "secure" not in value:
        return value.get("value", value.get("default"))
    return value
