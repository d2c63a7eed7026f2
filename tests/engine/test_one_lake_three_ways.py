"""One lake that rows reach in three ways: by Airbyte and by dlt into S3, and by Airbyte into tables of Postgres."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from sandbox import s3
from sandbox import twin as twins
from sandbox.layout import S3_KEY, Layout
from sandbox.process import stop
from sandbox.up import up
from tests.engine.three_ways import MART, USERS, ThreeWays, expected, fill, without_measuring, write_three_ways
from tests.support.postgres import Postgres
from tests.support.postgres_lake import SCHEMA, new_database
from tests.support.rest_api import RestApi, serving


@pytest.fixture
def lake(
    tmp_path: Path, engine: list[Path], postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ThreeWays]:
    for name in without_measuring():
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, S3_KEY)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the keys of tests before
    database = new_database(postgres)
    with serving(RestApi(refuses_each=4)) as api:
        fill(api)
        write_three_ways(tmp_path, api, database)
        place = Layout(tmp_path)
        yield ThreeWays(place, api, database, lambda sql: postgres.query(sql, database=database.name))
        for found in (twins.found(place), s3.found(place)):
            if found is not None:
                stop(found)


def test_rows_reach_a_mart_by_airbyte_by_dlt_and_by_a_warehouse(
    lake: ThreeWays, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "has no model int_erp__orders" in lake.lotus("check", exit_code=1)
    assert "int_crm__users.sql" in lake.lotus("scaffold", "--all")
    assert "no problems" in lake.lotus("check")

    up(lake.place, verbose=True)

    shown = capfd.readouterr()
    assert "erp_dlt: running" in shown.out + shown.err
    assert re.search(r"int_crm__users +│ +table │ +│ +150 │ +1 │", shown.out)
    assert len(lake.api.answered(429)) > 0
    assert len(lake.landed("erp", "orders")) == len(lake.api.rows("orders"))
    assert mart_of(lake) == expected(lake.api, lake.query, SCHEMA)
    assert len(mart_of(lake)) == 30
    assert lake.rows("select count(*) from int_crm__users") == [(USERS,)]
    [(bought,)] = lake.rows(f"select sum(purchases) from {MART}")
    [(there,)] = lake.rows("select count(*) from int_faker__purchases where user_id <= 30")
    assert bought == there > 0


def test_new_rows_follow_and_commands_know_all_three_ways(lake: ThreeWays) -> None:
    lake.lotus("scaffold", "--all")
    up(lake.place)
    lake.api.put("orders", 7, total=1000.0)
    lake.api.put("orders", 91, user_id=30, total=5.0, lines=[])

    up(lake.place)

    assert len(lake.landed("erp", "orders")) == 92
    assert mart_of(lake) == expected(lake.api, lake.query, SCHEMA)
    graph = lake.lotus("graph")
    assert "raw/erp/orders/" in graph
    assert "crm.users" in graph
    assert "prefix_crm_users --> model_int_crm__users" in graph
    status = json.loads(lake.lotus("status", "--json", shell=True))
    assert {(each["source"], each["arrival"]) for each in status["streams"]} == {
        ("crm", "job"),
        ("erp", "files"),
        ("faker", "files"),
    }
    assert str(USERS) in lake.lotus("query", "select count(*) from warehouse.crm.users", shell=True)
    assert "91 rows" in lake.lotus("query", "select count(*) || ' rows' from int_erp__orders", shell=True)
    assert "ok       sources" in lake.lotus("doctor", shell=True)
    preview = lake.project / "preview.json"
    lake.edit("erp/orders.json", lambda stream: stream["fields"].update(note={"type": "string"}))
    lake.edit("crm/users.json", lambda stream: stream["fields"].pop("age"))
    lake.edit("faker/users.json", lambda stream: stream.update(backfill="2026-03-01-again"))
    preview.write_text(lake.pulumi("preview --json --non-interactive"), encoding="utf-8")
    comment = lake.lotus("comment", "--preview", str(preview), shell=True)
    assert "| `users` | loses `age` | kept |" in comment
    assert "| `orders` | gains `note`" in comment
    assert "token 2026-03-01-again" in comment


def mart_of(lake: ThreeWays) -> dict[int, tuple[Any, ...]]:
    """The rows of the mart by its key."""
    return {row[0]: row[1:] for row in lake.rows(f"select user_id, email, name, total::double from {MART}")}
