"""Read `Pulumi.yaml` and the stacks' files; encrypted values stay encrypted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

PROJECT_FILE: Final = "Pulumi.yaml"


def stack_file(stack: str) -> str:
    """The name of a stack's file."""
    return f"Pulumi.{stack}.yaml"


def stacks(folder: Path) -> dict[str, Path]:
    """The files of a folder's stacks by stack name, sorted."""
    files = sorted(folder.glob(stack_file("*")))
    return {file.name.removeprefix("Pulumi.").removesuffix(".yaml"): file for file in files}


def document(file: Path) -> dict[str, object]:
    """Read a file; one that can't be read counts as empty."""
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def configuration(document: object, project: str) -> dict[str, object]:
    """The values that a file sets, by full key; encrypted values stay as they are.

    Args:
        document: The file's content.
        project: The project's name: the namespace of keys without one.
    """
    config = document.get("config") if isinstance(document, dict) else None
    given = {str(key): _value(value) for key, value in config.items()} if isinstance(config, dict) else {}
    return {key if ":" in key else f"{project}:{key}": value for key, value in given.items() if value is not None}


def values(folder: Path) -> dict[str, Mapping[str, object]]:
    """The values of each stack, the project's defaults included; a file that can't be read sets nothing."""
    project = document(folder / PROJECT_FILE)
    name = str(project.get("name", ""))
    defaults = configuration(project, name)
    return {stack: defaults | configuration(document(file), name) for stack, file in stacks(folder).items()}


def _value(value: object) -> object:
    """The value of an entry; None for an entry of a project's file that declares a key without a value."""
    if isinstance(value, dict) and value.keys() & {"type", "value", "default"} and "secure" not in value:
        return value.get("value", value.get("default"))
    return value
