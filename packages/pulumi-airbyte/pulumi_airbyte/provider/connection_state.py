"""A connection in the state: inputs, backfill tokens and backfill results, under the program's stream keys. Pure.

The state may hold a stream under another key than the program does: one of an earlier version, or one with a namespace
that only one of the two names. `past_of` renames each to the program's key.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, cast

from airbyte_model.streams import aligned, key_in, renamed

from pulumi_airbyte.provider.connection_inputs import canonical, filled_in, leaves_out, streams_of
from pulumi_airbyte.provider.losses import Taken, taken
from pulumi_airbyte.provider.properties import Properties, Property, reveal, unwrap
from pulumi_airbyte.provider.reconcile import Rewrites
from pulumi_airbyte.provider.resource import known_rewrites
from pulumi_airbyte.provider.target import Known
from pulumi_airbyte.values import Path

RESULTS: Final = "backfillResults"
Tokens = dict[str, Property]


@dataclass(frozen=True)
class Result:
    """The last backfill of a stream.

    Attributes:
        job_id: its job; 0 if none was started.
        status: the job's final status, or `running`.
        token: the token that requested it; None if a change of the stream did.
    """

    job_id: int
    status: str
    token: Property = None


@dataclass(frozen=True)
class Past:
    """A connection of the state, under the program's stream keys.

    Attributes:
        tree: canonical tree of its inputs, as the server accepted them.
        tokens: backfill tokens.
        results: backfill results.
        rewrites: the server's rewrites of what was sent.
        keys: the program's stream keys, by the state's.
    """

    tree: Properties
    tokens: Tokens
    results: Mapping[str, Result]
    rewrites: Rewrites
    keys: Mapping[str, str]


def past_of(known: Known, now: Properties) -> Past:
    """The connection of the state, renamed to the stream keys of the program's canonical tree."""
    made = taken_of(known)
    tree, before = made.tree, made.rewrites
    streams = streams_of(tree)
    keys = aligned(streams, streams_of(now), filled_in(before))
    return Past(
        tree={**tree, "configurations": cast("Property", renamed(streams, keys))} if streams else tree,
        tokens=renamed(tokens_of(known.inputs, streams), keys),
        results=renamed(results_of(known.outputs, streams), keys),
        rewrites={_renamed(path, keys): value for path, value in before.items()},
        keys=keys,
    )


def taken_of(known: Known) -> Taken:
    """The connection of the state as the server accepted it at the last write."""
    return taken(canonical(known.inputs), rewrites_in(known), leaves_out)


def rewrites_in(known: Known) -> Rewrites:
    """The recorded rewrites, under the state's current stream keys."""
    found = known_rewrites(known.outputs)
    if not any(path[0] == "configurations" for path in found):
        return found
    streams = streams_of(canonical(known.inputs))
    keys = {str(path[1]): key_in(str(path[1]), streams) for path in found if len(path) > 1}
    return {_renamed(path, keys): value for path, value in found.items()}


def _renamed(path: Path, keys: Mapping[str, str]) -> Path:
    if len(path) < 2 or path[0] != "configurations":
        return path
    return (path[0], keys.get(str(path[1]), path[1]), *path[2:])


def tokens_of(inputs: Properties, streams: Collection[str]) -> Tokens:
    """The backfill tokens by stream key; empty while the whole mapping is unknown."""
    found = unwrap(inputs.get("backfills"))
    return {key_in(key, streams): unwrap(token) for key, token in found.items()} if isinstance(found, dict) else {}


def results_of(outputs: Properties, streams: Collection[str] | None = None) -> dict[str, Result]:
    """The recorded backfill results, under current stream keys if `streams` is given, else under the recorded ones."""
    found = unwrap(outputs.get(RESULTS))
    entries = cast("dict[str, dict[str, Property]]", reveal(found)) if isinstance(found, dict) else {}
    return {
        key if streams is None else key_in(key, streams): Result(
            int(cast("int", entry.get("jobId", 0))), str(entry["status"]), entry.get("token")
        )
        for key, entry in entries.items()
    }


def results_output(results: Mapping[str, Result]) -> Properties:
    """The output that records these results; no output if there are none."""
    entries: Properties = {
        key: {
            "status": one.status,
            **({"jobId": one.job_id} if one.job_id else {}),
            **({} if one.token is None else {"token": one.token}),
        }
        for key, one in sorted(results.items())
    }
    return {RESULTS: entries} if entries else {}
