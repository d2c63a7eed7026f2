"""Lakes that tests begin with: made once in a run of pytest, and copied for each test, which takes no command.

All processes of a run share them. A copy is a test's own: its files, its engine's state, and its Airbyte's data.
"""

import fcntl
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from airbyte_twin.testing import RunningTwin, running_twin

from tests.engine.harness import Pulumi
from tests.engine.lake import Lake

DATA = "twin"
NEW, APPLIED = "new-lake", "applied-lake"


@dataclass(frozen=True)
class Prepared:
    """Copies of lakes.

    Attributes:
        common: a folder that all processes of a run of pytest share.
        engine: the folders that lead to the engine.
    """

    common: Path
    engine: list[Path]

    def new(self, folder: Path, twin: RunningTwin) -> Lake:
        """The project's own lake in a folder, not applied yet."""
        return self._copied(NEW, folder, twin)

    def applied(self, folder: Path, twin: RunningTwin) -> Lake:
        """The project's own lake in a folder, applied to a twin that began with `applied_data`."""
        return self._copied(APPLIED, folder, twin)

    def applied_data(self, folder: Path) -> Path:
        """The data of an Airbyte that the lake was applied to, in a new folder."""
        return Path(shutil.copytree(self._made(APPLIED) / DATA, folder / DATA))

    def _copied(self, name: str, folder: Path, twin: RunningTwin) -> Lake:
        made = self._made(name)
        shutil.copytree(made, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(DATA))
        return Lake.over(self._pulumi(folder), twin)

    def _made(self, name: str) -> Path:
        """The folder of a lake that nobody changes; whoever comes first makes it."""
        folder = self.common / name
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                partial = folder.with_suffix(".partial")
                shutil.rmtree(partial, ignore_errors=True)
                self._make(name, partial)
                partial.rename(folder)
        return folder

    def _make(self, name: str, folder: Path) -> None:
        data = folder / DATA
        data.mkdir(parents=True)
        with running_twin(data_dir=data) as twin:
            if name == NEW:
                Lake.copied(self._pulumi(folder), twin)
            else:
                self.new(folder, twin).pulumi.up().ok()

    def _pulumi(self, folder: Path) -> Pulumi:
        return Pulumi(folder, self.engine, {"airbyte": Path(sys.executable).parent})
