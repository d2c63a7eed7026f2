"""The soak itself: an agenda of arrivals and faults that follows from a seed, and the comparison at the end."""

import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self

import duckdb
import httpx
from botocore.exceptions import BotoCoreError, ClientError
from lotus_dagster.environment import Warehouse

from tests.soak.servers import BUCKET, KEY, REGION, S3, Dagster
from tests.soak.shells import Shell
from tests.soak.tables import Entry, LakeTables, told
from tests.soak.world import STREAMS, Kind, Landed, World
from tests.support.postgres import USER, running_postgres

SHELLS: Final = 2
AT_ONCE: Final = 3
START_SECONDS: Final = 180
SECONDS_BETWEEN_EVENTS: Final = (0.5, 5.0)
SHARE_WITH_FAULTS: Final = 0.9
"""The last faults begin before this share of the time is over."""
PER_HOUR: Final = {
    "shell": 90,
    "kill_shell": 10,
    "launch_two": 30,
    "kill_run": 30,
    "kill_daemon": 6,
    "kill_everything": 4,
    "stop_postgres": 8,
    "stop_s3": 8,
}
CALM: Final = ("shell", "launch_two")
PAGES: Final = {
    "graph": "asset-groups",
    "shopify": "locations/lotus_dagster.code_location/asset-groups/shopify",
    "marts": "locations/lotus_dagster.code_location/asset-groups/marts",
    "orders": "assets/main/int_shopify__orders",
    "orders-checks": "assets/main/int_shopify__orders?view=checks",
    "orders-raw": "assets/raw/shopify/orders",
    "runs": "runs",
}


@dataclass
class Busy:
    """A shell and what it is running, if anything."""

    shell: Shell
    running: str = ""


@dataclass
class Soak:
    """All servers of a soak, started on entry.

    Args:
        folder: Where S3 keeps objects, Dagster its home, and the soak its log.
        seed: Of the world and of the faults.
        threads: Of dbt.
    """

    folder: Path
    seed: int
    threads: int
    random: Random = field(init=False)
    happened: Counter[str] = field(default_factory=Counter)

    def __enter__(self) -> Self:
        self.random = Random(f"faults {self.seed}")
        self._began = time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._log = (self.folder / "soak.log").open("a", encoding="utf-8")
        self._stack = ExitStack()
        self._shells_started = 0
        self.s3 = S3(self.folder / "s3")
        self.postgres = self._stack.enter_context(running_postgres())
        self._storage = self._stack.enter_context(running_postgres())
        self._stack.callback(self.s3.stop)
        self.s3.start()
        self._s3_up = self._postgres_up = True
        self.world = World(self.s3, self.seed)
        self.warehouse = Warehouse(f"s3://{BUCKET}", self.postgres.new_catalog(), f"s3://{BUCKET}/lake/tables")
        # This process asks the lake too, by the same variables.
        os.environ.update(self.environment)
        database = self._storage.new_catalog().split()[0].removeprefix("postgres:dbname=")
        url = f"postgresql://{USER}@127.0.0.1:{self._storage.port}/{database}"
        self.dagster = Dagster(self.folder / "dagster", self.environment, url, AT_ONCE)
        self._stack.callback(self.dagster.stop)
        self.shells = [Busy(self._new_shell()) for _ in range(SHELLS)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self.shells:
            one.shell.__exit__(None, None, None)
        self._stack.close()
        self._log.close()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": KEY,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL_S3": self.s3.url,
            "LOTUS_LANDING": self.warehouse.landing,
            "LOTUS_CATALOG": self.warehouse.catalog,
            "LOTUS_LAKE_DATA": self.warehouse.data,
            "LOTUS_THREADS": str(self.threads),
        }

    def say(self, text: str) -> None:
        line = f"[{time.monotonic() - self._began:6.0f} s] {text}"
        print(line, flush=True)
        print(line, file=self._log, flush=True)

    # Arrivals and faults.

    def run(self, seconds: float, *, calm: bool) -> None:
        """Let files arrive and faults happen for a time."""
        for stream in STREAMS:
            self.world.land(stream, [self.world.row(stream) for _ in range(20)])
        self.dagster.start()
        for busy in self.shells:
            busy.shell.wait_until_ready()
        began = time.monotonic()
        agenda = self._agenda(seconds, calm=calm)
        arrival = 0.0
        while (now := time.monotonic() - began) < seconds:
            while agenda and agenda[0][0] <= now:
                _, name, happens = agenda.pop(0)
                self.happened[name] += 1
                self.say(f"{name.replace('_', ' ')}: {happens()}")
            if arrival <= now and self._s3_up:
                self.world.pass_time(now / seconds)
                self.say(self.world.step())
                arrival = now + self.random.uniform(*SECONDS_BETWEEN_EVENTS)
            self._look_after()
            time.sleep(0.2)
        self.say("no more arrivals and faults")
        self._start_all()

    def _agenda(self, seconds: float, *, calm: bool) -> list[tuple[float, str, Callable[[], str]]]:
        """When which fault begins and ends, in seconds from the start."""
        found: list[tuple[float, str, Callable[[], str]]] = []
        for name, per_hour in PER_HOUR.items():
            if calm and name not in CALM:
                continue
            for _ in range(max(1, round(per_hour * seconds / 3600))):
                at = self.random.uniform(min(40, seconds / 5), seconds * SHARE_WITH_FAULTS)
                found.append((at, name, getattr(self, f"_{name}")))
                if name.startswith("stop_"):
                    end = name.replace("stop", "start")
                    found.append((at + self.random.uniform(4, 40), end, getattr(self, f"_{end}")))
        return sorted(found, key=lambda one: one[:2])

    def _look_after(self) -> None:
        """What a platform does: starts again what ended."""
        for busy in self.shells:
            if busy.running and busy.shell.has_ended():
                self._end(busy)
        if not self.dagster.is_running:
            self.happened["dagster dev started again"] += 1
            self.dagster.kill()
            self.dagster.start()
            self.say("dagster dev ended and is started again")

    def _end(self, busy: Busy) -> None:
        """Tell what became of a shell's run; a shell that crashed is started again."""
        try:
            ran = busy.shell.end()
        except RuntimeError as error:
            self.happened["shells crashed"] += 1
            self.say(f"shell: {busy.running} crashed: {error}")
            busy.shell.__exit__(None, None, None)
            busy.shell, busy.running = self._new_shell(), "its start"
            return
        self.happened["shell runs that succeeded" if ran.success else "shell runs that failed"] += 1
        why = "" if ran.success else f": {' '.join(' '.join(ran.messages).split())[:300]}"
        self.say(f"shell: {busy.running} {'succeeded' if ran.success else 'failed'} in {ran.seconds:.1f} s{why}")
        busy.running = ""

    def _start_all(self) -> None:
        if not self._s3_up:
            self._start_s3()
        if not self._postgres_up:
            self._start_postgres()

    def _new_shell(self) -> Shell:
        self._shells_started += 1
        return Shell(self.environment, self.folder / f"shell-{self._shells_started}")

    def _shell(self) -> str:
        free = [busy for busy in self.shells if not busy.running]
        if not free:
            return "all are busy"
        stream = STREAMS[self.random.choices(list(STREAMS), [6, 4, 1, 1, 1, 1])[0]]
        selection = ["--select", f"tag:{stream.source}__{stream.name}"]
        refresh = ["--full-refresh"] if self.random.random() < 0.15 else []
        verb = self.random.choice(["build", "run"])
        free[0].running = f"dbt {verb} {' '.join(selection + refresh)}"
        free[0].shell.begin(verb, "--indirect-selection", "buildable", *selection, *refresh) if verb == "build" else (
            free[0].shell.begin(verb, *selection, *refresh)
        )
        return free[0].running

    def _kill_shell(self) -> str:
        number = self.random.randrange(SHELLS)
        busy = self.shells[number]
        was = busy.running or "idle"
        busy.shell.__exit__(None, None, None)
        self.shells[number] = Busy(self._new_shell(), "its start")
        return was

    def _launch_two(self) -> str:
        """Two runs of one stream by hand, at once."""
        stream = STREAMS[self.random.choices(list(STREAMS), [6, 4, 1, 1, 1, 1])[0]]
        told_by = [self._launch(stream.model) for _ in range(2)]
        return f"{stream.model}: {', '.join(told_by)}"

    def _launch(self, model: str) -> str:
        mutation = (
            "mutation($p: ExecutionParams!) {launchRun(executionParams: $p) {__typename"
            " ... on LaunchRunSuccess {run {runId}} ... on PythonError {message}}}"
        )
        job = {
            "repositoryLocationName": "lotus_dagster.code_location",
            "repositoryName": "__repository__",
            "jobName": "__ASSET_JOB",
            "assetSelection": [{"path": ["main", model]}],
        }
        variables = {"p": {"selector": job, "mode": "default", "runConfigData": {}}}
        try:
            asked = {"query": mutation, "variables": variables}
            answer = httpx.post(f"{self.dagster.url}/graphql", json=asked, timeout=20).json()
        except (httpx.HTTPError, ValueError) as error:
            return f"no answer ({type(error).__name__})"
        launched = (answer.get("data") or {}).get("launchRun") or {"__typename": str(answer)[:200]}
        return str(launched.get("message", launched["__typename"]))[:200]

    def _kill_run(self) -> str:
        return self.dagster.kill_one(self.random, "multiprocessing")

    def _kill_daemon(self) -> str:
        return self.dagster.kill_one(self.random, "dagster._daemon")

    def _kill_everything(self) -> str:
        self.dagster.kill()
        return "dagster dev and all of its processes"

    def _stop_postgres(self) -> str:
        if not self._postgres_up:
            return "it is down"
        how = self.random.choice([signal.SIGINT, signal.SIGQUIT])
        self.postgres.stop(how)
        self._postgres_up = False
        return how.name

    def _start_postgres(self) -> str:
        if not self._postgres_up:
            self.postgres.start()
            self._postgres_up = True
        return "up"

    def _stop_s3(self) -> str:
        self.s3.stop()
        self._s3_up = False
        return "killed"

    def _start_s3(self) -> str:
        if not self._s3_up:
            self.s3.start()
            self._s3_up = True
        return "up"

    # The end.

    def settle(self, seconds: float) -> bool:
        """Wait until the tables are right and no run is under way; False when that takes longer than a time."""
        began = time.monotonic()
        before: list[str] = []
        while time.monotonic() - began < seconds:
            self._look_after()
            now = self.differences()
            if now != before:
                self.say(f"{len(now)} differences" + "".join(f"\n    {line}" for line in now))
                before = now
            if not now and self.dagster.is_idle():
                self.say(f"settled {time.monotonic() - began:.0f} s after the last event")
                return True
            time.sleep(5)
        return False

    def differences(self) -> list[str]:
        """Between the lake and the reckoning, tables and bookkeeping."""
        try:
            tables = LakeTables(self.warehouse)
            listing = self.s3.listing()
        except (duckdb.Error, BotoCoreError, ClientError) as error:
            return [f"the lake can't be read: {error}"]
        read = {(table, entry["file"]) for table, entries in tables.read.items() for entry in entries}
        held = self.world.should_hold(lambda one: (STREAMS[one.stream].model, one.key) in read)
        return tables.differences(held) + tables.twice_read() + self._bookkeeping(tables, listing)

    def _bookkeeping(self, tables: LakeTables, listing: dict[str, tuple[str, int]]) -> list[str]:
        """Files that are in the wrong list, or in none, or there with another content."""
        read = _identities(tables.read)
        aside: dict[tuple[str, str], set[tuple[str | None, int | None]]] = {}
        for entry in tables.quarantined:
            aside.setdefault((entry["model"], entry["file"]), set()).add((_bare(entry["etag"]), entry["size"]))
        wrong: dict[str, list[str]] = {}
        for one in self.world.files.values():
            key = (STREAMS[one.stream].model, one.key)
            now = (_bare(listing.get(one.key, ("", 0))[0]), listing.get(one.key, ("", 0))[1])
            is_read = now in read.get(key, ()) or (None, None) in read.get(key, ())
            for line in _wrong(one, is_read=is_read, is_aside=now in aside.get(key, ()), is_known=key in read):
                wrong.setdefault(line, []).append(f"{one.key} ({one.note})" if one.note else one.key)
        there = {(STREAMS[one.stream].model, one.key) for one in self.world.files.values()}
        gone = [file for model, file in read if (model, file) not in there and model != "quarantined_files"]
        return [
            *(line for what, keys in wrong.items() for line in told("files", what, keys)),
            *told("files", "are gone and in the bookkeeping", gone),
        ]

    def take_pictures(self, folder: Path) -> None:
        """Of Dagster's pages."""
        browser = shutil.which("chromium") or shutil.which("chromium-browser")
        if browser is None:
            self.say("no Chromium on this machine: no pictures")
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name, page in PAGES.items():
            file = folder.resolve() / f"{name}.png"
            options = ["--headless=new", "--no-sandbox", "--hide-scrollbars", "--window-size=1800,1100"]
            options += ["--virtual-time-budget=30000", f"--user-data-dir={self.folder / 'chromium'}"]
            command = [browser, *options, f"--screenshot={file}", f"{self.dagster.url}/{page}"]
            with suppress(subprocess.TimeoutExpired):
                subprocess.run(command, capture_output=True, check=False, timeout=120)
            self.say(f"picture of {page}: {file}{'' if file.exists() else ' is missing'}")

    def report(self, *, settled: bool) -> list[str]:
        """Print counts and all that is wrong; returns the latter."""
        wrong = self.differences()
        if not settled and not wrong:
            wrong = ["runs are still under way"]
        if not wrong:
            self.say("everything is rebuilt from a shell")
            wrong = [f"rebuild: {line}" for line in self._rebuild()]
        tables = LakeTables(self.warehouse)
        self.say("COUNTS")
        for name, count in sorted({**self.world.counts, **self.happened}.items()):
            self.say(f"  {count:5} {name.replace('_', ' ')}")
        for kind, count in Counter(one.kind.value for one in self.world.files.values()).items():
            self.say(f"  {count:5} files in the end to be {kind}")
        self.say(f"  {len(tables.quarantined):5} files were quarantined")
        read = {(table, entry["file"]) for table, entries in tables.read.items() for entry in entries}
        held = self.world.should_hold(lambda one: (STREAMS[one.stream].model, one.key) in read)
        for table, rows in held.items():
            self.say(f"  {len(tables.rows.get(table, [])):5} rows in {table}, {len(rows)} expected")
        for status, count in sorted(self.dagster.runs_by_status().items()):
            self.say(f"  {count:5} runs of Dagster: {status}")
        for line in wrong:
            self.say(f"WRONG: {line}")
        self.say("FAILED" if wrong else "EQUAL")
        return wrong

    def _rebuild(self) -> list[str]:
        """Where the tables differ once everything was read again."""
        self.dagster.stop()
        busy = self.shells[0]
        while busy.running:
            self._end(busy)
        tags = [f"tag:{one.source}__{one.name}" for one in STREAMS.values()]
        ran = busy.shell.run("run", "--full-refresh", "--select", *tags, "fct_sales", "dim_customers", "fct_purchases")
        return list(ran.messages) + self.differences()


def _bare(etag: str | None) -> str | None:
    return etag.strip('"') if etag is not None else None


def _identities(read: Mapping[str, list[Entry]]) -> dict[tuple[str, str], set[tuple[str | None, int | None]]]:
    found: dict[tuple[str, str], set[tuple[str | None, int | None]]] = {}
    for model, entries in read.items():
        for entry in entries:
            identity = (_bare(entry.get("etag")), entry.get("size"))
            found.setdefault((model, entry["file"]), set()).add(identity)
    return found


def _wrong(one: Landed, *, is_read: bool, is_aside: bool, is_known: bool) -> list[str]:
    """What is wrong with where a file is."""
    if one.kind is Kind.GOOD and not is_read:
        where = (
            " and quarantined" if is_aside else ", which is in the bookkeeping with another content" if is_known else ""
        )
        return [f"good ones are not read{where}"]
    if one.kind is Kind.BAD and is_read:
        return ["bad ones are read"]
    if one.kind is Kind.BAD and not is_aside:
        return ["bad ones are not quarantined"]
    if one.kind is Kind.ELSEWHERE and (is_read or is_known):
        return ["are read, and outside of the layout"]
    if one.note == "hostile" and not is_read and not is_aside:
        return ["with a hostile name are neither read nor quarantined"]
    return []
