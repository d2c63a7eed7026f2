"""The dbt that runs call: the one of this environment, which has DuckDB and its extensions, whatever is on PATH."""

import sys
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from dagster_dbt import DbtCliResource
from packaging.version import Version


class LotusDbt(DbtCliResource):
    """dagster-dbt's resource, without a `dbt --version` before each run: seconds, and a look at PyPI for newer ones."""

    @cached_property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))


def dbt_of(project: Path) -> LotusDbt:
    """The resource for a dbt project's folder."""
    executable = Path(sys.executable).with_name("dbt")
    return LotusDbt(project_dir=str(project), profiles_dir=str(project), dbt_executable=str(executable))
