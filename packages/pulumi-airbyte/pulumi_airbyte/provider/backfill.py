"""Which streams of a connection are to be read anew: by tokens, and by changes of what is read. Pure.

A token asks once. What was asked last is in the inputs of the state; how that went, in its outputs.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, cast

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.cursors import RefreshMode, StreamName
from pulumi_airbyte.client.errors import NotFound
from pulumi_airbyte.client.models import Connection, Job
from pulumi_airbyte.configurations import StreamTree, key_of, shown, stream_name
from pulumi_airbyte.provider.connection_inputs import canonical, from_server, incremental, streams_of
from pulumi_airbyte.provider.connection_state import Past, Result, Tokens, results_output, tokens_of
from pulumi_airbyte.provider.properties import Properties, Property, Unknown, is_known, unwrap
from pulumi_airbyte.provider.reconcile import Rewrites
from pulumi_airbyte.provider.resource import Differences, Failure
from pulumi_airbyte.provider.target import Deadline, Target
from pulumi_airbyte.stream_keys import keys_meant
from pulumi_airbyte.values import render_path

FAILED: Final = ("failed", "cancelled")
SHAPE: Final = ("syncMode", "cursorField", "primaryKey")
AGAIN = "The next `pulumi up` tries again."


def asked(old: Tokens, new: Tokens, results: Mapping[str, Result]) -> list[str]:
    """The streams whose token asks for a backfill that was not done yet.

    A text does so wherever it is a new one. `true` does only where the state has `false`: where it has nothing, the
    connection is older than its tokens, or was imported.
    """
    return [key for key, token in sorted(new.items()) if _asks(old.get(key), token, results.get(key))]


def _asks(was: Property, token: Property, result: Result | None) -> bool:
    if result is not None and result.token == token and isinstance(token, str):
        return result.status in FAILED
    if token is True:
        return was is False or (was is True and result is not None and result.token is True and result.status in FAILED)
    return isinstance(token, str | Unknown) and token != was


def unfinished_changes(results: Mapping[str, Result], after: Properties) -> list[str]:
    """The streams that changed, and whose backfill for that failed after the update had ended."""
    streams = streams_of(after)
    return [key for key, one in results.items() if one.token is None and one.status in FAILED and key in streams]


def reshaped(before: Properties, after: Properties) -> list[str]:
    """The streams of which rows that were read before lack something now.

    Those that are read as a whole at every sync are not among them.
    """
    old = streams_of(before)
    return [
        key
        for key, stream in streams_of(after).items()
        if key in old
        and incremental(stream)
        and (added_fields(old[key], stream) or any(old[key].get(name) != stream.get(name) for name in SHAPE))
    ]


def added_fields(old: StreamTree, new: StreamTree) -> list[str]:
    """The fields that a stream gains; `all others` where it comes to select them all."""
    had, has = old.get("selectedFields"), new.get("selectedFields")
    if had is None:
        return []
    if has is None:
        return ["all others"]
    return sorted(set(cast("list[str]", has)) - set(cast("list[str]", had)))


def checked(tree: Properties) -> tuple[Properties, list[Failure]]:
    """A tree with its tokens by the keys of its streams, and what is wrong with tokens."""
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
        return f"may mean several streams: give the key of one, which is {' or '.join(meant)}"
    if is_known(token) and (not isinstance(token, str | bool) or token == ""):
        return 'must be a token such as "2026-02-01-reprice", true or false'
    return ""


def explained(old: Tokens, new: Properties, before: Properties, after: Properties, found: Differences) -> str:
    """For people: what an update will read anew, and what it will not.

    Args:
        old: tokens of the state.
        new: inputs of the program.
        before: the connection as it was, as a canonical tree in the program's terms.
        after: `new` as a canonical tree.
        found: the differences between them.
    """
    now = tokens_of(new, streams_of(after))
    due = {str(path[1]) for path, _, _ in found if path[0] == "backfills" and len(path) > 1}
    changed = reshaped(before, after)
    reads = {key: _why(key, old, now) for key in due}
    if new.get("refreshOnSchemaChange") is True:
        reads = {**dict.fromkeys(changed, "it changes"), **reads}
    parts = [f"will refresh {shown(key)} ({why})" for key, why in sorted(reads.items())]
    for key in (key for key in changed if key not in reads):
        fields = added_fields(streams_of(before)[key], streams_of(after)[key])
        if fields:
            parts.append(
                f"rows of {shown(key)} that are there already get no value of {', '.join(fields)} until a backfill "
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
    """Wait until no job of a connection is under way.

    Raises:
        AirbyteError: one still is at the deadline, or the wait was cancelled.
    """
    while (job := airbyte.running_job(connection_id)) is not None:
        if deadline.passed or airbyte.rest():
            raise AirbyteError(
                f"Job {job.job_id} ({job.job_type}) of connection {connection_id} is still {job.status} after "
                f"{deadline.seconds:g} seconds.",
                "Run `pulumi up` again once it has ended (it goes on where it is now), or allow more time with the "
                "resource's customTimeouts.",
            )


def until_finished(airbyte: Airbyte, job_id: int, deadline: Deadline) -> Job:
    """A job once it can change no more; or as it is at the deadline, or when the wait is cancelled."""
    while True:
        job = airbyte.get_job(job_id)
        if job.finished or deadline.passed or airbyte.rest():
            return job


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


def tokens_now(new: Properties, after: Properties, past: Past) -> Tokens:
    """The tokens of a program; while its streams are not known, their keys mean those of the state."""
    return tokens_of(new, streams_of(after) or streams_of(past.tree))


class UnreadError(AirbyteError):
    """Streams that were to be read anew, and that were not, or not all of them.

    Args:
        cause: why.
        results: how each went.
    """

    def __init__(self, cause: AirbyteError, results: Mapping[str, Result]) -> None:
        super().__init__(cause.message, cause.hint, cause.status)
        self.results = results


@dataclass(frozen=True)
class Due:
    """The streams that an update reads anew, and what is known of earlier backfills.

    Attributes:
        by_token: those whose token asks for it.
        by_change: those that lack something otherwise.
        results: of earlier backfills, as their jobs say now.
        rewrites: what the server has made of the program's streams.
    """

    by_token: list[str]
    by_change: list[str]
    results: Mapping[str, Result]
    rewrites: Rewrites

    @property
    def streams(self) -> list[str]:
        """All of them."""
        return [*self.by_token, *self.by_change]

    def by_mode(self, mode: RefreshMode) -> dict[RefreshMode, list[str]]:
        """The streams by how they are read, given how tokens want it."""
        found: dict[RefreshMode, list[str]] = {mode: list(self.by_token)}
        found.setdefault("merge", []).extend(self.by_change)
        return {how: streams for how, streams in found.items() if streams}


def due(airbyte: Airbyte, past: Past, new: Properties, after: Properties) -> Due:
    """What an update is to read anew.

    Args:
        airbyte: the client.
        past: the connection of the state.
        new: inputs of the program.
        after: `new` as a canonical tree.

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


def read_anew(airbyte: Airbyte, connection: Connection, what: Due, new: Properties, target: Target) -> Properties:
    """Read streams anew.

    Returns:
        All results, as outputs.

    Raises:
        UnreadError: a call or a job failed.
    """
    after = canonical(new)
    results, tokens = dict(what.results), tokens_of(new, streams_of(after))
    asking = {key: tokens[key] if key in what.by_token else None for key in what.streams}
    recorded = {one.job_id for one in what.results.values()}
    live = streams_of(from_server(connection, after, what.rewrites))
    missing = [key for key in what.streams if key not in live]
    if missing:
        # A call that names no stream would be for all of them.
        named = ", ".join(map(shown, missing))
        hint = "Run `pulumi refresh`, which shows what the connection syncs."
        raise AirbyteError(f"{named} can't be read anew: Airbyte's connection does not have it.", hint)
    for how, keys in what.by_mode(cast("RefreshMode", new.get("refreshMode") or "merge")).items():
        names = {key: stream_name(live[key]) for key in keys}
        try:
            job = Refresh(airbyte, connection, target, recorded).run(names, how)
        except AirbyteError as error:
            raise UnreadError(
                error, results | {key: Result(0, "failed", why) for key, why in asking.items()}
            ) from error
        status = job.status if job.finished else "running"
        results |= {key: Result(job.job_id, status, asking.pop(key)) for key in names}
    return results_output(results)
