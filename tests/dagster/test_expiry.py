"""Files that the bucket expires, among others that are overwritten, removed and copied, and rows that report deletions.

Whatever the order, a model has what the files that are there and those that have expired say: also a row that had
lost to a later one whose file is gone, and none that only a removed file had, however old its rows or the file are.
"""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from lotus_dagster.environment import EXPIRE_RAW_DAYS

from tests.dagster.lake import Lake, order

MODEL = "int_shopify__orders"
NOW = datetime.now(UTC)
KEYS = range(1, 13)
SELECTED = f"select id, _airbyte_raw_id from {MODEL} order by id"
TRACED = f"select distinct file from lake.row_files.{MODEL}"
FINAL_LOSERS = f"""
    select id from lake.older_rows.{MODEL}
    where _airbyte_raw_id not in (select _airbyte_raw_id from lake.row_files.{MODEL})
    group by id having count(distinct _airbyte_raw_id) > 1
"""
"""Rows that can never count again, and are still kept."""


class Version(NamedTuple):
    """A row of a file, in the order in which versions of a key win: by time, deletions last, then by extraction."""

    at: datetime
    is_deletion: bool
    extracted: datetime
    raw_id: str
    key: int


class Shop:
    """Orders and their files; time passes in that `LOTUS_EXPIRE_RAW_DAYS` decreases."""

    def __init__(self, root: Path, random: Random, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lake, self.random, self._monkeypatch = Lake(root), random, monkeypatch
        self.files: dict[Path, list[Version]] = {}
        self.expired: list[Version] = []
        self.is_read: set[Path] = set()
        self.parts = 0
        self.pass_days(60)
        self._first = self.land(0)

    def pass_days(self, days_until_expiry: int) -> None:
        self.days_until_expiry = days_until_expiry
        self._monkeypatch.setenv(EXPIRE_RAW_DAYS, str(days_until_expiry))

    def land(self, days_ago: int, over: Path | None = None) -> Path:
        """A file written so many days ago; its rows were extracted then, much earlier, or by a clock that is ahead."""
        written = NOW - timedelta(days=days_ago, seconds=self.parts)
        extracted = written + timedelta(hours=self.random.choice([0, 0, -1, -30, -2000, 20]))
        gone = self.random.random() < 0.3
        keys = self.random.sample(KEYS, self.random.randint(1, 4))
        times = [NOW - timedelta(hours=self.random.randint(1, 30)) for _ in keys]
        rows = [
            {"id": key, "deleted_at": at.isoformat()} if gone else order(key, at.isoformat())
            for key, at in zip(keys, times, strict=True)
        ]
        self.parts += 1
        day = (written if self.random.random() < 0.7 else NOW - timedelta(days=300)).date().isoformat()
        file = self.lake.land(
            "shopify", "orders", day, self.parts, rows, extracted_at=extracted.isoformat(), raw_id=f"{self.parts:03}"
        )
        if over is not None:
            file = file.replace(over)
        os.utime(file, (written.timestamp(), written.timestamp()))
        versions = zip(keys, times, strict=True)
        self.files[file] = [
            Version(at, gone, extracted, f"{self.parts:03}-{place}", key) for place, (key, at) in enumerate(versions)
        ]
        self.is_read.discard(file)
        return file

    def land_any(self) -> None:
        self.land(self.random.randint(0, 55))

    def copy(self) -> None:
        """The same rows under another name, as a restored object."""
        file = self._any(young=True)
        if file is not None:
            self.parts += 1
            other = file.with_name(f"copy_{self.parts}.parquet")
            shutil.copy(file, other)
            self.files[other] = self.files[file]

    def overwrite(self) -> None:
        file = self._any(young=True)
        if file is not None:
            self.land(0, over=file)

    def remove(self) -> None:
        file = self._any(young=True)
        if file is not None:
            file.unlink()
            del self.files[file]

    def expire(self) -> None:
        """The bucket's lifecycle deletes an old file."""
        file = self._any(young=False)
        if file is not None and file in self.is_read:
            file.unlink()
            self.expired += self.files.pop(file)

    def _any(self, *, young: bool) -> Path | None:
        limit = (NOW - timedelta(days=self.days_until_expiry)).timestamp()
        found = [file for file in self.files if (file.stat().st_mtime > limit) == young and file != self._first]
        return self.random.choice(sorted(found)) if found else None

    def keys(self) -> set[str]:
        """The keys of the files that are there, below the landing zone."""
        return {file.relative_to(self.lake.landing).as_posix() for file in self.files}

    def build(self, *options: str) -> None:
        self.lake.dbt("run", "--select", MODEL, *options)
        self.is_read = set(self.files)

    def reckoning(self) -> list[tuple[int, str]]:
        """The id and raw id of each order whose last version is no deletion."""
        every = [*self.expired, *(one for versions in self.files.values() for one in versions)]
        last = {key: max(one for one in every if one.key == key) for key in {one.key for one in every}}
        return sorted((key, one.raw_id) for key, one in last.items() if not one.is_deletion)


@pytest.mark.parametrize("seed", [11, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (*range(1, 11), 12))])
def test_a_model_has_what_its_files_say_and_those_that_have_expired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    random = Random(seed)
    shop = Shop(tmp_path, random, monkeypatch)
    events = [shop.land_any, shop.land_any, shop.copy, shop.overwrite, shop.remove, shop.expire, shop.expire]
    for days_until_expiry in (60, 40, 25, 10, 10):
        shop.pass_days(days_until_expiry)
        for happens in random.choices(events, k=7):
            happens()
        shop.build()
        assert shop.lake.query(SELECTED) == shop.reckoning()
        traced, final_losers = shop.lake.queries(TRACED, FINAL_LOSERS)
        assert {key for (key,) in traced} <= shop.keys()
        assert final_losers == []
    shop.expired.clear()
    monkeypatch.setenv(EXPIRE_RAW_DAYS, "")
    shop.build("--full-refresh")
    assert shop.lake.query(SELECTED) == shop.reckoning()
