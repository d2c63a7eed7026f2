"""Adds the files that `lotus init` copies to the wheel of lotus-infra. An editable install has the repository."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StartFiles(BuildHookInterface):
    """The hook; `files` in pyproject.toml lists files and folders of the repository."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files below `lotus_infra/start/repository`."""
        if version != "editable":
            build_data["force_include"].update(
                {f"{self.root}/{name}": f"lotus_infra/start/repository/{name}" for name in self.config["files"]}
            )
