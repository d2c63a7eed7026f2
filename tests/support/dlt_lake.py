"""A project whose lake has a source that dlt reads, beside the sources of the repository's own lake."""

import json
import shutil
from pathlib import Path
from typing import Any

from tests.support.lakes import stream
from tests.support.production import REPOSITORY

SOURCE: dict[str, Any] = {
    "engine": "dlt",
    "configuration": {"url": {"$config": "erp_url"}, "api_key": {"$secret": "erp_api_key"}, "page_size": 100},
    "schedule": {"type": "cron", "cron": "0 0 3 * * ?", "time_zone": "Europe/Berlin"},
    "resource_allocation": {"default": {"memory_limit": "2Gi"}},
}
ORDERS = stream(
    fields={
        "id": {"type": "integer"},
        "total": {"type": "number"},
        "updated_at": {"type": "string", "format": "date-time"},
    }
)
ITEMS: dict[str, Any] = ORDERS | {"stream": "items"}
MODULE = '''\
"""The ERP's REST API."""

import dlt


@dlt.source
def erp(url: str, api_key: str, page_size: int):
    """Read orders and items."""
    return []
'''
VALUES = {"erp_url": "https://erp.example.com", "erp_api_key": "the-key-of-erp"}
"""The stack's values that the source refers to; the key is secret."""


def write_source(project: Path, source: str = "erp", document: dict[str, Any] | None = None) -> None:
    """Write the source with its two streams and its module."""
    folder = project / "streams" / source
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("_source", document or SOURCE), ("orders", ORDERS), ("items", ITEMS)):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    write_module(project, source)


def write_module(project: Path, source: str) -> None:
    """Write a module that takes the configuration of the source."""
    module = project / "dagster" / "sources" / f"{source}.py"
    module.parent.mkdir(parents=True, exist_ok=True)
    module.write_text(MODULE.replace("def erp", f"def {source}"), encoding="utf-8")


def project_with_dlt(folder: Path) -> Path:
    """A copy of the repository, as links except for the lake and Dagster's folder, with the source `erp`."""
    project = folder / "project"
    project.mkdir()
    for entry in REPOSITORY.iterdir():
        if entry.name not in {"streams", "dagster"} and not entry.name.startswith("."):
            (project / entry.name).symlink_to(entry)
    shutil.copytree(REPOSITORY / "streams", project / "streams", ignore=shutil.ignore_patterns(".schema"))
    own_dagster_folder(project)
    write_source(project)
    return project


def own_dagster_folder(project: Path) -> None:
    """Give a project a folder of Dagster's code that is not the repository's, for modules of its own."""
    folder = project / "dagster"
    if folder.is_symlink():
        folder.unlink()
    folder.mkdir()
    for entry in (REPOSITORY / "dagster").iterdir():
        if entry.name != "sources":
            (folder / entry.name).symlink_to(entry)
