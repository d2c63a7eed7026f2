"""The jobs and runs of a Dagster instance: which jobs are deployed, how they last ran, and to start or cancel a run.

By GraphQL of its webserver (dagster-graphql, schema/roots). The statuses of runs are given in Airbyte's words, so that
both engines' runs read alike. A text of a failed step may quote the configuration of its source: it is shown without
the stack's secrets, and not at all if these are not known.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Annotated, Final, Literal

from pulumi_airbyte.client.redactor import Redactor
from pydantic import BaseModel, Field, JsonValue

from lotus_infra import naming
from lotus_infra.clients.airbyte import stack_secrets
from lotus_infra.clients.dagster import Answer, ask, read_answer
from lotus_infra.config import production
from lotus_infra.config.settings import StackSettings
from lotus_infra.config.stack import Project
from lotus_infra.errors import LotusError, masked_urls, one_line

JobStatus = Literal["pending", "running", "succeeded", "failed", "cancelled"]
DAGSTER_URL: Final = "LOTUS_DAGSTER_URL"
"""The environment variable with the address of Dagster's webserver."""
WILL_RETRY: Final = "dagster/will_retry"
RETRY_ID: Final = "dagster/auto_retry_run_id"
"""Tags of a failed run that Dagster runs again (dagster, _core/storage/tags.py)."""
_DagsterStatus = Literal[
    "QUEUED", "NOT_STARTED", "MANAGED", "STARTING", "STARTED", "CANCELING", "SUCCESS", "FAILURE", "CANCELED"
]
_STATUSES: Final[Mapping[_DagsterStatus, JobStatus]] = {
    "QUEUED": "pending",
    "NOT_STARTED": "pending",
    "MANAGED": "pending",
    "STARTING": "pending",
    "STARTED": "running",
    "CANCELING": "running",
    "SUCCESS": "succeeded",
    "FAILURE": "failed",
    "CANCELED": "cancelled",
}
_UNFINISHED: Final = [name for name, status in _STATUSES.items() if status in {"pending", "running"}]
_MOST_EVENTS: Final = 10
"""The pages of a run's events, each of up to a thousand, in which the failed step is looked for."""
_REFUSED: Final = "Dagster's UI shows details, under Deployment"

_RUN: Final = """runId jobName status creationTime startTime endTime tags { key value }
    assetMaterializations { metadataEntries { label ... on IntMetadataEntry { intRepr } } }"""
JOBS: Final = """query Jobs { workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError {
    ... on RepositoryLocation { repositories { name jobs { name } schedules { pipelineName
        scheduleState { status } futureTicks(limit: 1) { results { timestamp } } } } }
    ... on PythonError { message } } } } ... on PythonError { message } } }"""
LAST_RUNS: Final = f"""query LastRuns($filter: RunsFilter!, $limit: Int!) {{
    runsOrError(filter: $filter, limit: $limit) {{
        ... on Runs {{ results {{ {_RUN} }} }} ... on Error {{ message }} }} }}"""
START: Final = f"""mutation Start($params: ExecutionParams!) {{ started: launchRun(executionParams: $params) {{
    ... on LaunchRunSuccess {{ run {{ {_RUN} }} }}
    ... on RunConfigValidationInvalid {{ errors {{ message }} }} ... on Error {{ message }} }} }}"""
CANCEL: Final = f"""mutation Cancel($run: String!) {{ cancelled: terminateRun(runId: $run) {{
    ... on TerminateRunSuccess {{ run {{ {_RUN} }} }} ... on TerminateRunFailure {{ message }}
    ... on Error {{ message }} }} }}"""
EVENTS: Final = """query Events($run: ID!, $after: String) { logsForRun(runId: $run, afterCursor: $after) {
    ... on EventConnection { cursor hasMore events {
        ... on ExecutionStepFailureEvent { stepKey stepError: error { message errorChain { error { message } } } }
        ... on RunFailureEvent { runMessage: message } } }
    ... on Error { message } } }"""


@dataclass(frozen=True, slots=True)
class JobRun:
    """A run of a job.

    Attributes:
        run_id: Its id.
        job: The job's name.
        status: Its status.
        started: When it was started, else when it was requested.
        ended: When it ended; None while it runs.
        rows: The rows that its materializations report; None if none does.
        will_retry: Whether Dagster runs it again, as it has failed and its job has retries left.
        retry_id: The id of that run; empty until it is launched.
    """

    run_id: str
    job: str
    status: JobStatus
    started: datetime
    ended: datetime | None
    rows: int | None
    will_retry: bool = False
    retry_id: str = ""

    @property
    def finished(self) -> bool:
        """Whether its status is final."""
        return self.status not in {"pending", "running"}

    @property
    def seconds(self) -> float | None:
        """Its duration; None while it runs."""
        return (self.ended - self.started).total_seconds() if self.ended is not None else None


@dataclass(frozen=True, slots=True)
class DeployedJob:
    """A job of a code location.

    Attributes:
        name: Its name.
        location: The code location.
        repository: The repository in it.
        has_schedule: Whether a schedule runs it.
        is_scheduled: Whether that schedule is on.
        next_run: The schedule's next time; None if it is off, or there is none.
    """

    name: str
    location: str
    repository: str
    has_schedule: bool = False
    is_scheduled: bool = False
    next_run: datetime | None = None


class DagsterRuns:
    """The jobs and runs of a Dagster instance. The list of jobs is read once.

    Args:
        url: The address of its web pages.
        redactor: Removes secrets from its texts.
    """

    def __init__(self, url: str, redactor: Redactor) -> None:
        self._url, self._redactor = url, redactor

    def job(self, name: str) -> DeployedJob:
        """A deployed job.

        Raises:
            LotusError: It is not deployed, or several code locations have it; or Dagster does not answer.
        """
        found = self.jobs().get(name, ())
        own = [each for each in found if each.location == naming.CODE_LOCATION]
        if len(found) > 1 and len(own) != 1:
            places = ", ".join(each.location for each in found)
            raise LotusError(f"several code locations of Dagster have the job {name}: {places}", "remove all but one")
        if found:
            return own[0] if own else found[0]
        raise self._missing(name)

    def jobs(self) -> dict[str, tuple[DeployedJob, ...]]:
        """All deployed jobs by name; several code locations may have one of the same name.

        Raises:
            LotusError: Dagster does not answer.
        """
        return self._jobs

    def missing(self, name: str) -> str:
        """Why a job is not deployed, and what to do."""
        return str(self._missing(name))

    def _missing(self, name: str) -> LotusError:
        broken = self._broken_locations
        if broken:
            return LotusError(f"Dagster has no job {name}: the code location {broken[0]}", _REFUSED)
        return LotusError(f"Dagster has no job {name}", "deploy Dagster's image of this commit with `pulumi up`")

    def last_runs(self, job: str, limit: int = 1, *, succeeded: bool = False) -> list[JobRun]:
        """The newest runs of a job, the newest first.

        Args:
            job: The job's name.
            limit: Their maximal number.
            succeeded: Whether to leave out all but those that have succeeded.

        Raises:
            LotusError: Dagster refuses or does not answer.
        """
        statuses: JsonValue = ["SUCCESS"] if succeeded else None
        return self._runs({"pipelineName": job, "statuses": statuses}, limit)

    def running(self, job: str) -> JobRun | None:
        """The newest run of a job that has not finished; None if there is none.

        Raises:
            LotusError: Dagster refuses or does not answer.
        """
        return next(iter(self._runs({"pipelineName": job, "statuses": list[JsonValue](_UNFINISHED)}, 1)), None)

    def run(self, run_id: str) -> JobRun:
        """A run.

        Raises:
            LotusError: There is none; or Dagster does not answer.
        """
        found = self._runs({"runIds": [run_id]}, 1)
        if not found:
            raise LotusError(f"Dagster no longer has the run {run_id}", "it was deleted there")
        return found[0]

    def start(self, job: DeployedJob) -> JobRun:
        """Start a run of a job, with the job's own tags.

        Raises:
            LotusError: Dagster refuses or does not answer.
        """
        selector = {"repositoryLocationName": job.location, "repositoryName": job.repository, "jobName": job.name}
        answer = self._ask(_Started, START, {"params": {"selector": dict[str, JsonValue](selector)}})
        return self._done(answer.data.started, f"start {job.name}")

    def cancel(self, run_id: str) -> JobRun:
        """Request the end of a run, which then takes some seconds; a finished run stays as it is.

        Raises:
            LotusError: Dagster refuses or does not answer.
        """
        result = self._ask(_Cancelled, CANCEL, {"run": run_id}).data.cancelled
        if result.run is None:
            # Dagster refuses to cancel a finished run, which may have just ended.
            run = self.run(run_id)
            if run.finished:
                return run
        return self._done(result, f"cancel the run {run_id}")

    def failure(self, run_id: str) -> str:
        """Why a run has failed: its first failed step with the error's innermost cause, in one line; may be empty.

        Raises:
            LotusError: Dagster refuses or does not answer.
        """
        steps, whole = [], ""
        for event in self._events(run_id):
            whole = event.run_message or whole
            if event.error is not None:
                steps.append((event.step, event.error.cause))
        if not steps:
            return self._clean(whole)
        (step, cause), *others = steps
        more = f" (and {len(others)} more failed)" if others else ""
        return f"{step}: {self._clean(cause)}{more}"

    @cached_property
    def _locations(self) -> "tuple[_Location, ...]":
        workspace = self._ask(_Jobs, JOBS, {}).data.workspace
        if workspace.locations is None:
            raise LotusError(f"Dagster can't list its jobs: {one_line(workspace.message)}", _REFUSED)
        return workspace.locations

    @cached_property
    def _jobs(self) -> dict[str, tuple[DeployedJob, ...]]:
        found: dict[str, tuple[DeployedJob, ...]] = {}
        for location in self._locations:
            for repository in location.loaded.repositories if location.loaded is not None else ():
                for name in repository.jobs:
                    schedules = [each for each in repository.schedules if each.job == name.name]
                    job = _deployed(name.name, location.name, repository.name, schedules)
                    found[name.name] = (*found.get(name.name, ()), job)
        return found

    @property
    def _broken_locations(self) -> list[str]:
        """The code locations that are not loaded, each with the reason."""
        return [
            f"{each.name} is not loaded: {self._clean(each.loaded.message) if each.loaded else 'it is still loading'}"
            for each in self._locations
            if each.loaded is None or not each.loaded.repositories
        ]

    def _runs(self, chosen: Mapping[str, JsonValue], limit: int) -> list[JobRun]:
        given: JsonValue = {key: value for key, value in chosen.items() if value is not None}
        found = self._ask(_Runs, LAST_RUNS, {"filter": given, "limit": limit}).data.runs
        if found.results is None:
            raise LotusError(f"Dagster can't list its runs: {self._clean(found.message)}", _REFUSED)
        return [_run(each) for each in found.results]

    def _events(self, run_id: str) -> "Iterator[_Event]":
        after: str | None = None
        for _ in range(_MOST_EVENTS):
            page = self._ask(_Events, EVENTS, {"run": run_id, "after": after}).data.page
            yield from page.events
            if not page.more:
                return
            after = page.cursor

    def _done(self, result: "_Result", what: str) -> JobRun:
        if result.run is None:
            reasons = [each.message for each in islice(result.errors, 1)] or [result.message]
            raise LotusError(f"Dagster did not {what}: {self._clean(reasons[0])}", "its UI shows details, under Runs")
        return _run(result.run)

    def _ask(self, model: type[Answer], query: str, variables: Mapping[str, JsonValue]) -> Answer:
        return read_answer(model, ask(self._url, query, variables))

    def _clean(self, text: str) -> str:
        return one_line(masked_urls(self._redactor.quote(text)))


def stack_dagster(
    directory: Path, stack: str | None, url: str, environment: Mapping[str, str] = os.environ
) -> DagsterRuns:
    """The Dagster of a stack, to start runs in it.

    Args:
        directory: The lake's folder.
        stack: The stack, as in `airbyte_workspace`.
        url: The address of its web pages; empty for that of the environment or of the stack's ingress. Of a production
            stack, the environment does not decide where runs are started.
        environment: The environment's variables.

    Raises:
        LotusError: No address is known, or a production stack may not run like this.
    """
    project = Project.around(directory)
    names = project.select_all(stack, environment) if project is not None else ()
    chosen, elsewhere = "", environment.get(DAGSTER_URL, "")
    if project is not None and len(names) == 1:
        settings = project.settings(names[0])
        chosen = ingress_address(settings)
        run = project.run(names[0], settings)
        if run.is_production:
            production.check(run, environment)
            if not (url or chosen):
                what = f"the stack {names[0]} is production and names no ingress of Dagster"
                raise LotusError(what, "give Dagster's address by --dagster-url")
            elsewhere = ""
    return dagster_runs(directory, stack, url or elsewhere or chosen)


def ingress_address(settings: StackSettings) -> str:
    """The address of Dagster's web pages by a stack's ingress; empty without one."""
    ingress = settings.lotus.dagster.ingress if settings.lotus.dagster is not None else None
    return f"{'https' if ingress.tls else 'http'}://{ingress.host}" if ingress is not None else ""


def dagster_runs(directory: Path, stack: str | None, url: str) -> DagsterRuns:
    """The Dagster at an address, whose texts may quote a stack's secrets.

    Args:
        directory: The lake's folder.
        stack: The stack, as in `airbyte_workspace`.
        url: The address of its web pages; empty if none is known.

    Raises:
        LotusError: No address is known.
    """
    if not url:
        raise LotusError(
            "the stack's file names no ingress of Dagster", "give its address by --dagster-url or $LOTUS_DAGSTER_URL"
        )
    redactor = Redactor()
    redactor.expect(lambda: stack_secrets(directory, stack))
    return DagsterRuns(url, redactor)


class _Message(BaseModel):
    message: str = ""


class _MetadataEntry(BaseModel):
    label: str
    number: Annotated[int | None, Field(alias="intRepr")] = None


class _Materialization(BaseModel):
    metadata: Annotated[tuple[_MetadataEntry, ...], Field(alias="metadataEntries")]


class _Tag(BaseModel):
    key: str
    value: str


class _Run(BaseModel):
    run_id: Annotated[str, Field(alias="runId")]
    job: Annotated[str, Field(alias="jobName")]
    status: _DagsterStatus
    created: Annotated[float, Field(alias="creationTime")]
    """In seconds since 1970, like the others."""
    started: Annotated[float | None, Field(alias="startTime")]
    ended: Annotated[float | None, Field(alias="endTime")]
    tags: tuple[_Tag, ...]
    materializations: Annotated[tuple[_Materialization, ...], Field(alias="assetMaterializations")]


class _FoundRuns(_Message):
    results: tuple[_Run, ...] | None = None


class _RunsData(BaseModel):
    runs: Annotated[_FoundRuns, Field(alias="runsOrError")]


class _Runs(BaseModel):
    data: _RunsData


class _Result(_Message):
    run: _Run | None = None
    errors: tuple[_Message, ...] = ()


class _StartedData(BaseModel):
    started: _Result


class _Started(BaseModel):
    data: _StartedData


class _CancelledData(BaseModel):
    cancelled: _Result


class _Cancelled(BaseModel):
    data: _CancelledData


class _Link(BaseModel):
    error: _Message


class _Error(_Message):
    chain: Annotated[tuple[_Link, ...], Field(alias="errorChain")]

    @property
    def cause(self) -> str:
        """The innermost cause, which names what failed; the errors around it name the steps of the libraries."""
        return self.chain[-1].error.message if self.chain else self.message


class _Event(BaseModel):
    step: Annotated[str | None, Field(alias="stepKey")] = None
    error: Annotated[_Error | None, Field(alias="stepError")] = None
    run_message: Annotated[str, Field(alias="runMessage")] = ""


class _EventPage(_Message):
    cursor: str | None = None
    more: Annotated[bool, Field(alias="hasMore")] = False
    events: tuple[_Event, ...] = ()


class _EventsData(BaseModel):
    page: Annotated[_EventPage, Field(alias="logsForRun")]


class _Events(BaseModel):
    data: _EventsData


class _Job(BaseModel):
    name: str


class _Tick(BaseModel):
    timestamp: float


class _Ticks(BaseModel):
    results: tuple[_Tick, ...]


class _ScheduleState(BaseModel):
    status: Literal["RUNNING", "STOPPED"]


class _Schedule(BaseModel):
    job: Annotated[str, Field(alias="pipelineName")]
    state: Annotated[_ScheduleState, Field(alias="scheduleState")]
    ticks: Annotated[_Ticks, Field(alias="futureTicks")]


class _Repository(BaseModel):
    name: str
    jobs: tuple[_Job, ...]
    schedules: tuple[_Schedule, ...]


class _Loaded(_Message):
    repositories: tuple[_Repository, ...] = ()


class _Location(BaseModel):
    name: str
    loaded: Annotated[_Loaded | None, Field(alias="locationOrLoadError")]


class _Workspace(_Message):
    locations: Annotated[tuple[_Location, ...] | None, Field(alias="locationEntries")] = None


class _JobsData(BaseModel):
    workspace: Annotated[_Workspace, Field(alias="workspaceOrError")]


class _Jobs(BaseModel):
    data: _JobsData


def _deployed(name: str, location: str, repository: str, schedules: Sequence[_Schedule]) -> DeployedJob:
    on = [each for each in schedules if each.state.status == "RUNNING"]
    times = [tick.timestamp for each in on for tick in each.ticks.results]
    next_run = datetime.fromtimestamp(min(times), UTC) if times else None
    return DeployedJob(name, location, repository, bool(schedules), bool(on), next_run)


def _run(run: _Run) -> JobRun:
    counts = [
        entry.number
        for each in run.materializations
        for entry in each.metadata
        if entry.label == naming.LANDED_ROWS and entry.number is not None
    ]
    tags = {each.key: each.value for each in run.tags}
    return JobRun(
        run.run_id,
        run.job,
        _STATUSES[run.status],
        datetime.fromtimestamp(run.started or run.created, UTC),
        datetime.fromtimestamp(run.ended, UTC) if run.ended is not None else None,
        sum(counts) if counts else None,
        tags.get(WILL_RETRY) == "true",
        tags.get(RETRY_ID, ""),
    )
