"""Checks of this machine: Python, the engine and its plugins."""

import importlib.metadata
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from lotus_infra.commands.doctor.context import StackContext
from lotus_infra.commands.doctor.results import CheckResult, broken, ok, warning
from lotus_infra.config import stack_files
from lotus_infra.errors import LotusError

OLDEST_PYTHON: Final = (3, 11)
SDKS: Final = {"aws": "pulumi-aws", "kubernetes": "pulumi-kubernetes"}
"""The Python packages of the plugins that the engine downloads, by the plugins' names."""
SUPPORTED: Final = "requiredPulumiVersion"
"""The key of Pulumi.yaml with the supported engines, by which the engine refuses a run itself."""
Version = tuple[int, int, int]


class _Plugin(BaseModel):
    """An entry of `pulumi plugin ls --json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    version: str | None = None


def versions(case: StackContext) -> Iterator[CheckResult]:
    """Whether Python and the engine are supported."""
    python = sys.version.split()[0]
    yield (
        ok("versions", f"Python {python}")
        if sys.version_info >= OLDEST_PYTHON
        else broken("versions", f"Python {python} is too old", "install 3.11 or newer, then `make setup`")
    )
    # Neither command accepts --stack.
    engine = replace(case.engine, stack="")
    try:
        found = engine.output("version").strip().removeprefix("v")
    except LotusError as error:
        yield broken("versions", error.message, error.hint or "`make engine` finds or builds it")
        return
    yield _engine(found, case.project.folder)


def plugins(case: StackContext) -> Iterator[CheckResult]:
    """Compare the plugins that the stack needs with the packages of the locked environment."""
    needed = _needed_plugins(case)
    # As in `versions`, the command does not accept --stack.
    listed = _plugins(replace(case.engine, stack="").output("plugin", "ls", "--json")) if needed else []
    for name in needed:
        yield _plugin(name, importlib.metadata.version(SDKS[name]), listed)


def _needed_plugins(case: StackContext) -> list[str]:
    """The plugins of what the stack declares, and of what its state has."""
    settings = case.project.settings(case.stack).lotus
    declared = {"aws": settings.landing_zone, "kubernetes": settings.dagster}
    types = [each.type for each in case.resources or ()]
    return [name for name in SDKS if declared[name] is not None or any(each.startswith(f"{name}:") for each in types)]


def _engine(found: str, folder: Path) -> CheckResult:
    supported = stack_files.read(folder / stack_files.PROJECT_FILE).content.get(SUPPORTED)
    limits = re.fullmatch(r">=(\S+) <(\S+)", supported) if isinstance(supported, str) else None
    if limits is None:
        what = (
            f'{stack_files.PROJECT_FILE} has no {SUPPORTED} of the form ">=3.259.0 <4.0.0", to compare pulumi {found}'
        )
        return warning("versions", what, "add it, with the versions that the documentation of your Lotus names")
    version = _version(found)
    if not _version(limits[1]) <= version < _version(limits[2]):
        remedy = "`make engine` finds or builds a supported one, and `make env` prints how to put it on PATH"
        return broken("versions", f"pulumi on PATH is {found}, and {supported} is supported", remedy)
    tested = _newest_tested(folder)
    note = (
        f", newer than {'.'.join(map(str, tested))}, the newest that was tested" if tested and version > tested else ""
    )
    return ok("versions", f"pulumi {found}{note} (supported: {supported})")


def _newest_tested(folder: Path) -> Version | None:
    """The engine that the repository builds for its own tests; None outside of it."""
    module = folder / "toolchain" / "go.mod"
    text = module.read_text(encoding="utf-8") if module.is_file() else ""
    pinned = re.search(r"github\.com/pulumi/pulumi/pkg/v3 v(\S+)", text)
    return _version(pinned[1]) if pinned else None


def _version(text: str) -> Version:
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else (0, 0, 0)


def _plugins(listed: str) -> list[_Plugin]:
    try:
        return TypeAdapter(list[_Plugin]).validate_json(listed)
    except ValidationError:
        raise LotusError("`pulumi plugin ls` does not print a list of plugins", "run it by hand") from None


def _plugin(name: str, wanted: str, plugins: Sequence[_Plugin]) -> CheckResult:
    found = sorted(str(each.version).removeprefix("v") for each in plugins if each.name == name)
    if wanted in found:
        return ok("versions", f"plugin {name} {wanted}, same as its package")
    installed = f"only {', '.join(found)}" if found else "none"
    what = f"plugin {name}: the package is {wanted}, installed is {installed}"
    # Not broken: the engine downloads a missing plugin.
    return warning("versions", what, f"the next run downloads it, or `pulumi plugin install resource {name} {wanted}`")
