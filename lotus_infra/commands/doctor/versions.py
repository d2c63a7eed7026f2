"""Checks of this machine: Python, the engine and its plugins."""

import importlib.metadata
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from lotus_infra.commands.doctor.context import StackContext
from lotus_infra.commands.doctor.results import CheckResult, broken, ok, warning
from lotus_infra.errors import LotusError

OLDEST_PYTHON: Final = (3, 11)
SDKS: Final = {"aws": "pulumi-aws", "kubernetes": "pulumi-kubernetes"}
"""The Python packages of the plugins that the engine downloads, by the plugins' names."""


class _Plugin(BaseModel):
    """An entry of `pulumi plugin ls --json`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    version: str | None = None


def versions(case: StackContext) -> Iterator[CheckResult]:
    """Compare Python, the engine and the plugins with the packages of the locked environment."""
    python = sys.version.split()[0]
    yield (
        ok("versions", f"Python {python}")
        if sys.version_info >= OLDEST_PYTHON
        else broken("versions", f"Python {python} is too old", "install 3.11 or newer, then `make setup`")
    )
    wanted = importlib.metadata.version("pulumi")
    # Neither command accepts --stack.
    engine = replace(case.engine, stack="")
    try:
        found = engine.output("version").strip().removeprefix("v")
        plugins = _plugins(engine.output("plugin", "ls", "--json"))
    except LotusError as error:
        yield broken("versions", error.message, error.hint or "`make engine` finds or builds it")
        return
    if found == wanted:
        yield ok("versions", f"pulumi {found}, same as its package")
    else:
        remedy = "`make engine` finds or builds the package's version"
        yield broken("versions", f"pulumi on PATH is {found}, but its package is {wanted}", remedy)
    for name, package in SDKS.items():
        yield _plugin(name, importlib.metadata.version(package), plugins)


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
