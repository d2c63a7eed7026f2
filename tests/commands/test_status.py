"""`lotus status` as a user runs it: a twin, an S3 server and something that answers as Dagster does."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import boto3
import httpx
import pytest
from dagster_graphql.schema import create_schema
from graphql import parse, validate
from moto.server import ThreadedMotoServer

from lotus_infra.clients.airbyte import last_jobs
from lotus_infra.clients.dagster import QUERY
from lotus_infra.commands.sync import start
from tests.commands.lab import Lab
from tests.support.commands import Lotus, write_stack
from tests.support.http_server import http_server
from tests.support.lakes import write
from tests.support.postgres_lake import SOMEWHERE, destination, pin

Shown = pytest.CaptureFixture[str]
USERS = ["main", "int_shop__users"]


def asset(
    key: list[str], *upstream: list[str], hours: float | None = None, checks: Iterable[dict[str, Any]] = ()
) -> dict[str, Any]:
    """An asset as the webserver shows it, made some hours ago."""
    times = [] if hours is None else [datetime.now(UTC) - timedelta(hours=hours)]
    made = [{"timestamp": str(int(time.timestamp() * 1000))} for time in times]
    return {
        "assetKey": {"path": key},
        "dependencyKeys": [{"path": one} for one in upstream],
        "assetMaterializations": made,
        "assetChecksOrError": {"checks": list(checks)},
    }


def check(
    name: str, status: str, severity: str = "ERROR", why: str | None = None, **metadata: object
) -> dict[str, Any]:
    """A check of an asset as the webserver shows it."""
    entries = [{"label": label, "jsonString": json.dumps(value)} for label, value in metadata.items()]
    other = {"label": "rows"}  # an entry of another type has no JSON
    evaluation = {"severity": severity, "description": why, "metadataEntries": [other, *entries]}
    execution = {"status": status, "evaluation": evaluation if status in {"FAILED", "SUCCEEDED"} else None}
    return {"name": name, "executionForLatestMaterialization": execution}


@contextmanager
def answering(status: int, document: object) -> Iterator[str]:
    """A server that gives this answer to whatever it is asked; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Says nothing."""

    with http_server(Handler) as address:
        yield address


@pytest.fixture
def landing(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The bucket `landing` on an S3 server, with two files of a stream from years ago; yields the server's address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}:{port}")
    client = boto3.client("s3", region_name="us-west-1")
    client.create_bucket(Bucket="landing", CreateBucketConfiguration={"LocationConstraint": "us-west-1"})
    for part in ("part_0", "part_1"):
        client.put_object(Bucket="landing", Key=f"raw/shop/users/year=2020/month=01/day=05/{part}.parquet", Body=b"12")
    yield f"http://{host}:{port}"
    httpx.post(f"http://{host}:{port}/moto-api/reset").raise_for_status()
    server.stop()


def ended(lab: Lab, source: str, status: str, rows: int) -> None:
    [run] = start(lab.syncs(), [source])
    assert run.job_id is not None
    lab.drive(run.job_id, status, rows_synced=rows)


def test_connections_jobs_files_and_models_are_told_and_old_ones_are_a_problem(
    lab: Lab, lotus: Lotus, landing: str, capsys: Shown
) -> None:
    ended(lab, "shop", "succeeded", 1234)
    made = [asset(USERS, ["raw", "shop", "users"], hours=3), asset(["main", "dim_users"], USERS, hours=49)]
    with answering(200, {"data": {"assetNodes": made}}) as dagster:
        assert lotus("status", "shop", "--dagster-url", dagster) == 0
        shown = capsys.readouterr().out
        assert lotus("status", "shop", "--dagster-url", dagster, "--older-than", "2d", "--json") == 1
    document = json.loads(capsys.readouterr().out)

    assert "sync succeeded │ 1,234" in shown
    assert "│     2 │ 4 bytes │ 3 h ago │     2 d ago\n" in shown
    assert shown.endswith("no problems\n")
    [connection], [stream] = document["connections"], document["streams"]
    assert (connection["state"], connection["last_job"]["rows"], connection["last_job"]["running"]) == (
        "active",
        1234,
        False,
    )
    assert (stream["files"]["partition"], stream["files"]["bytes"]) == ("2020-01-05", 4)
    assert [each["name"] for each in [stream["model"], *stream["marts"]]] == ["int_shop__users", "dim_users"]
    assert document["ok"] is False
    assert document["problems"] == ["shop/users: dim_users is older than 48 h"]


BAD = {
    "file": "raw/shop/users/year=2020/month=01/day=05/part_1.parquet",
    "reason": "Runtime Error in model int_shop__users (a.sql)\n  Invalid Input Error: no magic bytes\n  LINE 1: select",
    "since": "2026-01-05T10:00:00+00:00",
}


def test_files_in_quarantine_and_failed_checks_are_problems_and_warnings_are_shown(
    lab: Lab, lotus: Lotus, landing: str, capsys: Shown
) -> None:
    ended(lab, "shop", "succeeded", 1)
    ended(lab, "store", "succeeded", 1)
    users = [
        check("quarantine", "FAILED", "WARN", "1 file is in quarantine", files=[BAD]),
        check("unique_id", "SUCCEEDED"),
        {"name": "never_evaluated", "executionForLatestMaterialization": None},
    ]
    mart = [
        check("not_null_total", "FAILED", "ERROR", "Got 2 results\nconfigured to fail if != 0"),
        check("known_status", "FAILED", "WARN"),
        check("sales_add_up", "EXECUTION_FAILED"),
    ]
    made = [asset(USERS, hours=1, checks=users), asset(["main", "dim_users"], USERS, hours=1, checks=mart)]
    with answering(200, {"data": {"assetNodes": made}}) as dagster:
        assert lotus("status", "shop", "--dagster-url", dagster) == 1
        shown = capsys.readouterr().out.splitlines()
        assert lotus("status", "shop", "--dagster-url", dagster, "--json") == 1
    document = json.loads(capsys.readouterr().out)

    problems = [
        f"shop/users: {BAD['file']} is in quarantine since 2026-01-05 10:00: Invalid Input Error: no magic bytes",
        "dim_users: the check not_null_total fails: Got 2 results",
        "dim_users: the check sales_add_up fails: it could not be evaluated",
    ]
    assert shown[-5:] == [*problems, "warning: dim_users: the check known_status fails", "3 problems"]
    assert document["problems"] == problems
    [stream] = document["streams"]
    assert stream["quarantined"] == [BAD]
    assert [(one["model"], one["check"], one["severity"]) for one in stream["failed_checks"]] == [
        ("dim_users", "not_null_total", "error"),
        ("dim_users", "known_status", "warning"),
        ("dim_users", "sales_add_up", "error"),
    ]


def test_a_quarantine_that_lists_no_files_is_shown_as_any_failed_check(
    lab: Lab, lotus: Lotus, landing: str, capsys: Shown
) -> None:
    ended(lab, "shop", "succeeded", 1)
    for files in ({}, {"files": "a text"}, {"files": [{"file": 1}]}):
        made = [asset(USERS, hours=1, checks=[check("quarantine", "FAILED", "WARN", "1 file", **files)])]
        with answering(200, {"data": {"assetNodes": made}}) as dagster:
            assert lotus("status", "shop", "--dagster-url", dagster) == 0
        assert "warning: int_shop__users: the check quarantine fails: 1 file" in capsys.readouterr().out


def test_what_fails_rests_or_is_missing_is_a_problem_by_itself(
    lab: Lab, lotus: Lotus, landing: str, capsys: Shown
) -> None:
    ended(lab, "shop", "failed", 0)
    store = lab.connection_id("store")
    lab.airbyte.patch_connection(store, {"status": "inactive"})
    assert lotus("status") == 1
    told = capsys.readouterr().out.splitlines()
    assert "shop: its last job, 1, failed: see its log in Airbyte" in told
    assert "store: its connection is inactive and does not sync: activate it" in told
    assert told[-1] == "2 problems"

    lab.airbyte.delete_connection(store)
    assert lotus("status", "store", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert document["connections"][0]["state"] == "missing"
    assert "`pulumi up` creates it" in document["problems"][0]


def test_what_can_not_be_asked_is_said_to_be_so_and_no_age_is_made_up(
    lab: Lab, lotus: Lotus, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    assert lotus("status") == 0
    shown = capsys.readouterr().out
    assert "files: unknown: the bucket landing on http://127.0.0.1:9 can't be used" in shown
    assert "models and marts: not asked: the stack's file names no ingress of Dagster" in shown

    with answering(503, {}) as dagster:
        assert lotus("status", "shop", "--dagster-url", dagster, "--older-than", "26h", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["streams"][0]["files"], document["streams"][0]["model"]) == (None, None)
    assert "the age of its files is not known" in document["problems"][0]
    assert "the age of its model is not known: Dagster answers 503" in document["problems"][1]


@pytest.mark.parametrize("answer", [{}, {"data": {"assetNodes": None}}, []])
def test_an_answer_that_is_not_dagsters_is_told(
    lab: Lab, lotus: Lotus, answer: object, landing: str, capsys: Shown
) -> None:
    with answering(200, answer) as dagster:
        assert lotus("status", "shop", "--dagster-url", dagster) == 0
    assert "models and marts: unknown: the answer is not one of Dagster's" in capsys.readouterr().out


NOWHERE = {"connector": "destination-dev-null", "configuration": {"bucket": {"$config": "landing_bucket"}}}


def test_a_stream_of_a_destination_without_files_is_as_fresh_as_the_last_succeeded_job(
    lab: Lab, lotus: Lotus, capsys: Shown
) -> None:
    (lab.folder / "_destinations" / "s3.json").write_text(json.dumps(NOWHERE))
    with answering(200, {"data": {"assetNodes": []}}) as dagster:
        assert lotus("status", "shop", "--dagster-url", dagster, "--older-than", "1h") == 1
        never = capsys.readouterr().out
        ended(lab, "shop", "succeeded", 12)
        ended(lab, "shop", "cancelled", 0)
        assert lotus("status", "shop", "--dagster-url", dagster, "--older-than", "1h") == 0
        shown = capsys.readouterr().out
        assert lotus("status", "shop", "--dagster-url", dagster, "--json") == 0
    document = json.loads(capsys.readouterr().out)

    assert "shop/users: no job of the connection shop has succeeded" in never
    assert "stream     │" in shown.replace("┃", "│")
    assert "newest rows" in shown
    assert "models and marts" not in shown
    [stream] = document["streams"]
    assert (stream["arrival"], stream["files"], stream["files_unknown"]) == ("job", None, "no files are read from S3")
    assert (stream["job"]["connection"], stream["job"]["id"], stream["job"]["rows"]) == ("shop", 1, 12)
    assert document["connections"][0]["last_job"]["status"] == "cancelled"


def test_a_table_that_models_read_has_a_model_and_the_last_job(lab: Lab, lotus: Lotus, capsys: Shown) -> None:
    write(lab.folder, {"_connectors/destination-postgres.json": pin(), "_destinations/s3.json": destination(SOMEWHERE)})
    write_stack(lab.folder.parent, "dev", lab.values | {"lotus:warehouse_password": {"secure": "v1:abc"}})
    ended(lab, "shop", "succeeded", 12)
    ended(lab, "shop", "failed", 0)
    with answering(200, {"data": {"assetNodes": [asset(USERS, hours=3)]}}) as dagster:
        assert lotus("status", "shop", "--dagster-url", dagster, "--older-than", "2h", "--json") == 1
    document = json.loads(capsys.readouterr().out)

    [stream] = document["streams"]
    assert (stream["arrival"], stream["job"]["id"], stream["model"]["name"]) == ("job", 1, "int_shop__users")
    assert document["problems"] == [
        "shop: its last job, 2, failed: see its log in Airbyte",
        "shop/users: int_shop__users is older than 2 h",
    ]


def test_a_job_that_is_too_old_is_a_problem(lab: Lab, lotus: Lotus, capsys: Shown) -> None:
    (lab.folder / "_destinations" / "s3.json").write_text(json.dumps(NOWHERE))
    ended(lab, "shop", "succeeded", 12)
    assert lotus("status", "shop", "--older-than", "0min") == 1
    assert "the last succeeded job of the connection shop is older than 0 h" in capsys.readouterr().out


def test_the_last_jobs_of_all_connections_take_a_call_for_syncs_and_one_for_refreshes(lab: Lab) -> None:
    for source, status in (("shop", "failed"), ("shop", "succeeded"), ("store", "succeeded")):
        ended(lab, source, status, 1)
    ids = [each.connection_id for each in lab.airbyte.list_connections()]
    lab.twin.clear_calls()
    assert sorted((job.job_id, job.status) for job in last_jobs(lab.airbyte, lab.twin.workspace_id, ids).values()) == [
        (2, "succeeded"),
        (3, "succeeded"),
    ]
    assert len(lab.twin.calls()) == 2

    lab.airbyte.refresh(ids[0], [], "merge")
    found = last_jobs(lab.airbyte, lab.twin.workspace_id, ids)
    assert (found[ids[0]].job_type, found[ids[0]].finished) == ("refresh", False)


def test_the_question_is_one_that_dagster_can_be_asked() -> None:
    assert validate(create_schema().graphql_schema, parse(QUERY)) == []
