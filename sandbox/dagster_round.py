"""One round over all that Dagster does by itself: the jobs of dlt, the streams' sensors, then the marts' conditions."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor
from dagster_shared.serdes import deserialize_value, serialize_value

from lotus_infra import naming
from sandbox.dagster_cursors import Cursors
from sandbox.dagster_home import Home, Memory
from sandbox.dagster_report import Report, Run
from sandbox.process import Running

if TYPE_CHECKING:
    from dagster._core.definitions.sensor_definition import SensorExecutionData

OURS: Final = {"lotus/sandbox": "true"}
"""The tag of the runs that are executed here: what is left of them under way was killed."""
_UNDER_WAY: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_MOST_SECONDS_WAITED: Final = 900
"""For runs of the daemon, in a round; twelve of them take two minutes on two cores."""
_MOST_COUNTED: Final = 1000
_POLL_SECONDS: Final = 0.5
_QUIET: Final = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


class Execution:
    """Runs assets of the code location.

    Args:
        definitions: the code location's.
        instance: where runs and events are kept.
    """

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self._definitions, self._instance = definitions, instance
        self._job = definitions.resolve_implicit_global_asset_job_def()

    def run(
        self, name: str, assets: Sequence[dg.AssetKey], run_config: Mapping[str, Any], tags: Mapping[str, str]
    ) -> Run:
        """Materialize assets, with their checks, and wait for it."""
        began = time.monotonic()
        done = self._job.execute_in_process(
            run_config={**run_config, **_QUIET},
            instance=self._instance,
            asset_selection=assets,
            tags={**tags, **OURS},
            raise_on_error=False,
        )
        return self._ran(name, done, began)

    def run_job(self, name: str) -> Run:
        """Run a job of the code location, and wait for it."""
        began = time.monotonic()
        done = self._definitions.resolve_job_def(name).execute_in_process(
            run_config=dict(_QUIET), instance=self._instance, tags=dict(OURS), raise_on_error=False
        )
        return self._ran(name, done, began)

    def _ran(self, name: str, done: dg.ExecuteInProcessResult, began: float) -> Run:
        checks = done.get_asset_check_evaluations()
        failed = [check for check in checks if not check.passed]
        quarantine = [one for check in failed if check.check_name == naming.QUARANTINE_CHECK for one in _files(check)]
        made = [event.asset_key for event in done.get_asset_materialization_events()]
        return Run(
            name=name,
            run_id=done.run_id,
            assets=tuple(key.to_user_string() for key in made if key is not None),
            tests_passed=len(checks) - len(failed),
            tests_warned=tuple(one.check_name for one in failed if one.severity == dg.AssetCheckSeverity.WARN),
            tests_failed=tuple(one.check_name for one in failed if one.severity == dg.AssetCheckSeverity.ERROR),
            quarantined={one["file"]: one["reason"] for one in quarantine},
            seconds=round(time.monotonic() - began, 1),
            failure=None if done.success else _failure(done),
        )

    def end_what_was_killed(self, *, every: bool = False) -> int:
        """Mark runs that a killed process left under way as failed, since sensors wait for them; returns how many.

        Args:
            every: those of Dagster's daemon too, which has ended.
        """
        tags = {} if every else OURS
        left = self._instance.get_runs(dg.RunsFilter(tags=tags, statuses=_UNDER_WAY))
        for run in left:
            self._instance.report_run_failed(run, "the process that ran it was killed")
            self._instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        return len(left)


def _files(check: dg.AssetCheckEvaluation) -> list[dict[str, str]]:
    files = check.metadata["files"]
    assert isinstance(files, dg.JsonMetadataValue)
    return list(files.data or ()) if isinstance(files.data, list) else []


def _failure(done: dg.ExecuteInProcessResult) -> str:
    """The messages of failed steps, without tracebacks; the run's own where it failed before its first step."""
    errors = [event.step_failure_data.error for event in done.get_step_failure_events()]
    messages = [error.message for error in errors if error is not None]
    return (
        "\n".join(messages or [done.get_run_failure_event().message or "the run failed"])
        .partition("\nTraceback")[0]
        .strip()
    )


class Daemon:
    """Dagster's daemon of another process, whose runs are in the same instance.

    Args:
        instance: where runs are kept.
        interface: the process of Dagster's interface; 0 where none runs.
    """

    def __init__(self, instance: dg.DagsterInstance, interface: int) -> None:
        self._instance, self._interface = instance, interface
        self.waited = 0.0

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._interface > 0 and Running(pid=self._interface, url="").is_running

    def run_of(self, sensor: str) -> dg.DagsterRun | None:
        """The run under way that a sensor asked for."""
        return next(iter(self._under_way({"dagster/sensor_name": sensor})), None)

    def run_among(self, assets: Sequence[dg.AssetKey]) -> dg.DagsterRun | None:
        """The first run under way that materializes one of the assets."""
        return next((run for run in self._under_way({}) if not (run.asset_selection or set()).isdisjoint(assets)), None)

    def wait_for(self, run_id: str) -> bool:
        """Wait until a run has ended, or the daemon has; False when all waiting together takes too long."""
        began, before = time.monotonic(), self.waited
        while self.is_running and self.waited < _MOST_SECONDS_WAITED:
            run = self._instance.get_run_by_id(run_id)
            if run is None or run.is_finished:
                return True
            time.sleep(_POLL_SECONDS)
            self.waited = before + time.monotonic() - began
        return not self.is_running

    def _under_way(self, tags: Mapping[str, str]) -> Sequence[dg.DagsterRun]:
        if not self.is_running:
            return ()
        return self._instance.get_runs(dg.RunsFilter(tags=dict(tags), statuses=_UNDER_WAY))


class Round:
    """A round.

    Args:
        definitions: the code location's.
        instance: where runs and events are kept.
        home: where the cursor of the conditions is kept.
        say: takes each line of progress.
        interface: the process of Dagster's interface, whose daemon runs what arrives too; 0 where none runs.
    """

    def __init__(
        self,
        definitions: dg.Definitions,
        instance: dg.DagsterInstance,
        home: Home,
        say: Callable[[str], None],
        interface: int = 0,
    ) -> None:
        self._definitions, self._instance, self._home, self._say = definitions, instance, home, say
        self._graph = definitions.get_repository_def().asset_graph
        self._execution = Execution(definitions, instance)
        self._memory, self._cursors = home.recall(), Cursors(instance)
        self._daemon = Daemon(instance, interface)
        self._refused: dict[str, str] = {}
        self._skipped: dict[str, str] = {}
        self._runs: list[Run] = []

    def report(self, loading: float, since: float) -> Report:
        """Run everything that has arrived.

        Args:
            loading: seconds that loading the definitions took, for the report.
            since: the time, in seconds since 1970, from which materializations are counted.
        """
        began = time.monotonic()
        if self._execution.end_what_was_killed(every=not self._daemon.is_running):
            self._say("A run of before was killed: what it was to read is handed out again.")
        self._remember_marts_as_they_are()
        for job in sorted(self._jobs(), key=lambda one: one.name):
            self._run_job(job)
        sensors = sorted(self._sensors(), key=lambda one: one.name)
        for position, sensor in enumerate(sensors, start=1):
            self._drain(sensor, f"[{position}/{len(sensors)}]")
        self._run_marts()
        running, waiting = sum(run.seconds for run in self._runs), self._daemon.waited
        looking = time.monotonic() - began - running - waiting
        seconds = {"loading": loading, "looking": looking, "running": running, "waiting": waiting}
        rounded = {name: round(value, 1) for name, value in seconds.items()}
        return Report(
            runs=tuple(self._runs),
            materialized=self._materialized(since),
            refused=self._refused,
            skipped=self._skipped,
            seconds=rounded,
        )

    def _materialized(self, since: float) -> Counter[str]:
        found: Counter[str] = Counter()
        for key in self._graph.materializable_asset_keys:
            events = self._instance.fetch_materializations(
                dg.AssetRecordsFilter(key, after_timestamp=since), limit=_MOST_COUNTED
            )
            if events.records:
                found[key.to_user_string()] = len(events.records)
        return found

    def _jobs(self) -> list[dg.JobDefinition]:
        """The jobs of the sources that dlt reads, but those that their files pause."""
        stopped = {
            one.job_name
            for one in self._definitions.schedules or ()
            if isinstance(one, dg.ScheduleDefinition) and one.default_status == dg.DefaultScheduleStatus.STOPPED
        }
        every = self._definitions.get_repository_def().get_all_jobs()
        of_dlt = [one for one in every if one.name == naming.dlt_job(one.tags.get("lotus/source", ""))]
        return [one for one in of_dlt if one.name not in stopped]

    def _run_job(self, job: dg.JobDefinition) -> None:
        """Have dlt read a source; the rows that it lands are new for the sensors."""
        while run := self._daemon.run_among(sorted(job.asset_layer.executable_asset_keys)):
            if not self._waited(run):
                self._skipped[job.name] = f"run {run.run_id} of Dagster's daemon has not ended"
                return
        self._say(f"{job.name}: running ...")
        self._finished(self._execution.run_job(job.name))

    def _sensors(self) -> list[dg.SensorDefinition]:
        marts = dg.AutomationConditionSensorDefinition
        every = self._definitions.sensors or ()
        return [one for one in every if isinstance(one, dg.SensorDefinition) and not isinstance(one, marts)]

    def _drain(self, sensor: dg.SensorDefinition, position: str) -> None:
        """Tick a sensor until it skips; a batch whose run fails is handed out again the next time."""
        while (data := self._looked(sensor, position)) is not None:
            for event in data.asset_events:
                self._instance.report_runless_asset_event(event)
            for request in data.run_requests or ():
                tags = {**request.tags, "dagster/sensor_name": sensor.name, "dagster/run_key": request.run_key or ""}
                self._say(f"{position} {sensor.name} asks for a run: running ...")
                # A sensor of several models says which of them a run is of.
                assets = [*(request.asset_selection or self._watched(sensor))]
                if not self._run(sensor.name, assets, request.run_config, tags):
                    return
            if data.cursor is not None:
                self._cursors.write(sensor, data.cursor)
            if not data.run_requests:
                return

    def _looked(self, sensor: dg.SensorDefinition, position: str) -> "SensorExecutionData | None":
        """A sensor's tick, after the run of the daemon that it waits for; None where there is no answer to act on."""
        while True:
            try:
                data = self._tick(sensor)
            except Exception as error:  # noqa: BLE001 - as in Dagster, no sensor keeps another from looking
                cause = error.__cause__ or error
                self._refused[sensor.name] = f"{type(cause).__name__}: {cause}"
                self._say(f"{position} {sensor.name} failed to look: {cause}")
                return None
            if data.run_requests:
                return data
            self._say(f"{position} {sensor.name}: {data.skip_message}")
            run = self._daemon.run_of(sensor.name)
            if run is None:
                return data
            if not self._waited(run):
                self._skipped[sensor.name] = f"run {run.run_id} of Dagster's daemon has not ended"
                return None

    def _tick(self, sensor: dg.SensorDefinition) -> "SensorExecutionData":
        with dg.build_sensor_context(
            instance=self._instance,
            cursor=self._cursors.read(sensor.name),
            definitions=self._definitions,
            sensor_name=sensor.name,
        ) as context:
            return sensor.evaluate_tick(context)

    def _watched(self, sensor: dg.SensorDefinition) -> list[dg.AssetKey]:
        return sorted(sensor.asset_selection.resolve(self._graph)) if sensor.asset_selection is not None else []

    def _remember_marts_as_they_are(self) -> None:
        """Conditions ask what changed since the last look: without one before the streams run, nothing would have."""
        if self._memory.marts is None:
            self._keep_marts(self._conditions())

    def _run_marts(self) -> None:
        """Materialize the marts whose conditions are met, until none is; the look counts once they are up to date."""
        while True:
            # A condition is not met while its mart is being made; of what came since, that run has not heard.
            if run := self._daemon.run_among(self._marts()):
                if self._waited(run):
                    continue
                self._skipped["marts"] = f"run {run.run_id} of Dagster's daemon has not ended"
                return
            met = self._conditions()
            keys = [key for key in self._marts() if met.get_num_requested(key)]
            if keys:
                self._say(f"{', '.join(key.path[-1] for key in keys)}: running ...")
            if keys and not self._run("marts", keys, {}, {}):
                return
            self._keep_marts(met)
            if not keys:
                return

    def _waited(self, run: dg.DagsterRun) -> bool:
        """Wait for a run of the daemon; False when it takes too long."""
        self._say(f"      waiting for run {run.run_id} of Dagster's daemon ...")
        if not self._daemon.wait_for(run.run_id):
            return False
        if not self._daemon.is_running:
            self._execution.end_what_was_killed(every=True)
        return True

    def _marts(self) -> list[dg.AssetKey]:
        keys = self._graph.get_all_asset_keys()
        return sorted(key for key in keys if self._graph.get(key).automation_condition is not None)

    def _conditions(self) -> dg.EvaluateAutomationConditionsResult:
        kept = self._memory.marts
        return dg.evaluate_automation_conditions(
            self._definitions,
            self._instance,
            asset_selection=dg.AssetSelection.assets(*self._marts()),
            cursor=deserialize_value(kept, AssetDaemonCursor) if kept is not None else None,
        )

    def _keep_marts(self, met: dg.EvaluateAutomationConditionsResult) -> None:
        self._keep(self._memory.model_copy(update={"marts": serialize_value(met.cursor)}))

    def _keep(self, memory: Memory) -> None:
        self._memory = memory
        self._home.keep(memory)

    def _run(self, name: str, assets: list[dg.AssetKey], config: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
        """Run and report it; return whether it succeeded."""
        return self._finished(self._execution.run(name, assets, config, tags))

    def _finished(self, run: Run) -> bool:
        """Report a run; return whether it succeeded."""
        self._runs.append(run)
        made = ", ".join(run.assets) or "nothing"
        tests = f"{run.tests_passed} tests passed"
        tests += f", {len(run.tests_warned)} warned" if run.tests_warned else ""
        tests += f", {len(run.tests_failed)} failed" if run.tests_failed else ""
        self._say(f"      {'FAILED, made' if run.failure else 'made'} {made}; {tests}; {run.seconds} s")
        for file, why in run.quarantined.items():
            self._say(f"      in quarantine: {file}: {' '.join(why.split())}")
        return run.failure is None
