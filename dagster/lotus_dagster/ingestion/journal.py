"""What a dlt run keeps in the landing bucket: dlt's folder of a stream, with the rows that are about to land.

A run writes the journal before the first file lands, and again after the last. Whoever finds it in between lands the
same files under the same keys. The object is replaced only as it was read, so that of two runs one goes on.
"""

import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from lotus_dagster.ingestion.store import StaleError, Store
from lotus_infra.errors import LotusError

_RECORD: Final = "lotus.json"
_KEPT_BY_NO_RUN: Final = ("load/loaded/", "normalize/extracted/", "trace.pickle")
"""Parts of dlt's folder that no later run reads; the folders themselves dlt expects to be there."""


class BusyError(LotusError):
    """Another run of the stream was faster."""


class Record(BaseModel):
    """What Lotus keeps beside dlt's folder.

    Attributes:
        backfill: The token of the last run.
        generation: Of the rows that have landed last.
        is_pending: Whether the rows in dlt's folder may not have landed.
        replaced: The keys of the files that go when they have.
        rows: How many rows the last run has.
        load_id: dlt's id of the last run's rows; empty if there were none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    backfill: bool | str = False
    generation: int = 0
    is_pending: bool = False
    replaced: tuple[str, ...] = ()
    rows: int = 0
    load_id: str = ""

    def asks_for_backfill(self, *, token: bool | str) -> bool:
        """Whether a token of a stream's file requests a re-read: a new text does, and true after false."""
        return self.backfill is False if token is True else isinstance(token, str) and token != self.backfill


class Journal:
    """The journal of a stream, in a run.

    Args:
        store: The landing zone.
        key: Of the journal.
        folder: dlt's folder of the stream on this machine.
        shown: The stream for messages.
    """

    def __init__(self, store: Store, key: str, folder: Path, shown: str) -> None:
        self._store, self._key, self._folder, self._shown = store, key, folder, shown
        self._tar = folder.with_name(f"{folder.name}.tar")
        self._version: str | None = None

    def read(self) -> Record | None:
        """Restore dlt's folder; None if no run has kept anything yet."""
        self._version = self._store.fetch(self._key, self._tar)
        if self._version is None:
            return None
        with tarfile.open(self._tar) as tar:
            tar.extractall(self._folder, filter="data")
        return Record.model_validate_json((self._folder / _RECORD).read_bytes())

    def write(self, record: Record) -> None:
        """Keep dlt's folder and a record.

        Raises:
            BusyError: Another run has written the journal since it was read.
        """
        self._folder.mkdir(exist_ok=True)
        (self._folder / _RECORD).write_text(record.model_dump_json(exclude_defaults=True))
        with tarfile.open(self._tar, "w") as tar:
            for path in self._files():
                tar.add(path, path.relative_to(self._folder).as_posix(), recursive=False)
        try:
            self._version = self._store.replace(self._key, self._tar, self._version)
        except StaleError:
            raise BusyError(
                f"another run of {self._shown} has landed rows since this one began, which lands none",
                "run it again when the other has ended",
            ) from None

    def _files(self) -> Iterable[Path]:
        for path in sorted(self._folder.rglob("*")):
            if not path.relative_to(self._folder).as_posix().startswith(_KEPT_BY_NO_RUN):
                yield path
