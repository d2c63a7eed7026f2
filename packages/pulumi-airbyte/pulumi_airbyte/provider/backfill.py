"""Which streams of a connection are to be read anew: by tokens, and by changes of what is read. Pure.

A token asks once. What was asked last is in the inputs of the state; how that went, in its outputs.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, cast

from airbyte_model.streams import StreamTree, key_in, keys_meant, shown

from pulumi_airbyte.provider.carry import incremental
from pulumi_airbyte.provider.connection_tree import streams_of
from pulumi_airbyte.provider.properties import Properties, Property, Unknown, is_known, reveal, unwrap
from pulumi_airbyte.provider.resource import Differences, Failure
from pulumi_airbyte.values import render_path

FAILED: Final = ("failed", "cancelled")
RESULTS: Final = "backfillResults"
Tokens = dict[str, Property]


@dataclass(frozen=True)
class Result:
    """How the last backfill of a stream went.

    Attributes:
        job_id: the job that read it; 0 where none was begun.
        status: how the job ended, or `running`.
        token: what asked for it; None where a change of the stream did.
    """

    job_id: int
    status: str
    token: Property = None


def tokens_of(inputs: Properties, streams: Collection[str]) -> Tokens:
    """The tokens of a connection's streams, by the streams' keys; none while the whole is unknown."""
    found = unwrap(inputs.get("backfills"))
    return {key_in(key, streams): unwrap(token) for key, token in found.items()} if isinstance(found, dict) else {}


def results_of(outputs: Properties, streams: Collection[str] | None = None) -> dict[str, Result]:
    """The results that a state has: by the keys of its streams, or without these, by those that it has."""
    found = unwrap(outputs.get(RESULTS))
    entries = cast("dict[str, dict[str, Property]]", reveal(found)) if isinstance(found, dict) else {}
    return {
        key if streams is None else key_in(key, streams): Result(
            int(cast("int", entry.get("jobId", 0))), str(entry["status"]), entry.get("token")
        )
        for key, entry in entries.items()
    }


def told(results: Mapping[str, Result]) -> Properties:
    """Results as outputs; nothing where there is none."""
    entries: Properties = {
        key: {
            "status": one.status,
            **({"jobId": one.job_id} if one.job_id else {}),
            **({} if one.token is None else {"token": one.token}),
        }
        for key, one in sorted(results.items())
    }
    return {RESULTS: entries} if entries else {}


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


SHAPE: Final = ("syncMode", "cursorField", "primaryKey")


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
