"""What lands in S3, against a server of its own."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import duckdb
import pytest
from airbyte_twin.landing import storage
from airbyte_twin.landing import writer as writing
from landing_support import FOLDER, NEW_YEAR, Lake, stream

if TYPE_CHECKING:
    from airbyte_twin.documents import JsonObject


def generation(lake: Lake, key: str) -> str:
    return lake.client.head_object(Bucket=lake.bucket, Key=key)["Metadata"]["ab-generation-id"]


def test_a_row_carries_the_syncs_marks(lake: Lake) -> None:
    lake.sync([{"id": 1, "name": "a"}, {"id": "x"}], generation_id=3)
    first, second = lake.parquet(FOLDER + "part_0.parquet").read().to_pylist()
    assert UUID(first["_airbyte_raw_id"]) != UUID(second["_airbyte_raw_id"])
    assert first["_airbyte_extracted_at"] == datetime.fromtimestamp(NEW_YEAR, UTC)
    assert first["_airbyte_generation_id"] == 3
    assert first["_airbyte_meta"] == {"sync_id": 7, "changes": []}
    assert second["_airbyte_meta"]["changes"] == [
        {"field": "id", "change": "NULLED", "reason": "DESTINATION_SERIALIZATION_ERROR"}
    ]
    assert generation(lake, FOLDER + "part_0.parquet") == "3"


def test_duckdb_reads_types_and_partitions(lake: Lake, tmp_path: Path) -> None:
    schema: JsonObject = {
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "time": {"type": "string", "format": "time"},
            "day": {"type": "string", "format": "date"},
            "price": {"type": ["number", "string"]},
            "lines": {"type": "array", "items": {"properties": {"id": "integer"}}},
            "free": {"type": "object"},
        }
    }
    record: JsonObject = {
        "at": "2026-01-01T01:00:00+01:00",
        "time": "01:00:00",
        "free": {"a": [1]},
        "day": "2026-01-01",
        "price": 1.5,
        "lines": [{"id": 7}],
    }
    lake.sync([record], json_schema=schema)
    file = tmp_path / "year=2026" / "part.parquet"
    file.parent.mkdir()
    file.write_bytes(lake.body(FOLDER + "part_0.parquet"))
    query = """
        select epoch("at"), typeof("at"), typeof("time"), "day"::varchar, price."type", price.number, lines[1].id,
            free->>'$.a', "year"
        from read_parquet($file, hive_partitioning => true)
    """
    with duckdb.connect() as connection:
        assert connection.execute(query, {"file": str(file)}).fetchall() == [
            (NEW_YEAR, "TIMESTAMP WITH TIME ZONE", "TIME WITH TIME ZONE", "2026-01-01", "number", 1.5, 7, "[1]", 2026)
        ]


def test_two_syncs_on_one_day_make_different_parts(lake: Lake) -> None:
    lake.sync([{"id": 1}])
    lake.sync([{"id": 2}])
    assert [(key, lake.rows(key)[0]["id"]) for key in lake.written()] == [
        (FOLDER + "part_0.parquet", 1),
        (FOLDER + "part_1.parquet", 2),
    ]


def test_parts_go_on_after_the_highest_number_of_the_folder(lake: Lake) -> None:
    for name in ("day=01/part_10", "day=01/part_9", "day=02/part_30", "day=01/other_40"):
        key = FOLDER.replace("day=01/", name) + ".parquet"
        lake.client.put_object(Bucket=lake.bucket, Key=key, Body=b"")
    lake.sync([{"id": 1}])
    assert FOLDER + "part_11.parquet" in lake.written()


def test_a_taken_name_without_part_number_is_never_overwritten(lake: Lake) -> None:
    landing = lake.landing(file_name_pattern="{sync_id}{format_extension}")
    for id_ in range(3):
        lake.sync([{"id": id_}], landing)
    written = {key.removeprefix(FOLDER): lake.rows(key)[0]["id"] for key in lake.written()}
    assert written == {"7.parquet": 0, "7.parquet-1": 1, "7.parquet-2": 2}


def test_a_new_part_begins_when_one_is_large(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LARGEST_PART", 1000)
    writer = lake.landing().open(stream())
    for id_ in range(100):
        writer.write({"id": id_, "name": "x" * 50}, 0)
    writer.close()
    assert writer.rows == 100
    assert writer.bytes == sum(len(f'{{"id":{id_},"name":"{"x" * 50}"}}') for id_ in range(100))
    assert len(lake.written()) > 2
    ids = [row["id"] for number in range(len(lake.written())) for row in lake.rows(f"{FOLDER}part_{number}.parquet")]
    assert ids == list(range(100))


def test_a_checkpoint_makes_durable_what_was_written_and_abort_forgets_the_rest(lake: Lake) -> None:
    lake.sync([{"id": 0}])
    writer = lake.landing().open(stream(generation_id=2, minimum_generation_id=2))
    writer.write({"id": 1}, 0)
    writer.checkpoint()
    writer.checkpoint()
    writer.write({"id": 2}, 0)
    writer.abort()
    assert [lake.rows(key) for key in lake.written()] == [[{"id": 0, "name": None}], [{"id": 1, "name": None}]]


def test_a_stream_without_rows_makes_no_object(lake: Lake) -> None:
    lake.sync([])
    assert lake.written() == []


def test_older_generations_go_when_a_truncating_sync_closes_and_not_before(lake: Lake) -> None:
    lake.sync([{"id": 1}])
    lake.sync([{"id": 1}], name="orders_2")
    lake.client.put_object(Bucket=lake.bucket, Key=FOLDER + "part_5.parquet", Body=b"without a generation")
    writer = lake.landing().open(stream(generation_id=2, minimum_generation_id=2))
    writer.write({"id": 1}, 0)
    writer.checkpoint()
    assert len(lake.written()) == 4
    writer.close()
    assert lake.written() == [FOLDER + "part_6.parquet", FOLDER.replace("orders", "orders_2") + "part_0.parquet"]


def test_a_merging_sync_keeps_older_generations(lake: Lake) -> None:
    lake.sync([{"id": 1}])
    lake.sync([{"id": 1}], generation_id=2)
    assert [generation(lake, key) for key in lake.written()] == ["1", "2"]


def test_clear_deletes_the_streams_objects_of_all_days_and_no_others(lake: Lake) -> None:
    for of_stream in ({}, {"name": "orders_2"}, {"name": "order"}, {"namespace": None}, {"prefix": "my_"}):
        lake.sync([{"id": 1}], **of_stream)
    lake.clock.advance(86400)
    lake.sync([{"id": 1}], generation_id=2)
    lake.client.put_object(Bucket=lake.bucket, Key=FOLDER + "notes.txt", Body=b"")
    before = lake.written()
    lake.landing().clear(stream())
    assert set(before) - set(lake.written()) == {
        FOLDER + "part_0.parquet",
        FOLDER.replace("day=01", "day=02") + "part_0.parquet",
    }


def test_more_objects_than_one_call_deletes_are_cleared(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "MOST_DELETED_AT_ONCE", 2)
    for number in range(5):
        lake.client.put_object(Bucket=lake.bucket, Key=f"{FOLDER}part_{number}.parquet", Body=b"")
    lake.landing().clear(stream())
    assert lake.written() == []


@pytest.mark.parametrize("codec", ["UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "LZ4", "ZSTD"])
def test_a_file_is_compressed_as_configured(lake: Lake, codec: str) -> None:
    lake.sync([{"id": 1}], lake.landing(format={"format_type": "Parquet", "compression_codec": codec}))
    assert lake.parquet(FOLDER + "part_0.parquet").metadata.row_group(0).column(0).compression == codec


@pytest.mark.parametrize("dictionary", [True, False])
def test_blocks_and_dictionaries_are_as_configured(lake: Lake, *, dictionary: bool) -> None:
    options = {"format_type": "Parquet", "block_size_mb": 1, "dictionary_encoding": dictionary}
    lake.sync([{"id": id_, "name": "x" * 500} for id_ in range(6000)], lake.landing(format=options))
    metadata = lake.parquet(FOLDER + "part_0.parquet").metadata
    assert metadata.num_rows == 6000
    assert metadata.num_row_groups == 3
    name = metadata.row_group(0).column(metadata.num_columns - 1)
    assert ("RLE_DICTIONARY" in name.encodings) is dictionary


@pytest.mark.nightly
def test_a_hundred_thousand_records_stay_far_below_500_mb(lake: Lake) -> None:
    script = """
import sys
from pathlib import Path
from landing_support import configuration, stream
from airbyte_twin.clock import Clock
from airbyte_twin.landing import Landing
fields = [f"field_{number}" for number in range(20)]
schema = {"properties": {field: {"type": "string"} for field in fields}}
writer = Landing(configuration(*sys.argv[1:]), Clock()).open(stream(json_schema=schema))
for number in range(100_000):
    writer.write({field: f"{field} of {number}" for field in fields}, number)
writer.close()
[peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(int(peak.split()[1]) // 1024)
"""
    command = [sys.executable, "-c", script, lake.url, lake.bucket]
    peak = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    (key,) = lake.written()
    assert lake.parquet(key).metadata.num_rows == 100_000
    assert len(lake.body(key)) > storage.MULTIPART_BYTES
    assert generation(lake, key) == "1"
    assert int(peak.stdout) < 350
