"""Reading streams anew, and looking after the jobs that do (airbyte-platform, RefreshJobStateUpdater)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from airbyte_model.streams import key_of, shown

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.cursors import RefreshMode, StreamName
from pulumi_airbyte.client.errors import NotFound
from pulumi_airbyte.client.models import Connection, Job
from pulumi_airbyte.provider.backfill import Result
from pulumi_airbyte.provider.jobs import Deadline, until_finished, until_idle
from pulumi_airbyte.provider.target import Target

AGAIN = "The next `pulumi up` tries again."


def looked_up(airbyte: Airbyte, results: Mapping[str, Result]) -> dict[str, Result]:
    """The results as their jobs say now; jobs that had ended are not asked for.

    A job that Airbyte does not have (any more) counts as failed: nothing else can say that it has read the stream.

    Raises:
        AirbyteError: a job can't be read.
    """
    now = {one.job_id: _status(airbyte, one) for one in results.values() if one.status == "running"}
    return {key: replace(one, status=now.get(one.job_id, one.status)) for key, one in results.items()}


def _status(airbyte: Airbyte, result: Result) -> str:
    try:
        job = airbyte.get_job(result.job_id)
    except NotFound:
        return "failed"
    return job.status if job.finished else result.status


def refuse_inactive(status: str, keys: Sequence[str]) -> None:
    """Make sure that a connection runs jobs.

    Raises:
        AirbyteError: it does not.
    """
    if keys and status == "inactive":
        raise AirbyteError(
            f"{_listed(keys)} can't be read anew: the connection is inactive, and Airbyte runs no job of such a one.",
            "Make it active, or take the new backfill token back until it is.",
        )


class Refresh:
    """One backfill of some streams of a connection.

    Args:
        airbyte: the client.
        connection: as it is on the server, with all that an update changed.
        target: the resource.
        recorded: jobs that the state has as those of earlier tokens, which answer no new one.
    """

    def __init__(
        self, airbyte: Airbyte, connection: Connection, target: Target, recorded: Collection[int] = ()
    ) -> None:
        self._airbyte = airbyte
        self._connection = connection
        self._id = connection.connection_id
        self._target = target
        self._recorded = recorded
        self._deadline = Deadline.of(target)

    def run(self, streams: Mapping[str, StreamName], mode: RefreshMode) -> Job:
        """Read streams anew and wait for that, once no other job runs.

        Returns:
            The job, which has succeeded or still runs at the deadline.

        Raises:
            AirbyteError: a call failed, or the job did.
        """
        refuse_inactive(self._connection.status, list(streams))
        names = list(streams.values())
        job_id = self._running(names)
        if job_id is None:
            until_idle(self._airbyte, self._id, self._deadline)
            job_id = self._started(names, mode)
        job = self._finished(job_id, f"The backfill of {_listed(streams)}")
        how = "read anew" if job.finished else "still being read anew, which the next `pulumi up` looks after"
        self._target.say(f"{_listed(streams)}: {how} (job {job.job_id})")
        return job

    def _running(self, names: list[StreamName]) -> int | None:
        """The job that reads just these streams anew already, which a run that was killed has started."""
        job = self._airbyte.running_job(self._id)
        if job is None or job.job_type != "refresh" or job.job_id in self._recorded:
            return None
        return job.job_id if self._airbyte.refreshed_streams(job.job_id) == frozenset(names) else None

    def _started(self, names: list[StreamName], mode: RefreshMode) -> int:
        try:
            job_id = self._airbyte.refresh(self._id, names, mode)
        except AirbyteError as error:
            if error.status != 404:
                raise
            job_id = None
        if job_id is not None:
            return job_id
        named = _listed(map(key_of, names))
        self._target.say(f"this server or destination has no refreshes: {named} will be cleared and synced")
        cleared = self._finished(self._airbyte.clear(self._id, names), f"The clear of {named}")
        if not cleared.finished:
            raise AirbyteError(f"The clear of {named} (job {cleared.job_id}) is still {cleared.status}.", AGAIN)
        return self._airbyte.start_sync(self._id).job_id

    def _finished(self, job_id: int, what: str) -> Job:
        job = until_finished(self._airbyte, job_id, self._deadline)
        if job.finished and job.status != "succeeded":
            reason = ""
            with suppress(AirbyteError):
                reason = self._airbyte.job_failure(job_id)
            raise AirbyteError(f"{what} has {job.status} (job {job_id}){f': {reason}' if reason else ''}.", AGAIN)
        return job


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(map(shown, keys))
