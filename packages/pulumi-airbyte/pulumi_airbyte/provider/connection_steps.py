"""What surrounds the writes of a connection: cursors that go over to its successor, and streams that are read anew."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.cursors import RefreshMode, StreamName
from pulumi_airbyte.client.models import Connection
from pulumi_airbyte.configurations import parse, to_text
from pulumi_airbyte.provider import backfill
from pulumi_airbyte.provider.backfill import Result, asked, results_of, tokens_of
from pulumi_airbyte.provider.carry import Plan, Verdict, judge
from pulumi_airbyte.provider.connection_tree import canonical, from_server, streams_of
from pulumi_airbyte.provider.handover import UNREADABLE, begin, finish, same_definition, seems_same_definition
from pulumi_airbyte.provider.properties import Properties, Property, is_known, reveal, unwrap
from pulumi_airbyte.provider.reconcile import changes
from pulumi_airbyte.provider.refreshes import Refresh, looked_up, refuse_inactive
from pulumi_airbyte.provider.resource import Server, known_rewrites
from pulumi_airbyte.provider.target import Known, Run, Target
from pulumi_airbyte.values import Path, canonical_json

UNSEEN = "nobody can say yet of which connector its new source is"
QUIET = ("backfills", "refreshMode", "refreshOnSchemaChange", "allowCursorLoss")
"""Inputs that are no difference by themselves: they say what is to happen with others."""


def verdict_on(known: Known, new: Properties, *, same_connector: bool) -> Verdict:
    """What becomes of the cursors of a connection that is replaced."""
    anew = asked(tokens_of(known.inputs), tokens_of(new), results_of(known.outputs))
    before, after = canonical(known.inputs), canonical(new)
    return judge(before, after, known_rewrites(known.outputs), anew, same_connector=same_connector)


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
    return Verdict(verdict.streams, dict.fromkeys(verdict.streams, UNSEEN))


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
        verdict = Verdict(verdict.streams, dict.fromkeys(verdict.streams, UNREADABLE))
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
    """

    by_token: list[str]
    by_change: list[str]
    results: Mapping[str, Result]

    @property
    def streams(self) -> list[str]:
        """All of them."""
        return [*self.by_token, *self.by_change]

    def by_mode(self, mode: RefreshMode) -> dict[RefreshMode, list[str]]:
        """The streams by how they are read, given how tokens want it."""
        found: dict[RefreshMode, list[str]] = {mode: list(self.by_token)}
        found.setdefault("merge", []).extend(self.by_change)
        return {how: streams for how, streams in found.items() if streams}


def due(airbyte: Airbyte, known: Known, new: Properties) -> Due:
    """What an update is to read anew.

    Raises:
        AirbyteError: the job of an earlier backfill can't be read, or the connection is inactive.
    """
    results = looked_up(airbyte, results_of(known.outputs))
    before, after = canonical(known.inputs), canonical(new)
    by_token = asked(tokens_of(known.inputs), tokens_of(new), results)
    changed = backfill.unfinished_changes(results, after)
    if new.get("refreshOnSchemaChange") is True:
        changed += backfill.reshaped(before, after)
    found = Due(by_token, [key for key in dict.fromkeys(changed) if key not in by_token], results)
    refuse_inactive(str(after.get("status", "active")), found.streams)
    return found


def read_anew(airbyte: Airbyte, connection: Connection, what: Due, new: Properties, target: Target) -> Properties:
    """Read streams anew.

    Returns:
        All results, as outputs.

    Raises:
        UnreadError: a call or a job failed.
    """
    results, tokens = dict(what.results), tokens_of(new)
    asking = {key: tokens[key] if key in what.by_token else None for key in what.streams}
    recorded = {one.job_id for one in what.results.values()}
    live = streams_of(from_server(connection, {}))
    mode = cast("RefreshMode", new.get("refreshMode") or "merge")
    missing = [key for key in what.streams if key not in live]
    if missing:
        # A call that names no stream would be for all of them.
        hint = "Run `pulumi refresh`, which shows what the connection syncs."
        raise AirbyteError(f"{', '.join(missing)} can't be read anew: Airbyte's connection does not have it.", hint)
    for how, keys in what.by_mode(mode).items():
        names = {key: _name(live[key]) for key in keys}
        try:
            job = Refresh(airbyte, connection, target, recorded).run(names, how)
        except AirbyteError as error:
            raise UnreadError(
                error, results | {key: Result(0, "failed", why) for key, why in asking.items()}
            ) from error
        status = job.status if job.finished else "running"
        results |= {key: Result(job.job_id, status, asking.pop(key)) for key in names}
    return backfill.told(results)


def _name(stream: Mapping[str, object]) -> StreamName:
    namespace = stream.get("namespace")
    return (str(namespace) if namespace else None, str(stream["name"]))


def differences(airbyte: Airbyte, known: Known, new: Properties) -> list[tuple[Path, Property, Property]]:
    """Every place where a connection is to change, or a stream is to be read anew. Calls only where a job ran last."""
    found = changed_places(known.inputs, new)
    results = results_of(known.outputs)
    with suppress(AirbyteError):
        results = looked_up(airbyte, results)
    old, now = tokens_of(known.inputs), tokens_of(new)
    keys = [*asked(old, now, results), *backfill.unfinished_changes(results, canonical(new) if results else {})]
    found += [(("backfills", key), old.get(key), now.get(key)) for key in dict.fromkeys(keys)]
    if "unfinished" in known.outputs:
        found.append((("unfinished",), known.outputs["unfinished"], None))
    return found


def changed_places(old: Properties, new: Properties) -> list[tuple[Path, Property, Property]]:
    """Every place where two inputs of a connection differ in what they are to be."""
    was, now = (unwrap(inputs.get("configurations")) for inputs in (old, new))
    if isinstance(was, str) and was == now:
        # The streams are most of a connection, and equal texts need not be parsed to be the same.
        old, new = ({key: value for key, value in each.items() if key != "configurations"} for each in (old, new))
    return list(changes(_plain(old), _plain(new)))


def _plain(inputs: Properties) -> Properties:
    return {key: value for key, value in canonical(inputs).items() if key not in QUIET}
