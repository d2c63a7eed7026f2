"""The S3 server and `dagster dev` of a soak: processes that are stopped, killed and started again.

They stand for what a platform runs: whoever kills them starts them again, as Kubernetes does.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Final

import boto3
import dagster as dg
import httpx
import psutil
from botocore.config import Config
from dagster._core.storage.dagster_run import FINISHED_STATUSES, NOT_FINISHED_STATUSES
from mypy_boto3_s3 import S3Client

from sandbox.process import LOOPBACK, START_SECONDS, free_port
from tests.soak.world import Identity
from toolchain.s3_server import s3_server

REPOSITORY: Final = Path(__file__).resolve().parents[2]
KEY: Final = "soak"
REGION: Final = "eu-central-1"
BUCKET: Final = "landing"
STOP_SECONDS: Final = 30


class S3:
    """versitygw on loopback; its objects survive a stop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"

    @property
    def client(self) -> S3Client:
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 3})
        return boto3.session.Session(KEY, KEY, region_name=REGION).client("s3", endpoint_url=self.url, config=config)

    def start(self) -> None:
        """Start, and make the bucket if it is missing.

        Raises:
            RuntimeError: It does not answer.
        """
        folders = {name: self._folder / name for name in ("buckets", "notes")}
        for one in folders.values():
            one.mkdir(parents=True, exist_ok=True)
        listening = ["--port", f"{LOOPBACK}:{self.port}", "--health", "/health", "--region", REGION, "--quiet"]
        command = [str(s3_server()), *listening, "posix", "--sidecar", str(folders["notes"]), str(folders["buckets"])]
        keys = {"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": KEY}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env=os.environ | keys, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"the S3 server did not start: {(self._folder / 'log').read_text()}")
            time.sleep(0.05)
        if BUCKET not in {one.get("Name") for one in self.client.list_buckets()["Buckets"]}:
            self.client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return not httpx.get(f"{self.url}/health", timeout=5).is_server_error
        return False

    # The store of a world.

    def put(self, key: str, content: bytes, modified: datetime | None) -> Identity:
        etag = self.client.put_object(Bucket=BUCKET, Key=key, Body=content)["ETag"]
        if modified is not None:
            # The server tells the time of the file that it keeps the object in.
            os.utime(self._folder / "buckets" / BUCKET / key, (modified.timestamp(), modified.timestamp()))
        return etag.strip('"'), len(content)

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=BUCKET, Key=key)


@dataclass
class Dagster:
    """`dagster dev` with its daemon, one process group.

    Attributes:
        home: Its `DAGSTER_HOME`.
        environment: Of the lake, without `DAGSTER_HOME`.
        database: The address of a Postgres database for runs, events and schedules.
        at_once: How many runs, and how many steps of a pool, run at once.
    """

    home: Path
    environment: Mapping[str, str]
    database: str
    at_once: int

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        # As the stack's values configure the chart, where a lost run's worker is noticed by the launcher.
        (self.home / "dagster.yaml").write_text(
            "telemetry:\n  enabled: false\nnux:\n  enabled: false\n"
            f"storage:\n  postgres:\n    postgres_url: {self.database}\n"
            f"concurrency:\n  pools:\n    default_limit: {self.at_once}\n    granularity: op\n"
            f"  runs:\n    max_concurrent_runs: {self.at_once}\n"
            "run_retries:\n  enabled: true\n  max_retries: 3\n"
            "run_monitoring:\n  enabled: true\n  start_timeout_seconds: 180\n  free_slots_after_run_end_seconds: 20\n"
        )

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Start; it answers after some seconds, see `answers`."""
        command = [str(Path(sys.executable).with_name("dagster")), "dev", "-m", "lotus_dagster.code_location"]
        quiet = {"PYTHONWARNINGS": "ignore:Function `dev_command` is superseded", "DAGSTER_HOME": str(self.home)}
        with (self.home / "dev.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--host", LOOPBACK, "--port", str(self.port)],
                cwd=REPOSITORY,
                env={**os.environ, **self.environment, **quiet},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def answers(self) -> bool:
        """Whether the interface has loaded the code location."""
        asked = "{workspaceOrError {... on Workspace {locationEntries {loadStatus}}}}"
        with suppress(httpx.HTTPError, ValueError, KeyError):
            answer = httpx.post(f"{self.url}/graphql", json={"query": asked}, timeout=20).json()
            entries = answer["data"]["workspaceOrError"]["locationEntries"]
            return bool(entries) and all(one["loadStatus"] == "LOADED" for one in entries)
        return False

    def processes(self) -> list[psutil.Process]:
        """All of the group, `dagster dev` first."""
        if self._process is None:
            return []
        with suppress(psutil.NoSuchProcess):
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)]
        return []

    def kill_one(self, pick: random.Random, part: str) -> str:
        """Kill a random process whose command contains a text; says which, or that there was none."""
        found = []
        for one in self.processes():
            with suppress(psutil.Error):
                command = " ".join(one.cmdline())
                if part in command and "resource_tracker" not in command:
                    found.append((one, command))
        if not found:
            return "none"
        one, command = pick.choice(found)
        with suppress(psutil.NoSuchProcess):
            one.kill()
        return f"{one.pid} of {len(found)}: …{command[-60:]}"

    def kill(self) -> None:
        """Kill all of it at once, and let Dagster know which runs ended, as a platform does that lost their machine."""
        found = self.processes()
        for one in found:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(found, STOP_SECONDS)
        if self._process is not None:
            self._process.wait()
        with self.instance() as instance:
            for run in instance.get_runs(dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES))):
                if run.status not in {dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED}:
                    instance.report_run_failed(run, "its process was killed")

    def stop(self) -> None:
        """Stop as Ctrl-C does."""
        if self._process is None:
            return
        for one in self.processes()[:1]:
            one.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self.kill()

    def instance(self) -> dg.DagsterInstance:
        return dg.DagsterInstance.from_config(str(self.home))

    def runs(self) -> list[str]:
        """How many runs there were by their status, how many of them were repetitions, and how long they took."""
        counts: dict[str, list[float]] = {}
        repeated = 0
        with self.instance() as instance:
            for record in instance.get_run_records():
                status = record.dagster_run.status.value
                took = counts.setdefault(status, [])
                repeated += "dagster/parent_run_id" in record.dagster_run.tags
                if record.start_time and record.end_time:
                    took.append(record.end_time - record.start_time)
                else:
                    took.append(0)
        lines = [
            f"{len(took):5} runs of Dagster: {status}, median {median(took):.0f} s, longest {max(took):.0f} s"
            for status, took in sorted(counts.items())
        ]
        return [*lines, f"{repeated:5} of them were repetitions"]

    def has_failed(self, asset: str) -> bool:
        """Whether the last run that ended of an asset's model failed."""
        with self.instance() as instance:
            for run in instance.get_runs(dg.RunsFilter(statuses=list(FINISHED_STATUSES))):
                if any(key.path[-1] == asset for key in run.asset_selection or ()):
                    return run.status is dg.DagsterRunStatus.FAILURE
        return False

    def is_idle(self) -> bool:
        """Whether no run is under way or waits."""
        with self.instance() as instance:
            return not instance.get_runs(dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES)), limit=1)
