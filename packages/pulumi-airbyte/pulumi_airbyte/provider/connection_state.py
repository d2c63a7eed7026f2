"""A connection of the state in the terms of what a program says of it now. Pure.

A stream of the state may stand under another key: that of an earlier version, or that of a namespace which one of the
two leaves to the source. Here each stands under the key of the program's stream that it is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, cast

from pulumi_airbyte.provider.connection_inputs import canonical, filled_in, leaves_out, streams_of
from pulumi_airbyte.provider.losses import Taken, taken
from pulumi_airbyte.provider.properties import Properties, Property, reveal, unwrap
from pulumi_airbyte.provider.reconcile import Rewrites
from pulumi_airbyte.provider.resource import known_rewrites
from pulumi_airbyte.provider.target import Known
from pulumi_airbyte.stream_keys import aligned, key_in, renamed
from pulumi_airbyte.values import Path

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


@dataclass(frozen=True)
class Past:
    """A connection of the state.

    Attributes:
        tree: its inputs as a canonical tree, as the server took them.
        tokens: of its streams.
        results: of their backfills.
        rewrites: what the server made of what was sent.
        keys: the program's keys of its streams, by their own.
    """

    tree: Properties
    tokens: Tokens
    results: Mapping[str, Result]
    rewrites: Rewrites
    keys: Mapping[str, str]


def past_of(known: Known, now: Properties) -> Past:
    """A connection of the state, for a canonical tree of the program."""
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
    """A connection of the state as the server took it with the last write."""
    return taken(canonical(known.inputs), rewrites_in(known), leaves_out)


def rewrites_in(known: Known) -> Rewrites:
    """What the server made of what the state says, by the keys of its streams."""
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


def results_output(results: Mapping[str, Result]) -> Properties:
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
