"""Sources that dlt reads, in the commands that watch and run a lake; Dagster's webserver is one of recorded answers."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from lotus_infra.commands import sync as syncs
from lotus_infra.commands.query import Streams
from lotus_infra.commands.sync import Polling
from tests.commands.lab import Lab
from tests.support.commands import Lotus, lotus_in, write_stack
from tests.support.dagster import ScriptedDagster, serving
from tests.support.lakes import Document, clean_files, stream, write

Shown = pytest.CaptureFixture[str]
CRON: Document = {"type": "cron", "cron": "0 0 6 * * ?", "time_zone": "Europe/Berlin"}
MODEL = ["main", "int_erp__orders"]
FAILURE = "requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://erp.example.com/orders"


def erp(**overrides: object) -> Document:
    """A source that dlt reads."""
    clean: Document = {"engine": "dlt", "configuration": {"url": "https://erp.example.com"}, "schedule": CRON}
    return clean | overrides


@dataclass
class World:
    """A project with a lake whose only source dlt reads, and Dagster.

    Attributes:
        lotus: Runs a command in it.
        folder: The project.
        dagster: Its Dagster.
        address: The address of Dagster's webserver.
        steps: What happens to Dagster in each wait.
    """

    lotus: Lotus
    folder: Path
    dagster: ScriptedDagster
    address: str
    steps: list[str] = field(default_factory=list)

    def wait(self, _: float) -> None:
        """The newest run comes to the next status."""
        step = self.steps.pop(0)
        if step == "Ctrl-C":
            raise KeyboardInterrupt
        run_id = self.dagster.runs[0]["runId"]
        self.dagster.drive(run_id, step)
        if step == "FAILURE":
            self.dagster.fail(run_id, FAILURE)


def asset(key: list[str], hours: float) -> Document:
    made = [{"timestamp": str(int((datetime_now() - hours * 3600) * 1000))}]
    return {
        "assetKey": {"path": key},
        "dependencyKeys": [],
        "assetMaterializations": made,
        "assetChecksOrError": {"checks": []},
    }


def datetime_now() -> float:
    """Seconds since 1970."""
    import time  # noqa: PLC0415

    return time.time()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The stack has no value of Airbyte, and neither has the environment."""
    files = {name: content for name, content in clean_files().items() if not name.startswith("shop/")}
    write(tmp_path / "streams", files | {"erp/_source.json": erp(), "erp/orders.json": stream()})
    write_stack(tmp_path, "dev", {"lotus:landing_bucket": "landing"})
    for name in ("AIRBYTE_SERVER_URL", "AIRBYTE_WORKSPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    dagster = ScriptedDagster({"erp_dlt": "RUNNING"}, assets=[asset(MODEL, 3)])
    with serving(dagster) as address:
        monkeypatch.setenv("LOTUS_DAGSTER_URL", address)
        made = World(lotus_in(tmp_path, monkeypatch), tmp_path, dagster, address)
        monkeypatch.setattr(syncs, "Polling", lambda timeout_seconds: Polling(10, timeout_seconds, pause=made.wait))
        yield made


@pytest.fixture
def landing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The bucket, with a file of the stream."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}:{port}")
    client = boto3.client("s3", region_name="us-west-1")
    client.create_bucket(Bucket="landing", CreateBucketConfiguration={"LocationConstraint": "us-west-1"})
    client.put_object(Bucket="landing", Key="raw/erp/orders/year=2020/month=01/day=05/1_a.parquet", Body=b"12")
    yield
    httpx.post(f"http://{host}:{port}/moto-api/reset").raise_for_status()
    server.stop()
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def row(shown: str, source: str) -> list[str]:
    """The cells of a connection's row."""
    line = next(line for line in shown.splitlines() if line.startswith(f"{source} "))
    return [cell.strip() for cell in line.split("│")]


# lotus status


def test_a_source_has_its_last_run_its_schedule_and_its_files_without_airbyte(
    world: World, landing: None, capsys: Shown
) -> None:
    run_id = world.dagster.add_run("erp_dlt", started=datetime_now() - 7200, rows=1234)

    assert world.lotus("status") == 0
    shown = capsys.readouterr().out
    assert world.lotus("status", "--json") == 0
    document = json.loads(capsys.readouterr().out)

    assert row(shown, "erp")[:5] == ["erp", "active", "dlt succeeded", "1,234", "2 h ago"]
    assert "2 bytes" in shown
    assert shown.endswith("no problems\n")
    [connection], [orders] = document["connections"], document["streams"]
    assert (connection["engine"], connection["state"], connection["state_unknown"]) == ("dlt", "active", None)
    assert connection["last_job"]["id"] == run_id
    assert (connection["last_job"]["type"], connection["last_job"]["rows"]) == ("dlt", 1234)
    assert connection["next_run"] == "2026-12-01T05:00:00+00:00"
    assert orders["arrival"] == "files"
    assert (orders["files"]["partition"], orders["model"]["name"]) == ("2020-01-05", "int_erp__orders")


def test_a_failed_run_is_a_problem_with_the_error_of_its_step(world: World, landing: None, capsys: Shown) -> None:
    world.dagster.fail(world.dagster.add_run("erp_dlt"), FAILURE)

    assert world.lotus("status") == 1

    assert f"erp: its last run, 00000000, failed: erp_orders_dlt: {FAILURE}" in capsys.readouterr().out


@pytest.mark.usefixtures("landing")
@pytest.mark.parametrize(
    ("schedule", "overrides", "told"),
    [
        ("RUNNING", {}, ("active", "")),
        ("STOPPED", {}, ("inactive", "its schedule in Dagster is stopped: start it there")),
        (None, {}, ("inactive", "Dagster has no schedule of it: deploy Dagster's image of this commit")),
        (None, {"schedule": {"type": "manual"}}, ("active", "")),
        ("STOPPED", {"status": "inactive"}, ("paused", "")),
        ("RUNNING", {"status": "inactive"}, ("active", "its file pauses it, and its schedule in Dagster is on")),
    ],
)
def test_the_state_is_that_of_the_schedule_as_the_file_wants_it(
    world: World, capsys: Shown, schedule: str | None, overrides: Document, told: tuple[str, str]
) -> None:
    state, problem = told
    world.dagster.jobs["erp_dlt"] = schedule
    write(world.folder / "streams", {"erp/_source.json": erp(**overrides)})

    assert world.lotus("status") == (1 if problem else 0)

    shown = capsys.readouterr().out
    assert row(shown, "erp")[1] == state
    assert problem in shown


def test_a_job_that_is_not_deployed_is_missing(world: World, landing: None, capsys: Shown) -> None:
    del world.dagster.jobs["erp_dlt"]

    assert world.lotus("status") == 1

    shown = capsys.readouterr().out
    assert row(shown, "erp")[1] == "missing"
    assert "erp: Dagster has no job erp_dlt: deploy Dagster's image of this commit with `pulumi up`" in shown


def test_a_dagster_that_is_away_leaves_the_state_unknown_with_the_reason(
    world: World, landing: None, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    monkeypatch.setenv("LOTUS_DAGSTER_URL", "http://127.0.0.1:9")
    assert world.lotus("status") == 0
    shown = capsys.readouterr().out
    assert row(shown, "erp")[1:3] == ["unknown", "unknown"]
    assert "sources that dlt reads: unknown: no Dagster runs on http://127.0.0.1:9" in shown

    assert world.lotus("status", "--older-than", "26h") == 1
    assert "erp: whether it runs is not known: no Dagster runs on" in capsys.readouterr().out

    monkeypatch.delenv("LOTUS_DAGSTER_URL")
    assert world.lotus("status") == 0
    assert "sources that dlt reads: not asked: the stack's file names no ingress of Dagster" in capsys.readouterr().out


def test_old_files_are_a_problem(world: World, landing: None, capsys: Shown) -> None:
    world.dagster.add_run("erp_dlt")
    assert world.lotus("status", "--older-than", "0min") == 1
    assert "erp/orders: its newest file is older than 0 h" in capsys.readouterr().out


def test_both_engines_share_a_table_in_the_order_of_the_sources(
    lab: Lab, lotus: Lotus, world: World, landing: None, capsys: Shown
) -> None:
    write(lab.folder, {"erp/_source.json": erp(), "erp/orders.json": stream()})
    write_stack(world.folder, "dev", lab.values | {"lotus:landing_bucket": "landing"})
    world.dagster.add_run("erp_dlt")

    assert lotus("status", "--json") == 0

    document = json.loads(capsys.readouterr().out)
    assert [(each["connection"], each["engine"]) for each in document["connections"]] == [
        ("erp", "dlt"),
        ("shop", "airbyte"),
        ("store", "airbyte"),
    ]


# lotus sync


def test_a_sync_starts_the_job_and_follows_its_run(world: World, capsys: Shown) -> None:
    world.steps = ["STARTED", "SUCCESS"]

    assert world.lotus("sync", "erp", "--json") == 0

    out, err = capsys.readouterr()
    [run] = json.loads(out)["syncs"]
    assert (run["engine"], run["job_id"], run["run_id"]) == ("dlt", None, world.dagster.runs[0]["runId"])
    assert (run["status"], run["seconds"], run["finished"]) == ("succeeded", 7.0, True)
    assert err.splitlines() == [
        "erp: run 00000000 pending",
        "erp: run 00000000 running, 12 rows",
        "erp: run 00000000 succeeded, 12 rows",
    ]


def test_a_run_that_is_going_is_followed_instead_of_a_new_one(world: World, capsys: Shown) -> None:
    world.dagster.add_run("erp_dlt", "STARTED")
    world.steps = ["SUCCESS"]

    assert world.lotus("sync", "erp") == 0

    assert len(world.dagster.runs) == 1
    out, err = capsys.readouterr()
    assert "already running" in err
    assert row(out, "erp")[:3] == ["erp", "00000000", "succeeded"]


def test_a_failed_run_is_told_with_the_error_of_its_step_and_where_to_look(world: World, capsys: Shown) -> None:
    world.steps = ["FAILURE"]

    assert world.lotus("sync", "erp") == 1

    assert f"erp: erp_orders_dlt: {FAILURE}; see run 00000000 in Dagster's UI" in capsys.readouterr().err


def test_a_run_that_dagster_runs_again_is_followed_to_the_end_of_its_last_retry(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    steps: list[Callable[[], object]] = [
        lambda: world.dagster.fail(world.dagster.runs[0]["runId"], FAILURE, will_retry=True),
        lambda: world.dagster.retry(world.dagster.runs[0]["runId"]),
        lambda: world.dagster.drive(world.dagster.runs[0]["runId"], "SUCCESS"),
    ]

    def wait(_: float) -> None:
        steps.pop(0)()

    monkeypatch.setattr(syncs, "Polling", lambda timeout_seconds: Polling(10, timeout_seconds, pause=wait))
    assert world.lotus("sync", "erp") == 0

    assert [line.partition(",")[0] for line in capsys.readouterr().err.splitlines()] == [
        "erp: run 00000000 pending",
        "erp: run 00000000 retrying",
        "erp: run 00000001 running",
        "erp: run 00000001 succeeded",
    ]


def test_ctrl_c_leaves_the_run_going_and_says_how_to_follow_it(world: World, capsys: Shown) -> None:
    world.steps = ["STARTED", "Ctrl-C"]

    assert world.lotus("sync", "erp") != 0

    assert world.dagster.runs[0]["status"] == "STARTED"
    assert "run 00000000 of erp continues; `lotus sync erp` follows it again" in capsys.readouterr().err


def test_a_job_that_is_not_deployed_is_an_error_and_nothing_is_started(world: World, capsys: Shown) -> None:
    world.dagster.jobs.clear()

    assert world.lotus("sync", "erp") == 1

    assert "Dagster has no job erp_dlt: deploy Dagster's image of this commit" in capsys.readouterr().err
    assert world.dagster.runs == []


def test_a_refused_start_is_the_reason_of_the_failure(world: World, capsys: Shown) -> None:
    world.dagster.refuses = "You do not have permission to launch a run"

    assert world.lotus("sync", "erp") == 1

    assert "erp: Dagster did not start erp_dlt: You do not have permission to launch" in capsys.readouterr().err


def test_a_run_is_shown_without_a_start_printed_without_a_wait_and_cancelled(world: World, capsys: Shown) -> None:
    assert world.lotus("sync", "erp", "--dry-run") == 0
    assert "not started" in capsys.readouterr().out
    assert world.dagster.runs == []

    assert world.lotus("sync", "erp", "--no-wait") == 0
    assert capsys.readouterr().out == f"{world.dagster.runs[0]['runId']}\n"

    assert world.lotus("sync", "erp", "--cancel") == 0
    assert "cancelled" in capsys.readouterr().out
    assert world.dagster.runs[0]["status"] == "CANCELED"


def test_a_paused_source_is_not_synced(world: World, capsys: Shown) -> None:
    write(world.folder / "streams", {"erp/_source.json": erp(status="inactive")})

    assert world.lotus("sync", "erp") == 1

    assert 'is paused: set status to "active" in erp/_source.json' in capsys.readouterr().err


def test_a_connection_id_belongs_to_airbyte(world: World, capsys: Shown) -> None:
    assert world.lotus("sync", "erp", "--connection-id", "some-id") == 1
    assert "erp is read by dlt and has no connection in Airbyte: leave --connection-id out" in capsys.readouterr().err


def test_all_sources_are_synced_each_by_its_engine(
    lab: Lab, lotus: Lotus, world: World, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    write(lab.folder, {"erp/_source.json": erp(), "erp/orders.json": stream()})
    write_stack(world.folder, "dev", lab.values | {"lotus:landing_bucket": "landing"})

    def finish(_: float) -> None:
        world.dagster.drive(world.dagster.runs[0]["runId"], "SUCCESS")
        for job_id in (1, 2):
            lab.drive(job_id, "succeeded")

    monkeypatch.setattr(syncs, "Polling", lambda timeout_seconds: Polling(10, timeout_seconds, pause=finish))
    assert lotus("sync", "--all", "--json") == 0

    runs = json.loads(capsys.readouterr().out)["syncs"]
    assert [(run["source"], run["engine"], run["status"]) for run in runs] == [
        ("erp", "dlt", "succeeded"),
        ("shop", "airbyte", "succeeded"),
        ("store", "airbyte", "succeeded"),
    ]


def test_without_an_address_of_dagster_a_sync_says_how_to_give_it(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    monkeypatch.delenv("LOTUS_DAGSTER_URL")
    assert world.lotus("sync", "erp") == 1
    assert "names no ingress of Dagster: give its address by --dagster-url" in capsys.readouterr().err
    world.steps = ["SUCCESS"]
    assert world.lotus("sync", "erp", "--dagster-url", world.address) == 0


def test_of_a_production_stack_the_environment_does_not_decide_where_runs_are_started(
    world: World, capsys: Shown
) -> None:
    project = {"name": "lotus", "runtime": "python", "backend": {"url": "s3://state?region=us-west-1"}}
    (world.folder / "Pulumi.yaml").write_text(json.dumps(project))
    own = {"airbyte:serverUrl": "https://airbyte.example.com/api/public/v1", "lotus:production": True}
    write_stack(world.folder, "dev", {"lotus:landing_bucket": "landing"} | own)

    assert world.lotus("sync", "erp") == 1

    assert "is production and names no ingress of Dagster" in capsys.readouterr().err
    assert world.dagster.asked == []


# lotus backfill


def test_a_backfill_says_that_the_next_run_reads_the_stream_again_and_counts_the_runs(
    world: World, capsys: Shown
) -> None:
    world.dagster.add_run("erp_dlt", rows=40)
    world.dagster.add_run("erp_dlt", "FAILURE", rows=5)
    world.dagster.add_run("erp_dlt", rows=2)

    assert world.lotus("backfill", "erp", "orders", "--token", "again", "--estimate", "--yes") == 0

    shown = capsys.readouterr().out
    assert "The first run of erp_dlt after the next `pulumi up` re-reads orders of erp in full, once." in shown
    assert "So far 2 jobs of erp read 42 rows, all streams together (all since 2026-11-30); the longest took" in shown
    assert "its comment shows a full re-read of orders (token again)" in shown
    assert "Airbyte" not in shown
    assert json.loads((world.folder / "streams" / "erp" / "orders.json").read_text())["backfill"] == "again"


def test_an_estimate_without_dagster_is_unknown_and_stops_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    monkeypatch.setenv("LOTUS_DAGSTER_URL", "http://127.0.0.1:9")
    assert world.lotus("backfill", "erp", "orders", "--estimate", "--dry-run") == 0
    assert "The number of rows is unknown: no Dagster runs on http://127.0.0.1:9" in capsys.readouterr().out


def test_a_paused_source_is_not_read_again(world: World, capsys: Shown) -> None:
    write(world.folder / "streams", {"erp/_source.json": erp(status="inactive")})
    assert world.lotus("backfill", "erp", "orders", "--dry-run") == 1
    assert "which is paused: Dagster does not run it" in capsys.readouterr().err


# lotus query and completion


def test_the_files_of_a_stream_can_be_queried_as_those_of_airbyte(world: World) -> None:
    streams = Streams(world.folder / "streams", "dev", "s3://landing")

    assert streams.names() == ["erp__orders"]
    assert "s3://landing/raw/erp/orders/" in streams.files()["erp__orders"]


def test_a_shell_completes_the_source(world: World) -> None:
    given = "lotus status "
    completed = subprocess.run(
        [str(Path(sys.executable).with_name("lotus"))],
        env=os.environ | {"_LOTUS_COMPLETE": "bash_complete", "COMP_WORDS": given, "COMP_CWORD": "2"},
        cwd=world.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert completed.stdout.split() == ["plain,erp"]
