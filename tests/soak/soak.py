"""The soak itself: an agenda of arrivals and faults that follows from a seed, and the comparison at the end."""

import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Final, Self

import duckdb
import httpx
from lotus_dagster.environment import Warehouse

from tests.soak.servers import BUCKET, KEY, REGION, S3, Dagster
from tests.soak.shells import Shell
from tests.soak.tables import Entry, LakeTables, described
from tests.soak.world import DAYS_UNTIL_EXPIRY, STREAMS, Identity, Kind, Landed, World
from tests.support.postgres import USER, running_postgres

SHELLS: Final = 2
AT_ONCE: Final = 3
SECONDS_OF_REST: Final = 45
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
    "expire": 12,
}
CALM: Final = ("shell", "launch_two", "expire")
PAGES: Final = {
    "graph": "asset-groups",
    "shopify": "locations/lotus_dagster.code_location/asset-groups/shopify",
    "marts": "locations/lotus_dagster.code_location/asset-groups/marts",
    "orders": "assets/main/int_shopify__orders",
    "orders-quarantine": "assets/main/int_shopify__orders?view=checks&checkDetail=quarantine",
    "purchases-check": "assets/main/fct_purchases?view=checks&checkDetail=not_null_fct_purchases_user_id",
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
    """

    folder: Path
    seed: int
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
            "LOTUS_EXPIRE_RAW_DAYS": str(DAYS_UNTIL_EXPIRY),
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
        except duckdb.Error as error:
            return [f"the lake can't be read: {error}"]
        read = [content for _, content in self._read(tables)]
        return tables.differences(self.world.should_hold(read)) + tables.twice_read() + self._bookkeeping(tables)

    def _read(self, tables: LakeTables) -> list[tuple[Entry, Landed]]:
        """The entries of the bookkeeping, each with the content that it names."""
        found: list[tuple[Entry, Landed]] = []
        for entry in (entry for entries in tables.read.values() for entry in entries):
            content = self.world.contents.get((entry["file"], _identity(entry)))
            # The version before kept names alone.
            content = content or (self.world.files.get(entry["file"]) if not entry.get("etag") else None)
            if content is not None:
                found.append((entry, content))
        return found

    def _bookkeeping(self, tables: LakeTables) -> list[str]:
        """Contents that are in the wrong list, or in none."""
        read = {(content.key, content.identity) for _, content in self._read(tables)}
        aside = {(entry["file"], _identity(entry)) for entry in tables.quarantined}
        wrong: dict[str, list[str]] = {}
        for one in self.world.files.values():
            name = (one.key, one.identity)
            is_known = any(key == one.key for key, _ in read)
            for line in _wrong(one, is_read=name in read, is_aside=name in aside, is_known=is_known):
                wrong.setdefault(line, []).append(f"{one.key} ({one.note})" if one.note else one.key)
        lost = [key for key, one in self.world.expired.items() if (key, one.identity) not in read]
        gone = [key for key, _ in read if key not in self.world.files and key not in self.world.expired]
        entries = [entry for entries in tables.read.values() for entry in entries]
        strange = [entry["file"] for entry in entries if entry["file"] not in {key for key, _ in read}]
        return [
            *(line for what, keys in wrong.items() for line in described("files", what, keys)),
            *described("files", "had been read, expired, and are forgotten", lost),
            *described("files", "are gone and in the bookkeeping", gone),
            *described("files", "are in the bookkeeping with a content that they never had", strange),
        ]

    def _expire(self) -> str:
        """The bucket's lifecycle deletes old files that were read."""
        if not (self._s3_up and self._postgres_up):
            return "a server is down"
        try:
            read = {(content.key, content.identity) for _, content in self._read(LakeTables(self.warehouse))}
        except duckdb.Error as error:
            return f"the lake can't be read: {error}"
        stream = self.random.choice(list(STREAMS))
        return self.world.expire(stream, lambda one: (one.key, one.identity) in read)

    def fail_a_check(self, seconds: float) -> int:
        """Land a purchase of no user, which a mart's test refuses; returns its key once the mart's runs have failed."""
        row = self.world.row("purchases")
        self.world.land("purchases", [{**row, "user_id": None}])
        self.say(f"a purchase of no user landed: {row['id']}")
        began = busy = time.monotonic()
        # Dagster repeats the failed run; a picture in between would show a check that is running.
        while (now := time.monotonic()) - began < seconds and now - busy < SECONDS_OF_REST:
            self._look_after()
            if not (self.dagster.has_failed("fct_purchases") and self.dagster.is_idle()):
                busy = now
            time.sleep(2)
        self.say(f"fct_purchases: {'failed' if self.dagster.has_failed('fct_purchases') else 'has not failed'}")
        return int(row["id"])

    def repair_the_check(self, key: int) -> None:
        """Land the purchase with its user."""
        self.world.land("purchases", [self.world.row("purchases", key)])
        self.say(f"purchase {key} landed with its user")

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
        self.say(f"  {len(tables.quarantined):5} files are in quarantine")
        for entry in tables.quarantined:
            content = self.world.contents.get((entry["file"], _identity(entry)))
            self.say(f"        {entry['file']} ({content.note if content else '?'}): {str(entry['reason'])[:150]!r}")
        held = self.world.should_hold([content for _, content in self._read(tables)])
        for table, rows in held.items():
            self.say(f"  {len(tables.rows.get(table, [])):5} rows in {table}, {len(rows)} expected")
        for line in self.dagster.runs():
            self.say(f"  {line}")
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
        # A rebuild refuses to lose the rows of expired files, unless the variable says that nothing expires.
        environment = {"LOTUS_EXPIRE_RAW_DAYS": ""}
        self.world.expired.clear()
        marts = ("fct_sales", "dim_customers", "fct_purchases")
        ran = busy.shell.run("run", "--full-refresh", "--select", *tags, *marts, environment=environment)
        return list(ran.messages) + self.differences()


def _identity(entry: Entry) -> Identity:
    return str(entry.get("etag") or "").strip('"'), entry.get("size") or 0


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
