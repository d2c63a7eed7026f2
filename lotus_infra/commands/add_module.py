"""The files of a new source with a module: `_source.json`, and the module where the repository has none yet."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from airbyte_model.specifications import Specification
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.commands.add_configuration import Settings, configure, document_of
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError
from lotus_infra.importer.secrets import SecretNames
from lotus_infra.lake.disk import UnreadableError, read_file
from lotus_infra.lake.loader import load_lake
from lotus_infra.lake.modules import Parameter, SourceModule, read_module

_EXTRA: Final = "dlt"
_REQUIREMENT: Final = re.compile(r"""["']lotus-dagster(?:\[([^\]]*)\])?(?=[^\w-])""")
"""How the dependencies of a lake name the package of Dagster's code, with its extras."""
_SKELETON: Final = '''"""The source {name}: what `{function}` returns are its streams.

Lotus calls the function with the values of "configuration" in streams/{name}/_source.json. Each resource is a
stream: its name is "stream" in a file of that folder. The example reads an API page by page, and of later runs only
what changed. dlt waits where the API limits the rate (HTTP 429), and repeats a request that failed.
"""

from collections.abc import Iterable

import dlt
from dlt.extract import DltResource
from dlt.sources.rest_api import rest_api_resources


@dlt.source
def {function}(url: str, api_key: str = dlt.secrets.value, page_size: int = 100) -> Iterable[DltResource]:
    """Return the resources.

    Args:
        url: The API's address, such as https://api.example.com/v1/.
        api_key: Sent as a bearer token.
        page_size: Rows of a page.
    """
    return rest_api_resources(
        {{
            "client": {{
                "base_url": url,
                "auth": {{"type": "bearer", "token": api_key}},
                # Pages are numbered from 1; the first one without rows is the last.
                "paginator": {{"type": "page_number", "base_page": 1, "total_path": None}},
            }},
            "resources": [
                {{
                    # GET {{url}}/orders?page=1&per_page=100&updated_since=...
                    "name": "orders",
                    "endpoint": {{
                        "path": "orders",
                        "params": {{"per_page": page_size, "updated_since": "{{incremental.start_value}}"}},
                        "incremental": {{"cursor_path": "updated_at", "initial_value": "1970-01-01T00:00:00Z"}},
                    }},
                }},
            ],
        }}
    )
'''


@dataclass(frozen=True, slots=True)
class ModuleFiles:
    """The module of a new source.

    Attributes:
        project: The folder of the repository.
        name: The module's name.
        text: Its text if it is new; empty if the repository has it.
        module: What its text shows.
    """

    project: Path
    name: str
    text: str
    module: SourceModule

    @property
    def file(self) -> str:
        """Its file in the repository."""
        return naming.source_module_file(self.name)


def module_of(directory: Path, source: str, name: str) -> ModuleFiles:
    """The module of a new source: the repository's, or else a new one to start from.

    Args:
        directory: The lake's folder.
        source: The source's folder.
        name: The module's name.

    Raises:
        LotusError: The lake is in no project, the name can't be a module's, or the module has no source of its name.
    """
    if not naming.is_identifier(name):
        hint = f"use lower-case letters, digits and underscores, such as {naming.identifier(name, 'source')}"
        raise LotusError(f'"{name}" can\'t name a module', hint)
    project = Project.needed(directory).folder
    path = project / naming.source_module_file(name)
    if not os.path.lexists(path):
        text = skeleton(source, name)
        return ModuleFiles(project, name, text, read_module(name, text.encode()))
    try:
        module = read_module(name, read_file(str(path)))
    except UnreadableError as error:
        raise LotusError(f"{path} {error.what}", error.remedy) from None
    if module.kind != "source":
        reason = module.mistake or f'it has no function "{name}" with @dlt.source'
        raise LotusError(f"{naming.source_module_file(name)} is no module of a source: {reason}", "correct it first")
    return ModuleFiles(project, name, "", module)


def missing_extra(project: Path) -> str:
    """What to do in a lake of one's own whose image would lack dlt; empty if nothing is.

    Args:
        project: The folder of the repository.
    """
    try:
        found = _REQUIREMENT.search((project / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""
    extras = [each.strip() for each in (found[1] or "").split(",")] if found is not None else [_EXTRA]
    if _EXTRA in extras:
        return ""
    wanted = ",".join(sorted([*filter(None, extras), _EXTRA]))
    return f"Dagster's image lacks dlt: in pyproject.toml, write lotus-dagster[{wanted}] and run `uv lock`"


def skeleton(source: str, name: str) -> str:
    """The text of a module to start from.

    Args:
        source: The source's folder.
        name: The module's name.
    """
    return _SKELETON.format(name=source, function=name)


def configuration_of(directory: Path, source: str, module: SourceModule, settings: Settings) -> dict[str, JsonValue]:
    """The configuration of a new source: what the user gives, and references for all else that the module requires.

    Raises:
        LotusError: A setting can't be read, is unknown, or is a secret in plain text.
    """
    given = {text.partition("=")[0] for text in settings.texts} | {*settings.secrets, *settings.by_stack}
    keys = {each.split(".")[0] for each in given} | (document_of(settings.file).keys() if settings.file else set())
    missing = [each for each in module.parameters if each.required and each.name not in keys]
    completed = replace(
        settings,
        secrets=(*settings.secrets, *(each.name for each in missing if each.secret)),
        by_stack=(*settings.by_stack, *(each.name for each in missing if not each.secret)),
        prompts=False,
    )
    names = SecretNames(set(load_lake(directory, begun=False).lake.value_names or ()))
    return configure(source, Specification(_schema(module)), completed, names).document


def _schema(module: SourceModule) -> dict[str, JsonValue]:
    """The parameters of a module as a connector's specification has its settings."""
    return {"type": "object", "properties": {each.name: dict(_property(each)) for each in module.parameters}}


def _property(parameter: Parameter) -> Mapping[str, JsonValue]:
    kind: dict[str, JsonValue] = {"type": parameter.type} if parameter.type else {}
    return {**kind, "airbyte_secret": True} if parameter.secret else kind
