"""Deletions are a part of the latest row: whatever the order of files and runs, a deleted key is not in the model."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from lotus_dagster.definitions import DBT_PROJECT
from lotus_dagster.environment import EXPIRE_RAW_DAYS

from tests.dagster.lake import Lake, order

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = range(1, 31)
SELECT = ["--select", "tag:shop__stamped", "tag:shop__logged", "tag:shop__flagged"]
TYPES = {
    "stamped": ("updated_at", "timestamptz", "deleted_at", "timestamptz"),
    "logged": ("_ab_cdc_lsn", "bigint", "_ab_cdc_deleted_at", "varchar"),
    "flagged": ("updated_at", "varchar", "is_deleted", "boolean"),
}
"""By stream: its cursor and the column by which it reports deletions, each with its type."""
Version = tuple[int, int, bool]
"""A row: its key, when it was valid, and whether it is a deletion."""


def model(stream: str) -> str:
    cursor, cursor_type, deleted, deleted_type = TYPES[stream]
    return f"""\
{{{{ config(unique_key='id', tags=['shop__{stream}']) }}}}
with arrived as (
    select
        id::bigint as id,
        moment::bigint as moment,
        {cursor}::{cursor_type} as {cursor},
        {deleted}::{deleted_type} as {deleted},
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id
    from {{{{ arrivals('shop', '{stream}') }}}}
)
{{{{ latest('arrived', key='id', cursor='{cursor}', deleted='{deleted}') }}}}
"""


def tables() -> Iterator[str]:
    yield "sources:\n  - name: shop\n    tables:\n"
    for stream, (cursor, _, deleted, _) in TYPES.items():
        yield f"      - name: {stream}\n        config: {{meta: {{prefix: raw/shop/{stream}/}}}}\n        columns:\n"
        metadata = ("_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_generation_id")
        yield "".join(f"          - name: {name}\n" for name in ("id", "moment", cursor, deleted, *metadata))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake whose project has a model for each way in which sources report deletions."""
    project = shutil.copytree(DBT_PROJECT, tmp_path / "dbt", ignore=shutil.ignore_patterns("target"))
    folder = project / "models/core/shop"
    folder.mkdir()
    (folder / "_shop__sources.yml").write_text("".join(tables()))
    for stream in TYPES:
        (folder / f"int_shop__{stream}.sql").write_text(model(stream))
    return Lake(tmp_path / "lake", project)


def row(stream: str, version: Version) -> dict[str, Any]:
    """A version as its source sends it: the first stream's deletions have a key and a time, and nothing else."""
    key, moment, gone = version
    at = (BEGAN + timedelta(minutes=moment)).isoformat()
    if stream == "stamped":
        alive = {"moment": moment, "updated_at": at}
        return {"id": key, **({"deleted_at": at} if gone else alive)}
    if stream == "logged":
        return {"id": key, "moment": moment, "_ab_cdc_lsn": moment, "_ab_cdc_deleted_at": at if gone else None}
    return {"id": key, "moment": moment, "updated_at": at, "is_deleted": gone}


def versions_of(random: Random) -> list[Version]:
    """Each key's versions, some of which come twice, and some deletions at the time of an update, in any order."""
    made = [(key, moment, random.random() < 0.4) for key in KEYS for moment in random.sample(range(90), 4)]
    made += random.sample(made, 10)
    made += [(key, moment, not gone) for key, moment, gone in random.sample(made, 12)]
    random.shuffle(made)
    return made


def left(versions: list[Version]) -> list[tuple[int, int]]:
    """The key and moment of each key whose last version is not a deletion."""
    last = {key: max(one for one in versions if one[0] == key) for key in {key for key, _, _ in versions}}
    return sorted((key, moment) for key, moment, gone in last.values() if not gone)


def kept(lake: Lake) -> list[list[tuple[Any, ...]]]:
    return lake.queries(*(f"select id, moment from int_shop__{stream} order by id" for stream in TYPES))


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(2, 8))])
def test_a_key_is_in_the_model_if_its_last_version_is_not_a_deletion(lake: Lake, seed: int) -> None:
    random = Random(seed)
    versions = versions_of(random)
    landed: list[Version] = []
    shares = 2 if seed == 1 else 3
    for part in range(shares):
        share = versions[part::shares]
        landed += share
        for stream in TYPES:
            day = f"2026-02-{random.randint(1, 28):02}"
            lake.land("shop", stream, day, part, [row(stream, one) for one in share])
        lake.dbt("run", *SELECT)
        assert kept(lake) == [left(landed)] * len(TYPES)
    lake.dbt("run", "--full-refresh", *SELECT)
    assert kept(lake) == [left(landed)] * len(TYPES)


@pytest.mark.nightly
def test_a_destroyed_order_leaves_the_model_and_the_marts_and_an_older_row_does_not_bring_it_back(
    tmp_path: Path,
) -> None:
    lake = Lake(tmp_path)
    select = ["--select", "tag:shopify__orders", "tag:shopify__order_refunds", "fct_sales"]
    lake.land("shopify", "orders", "2026-01-05", 0, [order(number, "2026-01-05T10:00:00Z") for number in (1, 2)])
    lake.dbt("build", "--indirect-selection", "buildable", *select)
    destroyed = [{"id": number, "deleted_at": "2026-01-07T00:00:00Z"} for number in (1, 3)]
    lake.land("shopify", "orders", "2026-01-07", 0, destroyed)
    lake.dbt("build", "--indirect-selection", "buildable", *select)
    lake.land("shopify", "orders", "2025-12-01", 0, [order(1, "2025-12-01T10:00:00Z")])
    lake.dbt("build", "--indirect-selection", "buildable", *select)
    ids = lake.queries("select id from int_shopify__orders", "select order_id from fct_sales")
    assert ids == [[(2,)], [(2,)]]
    assert lake.query(
        "select id, deleted_at::date::varchar from lake.deleted_rows.int_shopify__orders order by id"
    ) == [
        (1, "2026-01-07"),
        (3, "2026-01-07"),
    ]


@pytest.mark.nightly
@pytest.mark.parametrize("overwritten", [False, True], ids=["removed", "overwritten"])
def test_a_deletion_whose_file_is_no_longer_there_is_no_longer_known(tmp_path: Path, *, overwritten: bool) -> None:
    lake = Lake(tmp_path)
    lake.land("shopify", "orders", "2026-01-05", 0, [order(number, "2026-01-05T10:00:00Z") for number in (1, 2)])
    destroyed = [{"id": 1, "deleted_at": "2026-01-07T00:00:00Z"}]
    file = lake.land("shopify", "orders", "2026-01-07", 0, destroyed)
    lake.dbt("build", "--select", "tag:shopify__orders", "--indirect-selection", "buildable")
    file.unlink()
    if overwritten:
        lake.land("shopify", "orders", "2026-01-07", 0, [order(3, "2026-01-07T10:00:00Z")])
    lake.dbt("build", "--select", "tag:shopify__orders", "--indirect-selection", "buildable")
    assert lake.query("select id from int_shopify__orders order by id") == [
        (1,),
        (2,),
        *([(3,)] if overwritten else []),
    ]
    assert lake.query("select * from lake.deleted_rows.int_shopify__orders") == []


@pytest.mark.nightly
def test_a_deletion_of_an_expired_file_stays_and_one_of_a_removed_file_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, now = Lake(tmp_path), datetime.now(UTC)
    monkeypatch.setenv(EXPIRE_RAW_DAYS, "31")

    def destroyed(days_ago: int, *keys: int) -> Path:
        at = now - timedelta(days=days_ago)
        rows = [{"id": key, "deleted_at": at.isoformat()} for key in keys]
        file = lake.land("shopify", "orders", f"{at:%Y-%m-%d}", 0, rows, extracted_at=at.isoformat())
        os.utime(file, (at.timestamp(), at.timestamp()))
        return file

    before = (now - timedelta(days=60)).isoformat()
    orders = [order(number, before) for number in (1, 2, 3)]
    lake.land("shopify", "orders", f"{now:%Y-%m-%d}", 1, orders, extracted_at=before)
    expired, removed, overwritten = destroyed(40, 1), destroyed(2, 2), destroyed(1, 3)
    lake.dbt("run", "--select", "tag:shopify__orders")
    assert lake.query("select id from int_shopify__orders") == []
    expired.unlink()
    removed.unlink()
    lake.dbt("run", "--select", "tag:shopify__orders")
    assert lake.query("select id from int_shopify__orders") == [(2,)]
    shutil.copy(lake.land("shopify", "orders", "2026-01-05", 2, [order(4, before)]), overwritten)
    lake.dbt("run", "--select", "tag:shopify__orders")
    assert lake.query("select id from int_shopify__orders order by id") == [(2,), (3,), (4,)]


def test_a_deletion_without_a_key_fails_the_tests_of_the_model(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.land("shopify", "orders", "2026-01-05", 0, [order(1, "2026-01-05T10:00:00Z")])
    lake.dbt("build", "--select", "tag:shopify__orders", "--indirect-selection", "buildable")
    lake.land("shopify", "orders", "2026-01-07", 0, [{"id": None, "deleted_at": "2026-01-07T00:00:00Z"}])
    with pytest.raises(AssertionError, match="not_null_int_shopify__orders_id"):
        lake.dbt("build", "--select", "tag:shopify__orders", "--indirect-selection", "buildable")
    assert lake.query("select id from int_shopify__orders") == [(1,)]
