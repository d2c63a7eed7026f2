"""Keys of objects: what a sync's are, and which are whose."""

from datetime import UTC, datetime
from typing import Any

import pytest
from airbyte_twin.landing.configuration import parse_configuration
from airbyte_twin.landing.layout import Layout, layout_of
from hypothesis import given, settings
from hypothesis import strategies as st
from landing_support import configuration, stream

AT = datetime(2026, 1, 2, 3, 4, 5, 6789, tzinfo=UTC)
LATER = datetime(2026, 1, 2, 3, 5, tzinfo=UTC)
PATH_VARIABLES = [
    "${YEAR}",
    "${MONTH}",
    "${DAY}",
    "${HOUR}",
    "${MINUTE}",
    "${SECOND}",
    "${MILLISECOND}",
    "${EPOCH}",
    "${UUID}",
]
FILE_VARIABLES = ["{date}", "{date:yyyy_MM}", "{timestamp}", "{timestamp:millis}", "{timestamp:micros}", "{sync_id}"]


def layout(path: str = "", file_name: str = "", *, bucket_path: str = "raw", **of_stream: Any) -> Layout:
    settings = {"s3_path_format": path, "file_name_pattern": file_name, "s3_bucket_path": bucket_path}
    return layout_of(parse_configuration(configuration("", "landing", **settings)), stream(**of_stream))


def key(of: Layout, part: int = 0, sync_id: int = 7) -> str:
    return of.folder(AT) + of.name(AT, LATER, part, sync_id)


def test_the_lakes_layout_is_a_folder_for_each_day() -> None:
    lake = layout("${NAMESPACE}/${STREAM_NAME}/year=${YEAR}/month=${MONTH}/day=${DAY}/", "part_{part_number}.parquet")
    assert key(lake, 12) == "raw/shopify/orders/year=2026/month=01/day=02/part_12.parquet"
    assert lake.prefix == "raw/shopify/orders/year="


def test_without_formats_the_part_number_follows_the_milliseconds() -> None:
    assert key(layout(), 3) == "raw/shopify/orders/2026_01_02_1767323045006_3.parquet"


def test_every_variable_of_the_path_is_of_the_syncs_time() -> None:
    path = "${HOUR}-${MINUTE}-${SECOND}-${MILLISECOND}-${EPOCH}/${WHAT}/"
    assert layout(path).folder(AT) == "raw/03-04-05-0006-1767323045006/${WHAT}/"


def test_a_uuid_is_another_each_time() -> None:
    by_uuid = layout("${UUID}/")
    assert by_uuid.folder(AT) != by_uuid.folder(AT)


def test_every_variable_of_the_name_is_filled_in() -> None:
    name = "{date}.{date:yyyy_MM}.{timestamp}.{timestamp:millis}.{timestamp:micros}.{sync_id}.{what}{format_extension}"
    expected = "2026_01_02.2026_01.1767323100000.1767323100000.1767323100000000.7.{what}.parquet"
    assert layout("", name).name(AT, LATER, 0, 7) == expected


@pytest.mark.parametrize(
    ("bucket_path", "of_stream", "expected"),
    [
        ("raw", {"namespace": None}, "raw/orders/0.parquet"),
        ("/raw//deep/", {}, "raw/deep/shopify/orders/0.parquet"),
        ("", {"namespace": None}, "orders/0.parquet"),
        ("raw", {"prefix": "shop_"}, "raw/shopify/shop_orders/0.parquet"),
        ("raw", {"name": "Größe#1 ${YEAR}"}, "raw/shopify/Gro_e_1_$_YEAR_/0.parquet"),
        ("${YEAR}/raw", {}, "2026/raw/shopify/orders/0.parquet"),
    ],
)
def test_names_and_paths_are_made_as_destination_s3_makes_them(
    bucket_path: str, of_stream: dict[str, Any], expected: str
) -> None:
    assert key(layout("${NAMESPACE}/${STREAM_NAME}/", bucket_path=bucket_path, **of_stream)) == expected


@pytest.mark.parametrize(
    "path", ["${NAMESPACE}/${STREAM_NAME}/${YEAR}/", "", "${STREAM_NAME}_${EPOCH}_", "${YEAR}/${STREAM_NAME}/"]
)
@pytest.mark.parametrize("other", [{"name": "orders_2"}, {"name": "orders/2026"}, {"name": "order"}, {"prefix": "my_"}])
def test_a_stream_owns_no_other_streams_objects(path: str, other: dict[str, Any]) -> None:
    orders, others = layout(path), layout(path, **other)
    assert orders.owns(key(orders))
    assert others.owns(key(others))
    assert not orders.owns(key(others))
    assert not others.owns(key(orders))


def test_special_characters_of_names_are_not_patterns() -> None:
    plus = layout("${STREAM_NAME}/", "{part_number}", name="order+")
    assert not plus.owns("raw/orderr/0")
    assert not layout("${STREAM_NAME}/", "a.parquet").owns("raw/orders/aXparquet")


@settings(deadline=None)
@given(
    path=st.lists(st.sampled_from(PATH_VARIABLES), max_size=4),
    name=st.lists(st.sampled_from(FILE_VARIABLES), max_size=4),
    part=st.integers(0, 10**6),
    seconds=st.integers(0, 4102444800),
)
def test_a_stream_knows_its_keys_and_their_part_numbers(
    path: list[str], name: list[str], part: int, seconds: int
) -> None:
    own = layout("${STREAM_NAME}/" + "/".join(path), "-".join([*name, "p{part_number}{format_extension}"]))
    at = datetime.fromtimestamp(seconds, UTC)
    made = own.folder(at) + own.name(at, at, part, 7)
    assert made.startswith(own.prefix)
    assert own.part_number(made) == part
    assert own.part_number(f"{made}-1") == part
    assert own.part_number(f"{made}.tmp") == -1
