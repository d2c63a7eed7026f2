"""Adds the files that `lotus init` copies to the packages of lotus-infra. An editable install has the repository."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StartFiles(BuildHookInterface):
    """The hook; `lotus_infra/start/repository_files.txt` lists files and folders of the repository."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files: to the source archive at their places, to the wheel below `lotus_infra/start/repository`."""
        if version == "editable":
            return
        start = Path(self.root, "lotus_infra", "start")
        folder = "" if self.target_name == "sdist" else "lotus_infra/start/repository/"
        names = (start / "repository_files.txt").read_text(encoding="utf-8").split()
        build_data["force_include"].update({f"{self.root}/{name}": f"{folder}{name}" for name in names})
