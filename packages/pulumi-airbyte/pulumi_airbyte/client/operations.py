"""Run jobs, discoveries and connection checks."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pulumi_airbyte.client.calls import Calls
from pulumi_airbyte.client.errors import AirbyteError, Conflict, JobRunning, NotFound, ServerError
from pulumi_airbyte.client.models import (
    ActorKind,
    ConnectionCheck,
    DiscoveredStream,
    DiscoveryAnswer,
    Job,
    JobAttempts,
    parse,
)

if TYPE_CHECKING:
    from pulumi_airbyte.values import JsonObject

RECENT: Final = 20
NEWEST_FIRST: Final = ("orderBy", "createdAt|DESC")
DISCOVERY_HINT: Final = (
    "Airbyte discovers the source here. If that failed, the source's credentials or configuration may be wrong: "
    "test the source on its page in Airbyte, or set checkConnection on it, which shows its connector's message."
)
FAILED: Final = 500
NEEDED_BY: Final = "Checks of sources and destinations (`checkConnection`) need"


class Operations(Calls):
    """Jobs, discovery and connection checks."""

    def start_sync(self, connection_id: str) -> Job:
        """POST /jobs; not repeated, because the server has no idempotency key.

        Raises:
            JobRunning: a job of the connection is already running.
            AirbyteError: also if the connection is not active.
        """
        what = f"sync connection {connection_id}"
        body: JsonObject = {"connectionId": connection_id, "jobType": "sync"}
        try:
            return parse(Job, self._public("POST", "/jobs", what, body=body), what)
        except JobRunning:
            raise
        except Conflict as error:
            raise Conflict(error.message, "Only active connections run jobs.", error.status) from None

    def get_job(self, job_id: int) -> Job:
        """GET a job.

        Raises:
            NotFound: no job has this id. The server answers 409 for it, as for a job that is not running.
            AirbyteError: the read failed for another reason.
        """
        what = f"read job {job_id}"
        try:
            return parse(Job, self._public("GET", f"/jobs/{job_id}", what), what)
        except Conflict as error:
            hint = f'Airbyte has no job of this id, or no longer; it answered "{error.message.rpartition("409 ")[2]}".'
            raise NotFound(f"Airbyte could not {what}: there is no such job.", hint, error.status) from None

    def running_job(self, connection_id: str) -> Job | None:
        """The running job of a connection, if any. The server runs one at a time."""
        what = f"list the jobs of connection {connection_id}"
        newest = [("connectionId", connection_id), NEWEST_FIRST, ("limit", str(RECENT))]
        # Without a type, the list of some servers has no refreshes.
        for kind in ([], [("jobType", "refresh")]):
            for item in self._items("/jobs", what, [*newest, *kind]):
                job = parse(Job, item, what)
                if not job.finished:
                    return job
        return None

    def jobs(
        self,
        *,
        workspace_id: str = "",
        connection_id: str = "",
        kind: str = "",
        status: str = "",
        times: Mapping[str, str] | None = None,
    ) -> Iterator[Job]:
        """Jobs of a workspace or connection, newest first. Pages are fetched lazily.

        Args:
            workspace_id: the workspace, if no connection is given.
            connection_id: the connection.
            kind: `sync`, `reset` or `refresh`. Without it, some servers list all jobs but refreshes.
            status: only jobs of this status.
            times: limits of the times of creation and of the last update, by the API's names, as ISO 8601 with a zone.
        """
        what = f"list the {kind or 'sync'} jobs"
        asked = [("workspaceIds", workspace_id), ("connectionId", connection_id), ("jobType", kind)]
        asked += [("status", status), *(times or {}).items()]
        query = [NEWEST_FIRST, *((name, value) for name, value in asked if value)]
        return (parse(Job, item, what) for item in self._pages("/jobs", "jobId", what, query))

    def cancel_job(self, job_id: int) -> Job:
        """Cancel a job by DELETE. A finished job stays as it is."""
        what = f"cancel job {job_id}"
        try:
            return parse(Job, self._public("DELETE", f"/jobs/{job_id}", what), what)
        except Conflict:
            # The server refuses to cancel a finished job. It may have just ended, or an earlier try cancelled it.
            job = self.get_job(job_id)
            if not job.finished:
                raise
            return job

    def job_failure(self, job_id: int, *owners: str) -> str:
        """The failure message of a job's last attempt, from the Config API; may be empty.

        Args:
            job_id: the job.
            owners: ids of the objects whose secrets the message may quote, as `Redactor.quote` takes them.

        Raises:
            AirbyteError: also if the server has no Config API.
        """
        what = f"read the attempts of job {job_id}"
        answer = self._config("/jobs/get", what, {"id": job_id}, needed_by="Reasons of failures need")
        return self.redactor.quote(parse(JobAttempts, answer, what).reason, *owners)

    def discover_schema(self, source_id: str, *, disable_cache: bool = True) -> list[DiscoveredStream]:
        """Discover a source's streams with their JSON schemas, by the Config API. Takes minutes if not cached.

        Raises:
            AirbyteError: also if the connector fails or the server has no Config API.
        """
        what = f"discover the streams of source {source_id}"
        body: JsonObject = {"sourceId": source_id, "disable_cache": disable_cache}
        # Not retried after a time-out: the connector would run a second time.
        with discovering():
            answer = self._config("/sources/discover_schema", what, body, needed_by="Discovery needs", effect="acts")
        found = parse(DiscoveryAnswer, answer, what)
        if not found.job.succeeded:
            reason = self.redactor.quote(found.job.failure.text) or "the connector gives no reason"
            raise AirbyteError(f"Airbyte could not {what}: {reason}", DISCOVERY_HINT)
        return [entry.stream for entry in found.catalog.streams]

    def check_actor(self, kind: ActorKind, actor_id: str) -> str:
        """Run the connector's check of a saved source or destination. Takes minutes if the outside system is slow.

        Returns:
            An empty text if the check succeeded, else the connector's message without secrets.

        Raises:
            AirbyteError: also if the server has no Config API.
        """
        what = f"check the connection of {kind} {actor_id}"
        # Not retried after a time-out: the connector would run a second time.
        answer = self._config(
            f"/{kind}s/check_connection", what, {f"{kind}Id": actor_id}, needed_by=NEEDED_BY, effect="acts"
        )
        found = parse(ConnectionCheck, answer, what)
        if found.status == "succeeded":
            return ""
        said = found.message or found.job.failure.text
        return self.redactor.quote(said) or "the connector gives no reason"

    def require_checks(self) -> None:
        """Make sure that the server can run checks.

        Raises:
            AirbyteError: the server has no Config API.
        """
        self._require_config_api(NEEDED_BY)


@contextmanager
def discovering() -> Iterator[None]:
    """Add a hint to a bare 500 of a call that discovers a source: the server gives no reason for a failed discovery.

    Raises:
        ServerError: the same error, with the hint.
    """
    try:
        yield
    except ServerError as error:
        if error.status != FAILED:
            raise
        raise ServerError(error.message, DISCOVERY_HINT, error.status, outcome_unknown=error.outcome_unknown) from error
