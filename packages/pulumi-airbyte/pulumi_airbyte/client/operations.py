"""What Airbyte is asked to do rather than to be: run jobs, and look at a source again."""

from collections.abc import Iterator
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
    "Airbyte discovers the source here. Where that fails, the source's credentials or its configuration may be the "
    "reason: test the source on its page in Airbyte, or set checkConnection on it, which shows what its connector says."
)
FAILED: Final = 500
NEEDED_BY: Final = "Checks of sources and destinations (`checkConnection`) need"


class Operations(Calls):
    """Jobs and discovery."""

    def start_sync(self, connection_id: str) -> Job:
        """POST /jobs; not repeated, because the server has no idempotency key.

        Raises:
            JobRunning: a job of the connection is under way.
            AirbyteError: also when the connection is not active.
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
        """GET one.

        Raises:
            NotFound: there is none of that id; the server says 409, as of a job that is not running.
            AirbyteError: reading failed for another reason.
        """
        what = f"read job {job_id}"
        try:
            return parse(Job, self._public("GET", f"/jobs/{job_id}", what), what)
        except Conflict as error:
            hint = f'Airbyte has no job of this id, or has it no more; it says "{error.message.rpartition("409 ")[2]}".'
            raise NotFound(f"Airbyte could not {what}: there is no such job.", hint, error.status) from None

    def running_job(self, connection_id: str) -> Job | None:
        """The job that is under way for a connection, if there is one; the server runs one at a time."""
        what = f"list the jobs of connection {connection_id}"
        newest = [("connectionId", connection_id), NEWEST_FIRST, ("limit", str(RECENT))]
        # A list without a type has no refreshes in it (airbyte-platform, JobService).
        for kind in ([], [("jobType", "refresh")]):
            for item in self._items("/jobs", what, [*newest, *kind]):
                job = parse(Job, item, what)
                if not job.finished:
                    return job
        return None

    def jobs(self, *, workspace_id: str = "", connection_id: str = "", kind: str = "") -> Iterator[Job]:
        """Jobs of a workspace or of a connection, the newest first, read page by page as they are taken.

        Args:
            workspace_id: the workspace, where no connection is named.
            connection_id: the connection.
            kind: `sync`, `reset` or `refresh`; without one all but refreshes, which the server finds by name alone.
        """
        what = f"list the {kind or 'sync'} jobs"
        asked = [("workspaceIds", workspace_id), ("connectionId", connection_id), ("jobType", kind)]
        query = [NEWEST_FIRST, *((name, value) for name, value in asked if value)]
        return (parse(Job, item, what) for item in self._pages("/jobs", "jobId", what, query))

    def cancel_job(self, job_id: int) -> Job:
        """DELETE one, which cancels it; one that has finished is left as it is."""
        what = f"cancel job {job_id}"
        try:
            return parse(Job, self._public("DELETE", f"/jobs/{job_id}", what), what)
        except Conflict:
            # The server refuses what is finished: it may have ended just now, or a first try cancelled it.
            job = self.get_job(job_id)
            if not job.finished:
                raise
            return job

    def job_failure(self, job_id: int) -> str:
        """Why a job failed, in the words of its last attempt, by the Config API; empty where it does not say.

        Raises:
            AirbyteError: also when the server has no Config API.
        """
        what = f"read the attempts of job {job_id}"
        answer = self._config("/jobs/get", what, {"id": job_id}, needed_by="Reasons of failures need")
        return self.redactor.line(parse(JobAttempts, answer, what).reason)

    def discover_schema(self, source_id: str, *, disable_cache: bool = True) -> list[DiscoveredStream]:
        """What a source offers, with JSON schemas, by the Config API; takes minutes when it is not cached.

        Raises:
            AirbyteError: also when the connector fails or the server has no Config API.
        """
        what = f"discover the streams of source {source_id}"
        body: JsonObject = {"sourceId": source_id, "disable_cache": disable_cache}
        # An answer that takes too long is not asked for again: the connector would run once more.
        with discovering():
            answer = self._config("/sources/discover_schema", what, body, needed_by="Discovery needs", effect="acts")
        found = parse(DiscoveryAnswer, answer, what)
        if not found.job.succeeded:
            reason = self.redactor.line(found.job.failure.text) or "the connector does not say why"
            raise AirbyteError(f"Airbyte could not {what}: {reason}", DISCOVERY_HINT)
        return [entry.stream for entry in found.catalog.streams]

    def check_actor(self, kind: ActorKind, actor_id: str) -> str:
        """Let the connector try its configuration; takes minutes where the other side is slow.

        Returns:
            An empty text where it works, else why not, in the connector's words and without secrets.

        Raises:
            AirbyteError: also when the server has no Config API.
        """
        what = f"check the connection of {kind} {actor_id}"
        # An answer that takes too long is not asked for again: the connector would run once more.
        answer = self._config(
            f"/{kind}s/check_connection", what, {f"{kind}Id": actor_id}, needed_by=NEEDED_BY, effect="acts"
        )
        found = parse(ConnectionCheck, answer, what)
        if found.status == "succeeded":
            return ""
        said = found.message or found.job.failure.text
        return self.redactor.line(said) or "the connector does not say why"

    def require_checks(self) -> None:
        """Refuse what would need a check later.

        Raises:
            AirbyteError: the server has no Config API.
        """
        self._require_config_api(NEEDED_BY)


@contextmanager
def discovering() -> Iterator[None]:
    """Add to a 500 of a call that discovers a source what may be behind it.

    Raises:
        ServerError: the same with a hint.
    """
    try:
        yield
    except ServerError as error:
        if error.status != FAILED:
            raise
        raise ServerError(error.message, DISCOVERY_HINT, error.status, outcome_unknown=error.outcome_unknown) from error
