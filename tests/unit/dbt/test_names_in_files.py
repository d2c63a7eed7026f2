"""The field contract of streams whose columns are not named like their fields, and of those that land elsewhere."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from lotus_infra.commands.check import check_lake_files
from lotus_infra.commands.scaffold import scaffold_model
from tests.support.lakes import clean_files, discovered, source, stream, write
from tests.support.projects import CLEAN, FIELDS, MODEL, SOURCES, write_project

HASHING = {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"}
CITY_OF = "json_extract_string(address, '$.city') as city"


def lake(directory: Path, orders: dict[str, Any], edits: dict[str, str] | None = None, **more: Any) -> Path:
    """The clean project with another stream, and with texts of its model and its sources file replaced."""
    texts: dict[str, str | None] = {}
    for file, text in CLEAN.items():
        for old, new in (edits or {}).items():
            text = text.replace(old, new) if file in {MODEL, SOURCES} else text  # noqa: PLW2901
        texts[file] = text
    files = {file: content for file, content in clean_files().items() if not file.startswith("shop/")}
    own = {"shop/_source.json": source(), "shop/orders.json": stream(fields=FIELDS) | orders} | more
    return write(write_project(directory, texts), files | own)


def found(streams: Path) -> list[str]:
    problems = check_lake_files(streams).problems
    return [f"{Path(each.file).name}: {each.field}: {each.what}: {each.remedy}" for each in problems]


@pytest.mark.parametrize(
    ("mapper", "declared", "read"),
    [
        (
            {"type": "hashing", "configuration": HASHING},
            "write email_hashed",
            "whose files have it as email_hashed: read email_hashed",
        ),
        (
            {"type": "field-filtering", "configuration": {"targetField": "email"}},
            "delete it: its mappers remove the field",
            "whose mappers remove it: don't read it, or change the mappers in shop/orders.json",
        ),
    ],
)
def test_a_model_reads_what_mappers_leave(mapper: Any, declared: str, read: str, tmp_path: Path) -> None:
    assert found(lake(tmp_path, {"mappers": [mapper]})) == [
        f"_shop__sources.yml: shop.orders.email: is not a column of the files of shop/orders: {declared}",
        f"int_shop__orders.sql: email: the model reads it from shop/orders, {read}",
    ]


ADDRESS = {"type": "object", "properties": {"the city": {"type": "string"}}}
ODD = {"id": FIELDS["id"], "updated_at": FIELDS["updated_at"], "E-Mail": {"type": "string"}, "Home Address": ADDRESS}
IN_FILES = {"email": "E_Mail", "        address,": "        Home_Address,", "name: address": "name: Home_Address"}


def test_a_model_reads_fields_and_members_under_their_names_in_files(tmp_path: Path) -> None:
    city = {CITY_OF: "json_extract_string(Home_Address, '$.the_city') as city"}
    assert found(lake(tmp_path, {"fields": ODD}, IN_FILES | city)) == []


def test_a_model_that_reads_other_names_is_told_those_in_files(tmp_path: Path) -> None:
    city = {CITY_OF: "json_extract_string(Home_Address, '$.\"the city\"') as city"}
    problems = found(lake(tmp_path, {"fields": ODD}, IN_FILES | city | {"email": '"E-Mail"'}))
    assert [problem.rpartition(": ")[2] for problem in problems] == [
        "write E_Mail",
        "read E_Mail",
        'did you mean "the_city"?',
    ]


def test_columns_of_a_stream_that_takes_all_are_not_checked_before_it_is_discovered(tmp_path: Path) -> None:
    typo = {"        email,": "        emial,"}
    assert found(lake(tmp_path, {"fields": "all"}, typo)) == []


def test_columns_of_a_stream_that_takes_all_are_checked_once_it_is_discovered(tmp_path: Path) -> None:
    known = {"shop/_discovered/orders.json": discovered()}
    (problem,) = found(lake(tmp_path, {"fields": "all"}, {"        email,": "        emial,"}, **known))
    assert problem.endswith('which does not select it: did you mean "email"?')


def test_all_files_of_a_stream_are_read_only_where_duckdb_can_list_them(tmp_path: Path) -> None:
    place = {"raw/shop/orders/": "raw/shop/Ready?/", "raw/shop/orders/*": "raw/shop/Ready[?]/*"}
    streams = lake(tmp_path, {"stream": "Ready?"}, {"raw/shop/orders/*": "raw/shop/Ready[?]/*"} | place)
    assert found(streams) == []
    reads_all = "select id from {{ source('shop', 'orders') }}\n"
    write(tmp_path / "dagster" / "dbt", {"models/marts/everything.sql": reads_all})
    (problem,) = found(streams)
    assert problem.startswith("everything.sql: source: DuckDB can't list raw/shop/Ready?/ on S3 for its question mark")
    assert problem.endswith("read it from {{ arrivals('shop', 'orders') }}")


def test_a_model_of_a_stream_that_lands_elsewhere_is_a_notice(tmp_path: Path) -> None:
    elsewhere: Any = {
        "_destinations/s3.json": {"connector": "destination-redis", "configuration": {}},
        "_connectors/destination-redis.json": {
            "connector": "destination-redis",
            "definition_id": "25c5221d-dce2-4163-ade9-739ef790f503",
            "spec": {},
        },
    }
    report = check_lake_files(lake(tmp_path, {}, **elsewhere))
    assert report.problems == ()
    assert [notice.what for notice in report.notices if notice.field == "arrivals"] == [
        "reads shop/orders, which no connection writes to a destination-s3, so no new rows arrive"
    ]


def test_the_prefix_in_a_sources_file_is_yaml_jinja_and_sql_that_mean_the_prefix_alone(tmp_path: Path) -> None:
    streams = lake(tmp_path, {"stream": "- it's {{ 1 }}: *?[x] # y"})
    for file in (MODEL, SOURCES):
        (tmp_path / "dagster" / "dbt" / file).unlink()
    scaffold_model(streams, "shop", "orders")
    text = (tmp_path / "dagster" / "dbt" / SOURCES).read_text()
    (table,) = yaml.safe_load(text)["sources"][0]["tables"]
    assert table["config"]["meta"]["prefix"] == "raw/shop/-_it's____1___:_*?_x____y/"
    assert "/raw/shop/-_it''s____1___:_[*][?]_x____y/*/*/*/*.parquet'," in text
    assert found(streams) == []
