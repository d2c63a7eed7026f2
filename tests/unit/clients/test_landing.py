"""The bucket of a destination, and a stream's newest partition in it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from lotus_infra.clients.freshness import NewestPartition, destination_bucket, newest_partition
from lotus_infra.clients.storage import Bucket, Object, Page
from lotus_infra.config.settings import parse
from lotus_infra.config.stack_files import Encrypted, Value
from lotus_infra.errors import LotusError
from lotus_infra.lake.models import DestinationConfig
from tests.support.lakes import destination

TODAY = date(2026, 3, 1)
WRITTEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
PREFIX = "raw/shop/orders/"


@dataclass
class Listing:
    """Objects by their keys, and the requests for them."""

    keys: list[str]
    asked: list[str] = field(default_factory=list)

    def page(self, prefix: str = "", after: str = "") -> Page:
        return Page(list(self.list_objects(prefix, after)), more=False)

    def list_objects(self, prefix: str = "", after: str = "") -> Iterator[Object]:
        self.asked.append(f"list {prefix.removeprefix(PREFIX)}")
        return (Object(key, 5, WRITTEN, "") for key in sorted(self.keys) if key.startswith(prefix) and key > after)

    def folders(self, prefix: str) -> Iterator[str]:
        self.asked.append(f"folders {prefix.removeprefix(PREFIX)}")
        below = [key.removeprefix(prefix) for key in self.keys if key.startswith(prefix)]
        return (f"{part}/" for part in sorted({key.split("/")[0] for key in below if "/" in key}))

    def read(self, key: str) -> bytes:
        raise AssertionError(key)

    def delete(self, key: str) -> None:
        raise AssertionError(key)


def files(*days: str) -> Listing:
    """Two files in each partition, and some that are none of the layout."""
    parts = (
        f"year={day[:4]}/month={day[5:7]}/day={day[8:]}/part_{number}.parquet" for day in days for number in (0, 1)
    )
    return Listing([*(PREFIX + part for part in parts), PREFIX + "notes.txt", PREFIX + "~/x", "raw/shop/orders_2/x"])


def test_a_fresh_stream_takes_one_request_however_much_it_has() -> None:
    listing = files("2025-12-31", "2026-02-27", "2026-02-28", "2026-03-01")
    assert newest_partition(listing, PREFIX, TODAY) == NewestPartition("2026-03-01", 2, 10, WRITTEN)
    assert listing.asked == ["list "]


def test_the_newest_partition_of_an_old_stream_is_found_from_the_top_and_not_by_listing_everything() -> None:
    listing = files("2024-12-31", "2025-01-30", "2025-02-02")
    assert newest_partition(listing, PREFIX, TODAY) == NewestPartition("2025-02-02", 2, 10, WRITTEN)
    assert listing.asked == [
        "list ",
        "folders ",
        "folders year=2025/",
        "folders year=2025/month=02/",
        "list year=2025/month=02/day=02/",
    ]


@pytest.mark.parametrize("days", [("2026-02-28",), ("2025-12-31",)], ids=["fresh", "old"])
@pytest.mark.parametrize("wrong", [("2098-01-01",), ("2026-99-01",), ("2025-12-99",), ("2026-03-04", "2026-13-01")])
def test_dates_far_from_now_or_of_no_calendar_do_not_count_as_the_newest(
    days: tuple[str, ...], wrong: tuple[str, ...]
) -> None:
    found = newest_partition(files(*days, *wrong), PREFIX, TODAY)
    assert found == NewestPartition(days[0], 2, 10, WRITTEN)


def test_files_outside_the_layout_do_not_count_as_landed() -> None:
    day = f"{PREFIX}year=2026/month=03/day=01"
    others = [
        f"{day}/part_0.jsonl.gz",
        f"{day}/part_0.parquet-1",
        f"{day}/hour=12/part_0.parquet",
        f"{PREFIX}2026_03_01_1_0.parquet",
    ]

    assert newest_partition(files(), PREFIX, TODAY) is None
    assert newest_partition(Listing(others), PREFIX, TODAY) is None
    assert newest_partition(Listing([]), PREFIX, TODAY) is None


@pytest.mark.parametrize("odd", [("2026-03-01",), ("2026-02-27", "2026-02-26")], ids=["today", "earlier"])
def test_a_newer_day_with_files_outside_the_layout_alone_is_passed_over(odd: tuple[str, ...]) -> None:
    listing = files("2025-12-31", "2026-02-25")
    listing.keys += [f"{PREFIX}year={day[:4]}/month={day[5:7]}/day={day[8:]}/part_0.jsonl" for day in odd]
    assert newest_partition(listing, PREFIX, TODAY) == NewestPartition("2026-02-25", 2, 10, WRITTEN)


ZONE: dict[str, Value] = {"server": "s3", "landing": "zone", "region": "eu", "backup": "backup"}


@pytest.mark.parametrize(
    ("configuration", "values", "bucket"),
    [
        ({}, {"lotus:landing_bucket": "mine"}, Bucket("mine", "us-west-1", "http://there")),
        (
            {
                "s3_bucket_name": {"$landing": "bucket"},
                "s3_bucket_region": {"$landing": "region"},
                "s3_endpoint": {"$landing": "endpoint"},
            },
            {"lotus:landingZone": {**ZONE, "endpoint": "http://own"}},
            Bucket("zone", "eu", "http://own"),
        ),
        (
            {"s3_bucket_name": {"$landing": "bucket"}},
            {"lotus:landingZone": json.dumps(ZONE)},
            Bucket("zone", "us-west-1", "http://there"),
        ),
        ({}, {}, "does not name the bucket"),
        ({}, None, "does not name the bucket"),
        ({"s3_bucket_name": {"$landing": "bucket"}}, {}, "does not name the bucket"),
        ({"s3_bucket_name": {"$secret": "bucket"}}, {"lotus:bucket": Encrypted()}, "does not name the bucket"),
    ],
)
def test_the_bucket_comes_from_the_destinations_file_and_the_stack(
    configuration: Mapping[str, object], values: Mapping[str, Value] | None, bucket: Bucket | str
) -> None:
    keys = {"lotus:s3_access_key_id": Encrypted(), "lotus:s3_secret_access_key": Encrypted()}
    stack = parse("prod", {**keys, **values}, None).settings if values is not None else None
    assert (stack is None) == (values is None)
    clean = destination()["configuration"]
    assert isinstance(clean, dict)
    config = DestinationConfig.model_validate(destination(configuration=clean | dict(configuration)))
    there = {"AWS_ENDPOINT_URL_S3": "http://there"}
    if isinstance(bucket, Bucket):
        assert destination_bucket(config, stack, there) == bucket
    else:
        with pytest.raises(LotusError, match=bucket):
            destination_bucket(config, stack, there)


def test_a_destination_that_is_not_on_s3_is_reported() -> None:
    config = DestinationConfig(connector="destination-dev-null", configuration={})
    with pytest.raises(LotusError, match="writes to no S3 bucket"):
        destination_bucket(config, None, {})
