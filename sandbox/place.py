"""Where the sandbox keeps things, all of it under `.sandbox/` and none of it committed."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PASSPHRASE: Final = "sandbox"
"""Protects nothing: the sandbox has no secrets. `Pulumi.sandbox.yaml` has the salt that goes with it."""
STACK: Final = "sandbox"


@dataclass(frozen=True)
class Place:
    """The sandbox's folders and files.

    Attributes:
        project: the folder of Pulumi.yaml.
    """

    project: Path

    @classmethod
    def of_project(cls) -> "Place":
        """The sandbox of this checkout."""
        return cls(Path(__file__).resolve().parents[1])

    @property
    def folder(self) -> Path:
        """`.sandbox/`, made when it is asked for."""
        folder = self.project / ".sandbox"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def twin_file(self) -> Path:
        """Which process the twin is, and where it listens."""
        return self.folder / "twin.json"

    @property
    def twin_log(self) -> Path:
        """What the twin says."""
        return self.folder / "twin.log"

    @property
    def twin_data(self) -> Path:
        """What the twin remembers between runs."""
        return self.folder / "airbyte"

    @property
    def environment_file(self) -> Path:
        """For a shell: `. .sandbox/env` makes `pulumi` mean this sandbox."""
        return self.folder / "env"

    def environment(self, path: str, airbyte_url: str) -> dict[str, str]:
        """What the engine and the program need, beside the caller's own environment.

        Args:
            path: PATH, with the engine in front.
            airbyte_url: root of the twin's public API.
        """
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        return {
            "PATH": path,
            "AIRBYTE_SERVER_URL": airbyte_url,
            "PULUMI_BACKEND_URL": state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_DIY_BACKEND_ZSTD": "true",
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_STACK": STACK,
        }

    def write_environment(self, environment: dict[str, str]) -> None:
        """Write the file for shells."""
        lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(environment.items())]
        write_whole(self.environment_file, "\n".join(lines) + "\n")


def write_whole(file: Path, text: str) -> None:
    """Replace a file at once, so that nobody ever reads half of it."""
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
