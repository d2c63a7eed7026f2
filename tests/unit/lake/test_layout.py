"""The files that a destination writes are files that every reader of the landing zone finds."""

from itertools import product
from pathlib import Path

import pytest
from pydantic import JsonValue

from lotus_infra import naming
from tests.support.lakes import destination, problems_of, report_on, source

S3 = "_destinations/s3.json"
WRITE_PATH = 'write "s3_path_format": "${NAMESPACE}/${STREAM_NAME}/year=${YEAR}/month=${MONTH}/day=${DAY}/"'
WRITE_NAME = 'write "file_name_pattern": "part_{part_number}.parquet"'
HOURLY = "${NAMESPACE}/${STREAM_NAME}/year=${YEAR}/month=${MONTH}/day=${DAY}/hour=${HOUR}/"
MISSING = ...


def problems_with(directory: Path, **changes: object) -> list[str]:
    """The problems of the clean lake after changes of its destination's configuration; an ellipsis removes a key."""
    configuration = destination()["configuration"]
    assert isinstance(configuration, dict)
    changed = {key: value for key, value in (configuration | changes).items() if value is not MISSING}
    return problems_of(directory, {S3: destination(configuration=changed)})


@pytest.mark.parametrize(
    "path",
    [
        HOURLY,
        "${NAMESPACE}/${STREAM_NAME}/${YEAR}_${MONTH}_${DAY}_${EPOCH}_",
        "${NAMESPACE}/${STREAM_NAME}/year=${YEAR}/month=${MONTH}/day=${DAY}",
        "${NAMESPACE}/${STREAM_NAME}/year=${YEAR}/month=${MONTH}/day=${DAY}/part_",
        "${STREAM_NAME}/year=${YEAR}/month=${MONTH}/day=${DAY}/",
        "${NAMESPACE}_${STREAM_NAME}/year=${YEAR}/month=${MONTH}/day=${DAY}/",
        "shop/orders/year=${YEAR}/month=${MONTH}/day=${DAY}/",
        "${namespace}/${STREAM_NAME}/year=${YEAR}/month=${MONTH}/day=${DAY}/",
        "${NAMESPACE}/${STREAM_NAME}/YEAR=${YEAR}/month=${MONTH}/day=${DAY}/",
    ],
)
def test_a_path_format_that_no_reader_knows_is_refused_with_the_one_that_they_know(tmp_path: Path, path: str) -> None:
    (problem,) = problems_with(tmp_path, s3_path_format=path)

    assert problem.startswith(f"{S3}:")
    assert "configuration.s3_path_format: is not the layout that the lake's readers know" in problem
    assert problem.endswith(WRITE_PATH)


@pytest.mark.parametrize("given", [MISSING, ""])
def test_a_path_format_that_is_left_to_airbyte_is_refused(tmp_path: Path, given: object) -> None:
    (problem,) = problems_with(tmp_path, s3_path_format=given)

    assert "configuration.s3_path_format: is missing, and the lake's readers don't know Airbyte's default" in problem
    assert problem.endswith(WRITE_PATH)


@pytest.mark.parametrize("path", [f"/{naming.PATH_FORMAT}", naming.PATH_FORMAT.replace("/", "//")])
def test_slashes_that_airbyte_drops_make_no_difference(tmp_path: Path, path: str) -> None:
    assert problems_with(tmp_path, s3_path_format=path) == []


@pytest.mark.parametrize("key", ["s3_path_format", "file_name_pattern", "s3_bucket_path", "format"])
def test_a_layout_that_depends_on_the_stack_is_refused(tmp_path: Path, key: str) -> None:
    reference = {"$config": "layout"} | ({"as": "json"} if key == "format" else {})
    (problem,) = problems_with(tmp_path, **{key: reference})

    assert f"configuration.{key}: depends on the stack" in problem


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        ("part_{part_number}", "makes names that don't end in .parquet"),
        ("part_{part_number}.parquet.gz", "makes names that don't end in .parquet"),
        ("part_{part_number}.PARQUET", "makes names that don't end in .parquet"),
        ("{part_number}.json", "makes names that don't end in .parquet"),
        ("{date}.parquet", "has no {part_number}, so two files can have one name"),
        ("{timestamp}{format_extension}", "has no {part_number}, so two files can have one name"),
        ("hour=1/{part_number}.parquet", "has characters that the lake's readers don't expect in a file's name"),
        ("{part_number}?.parquet", "has characters that the lake's readers don't expect in a file's name"),
        ("{part_number}_*.parquet", "has characters that the lake's readers don't expect in a file's name"),
        ("{Part_Number}_{part_number}.parquet", "has {Part_Number}, which is no variable of Airbyte's"),
        ("{date:yyyy}_{part_number}.parquet", "has {date:yyyy}, which is no variable of Airbyte's"),
    ],
)
def test_a_file_name_that_no_reader_finds_is_refused(tmp_path: Path, pattern: str, what: str) -> None:
    (problem,) = problems_with(tmp_path, file_name_pattern=pattern)

    assert problem.endswith(f"configuration.file_name_pattern: {what}: {WRITE_NAME}")


@pytest.mark.parametrize("pattern", ["{part_number}{format_extension}", "", "{date}-{sync_id} {part_number}.parquet"])
def test_file_names_of_any_form_that_readers_find_are_accepted(tmp_path: Path, pattern: str) -> None:
    assert problems_with(tmp_path, file_name_pattern=pattern) == []


@pytest.mark.parametrize(
    "given",
    [
        {"format_type": "CSV", "flattening": "No flattening"},
        {"format_type": "JSONL"},
        {"format_type": "Avro", "compression_codec": {"codec": "no compression"}},
    ],
)
def test_a_format_other_than_parquet_is_refused(tmp_path: Path, given: dict[str, JsonValue]) -> None:
    (problem,) = problems_with(tmp_path, format=given)

    told = (
        f'configuration.format.format_type: is {given["format_type"]}, but the lake reads Parquet only: write "Parquet"'
    )
    assert problem.endswith(told)


@pytest.mark.parametrize("codec", ["LZ4", "LZO"])
def test_a_compression_that_duckdb_can_not_read_is_refused(tmp_path: Path, codec: str) -> None:
    (problem,) = problems_with(tmp_path, format={"format_type": "Parquet", "compression_codec": codec})

    known = "write UNCOMPRESSED, SNAPPY, GZIP, BROTLI or ZSTD"
    assert problem.endswith(f"configuration.format.compression_codec: is {codec}, which DuckDB can't read: {known}")


@pytest.mark.parametrize("path", ["a//b", "a/./b", "../a", "./", " /a"])
def test_a_path_that_airbyte_and_s3_spell_differently_is_refused(tmp_path: Path, path: str) -> None:
    (problem,) = problems_with(tmp_path, s3_bucket_path=path)

    assert "configuration.s3_bucket_path: " in problem


def test_a_destination_that_no_source_names_may_have_any_layout(tmp_path: Path) -> None:
    other = destination(name="Other", configuration={"s3_path_format": HOURLY, "format": {"format_type": "JSONL"}})

    assert not [one for one in problems_of(tmp_path, {"_destinations/other.json": other}) if "layout" in one]


def test_a_destination_of_another_kind_has_a_notice_that_no_rows_reach_the_models(tmp_path: Path) -> None:
    report = report_on(
        tmp_path,
        {
            "_destinations/pg.json": {"connector": "11111111-1111-1111-1111-111111111111", "configuration": {}},
            "shop/_source.json": source(destination="pg"),
        },
    )

    assert report.problems == ()
    assert [(one.field, one.what) for one in report.notices] == [
        ("connector", "is not destination-s3: the lake's models read nothing that it writes")
    ]


def test_a_layout_is_told_by_the_variables_that_airbyte_fills_in_and_the_keys_that_readers_find() -> None:
    values = {"NAMESPACE": "shop", "STREAM_NAME": "orders", "YEAR": "2026", "MONTH": "01", "DAY": "05"}
    key = naming.PATH_FORMAT + "part_0.parquet"
    for name, value in values.items():
        key = key.replace(f"${{{name}}}", value)
    prefix = naming.s3_prefix("shop", "orders", path="")
    found = naming.LANDED_FILE.fullmatch(key.removeprefix(prefix))

    assert found is not None
    assert found.groups() == ("2026", "01", "05")
    assert [
        naming.s3_prefix("shop", "orders", prefix=prefix, path=path)
        for prefix, path in product(("", "x_"), ("", "raw"))
    ] == [
        "shop/orders/",
        "raw/shop/orders/",
        "shop/x_orders/",
        "raw/shop/x_orders/",
    ]
