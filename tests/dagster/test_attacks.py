"""Text from outside that reaches dbt's SQL: partitions, the landing zone's path, object keys, and columns' names."""

import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import duckdb
import pytest
from lotus_dagster.arrivals.cursor import Cursor
from lotus_dagster.arrivals.decide import Clock
from lotus_dagster.arrivals.landing import stored_files
from lotus_dagster.arrivals.partitions import day_of
from lotus_dagster.assets import StreamRun, stream_assets
from lotus_dagster.dbt_command import dbt_of
from lotus_dagster.definitions import DBT_PROJECT, current_manifest
from lotus_dagster.lake import Stream
from lotus_dagster.manifest import Manifest
from lotus_dagster.sensors import tick
from moto.server import ThreadedMotoServer
from mypy_boto3_s3 import S3Client
from pydantic import ValidationError

from tests.dagster.lake import Lake, order

PWN = "z']));create/**/table/**/lake.main.pwned/**/as/**/select/**/1;--"
NO_PARTITIONS = [
    PWN,
    "2026-01-05'",
    "2026-01-05;",
    "2026",
    "2026-1-5",
    "2026-13",
    "2026-02-30",
    "2026-01-05/../..",
    "*",
    "2026-*",
    "{{1}}",
    "\u0662\u0660\u0662\u0666-\u0660\u0661",
    "2026-01-05\x00",
    "-".join(["2026", "01", "05", "x"]),
    "20260105",
    "2026-W01",
    "",
]
UPDATED = "2026-01-05T10:00:00Z"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path)
    made.land("shopify", "orders", "2026-01-05", 0, [order(1, UPDATED)])
    return made


def build(lake: Lake, **options: Any) -> None:
    lake.dbt("run", "--select", "int_shopify__orders", **options)


def tables(lake: Lake) -> set[str]:
    return {name for (name,) in lake.query("select table_name from duckdb_tables()")}


BY_DAY = {PWN, "2026-02-30", "\u0662\u0660\u0662\u0666-\u0660\u0661"}
FROM_A_SHELL = [
    pytest.param(one, marks=() if one in BY_DAY else pytest.mark.nightly)
    for one in NO_PARTITIONS
    if one and "\x00" not in one
]


@pytest.mark.parametrize("partition", FROM_A_SHELL)
def test_dbt_from_a_shell_takes_no_partition_but_days_and_months(partition: str, lake: Lake) -> None:
    with pytest.raises(AssertionError, match="write days and months, such as 2026-01-05 2025-11"):
        build(lake, partitions=[partition])
    assert "pwned" not in tables(lake)


def test_a_rebuild_reads_everything_and_refuses_the_same_partitions(lake: Lake) -> None:
    with pytest.raises(AssertionError, match="write days and months"):
        lake.dbt("run", "--full-refresh", "--select", "int_shopify__orders", partitions=[PWN])
    assert "pwned" not in tables(lake)


@pytest.mark.parametrize("partition", NO_PARTITIONS)
def test_the_configuration_of_a_run_has_days_and_months(partition: str) -> None:
    with pytest.raises(ValidationError, match="write days and months"):
        StreamRun(partitions=["2026-01-05", partition])


def test_a_run_with_nonsense_in_its_configuration_ends_before_dbt_starts(lake: Lake) -> None:
    stream = Stream("shopify", "orders", "raw/shopify/orders/")
    part = Manifest.read(current_manifest(DBT_PROJECT)).tagged(stream.tag)
    assert part is not None
    with dg.DagsterInstance.ephemeral() as instance:
        ran = dg.materialize(
            [stream_assets(stream, part)],
            instance=instance,
            resources={"dbt": dbt_of(DBT_PROJECT)},
            run_config={"ops": {"shopify_orders_dbt": {"config": {"partitions": [PWN]}}}},
            raise_on_error=False,
        )
        told = [str(event.event_specific_data) for event in ran.all_events if event.is_failure]
    assert not ran.success
    assert any("write days and months, such as" in one for one in told), told
    assert "pwned" not in tables(lake)


def test_days_and_months_are_read(lake: Lake) -> None:
    build(lake)
    lake.land("shopify", "orders", "2025-11-30", 0, [order(2, UPDATED)])
    lake.land("shopify", "orders", "2025-12-01", 0, [order(3, UPDATED)])
    lake.land("shopify", "orders", "2026-01-05", 1, [order(4, UPDATED)])
    build(lake, partitions=StreamRun(partitions=["2026-01-05", "2025-11"]).partitions)
    assert lake.query("select id from int_shopify__orders order by 1") == [(1,), (2,), (4,)]


@pytest.mark.parametrize(
    "day",
    [
        "year=2026/month=13/day=01",
        "year=2026/month=02/day=30",
        "year=\u0662\u0660\u0662\u0666/month=01/day=05",
        "year=0000/month=01/day=01",
    ],
)
def test_a_folder_that_is_no_day_asks_for_no_run(day: str) -> None:
    assert day_of(f"{day}/part_0.parquet") is None
    assert day_of("year=2026/month=01/day=05/part_'0\n.parquet") == "2026-01-05"


KEYS = [
    "part_'0.parquet",
    'part_"0.parquet',
    "part_']);create table lake.main.pwned as select 1;--.parquet",
    "part_{{ 1 }}.parquet",
    "part_[0].parquet",
    "part_*.parquet",
    "part_?.parquet",
    "part_{0,1}.parquet",
    "part_\n0.parquet",
    "part_\\0.parquet",
    "part_$0%20.parquet",
    "part_\u2028.parquet",
]


def test_an_object_s_key_is_data(lake: Lake) -> None:
    expected = [(1,)]
    for number, key in enumerate(KEYS, start=2):
        other = lake.land("shopify", "orders", "2026-01-05", number, [order(number, UPDATED)])
        other.rename(other.with_name(key))
        expected.append((number,))
    for _ in range(2):
        build(lake, partitions=["2026-01-05"])
        assert lake.query("select id from int_shopify__orders order by 1") == expected
        assert lake.query("select count(*) from lake.read_files.int_shopify__orders") == [(len(expected),)]
    assert "pwned" not in tables(lake)


def test_a_name_that_is_no_utf_8_does_not_stop_the_listing(tmp_path: Path) -> None:
    folder = tmp_path / "raw/shopify/orders/year=2026/month=01/day=05"
    folder.mkdir(parents=True)
    Path(os.fsdecode(os.fsencode(folder / "part_") + b"\xff.parquet")).touch()
    stream = Stream("shopify", "orders", "raw/shopify/orders/")
    ticked = tick(stream, str(tmp_path), Cursor(lineage="a"), Clock(date(2026, 1, 6)))
    assert len(ticked.run_requests or ()) == 1
    (listed,) = stored_files(str(tmp_path), stream.prefix)
    assert listed.key.endswith("/part_\\udcff.parquet")


ON_S3 = [
    *("part_'0.parquet", "part_[0].parquet", "part_*.parquet", "part_\\0.parquet", "part_%20 +#&ü.parquet"),
    *("part_?.parquet", "part_?a=b&c.parquet", "part_+.parquet", "part_%2B.parquet", "part_[!a]{1,2}.parquet"),
]


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Lake, S3Client]]:
    """A lake whose landing zone is a bucket with one order."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    variables = {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "REGION": "us-east-1"}
    for name, value in {**variables, "ENDPOINT_URL_S3": f"http://{host}:{port}"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="landing")
    lake = Lake(tmp_path)
    lake.warehouse = replace(lake.warehouse, landing="s3://landing")
    put(lake, client, 1, "part_0.parquet")
    yield lake, client
    for one in client.list_objects_v2(Bucket="landing")["Contents"]:  # moto's buckets outlive its servers
        client.delete_object(Bucket="landing", Key=one["Key"])
    server.stop()


def put(lake: Lake, client: S3Client, number: int, name: str) -> None:
    file = lake.land("shopify", "orders", "2026-01-05", number, [order(number, UPDATED)])
    key = file.with_name(name).relative_to(lake.landing).as_posix()
    client.put_object(Bucket="landing", Key=key, Body=file.read_bytes())


def test_an_object_s_key_in_a_bucket_is_data(bucket: tuple[Lake, S3Client]) -> None:
    lake, client = bucket
    for number, key in enumerate(ON_S3, start=2):
        put(lake, client, number, key)
    build(lake)
    assert lake.query("select id from int_shopify__orders order by 1") == [(number,) for number in range(1, 12)]
    assert lake.query("select count(*) from lake.read_files.int_shopify__orders") == [(11,)]


def test_an_object_s_key_does_not_send_the_credentials_elsewhere(bucket: tuple[Lake, S3Client]) -> None:
    lake, client = bucket
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        put(lake, client, 2, f"x?s3_endpoint=127.0.0.1:{elsewhere.getsockname()[1]}&s3_region=.parquet")
        build(lake)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
    assert lake.query("select id from int_shopify__orders order by 1") == [(1,), (2,)]


@pytest.mark.parametrize("folder", ['it\'s {{ 1 }} of [1] "x";--', "ü*"])
def test_the_landing_zone_s_path_is_data(folder: str, tmp_path: Path) -> None:
    lake = Lake(tmp_path / folder)
    lake.land("shopify", "orders", "2026-01-05", 0, [order(1, UPDATED)])
    build(lake)
    build(lake, partitions=["2026-01-05"])
    assert lake.query("select id from int_shopify__orders") == [(1,)]


def test_a_column_of_a_file_is_data(lake: Lake) -> None:
    file = lake.land("shopify", "orders", "2026-01-06", 0, [order(2, UPDATED)])
    odd = ("x' from y;--", 'x" y', "{{ 1 }}", "*", "columns(*)", "a\nb")
    more = ", ".join(f'1 as "{name.replace(chr(34), chr(34) * 2)}"' for name in odd)
    changed = file.with_name("part_1.parquet")
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select *, {more} from read_parquet('{file}', hive_partitioning = false)) to '{changed}'"
        )
    file.unlink()
    build(lake)
    assert lake.query("select id from int_shopify__orders order by 1") == [(1,), (2,)]


def test_a_declared_column_is_data(tmp_path: Path) -> None:
    project = tmp_path / "dbt"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    odd = 'it\'s "x"; drop table y;--'
    sources = project / "models" / "core" / "shopify" / "_shopify__sources.yml"
    text = sources.read_text()
    place = text.index("      - name: orders\n")
    columns = text.index("        columns:\n", place) + len("        columns:\n")
    sources.write_text(text[:columns] + f"          - name: '{odd.replace(chr(39), chr(39) * 2)}'\n" + text[columns:])
    lake = Lake(tmp_path / "machine", project)
    lake.land("shopify", "orders", "2026-01-05", 0, [order(1, UPDATED, **{odd: "kept"})])
    build(lake)
    assert lake.query("select id from int_shopify__orders") == [(1,)]


@pytest.mark.parametrize("threads", ["2", "0", "1; create table pwned"])
def test_more_than_one_thread_can_t_be_asked_for(threads: str, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOTUS_THREADS", threads)
    with pytest.raises(AssertionError, match=r"LOTUS_THREADS is .* two threads .*: unset it"):
        build(lake)
    assert not Path(lake.warehouse.catalog).exists()
