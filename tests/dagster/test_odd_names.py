"""Streams, namespaces, prefixes and fields with names of any text: from the lake's files to rows in the models."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lotus_dagster.arrivals.cursor import Cursor
from lotus_dagster.arrivals.decide import Clock
from lotus_dagster.arrivals.landing import stored_files
from lotus_dagster.definitions import DBT_PROJECT
from lotus_dagster.lake import streams_of
from lotus_dagster.sensors import tick

from lotus_infra.commands.check import check_lake_files
from lotus_infra.commands.scaffold import scaffold_all, scaffold_model
from lotus_infra.dbt.project import load_project
from lotus_infra.errors import ProjectError
from lotus_infra.lake.loader import load_lake
from lotus_infra.lineage import lineage_of
from tests.dagster.airbyte import Airbyte, copy_to_folder, reading_s3, s3_in_process, s3_on_disk
from tests.dagster.lake import Lake
from tests.support.lakes import clean_files, discovered, source, stream, write

TEXT = {"type": "string"}
TIME = {"type": "string", "format": "date-time"}
NAMES = {
    "account": "Account",
    "sheet_1": "Sheet 1",
    "app_users": "app.users",
    "ab_tests": "ab-tests",
    "table": "表",
    "ducks": "🦆 ducks",
    "quoted": 'it\'s "quoted"',
    "ready": "Ready?",
    "starred": "a*b",
    "sum": "a+b & c = d; e: f, g @ h $i (j) !k",
    "slashes": "/a//b/",
    "hidden": ".hidden",
    "jinja": "{{ 1 }} {% x %} {# y #}",
    "percent": "50% off #1 [x] \\n",
    "accents": "Größe naïve",
    "yaml": "- key: &value",
}
FIELDS = {
    "Id": "Id",
    "Account Name": "Account_Name",
    "Größe": "Gro_e",
    "表": "_",
    'a"b': "a_b",
    "1st": "_1st",
    "select": "select",
    "{{ x }}": "___x___",
}


def new_lake(tmp_path: Path, files: dict[str, Any]) -> Path:
    """A repository with a lake of these files alone, and a dbt project without models; its folder of streams."""
    others = {name: content for name, content in clean_files().items() if not name.startswith("shop/")}
    write(tmp_path / "streams", others | files)
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n")
    ignored = shutil.ignore_patterns("target", "logs", "core", "marts", "sales*")
    shutil.copytree(DBT_PROJECT, tmp_path / "dagster" / "dbt", ignore=ignored)
    return tmp_path / "streams"


def machine(streams: Path) -> Lake:
    return Lake(streams.parent / "machine", streams.parent / "dagster" / "dbt")


def problems(streams: Path) -> list[str]:
    return [str(problem) for problem in check_lake_files(streams).problems]


@pytest.fixture
def s3(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with s3_on_disk(tmp_path / "s3") if getattr(request, "param", "") == "files" else s3_in_process() as url:
        yield url


def streams_of_any_name() -> dict[str, Any]:
    """A source with a stream of each name, one of them in a namespace of its own."""
    files: dict[str, Any] = {
        f"odd/{file}.json": stream(stream=name, fields={"id": {"type": "integer"}, "updated_at": TIME})
        for file, name in NAMES.items()
    }
    files["odd/account.json"]["namespace"] = "App's 1*"
    connection = {"namespace": "My Größe-${SOURCE_NAMESPACE}", "prefix": "Raw 2-"}
    return files | {"odd/_source.json": source(name="Odd", **connection)}


@pytest.mark.parametrize(
    ("place", "s3"),
    [
        ("folder", "memory"),
        pytest.param("bucket", "memory", marks=pytest.mark.nightly),
        pytest.param("bucket", "files", marks=pytest.mark.nightly),
    ],
    indirect=["s3"],
)
def test_streams_of_any_name_are_listed_read_and_booked(place: str, tmp_path: Path, s3: str) -> None:
    streams = new_lake(tmp_path, streams_of_any_name())
    scaffold_all(streams)
    assert problems(streams) == []

    airbyte, lake = Airbyte(streams, s3), machine(streams)
    rows = {file: [{"id": number, "updated_at": "2026-01-05T10:00:00Z"}] for number, file in enumerate(NAMES)}
    airbyte.sync("odd", rows)
    airbyte.sync("odd", {"ready": [{"id": 70, "updated_at": "2026-01-06T10:00:00Z"}]}, day=1)
    if place == "folder":
        copy_to_folder(lake)
    else:
        reading_s3(lake)
    found = streams_of(streams)
    assert len(found) == len(NAMES)
    for one in found:
        assert len([*stored_files(lake.warehouse.landing, one.prefix)]) == (2 if one.name == "ready" else 1), one
        result = tick(one, lake.warehouse.landing, Cursor(lineage="a"), Clock(date(2026, 1, 6)))
        assert result.run_requests, one

    lake.dbt("run")
    for number, file in enumerate(NAMES):
        expected = [(number,), (70,)] if file == "ready" else [(number,)]
        assert sorted(lake.query(f"select id from int_odd__{file}")) == sorted(expected), file
    airbyte.sync("odd", {"starred": [{"id": 99, "updated_at": "2026-01-07T10:00:00Z"}]}, day=2)
    if place == "folder":
        copy_to_folder(lake)
    lake.dbt("run", "--select", "int_odd__starred")
    assert lake.queries(
        "select id from int_odd__starred order by id", "select file from lake.read_files.int_odd__starred"
    ) == [
        [(8,), (99,)],
        [(f"raw/My_Gro_e-/Raw_2-a*b/year=2026/month=01/day=0{day}/part_0.parquet",) for day in (5, 7)],
    ]


def test_fields_of_any_name_are_columns_of_the_files_names(tmp_path: Path, s3: str) -> None:
    inner = {"type": "object", "properties": {"changed on": TIME, "größe": {"type": "integer"}}}
    names = stream(
        stream="Names",
        primary_key=[["Id"], ["Account Name"]],
        cursor_field=["data", "changed on"],
        fields=dict.fromkeys(FIELDS, TEXT) | {"Id": {"type": "integer"}, "data": inner},
    )
    streams = new_lake(tmp_path, {"odd/_source.json": source(name="Odd"), "odd/names.json": names})
    scaffold_all(streams)
    assert problems(streams) == []

    def row(day: int, **values: Any) -> dict[str, Any]:
        nested = {"changed on": f"2026-01-0{day}T10:00:00Z", "größe": 3}
        return {name: f"of {name}" for name in FIELDS} | {"Id": 1, "data": nested} | values

    airbyte, lake = Airbyte(streams, s3), machine(streams)
    airbyte.sync("odd", {"names": [row(5), row(5, Id=2)]})
    airbyte.sync("odd", {"names": [row(6, select="later"), row(4, Id=2, select="late")]}, day=1)
    copy_to_folder(lake)
    lake.dbt("build")
    columns = ", ".join(f'"{column}"' for column in FIELDS.values())
    first = {name: f"of {name}" for name in FIELDS}
    assert lake.query(f"select {columns} from int_odd__names order by 1") == [
        tuple((first | {"Id": 1, "select": "later"}).values()),
        tuple((first | {"Id": 2}).values()),
    ]
    assert lake.query("select data_changed_on::varchar, data->>'gro_e' from int_odd__names order by 1") == [
        ("2026-01-05 10:00:00+00", "3"),
        ("2026-01-06 10:00:00+00", "3"),
    ]


@pytest.mark.parametrize("fields", ["all", None])
def test_a_stream_that_takes_all_fields_has_the_columns_that_were_discovered(
    fields: str | None, tmp_path: Path, s3: str
) -> None:
    offered = {f"Field {number}": TEXT for number in range(300)} | {"id": {"type": "integer"}, "updated_at": TIME}
    wide = {key: value for key, value in stream(stream="Wide Table").items() if key != "fields"}
    files = {
        "odd/_source.json": source(name="Odd"),
        "odd/wide.json": wide | ({} if fields is None else {"fields": fields}),
    }
    streams = new_lake(tmp_path, files)
    with pytest.raises(ProjectError, match="takes all fields, and they are not known: run `lotus discover odd`"):
        scaffold_all(streams)
    found = discovered(stream="Wide Table", fields=offered)
    write(streams, {"odd/_discovered/Wide Table.json": found})
    scaffold_all(streams)
    assert problems(streams) == []

    airbyte, lake = Airbyte(streams, s3), machine(streams)
    rows = [{"id": number, "updated_at": "2026-01-05T10:00:00Z", "Field 299": "last"} for number in range(2)]
    airbyte.sync("odd", {"wide": rows}, schema={"wide": offered})
    copy_to_folder(lake)
    lake.dbt("build")
    assert lake.query("select id, Field_299, Field_0 from int_odd__wide order by id") == [
        (0, "last", None),
        (1, "last", None),
    ]


MAPPERS = [
    {"type": "hashing", "configuration": {"targetField": "E-Mail", "method": "SHA-256", "fieldNameSuffix": " hashed"}},
    {"type": "field-renaming", "configuration": {"originalFieldName": "name", "newFieldName": "Full Name"}},
    {"type": "field-filtering", "configuration": {"targetField": "secret"}},
    {
        "type": "encryption",
        "configuration": {
            "algorithm": "AES",
            "targetField": "iban",
            "fieldNameSuffix": "_encrypted",
            "key": {"$secret": "iban_key"},
            "mode": "CTR",
            "padding": "NoPadding",
        },
    },
]


def test_mapped_fields_are_read_as_they_land(tmp_path: Path, s3: str) -> None:
    people = stream(
        stream="People",
        primary_key=[["E-Mail"]],
        fields=dict.fromkeys(("E-Mail", "name", "secret", "iban"), TEXT) | {"updated_at": TIME},
        mappers=MAPPERS,
    )
    streams = new_lake(tmp_path, {"odd/_source.json": source(name="Odd"), "odd/people.json": people})
    scaffold_all(streams)
    assert problems(streams) == []

    landed = {"E-Mail hashed": TEXT, "Full Name": TEXT, "iban_encrypted": TEXT, "updated_at": TIME}
    row = {"E-Mail hashed": "ab12", "Full Name": "Ada", "iban_encrypted": "00ff", "updated_at": "2026-01-05T10:00:00Z"}
    airbyte, lake = Airbyte(streams, s3), machine(streams)
    airbyte.sync("odd", {"people": [row]}, schema={"people": landed})
    airbyte.sync("odd", {"people": [row | {"Full Name": "Ada L."}]}, day=1, schema={"people": landed})
    copy_to_folder(lake)
    lake.dbt("build")
    assert lake.query("select E_Mail_hashed, Full_Name, iban_encrypted from int_odd__people") == [
        ("ab12", "Ada L.", "00ff")
    ]


def test_a_stream_of_an_unknown_destination_has_no_sensor_and_no_model_and_a_notice_says_so(tmp_path: Path) -> None:
    warehouse = {"connector": "destination-redis", "configuration": {}}
    pinned = {"connector": "destination-redis", "definition_id": "22f6c74f-5699-40ff-833c-4a879ea40133", "spec": {}}
    files = {
        "_destinations/warehouse.json": warehouse,
        "_connectors/destination-redis.json": pinned,
        "shop/_source.json": source(destination="warehouse"),
        "shop/orders.json": stream(),
        "odd/_source.json": source(name="Odd"),
        "odd/orders.json": stream(),
    }
    streams = new_lake(tmp_path, files)
    assert [path.name for path in map(Path, scaffold_all(streams).changes)]
    assert [(one.source, one.name) for one in streams_of(streams)] == [("odd", "orders")]
    with pytest.raises(ProjectError, match="shop/orders does not land in the lake"):
        scaffold_model(streams, "shop", "orders")
    report = check_lake_files(streams)
    assert report.problems == ()
    assert ["is not destination-s3" in notice.what for notice in report.notices].count(True) == 1
    lake = load_lake(streams).lake
    drawn = lineage_of(lake, load_project(tmp_path / "dagster" / "dbt"))
    assert ("stream:shop/orders", "prefix:shop/orders") in drawn.edges
    assert [node.label for node in drawn.nodes if node.key == "prefix:shop/orders"] == ["Warehouse: shop.orders"]
    assert not any(node.missing for node in drawn.nodes)
