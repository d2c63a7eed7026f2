"""Dagster's folder in the sandbox, `DAGSTER_HOME`: its settings, and the memory between two commands.

Dagster itself is imported only where it runs, because that takes seconds.
"""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox.layout import write_whole

CODE_LOCATION: Final = "lotus_dagster.code_location"
"""The module that Dagster loads, and its name for it."""

# A catalog in a file is for one process at a time, so one step of the pool and one run, for `dagster dev` too.
SETTINGS: Final = """telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  pools:
    default_limit: 1
  runs:
    max_concurrent_runs: 1
"""


class Memory(BaseModel):
    """The cursor of the marts' conditions; those of sensors are in Dagster's own records.

    Attributes:
        marts: what the conditions had seen when the marts were last up to date; None before the first look.
    """

    model_config = ConfigDict(frozen=True)

    marts: str | None = None


class Home:
    """The folder.

    Args:
        folder: `DAGSTER_HOME`; made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / "dagster.yaml"
        if not settings.is_file() or settings.read_text(encoding="utf-8") != SETTINGS:
            write_whole(settings, SETTINGS)

    @property
    def log(self) -> Path:
        """The output of Dagster's and dbt's runs."""
        return self.folder / "runs.log"

    @property
    def lock(self) -> Path:
        """Held by the one process that runs what has arrived."""
        return self.folder / ".lock"

    def recall(self) -> Memory:
        """The last command's cursor; a damaged file counts as missing."""
        try:
            return Memory.model_validate_json((self.folder / "memory.json").read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError):
            return Memory()

    def keep(self, memory: Memory) -> None:
        """Keep it for the next command."""
        write_whole(self.folder / "memory.json", memory.model_dump_json())
