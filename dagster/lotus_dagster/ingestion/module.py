"""The module of a source: a file in `dagster/sources/` with a function that returns dlt's resources."""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.errors import LotusError

if TYPE_CHECKING:
    from dlt.extract import DltResource, DltSource

_PREFIX: Final = "lotus_sources_"


class ModuleError(LotusError):
    """A source's module can't be used."""


def resource_of(
    project: Path, module: str, name: str, configuration: Mapping[str, JsonValue]
) -> "tuple[DltSource, DltResource]":
    """The resource of a module that yields a stream, and its source with that resource selected alone.

    Args:
        project: The folder of the lake.
        module: The name of the file, and of its function.
        name: The stream's name in the source.
        configuration: The arguments of the function.

    Raises:
        ModuleError: The module is missing or can't be imported, its function is missing or refuses the configuration,
            or it has no such resource.
    """
    try:
        from dlt.extract import DltSource  # noqa: PLC0415, a second, which only runs should pay
    except ModuleNotFoundError as error:
        remedy = "add the extra `dlt` of lotus-dagster to the dependencies in pyproject.toml, and run `uv lock`"
        raise ModuleError(f"this environment has no dlt: {error}", remedy) from error

    file = naming.source_module_file(module)
    function = _function(project / file, file, module)
    try:
        inspect.signature(function).bind(**configuration)
    except TypeError as error:
        remedy = f"correct the configuration in _source.json, or the parameters of {module}"
        raise ModuleError(f"{file}: {module} does not take the source's configuration: {error}", remedy) from None
    source = function(**configuration)
    if not isinstance(source, DltSource):
        raise ModuleError(f"{file}: {module} returns no source of dlt", f"decorate {module} with @dlt.source")
    if name not in source.resources:
        known = ", ".join(sorted(source.resources)) or "none"
        raise ModuleError(
            f'{file} has no resource "{name}": it has {known}', 'give a resource that name, or correct "stream"'
        )
    selected = source.with_resources(name)
    return selected, selected.resources[name]


def _function(path: Path, file: str, module: str) -> Callable[..., Any]:
    if not path.is_file():
        raise ModuleError(f"{file} is missing", f"write it, with a function {module} that @dlt.source decorates")
    # A name of its own: `faker` of the lake is not the package `faker`. dlt looks for the module among the loaded ones.
    spec = importlib.util.spec_from_file_location(f"{_PREFIX}{module}", path)
    if spec is None or spec.loader is None:
        raise ModuleError(f"{file} can't be imported", "give it the suffix .py")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[loaded.__name__] = loaded
    try:
        spec.loader.exec_module(loaded)
    except ModuleNotFoundError as error:
        remedy = "add the package to the lake's pyproject.toml, and run `uv lock`"
        raise ModuleError(f"{file} can't be imported: {error}", remedy) from error
    except Exception as error:
        raise ModuleError(f"{file} can't be imported: {type(error).__name__}: {error}", "repair it") from error
    function = getattr(loaded, module, None)
    if not callable(function):
        raise ModuleError(f"{file} has no function {module}", "write one that @dlt.source decorates")
    return function  # type: ignore[no-any-return]
