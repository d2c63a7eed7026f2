"""A destination that `lotus check` accepts writes files that the sensors and DuckDB find and read.

The twin makes the keys: it implements the destination's layouts on its own.
"""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airbyte_twin.landing.configuration import Configuration
from airbyte_twin.landing.layout import layout_of
from airbyte_twin.landing.stream import LandingStream
from airbyte_twin.sync.run.destinations import Namespaces
from hypothesis import example, given
from hypothesis import strategies as st
from lotus_dagster.arrivals.partitions import day_of
from pydantic import ValidationError

from lotus_infra import naming
from lotus_infra.lake.checks.layout import CODECS, files_are_readable, places_are_readable
from lotus_infra.lake.lake import Lake, SourceFolder, StreamFile
from lotus_infra.lake.models import DestinationConfig, SourceConfig, StreamConfig

AT, LATER = datetime(2026, 1, 5, 23, 59, 58, tzinfo=UTC), datetime(2026, 1, 6, 1, tzinfo=UTC)
PIECES = [
    "year=${YEAR}",
    "month=${MONTH}",
    "day=${DAY}",
    "hour=${HOUR}",
    "${NAMESPACE}",
    "${STREAM_NAME}",
    "${EPOCH}",
    "x",
]
PATHS = st.lists(st.sampled_from([*PIECES, "/", "/", "_"]), max_size=12).map("".join) | st.sampled_from(
    [naming.PATH_FORMAT, f"/{naming.PATH_FORMAT}", naming.PATH_FORMAT.replace("/", "//"), naming.PATH_FORMAT[:-1]]
)
FILE_PIECES = [
    "part_",
    "{part_number}",
    "{date}",
    "{timestamp}",
    "{sync_id}",
    "{format_extension}",
    ".parquet",
    "/",
    "*",
]
STARTS = st.lists(st.sampled_from(FILE_PIECES), max_size=5).map("".join)
NAMES = st.tuples(STARTS, st.sampled_from(["", ".parquet", "{part_number}{format_extension}"])).map("".join)
BUCKET_PATHS = st.sampled_from(["raw", "raw/", "/raw", "a/b c", "", "/", "a//b", "./a", "a/.."])


ODD = st.sampled_from(
    ["orders", " ", "/", ".", "..", "A", "é", "表", "🦆", "'", "*", "?", "year=2026", "${UUID}", "{x}"]
)
TEXTS = st.lists(ODD | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=3), min_size=1).map("".join)


def lake_of(configuration: dict[str, object], name: str, namespace: str, prefix: str) -> Lake:
    """A lake with one stream and such a destination."""
    connection = {"namespace": namespace, "prefix": prefix}
    config = SourceConfig.model_validate({"connector": "source-faker", "configuration": {}, **connection})
    destination = DestinationConfig.model_validate({"connector": "destination-s3", "configuration": configuration})
    modes = {"sync_mode": "full_refresh", "destination_sync_mode": "append"}
    file = StreamFile("shop/orders.json", "shop", "orders", StreamConfig.model_validate({"stream": name, **modes}))
    return Lake(Path(), (SourceFolder("shop", config, (file,), None),), {"s3": destination}, {})


def checked_key(configuration: dict[str, object], part: int, name: str, namespace: str, prefix: str = "") -> None:
    """If the checks accept the destination and the names, the key that is written is one that readers find."""
    lake = lake_of(configuration, name, namespace, prefix)
    if [*files_are_readable(lake), *places_are_readable(lake)]:
        return
    written = prefix if prefix.strip() else ""
    stream = LandingStream(name, Namespaces("custom_format", namespace).of(None), written, {}, None, 0, 0, 7)
    layout = layout_of(Configuration.model_validate(configuration), stream)
    key = layout.folder(AT) + layout.name(AT, LATER, part, 7)
    found = lake.prefix_of(lake.sources[0], lake.sources[0].streams[0])

    assert found is not None
    assert key.startswith(found)
    assert day_of(key.removeprefix(found)) == date(2026, 1, 5).isoformat()
    assert layout.name(AT, LATER, part, 7) != layout.name(AT, LATER, part + 1, 7)


@given(path=PATHS, name=NAMES, bucket_path=BUCKET_PATHS, part=st.integers(0, 12_000))
@example(path=naming.PATH_FORMAT, name="", bucket_path="", part=0)
@example(path=naming.PATH_FORMAT, name="part_{part_number}.parquet", bucket_path="a/b c", part=10)
def test_every_key_of_a_destination_that_is_accepted_is_a_file_of_its_stream_and_day(
    path: str, name: str, bucket_path: str, part: int
) -> None:
    configuration: dict[str, object] = {
        "s3_bucket_name": "landing",
        "s3_path_format": path,
        "file_name_pattern": name,
        "s3_bucket_path": bucket_path,
        "format": {"format_type": "Parquet"},
    }
    checked_key(configuration, part, "orders", "shop")


@given(name=TEXTS, namespace=TEXTS, prefix=st.just("") | TEXTS)
def test_every_key_of_a_stream_of_any_name_is_a_file_of_its_stream_and_day(
    name: str, namespace: str, prefix: str
) -> None:
    configuration: dict[str, object] = {
        "s3_bucket_name": "landing",
        "s3_path_format": naming.PATH_FORMAT,
        "file_name_pattern": "part_{part_number}.parquet",
        "s3_bucket_path": "raw",
        "format": {"format_type": "Parquet"},
    }
    try:
        checked_key(configuration, 0, name, namespace, prefix)
    except ValidationError:
        assert not name.strip() or re.search(r"\$\{", namespace)  # a name of blanks, or an unknown variable


@pytest.mark.parametrize("codec", CODECS)
def test_duckdb_reads_each_compression_that_is_accepted(codec: str) -> None:
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        file = f"{folder}/part_0.parquet"
        pq.write_table(pa.table({"id": [1, 2, 3]}), file, compression="NONE" if codec == "UNCOMPRESSED" else codec)

        assert connection.execute("select sum(id) from read_parquet(?)", [file]).fetchall() == [(6,)]
