"""Backfills: choose the streams to re-read, run the jobs and wait for them (airbyte-platform, RefreshJobStateUpdater).

A stream is re-read once per token, or when it changes and the program asks for that. The last token is in the inputs
of the state, the result of its job in the outputs.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, cast

from airbyte_model.streams import StreamTree, key_of, keys_meant, shown, stream_name

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.cursors import RefreshMode, StreamName
from pulumi_airbyte.client.errors import NotFound
from pulumi_airbyte.client.models import Connection, Job
from pulumi_airbyte.provider.connection_inputs import canonical, from_server, incremental, streams_of
from pulumi_airbyte.provider.connection_state import Past, Result, Tokens, results_output, tokens_of
from pulumi_airbyte.provider.properties import Properties, Property, Unknown, is_known, unwrap
from pulumi_airbyte.provider.reconcile import Rewrites
from pulumi_airbyte.provider.resource import Differences, Failure
from pulumi_airbyte.provider.target import Deadline, Target
from pulumi_airbyte.values import render_path

FAILED: Final = ("failed", "cancelled")
SHAPE: Final = ("syncMode", "cursorField", "primaryKey")
AGAIN = "The next `pulumi up` tries again."


def asked(old: Tokens, new: Tokens, results: Mapping[str, Result]) -> list[str]:
    """The streams whose token requests a backfill that has not succeeded yet.

    Every new text requests one. `true` does only if the state has `false`: a state without a token belongs to a
    connection that is older than its tokens, or that was imported.
    """
    return [key for key, token in sorted(new.items()) if _asks(old.get(key), token, results.get(key))]


def _asks(was: Property, token: Property, result: Result | None) -> bool:
    if result is not None and result.token == token and isinstance(token, str):
        return result.status in FAILED
    if token is True:
        return was is False or (was is True and result is not None and result.token is True and result.status in FAILED)
    return isinstance(token, str | Unknown) and token != was


def unfinished_changes(results: Mapping[str, Result], after: Properties) -> list[str]:
    """The changed streams whose backfill failed after the update ended."""
    streams = streams_of(after)
    return [key for key, one in results.items() if one.token is None and one.status in FAILED and key in streams]


def reshaped(before: Properties, after: Properties) -> list[str]:
    """The incremental streams whose existing rows no longer fit: a field is new, or mode, cursor or key changed."""
    old = streams_of(before)
    return [
        key
        for key, stream in streams_of(after).items()
        if key in old
        and incremental(stream)
        and (added_fields(old[key], stream) or any(old[key].get(name) != stream.get(name) for name in SHAPE))
    ]


def added_fields(old: StreamTree, new: StreamTree) -> list[str]:
    """The fields that a stream gains; `all others` if it now selects every field."""
    had, has = old.get("selectedFields"), new.get("selectedFields")
    if had is None:
        return []
    if has is None:
        return ["all others"]
    return sorted(set(cast("list[str]", has)) - set(cast("list[str]", had)))


def checked(tree: Properties) -> tuple[Properties, list[Failure]]:
    """The tree with its tokens under stream keys, and failures for invalid tokens."""
    found, streams = unwrap(tree.get("backfills")), streams_of(tree)
    if not isinstance(found, dict):
        return tree, []
    tokens: Tokens = {}
    reasons = []
    for given, token in sorted(found.items()):
        meant = keys_meant(given, streams) if streams else [given]
        reason = _refused(meant, unwrap(token), streams) or (
            "means the same stream as another key: keep one" if meant[0] in tokens else ""
        )
        if reason:
            reasons.append(Failure(render_path(("backfills", given)), reason))
        else:
            tokens[meant[0]] = token
    return {**tree, "backfills": tokens}, reasons


def _refused(meant: list[str], token: Property, streams: Collection[str]) -> str:
    if not meant:
        return f"is no stream here: known are {', '.join(streams)}"
    if len(meant) > 1:
        return f"matches several streams: use the key of one, which is {' or '.join(meant)}"
    if is_known(token) and (not isinstance(token, str | bool) or token == ""):
        return 'must be a token such as "2026-02-01-reprice", true or false'
    return ""


def explained(old: Tokens, new: Properties, before: Properties, after: Properties, found: Differences) -> str:
    """Describe the streams that an update re-reads, and the existing rows that it leaves incomplete.

    Args:
        old: tokens of the state.
        new: inputs of the program.
        before: canonical tree of the state, under the program's stream keys.
        after: canonical tree of `new`.
        found: the differences between them.
    """
    now = tokens_of(new, streams_of(after))
    due = {str(path[1]) for path, _, _ in found if path[0] == "backfills" and len(path) > 1}
    changed = reshaped(before, after)
    reads = {key: _why(key, old, now) for key in due}
    if new.get("refreshOnSchemaChange") is True:
        reads = {**dict.fromkeys(changed, "it changes"), **reads}
    parts = [f"will refresh {shown(key)} ({why})" for key, why in sorted(reads.items())]
    if parts and after.get("status") == "inactive":
        parts.append("this fails, because the connection is inactive, and Airbyte runs no job for it")
    for key in (key for key in changed if key not in reads):
        fields = added_fields(streams_of(before)[key], streams_of(after)[key])
        if fields:
            parts.append(
                f"existing rows of {shown(key)} get no value of {', '.join(fields)} until a backfill "
                f"(a new backfill token for {shown(key)}, or refreshOnSchemaChange)"
            )
    return "; ".join(parts)


def _why(key: str, old: Tokens, new: Tokens) -> str:
    token = new.get(key)
    if token is None:
        return "its last refresh failed"
    again = ", whose last refresh failed" if old.get(key) == token else ""
    return f"token {'true' if token is True else token}{again}"


def until_idle(airbyte: Airbyte, connection_id: str, deadline: Deadline) -> None:
    """Wait until no job of a connection runs.

    Raises:
        AirbyteError: a job still runs at the deadline, or the wait was cancelled.
    """
    while (job := airbyte.running_job(connection_id)) is not None:
        if deadline.passed or airbyte.rest():
            raise AirbyteError(
                f"Job {job.job_id} ({job.job_type}) of connection {connection_id} is still {job.status} after "
                f"{deadline.seconds:g} seconds.",
                "Run `pulumi up` again once it has ended (it resumes here), or allow more time with the "
                "resource's customTimeouts.",
            )


def until_finished(airbyte: Airbyte, job_id: int, deadline: Deadline) -> Job:
    """Wait for a job; returns it unfinished at the deadline, or if the wait is cancelled."""
    while True:
        job = airbyte.get_job(job_id)
        if job.finished or deadline.passed or airbyte.rest():
            return job


def looked_up(airbyte: Airbyte, results: Mapping[str, Result]) -> dict[str, Result]:
    """The results with the current status of running jobs.

    A job that Airbyte no longer has counts as failed: nothing shows that it read the stream.

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
    """Refuse to re-read streams of an inactive connection, which runs no jobs.

    Raises:
        AirbyteError: the connection is inactive.
    """
    if keys and status == "inactive":
        raise AirbyteError(
            f"{_listed(keys)} can't be re-read: the connection is inactive, and Airbyte runs no job for it.",
            "Activate it, or remove the new backfill token until it is active.",
        )


class Refresh:
    """One backfill of some streams of a connection.

    Args:
        airbyte: the client.
        connection: the live connection, after the update's changes.
        target: the resource.
        recorded: job ids of earlier tokens in the state; these jobs can't satisfy a new token.
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
        """Re-read streams once no other job runs, and wait for the job.

        Returns:
            The job: succeeded, or still running at the deadline.

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
        how = "re-read" if job.finished else "still being re-read; the next `pulumi up` checks the job"
        self._target.say(f"{_listed(streams)}: {how} (job {job.job_id})")
        return job

    def _running(self, names: list[StreamName]) -> int | None:
        """A running refresh of exactly these streams, which a killed run started."""
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
                # The engine does not check what a run does not target, so its secrets may be unknown.
                ends = self._airbyte.get_connection(self._id)
                reason = self._airbyte.job_failure(job_id, ends.source_id, ends.destination_id)
            raise AirbyteError(f"{what} has {job.status} (job {job_id}){f': {reason}' if reason else ''}.", AGAIN)
        return job


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(map(shown, keys))


def tokens_now(new: Properties, after: Properties, past: Past) -> Tokens:
    """The program's tokens. While its streams are unknown, keys are resolved with the state's streams."""
    return tokens_of(new, streams_of(after) or streams_of(past.tree))


class RereadError(AirbyteError):
    """A backfill failed for some or all streams.

    Args:
        cause: the first error.
        results: the result of each stream.
    """

    def __init__(self, cause: AirbyteError, results: Mapping[str, Result]) -> None:
        super().__init__(cause.message, cause.hint, cause.status)
        self.results = results


@dataclass(frozen=True)
class Due:
    """The streams that an update re-reads, and the results of earlier backfills.

    Attributes:
        by_token: the streams whose token requests it.
        by_change: the streams whose change requires it.
        results: earlier backfills, with the current status of their jobs.
        rewrites: the server's rewrites of the program's streams.
    """

    by_token: list[str]
    by_change: list[str]
    results: Mapping[str, Result]
    rewrites: Rewrites

    @property
    def streams(self) -> list[str]:
        """All streams to re-read."""
        return [*self.by_token, *self.by_change]

    def by_mode(self, mode: RefreshMode) -> dict[RefreshMode, list[str]]:
        """The streams by refresh mode. Tokens use the given one; a change always merges."""
        found: dict[RefreshMode, list[str]] = {mode: list(self.by_token)}
        found.setdefault("merge", []).extend(self.by_change)
        return {how: streams for how, streams in found.items() if streams}


def due(airbyte: Airbyte, past: Past, new: Properties, after: Properties) -> Due:
    """The streams that an update has to re-read.

    Args:
        airbyte: the client.
        past: the connection of the state.
        new: inputs of the program.
        after: canonical tree of `new`.

    Raises:
        AirbyteError: the job of an earlier backfill can't be read, or the connection is inactive.
    """
    results = looked_up(airbyte, past.results)
    by_token = asked(past.tokens, tokens_of(new, streams_of(after)), results)
    changed = unfinished_changes(results, after)
    if new.get("refreshOnSchemaChange") is True:
        changed += reshaped(past.tree, after)
    by_change = [key for key in dict.fromkeys(changed) if key not in by_token]
    found = Due(by_token, by_change, results, past.rewrites)
    refuse_inactive(str(after.get("status", "active")), found.streams)
    return found


def reread(airbyte: Airbyte, connection: Connection, what: Due, new: Properties, target: Target) -> Properties:
    """Re-read streams, and wait for the jobs.

    Returns:
        All results, as outputs.

    Raises:
        RereadError: a call or a job failed.
    """
    after = canonical(new)
    results, tokens = dict(what.results), tokens_of(new, streams_of(after))
    asking = {key: tokens[key] if key in what.by_token else None for key in what.streams}
    recorded = {one.job_id for one in what.results.values()}
    live = streams_of(from_server(connection, after, what.rewrites))
    missing = [key for key in what.streams if key not in live]
    if missing:
        # A refresh without streams would re-read all of them.
        named = ", ".join(map(shown, missing))
        hint = "Run `pulumi refresh`, which shows what the connection syncs."
        raise AirbyteError(f"{named} can't be re-read: Airbyte's connection does not have it.", hint)
    for how, keys in what.by_mode(cast("RefreshMode", new.get("refreshMode") or "merge")).items():
        names = {key: stream_name(live[key]) for key in keys}
        try:
            job = Refresh(airbyte, connection, target, recorded).run(names, how)
        except AirbyteError as error:
            raise RereadError(
                error, results | {key: Result(0, "failed", token) for key, token in asking.items()}
            ) from error
        status = job.status if job.finished else "running"
        results |= {key: Result(job.job_id, status, asking.pop(key)) for key in names}
    return results_output(results)
