"""Streams, namespaces, prefixes and fields with names of any text: from the lake's files to rows in the models."""

import json
import shutil
from collections.abc import Iterator
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
from lotus_infra.commands.scaffold import scaffold_all
from tests.dagster.airbyte import Airbyte, copy_to_folder, reading_s3, s3_server
from tests.dagster.lake import Lake
from tests.support.lakes import clean_files, source, stream, write

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
    'a"b': "a_b_",
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
def s3() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_streams_of_any_name_are_listed_read_and_booked(place: str, tmp_path: Path, s3: str) -> None:
    files: dict[str, Any] = {
        f"odd/{file}.json": stream(stream=name, fields={"id": {"type": "integer"}, "updated_at": TIME})
        for file, name in NAMES.items()
    }
    connection = {"namespace": "My Größe-${SOURCE_NAMESPACE}", "prefix": "Raw 2-"}
    files["odd/_source.json"] = source(name="Odd", **connection)
    files["odd/account.json"]["namespace"] = "App's 1*"
    streams = new_lake(tmp_path, files)
    scaffold_all(streams)
    assert problems(streams) == []

    airbyte, lake = Airbyte(streams, s3), machine(streams)
    rows = {file: [{"id": number, "updated_at": "2026-01-05T10:00:00Z"}] for number, file in enumerate(NAMES)}
    airbyte.sync("odd", rows)
    airbyte.sync("odd", {"ready": [{"id": 7, "updated_at": "2026-01-06T10:00:00Z"}]}, day=1)
    if place == "folder":
        copy_to_folder(lake)
    else:
        reading_s3(lake)
    found = streams_of(streams)
    assert len(found) == len(NAMES)
    for one in found:
        assert len([*stored_files(lake.warehouse.landing, one.prefix)]) == (2 if one.name == "ready" else 1), one
        result = tick(one, lake.warehouse.landing, Cursor(), Clock.now())
        assert result.run_requests, one

    lake.dbt("build")
    for number, file in enumerate(NAMES):
        expected = [(number,), (7,)] if file == "ready" else [(number,)]
        assert sorted(lake.query(f"select id from int_odd__{file}")) == sorted(expected), file
    airbyte.sync("odd", {"starred": [{"id": 99, "updated_at": "2026-01-07T10:00:00Z"}]}, day=2)
    if place == "folder":
        copy_to_folder(lake)
    lake.dbt("build")
    assert len(lake.query("select * from int_odd__starred")) == 2
    assert len(lake.query("select * from lake.read_files.int_odd__starred")) == 2
