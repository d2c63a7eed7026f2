"""What surrounds the writes of a connection: cursors that go over to its successor, and streams that are read anew."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import cast

from airbyte_model.streams import parse, shown, stream_name, to_text

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.cursors import RefreshMode
from pulumi_airbyte.client.models import Connection
from pulumi_airbyte.provider import backfill
from pulumi_airbyte.provider.backfill import Result, Tokens, asked, tokens_of
from pulumi_airbyte.provider.carry import Plan, Verdict, judge
from pulumi_airbyte.provider.connection_past import Past, past_of, taken_of
from pulumi_airbyte.provider.connection_tree import canonical, from_server, streams_of
from pulumi_airbyte.provider.handover import UNREADABLE, begin, finish, same_definition, seems_same_definition
from pulumi_airbyte.provider.losses import may_lose
from pulumi_airbyte.provider.properties import Properties, Property, is_known, reveal, unwrap
from pulumi_airbyte.provider.reconcile import Rewrites, changes
from pulumi_airbyte.provider.refreshes import Refresh, looked_up, refuse_inactive
from pulumi_airbyte.provider.resource import Server, known_rewrites
from pulumi_airbyte.provider.target import Known, Run, Target
from pulumi_airbyte.values import Path, canonical_json

UNSEEN = "nobody can say yet of which connector its new source is"
QUIET = ("backfills", "refreshMode", "refreshOnSchemaChange", "allowCursorLoss")
"""Inputs that are no difference by themselves: they say what is to happen with others."""


def verdict_on(known: Known, new: Properties, *, same_connector: bool) -> Verdict:
    """What becomes of the cursors of a connection that is replaced."""
    after = canonical(new)
    past = past_of(known, after)
    anew = asked(past.tokens, tokens_now(new, after, past), past.results)
    return judge(past.tree, after, past.rewrites, anew, same_connector=same_connector)


def tokens_now(new: Properties, after: Properties, past: Past) -> Tokens:
    """The tokens of a program; while its streams are not known, their keys mean those of the state."""
    return tokens_of(new, streams_of(after) or streams_of(past.tree))


def parting(server: Server, known: Known, successor: Properties) -> Verdict:
    """What becomes of the cursors of a connection that goes before its successor comes.

    Raises:
        AirbyteError: a source can't be read.
    """
    sources = [unwrap(inputs.get("sourceId")) for inputs in (known.inputs, successor)]
    if all(isinstance(source, str) for source in sources):
        related = same_definition(server.inventory, server.airbyte, *map(str, sources))
        return verdict_on(known, successor, same_connector=related)
    verdict = verdict_on(known, successor, same_connector=True)
    return replace(verdict, lost=dict.fromkeys(verdict.streams, UNSEEN), anew=frozenset())


def successor_note(inputs: Properties) -> str:
    """What `parting` must know of a successor, as JSON without secrets. What is not known yet is left out."""
    plain = {name: unwrap(inputs.get(name)) for name in ("sourceId", "configurations", "backfills", "allowCursorLoss")}
    note = {name: reveal(value) for name, value in plain.items() if value is not None and is_known(value)}
    streams = note.get("configurations")
    if isinstance(streams, str):
        parsed = parse(streams, stored=True)
        note["configurations"] = to_text({key: {**each, "mappers": []} for key, each in parsed.items()})
    return canonical_json(note)


def takeover(server: Server, old: Known | None, new: Properties, target: Target) -> Plan | None:
    """What a new connection takes over from the one that it replaces, which rests from now on; None for nothing.

    Raises:
        AirbyteError: cursors would be lost and that is not allowed, or a call failed.
    """
    if old is None or not old.inputs or not streams_of(canonical(old.inputs)):
        return None
    if not verdict_on(old, new, same_connector=True).streams:
        return None
    sources = [str(unwrap(inputs.get("sourceId"))) for inputs in (old.inputs, new)]
    related = same_definition(server.inventory, server.airbyte, sources[0], sources[1])
    verdict = verdict_on(old, new, same_connector=related)
    left = Plan.parse(old.outputs.get("unfinished"))
    if left is not None:
        # It never got the cursors of the one that it was to replace: they go by it to the next.
        finish(server.airbyte, server.airbyte.get_connection(old.id), left, "inactive")
    plan = begin(server.airbyte, old.id, verdict, target, allowed=new.get("allowCursorLoss") is True)
    if plan is not None:
        target.say(verdict.text())
    return plan


def explained_takeover(airbyte: Airbyte, run: Run, known: Known, new: Properties) -> str:
    """For people, without a call: what becomes of the cursors."""
    related = seems_same_definition(run, known.inputs, new)
    verdict = verdict_on(known, new, same_connector=related is not False)
    if not airbyte.has_config_api:
        verdict = replace(verdict, lost=dict.fromkeys(verdict.streams, UNREADABLE), anew=frozenset())
    parts = [verdict.text()]
    if verdict.kept and related is None:
        parts.append("if the new source is of the same connector")
    if verdict.lost and new.get("allowCursorLoss") is not True:
        parts.append("an update refuses to lose cursors unless allowCursorLoss is set")
    if verdict.kept and unwrap(known.inputs.get("destinationId")) != unwrap(new.get("destinationId")):
        parts.append("rows that were read before stay in the old destination")
    return "; ".join(part for part in parts if part)


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
    changed = backfill.unfinished_changes(results, after)
    if new.get("refreshOnSchemaChange") is True:
        changed += backfill.reshaped(past.tree, after)
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
    return backfill.told(results)


def differences(airbyte: Airbyte, known: Known, new: Properties) -> list[tuple[Path, Property, Property]]:
    """Every place where a connection is to change, or a stream is to be read anew. Calls only where a job ran last."""
    if _says_the_same(known, new):
        return changed_places(known, new)
    after = canonical(new)
    past = past_of(known, after)
    found, results = list(_changes(past.tree, after)), past.results
    with suppress(AirbyteError):
        results = looked_up(airbyte, results)
    now = tokens_now(new, after, past)
    keys = [*asked(past.tokens, now, results), *backfill.unfinished_changes(results, after)]
    found += [(("backfills", key), past.tokens.get(key), now.get(key)) for key in dict.fromkeys(keys)]
    if "unfinished" in known.outputs:
        found.append((("unfinished",), known.outputs["unfinished"], None))
    return found


def changed_places(known: Known, new: Properties) -> list[tuple[Path, Property, Property]]:
    """Every place where the inputs of a connection differ in what they are to be."""
    if _same_streams(known.inputs, new) and not _may_lack_streams(known):
        # The streams are most of a connection, and equal texts need not be parsed to be the same.
        old, new = (
            {key: value for key, value in each.items() if key != "configurations"} for each in (known.inputs, new)
        )
        return list(_changes(taken_of(replace(known, inputs=old)).tree, canonical(new)))
    after = canonical(new)
    return list(_changes(past_of(known, after).tree, after))


def _says_the_same(known: Known, new: Properties) -> bool:
    """Whether streams and tokens are word for word those of the state, which has nothing left to do."""
    same_tokens = unwrap(known.inputs.get("backfills")) == unwrap(new.get("backfills"))
    left = backfill.RESULTS in known.outputs or "unfinished" in known.outputs or _may_lack_streams(known)
    return same_tokens and not left and _same_streams(known.inputs, new)


def _may_lack_streams(known: Known) -> bool:
    """Whether the last write may have lost something of the streams."""
    found = known_rewrites(known.outputs)
    return may_lose({path: there for path, there in found.items() if path[0] == "configurations"})


def _same_streams(old: Properties, new: Properties) -> bool:
    was, now = (unwrap(inputs.get("configurations")) for inputs in (old, new))
    return isinstance(was, str) and was == now


def _changes(before: Properties, after: Properties) -> Iterator[tuple[Path, Property, Property]]:
    was, now = ({key: value for key, value in tree.items() if key not in QUIET} for tree in (before, after))
    return changes(was, now)
