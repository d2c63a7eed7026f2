"""Connections: the resource's verbs, and the texts that explain a change."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final, cast

from airbyte_model.streams import ConfigurationError, parse, shown, to_text

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.config_connections import ConfigConnection
from pulumi_airbyte.client.models import Connection
from pulumi_airbyte.provider import backfill
from pulumi_airbyte.provider.backfill import (
    Due,
    RereadError,
    asked,
    due,
    looked_up,
    reread,
    tokens_now,
)
from pulumi_airbyte.provider.connection_cursors import (
    CursorTransfer,
    cursors_if_readable,
    explain_transfer,
    outcome_of_deletion,
    prepare_transfer,
    refuse_losses,
    successor_note,
)
from pulumi_airbyte.provider.connection_inputs import (
    canonical,
    from_server,
    known_streams,
    leaves_out,
    mapper_keys_hidden,
    named,
    secrecy_kept,
    streams_of,
    tags_by_id,
    wire,
)
from pulumi_airbyte.provider.connection_settings import (
    config_failures,
    noted,
    require_config_api,
    resource_failures,
    server_says,
    settings_of,
    with_settings,
)
from pulumi_airbyte.provider.connection_state import RESULTS, past_of, results_of, results_output, taken_of
from pulumi_airbyte.provider.connection_writes import IDENTITY, ConnectionWrites, identity_of
from pulumi_airbyte.provider.gone import connection_listed, connection_there, exists, remove
from pulumi_airbyte.provider.losses import Taken, may_lose
from pulumi_airbyte.provider.properties import UNKNOWN, Properties, Property, is_known, reveal, unwrap
from pulumi_airbyte.provider.reconcile import changes, merged, same
from pulumi_airbyte.provider.refusals import refused_streams, refused_tags, refused_texts
from pulumi_airbyte.provider.resource import (
    Checked,
    Checking,
    Differences,
    Failure,
    Live,
    Made,
    ResourceType,
    Server,
    kept_rewrites,
    known_rewrites,
    table_failures,
)
from pulumi_airbyte.provider.schedule import schedule_failures
from pulumi_airbyte.provider.secrecy import MASK_ADVICE, masks
from pulumi_airbyte.provider.tables import CONNECTION_INPUTS, CONNECTION_OUTPUTS
from pulumi_airbyte.provider.target import Known, Target
from pulumi_airbyte.provider.unfinished import UnfinishedError
from pulumi_airbyte.values import Path, render_path

QUIET = ("backfills", "refreshMode", "refreshOnSchemaChange", "allowCursorLoss")
"""Inputs that are no change by themselves: they control how other changes are applied."""
Difference = tuple[Path, Property, Property]
ADDS_FIELDS: Final = ("propagate_columns", "propagate_fully")
LEAVE: Final = 'where it is to stay, add it to the program, or set ignore_changes=["configurations"]'


class ConnectionType(ResourceType):
    """`airbyte:index/connection:Connection`."""

    token = "airbyte:index/connection:Connection"
    summary = "Streams of a source that are synced into a destination."
    identity = IDENTITY
    inputs = CONNECTION_INPUTS
    outputs = CONNECTION_OUTPUTS

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._writes = ConnectionWrites(server)

    def check(self, inputs: Properties, checking: Checking) -> Checked:
        """Refuse inputs that the server would refuse without a look at the source."""
        named: Properties = {
            "name": checking.name,
            **{key: unwrap(value) for key, value in inputs.items() if unwrap(value) is not None},
        }
        failures: list[Failure] = []
        if "configurations" in named:
            named["configurations"], failures = _checked_streams(named["configurations"], checking)
        failures += [
            failure
            for failure in table_failures(self.inputs, named)
            if not (failures and failure.path == "configurations")
        ]
        failures += [] if checking.importing else _refused(named)
        # For ignoreChanges, the engine inserts the server's value, which a program may not be allowed to write.
        kept = {key for key in ("schedule", "status") if same(named.get(key), checking.old.get(key))}
        refused = [failure for failure in failures if failure.path.partition(".")[0] not in kept]
        if refused:
            return Checked(named, refused)
        tree = self.tree(named)
        found = [] if failures or checking.importing else config_failures(self.server, tree)
        refused = [failure for failure in found if failure.path.partition(".")[0] not in kept]
        tree, wrong = backfill.checked(tree)
        refused = refused or wrong
        if refused:
            return Checked(named, refused)
        return Checked(mapper_keys_hidden(secrecy_kept(wire(tree), inputs), tree), [])

    def tree(self, inputs: Properties) -> Properties:
        """Inputs without defaults, with streams as a mapping by key."""
        return canonical(inputs)

    def taken(self, known: Known) -> Taken:
        """The inputs as the server accepted them, under current stream keys."""
        return taken_of(known)

    def leaves_out(self, tree: Properties, path: Path) -> bool:
        """Whether the path is a namespace or key that the source defines."""
        return leaves_out(tree, path)

    def named(self, tree: Properties, path: Path) -> str:
        """A path in words: tags, streams and fields by name."""
        return named(tree, path)

    def successor(self, inputs: Properties) -> str:
        """The inputs that decide which cursors can be handed over, without mappers' values."""
        return successor_note(inputs)

    def create(self, inputs: Properties, target: Target) -> Made:
        """POST, or adopt an existing connection. A replacement takes over the old connection's cursors."""
        tree, old = self.remote(self.tree(inputs)), self._writes.found(target.replaced)
        require_config_api(self.server, tree, set(tree))
        target = replace(target, replaced=old)
        transfer = prepare_transfer(self.server, old, inputs, target)
        resumes = old is not None and transfer is not None and transfer.alive and "status" not in self.tree(old.inputs)
        made = self._writes.make(tree, target, transfer, resumes=resumes)
        if old is not None:
            self.server.run.record.arrive(self.entry(old.inputs))
        return Made(made.connection_id, self._writes.complete(made, tree, transfer))

    def foresee(self, inputs: Properties, target: Target) -> Properties:
        """Report whether it will be adopted, if the ids of its ends are known; refuse ends that are gone."""
        self._writes.prerequisites.foresee_ends(inputs)
        if not all(isinstance(unwrap(inputs.get(key)), str) for key in IDENTITY):
            return {}
        target = replace(target, replaced=self._writes.found(target.replaced))
        found = self._writes.adoption(self.remote(self.tree(inputs)), target).foresee()
        return identity_of(found.record) if found is not None else {}

    def read(self, known: Known, target: Target) -> Live | None:
        """GET. A deleted connection has the status `deprecated`."""
        connections = self.server.inventory.connections
        found = exists(self.airbyte, lambda: connections.get(known.id), connection_listed(known.id))
        if found is None or found.status == "deprecated":
            return None
        sent = self.remote(self.tree(known.inputs)) if known.inputs else {}
        found, made = with_settings(self.server, found, known), self.taken(known)
        live = cast("Properties", merged(from_server(found, sent, made.rewrites), sent, made.rewrites))
        news = changes_in_airbyte(live, sent, found, partial(server_says, self.server, found))
        if news:
            target.say(news)
        outputs = {**identity_of(found), **kept_rewrites(known.outputs, sent, made), **self._kept(known)}
        inputs = {**secrecy_kept(wire(live), known.inputs), **self.local(known.inputs)}
        if sent and live.get("configurations") == sent.get("configurations"):
            # Keep the state's text: an earlier version may have written the same streams in another order.
            inputs["configurations"] = known.inputs["configurations"]
        return Live(inputs, outputs)

    def update(self, known: Known, new: Properties, target: Target) -> Properties:
        """PATCH only what differs: the server rewrites a schedule or a catalog even if it is sent unchanged."""
        after = self.remote(self.tree(new))
        past = past_of(known, after)
        again = due(self.airbyte, past, new, after)
        differing = set(self.remote({str(path[0]): None for path, _, _ in changed_places(known, new)}))
        differing |= noted(known.outputs)
        require_config_api(self.server, after, differing | settings_of(after) if differing else set())
        self._writes.offers.require(str(after.get("sourceId")), past.tree, after)
        transfer = CursorTransfer.parse(known.outputs.get("unfinished"))
        if transfer is not None:
            self._writes.transfer_cursors(self._writes.there(known.id), transfer, after)
        outputs = {key: value for key, value in known.outputs.items() if key not in {"unfinished", RESULTS}}
        reasons: list[str] = []
        if differing:
            try:
                outputs = self._writes.change(known, after, differing, past.rewrites)
            except UnfinishedError as error:
                outputs, reasons = error.outputs, [*error.reasons]
            again = replace(again, rewrites=known_rewrites(outputs))
        try:
            outputs = {**outputs, **self._reread(known, again, new, target)}
        except RereadError as error:
            # The change itself succeeded. The recorded results let the next update repeat the backfill.
            outputs = {**outputs, **results_output(error.results)}
            reasons.append(str(error))
        if reasons:
            raise UnfinishedError(known.id, outputs, *reasons)
        return outputs

    def delete(self, known: Known, target: Target) -> None:
        """DELETE. The server answers 204 or 404 for one that is already deleted."""
        noted = self.server.run.record.successor(self.entry(known.inputs))
        if noted is None:
            self._writes.catch_up(known, self.server.run.inputs_now(target.urn), target)
        elif noted:
            successor: Properties = json.loads(noted)
            # Its successor does not exist yet. Refuse the delete if it would lose cursors.
            live = connection_there(self.airbyte, known.id)
            if live is not None:
                state = cursors_if_readable(self.airbyte, known.id)
                outcome = outcome_of_deletion(self.server, known, successor)
                refuse_losses(live, outcome, state, allowed=successor.get("allowCursorLoss") is True)
        remove(self.airbyte, lambda: self.airbyte.delete_connection(known.id), connection_listed(known.id))
        self.server.inventory.connections.drop(known.id)

    def diff(self, known: Known, new: Properties) -> Differences:
        """The changed properties, and the streams to re-read."""
        found = changed_places(known, new)
        if any(self.replaces(path) for path, _, _ in found):
            return found
        return differences(self.airbyte, known, new)

    def explain(self, known: Known, new: Properties, found: Differences) -> str:
        """Name the streams and fields that change, and the effect on cursors and existing rows."""
        if not found:
            return ""
        parts = [explain_streams([item for item in found if item[0][0] == "configurations"])]
        if any(self.replaces(path) for path, _, _ in found):
            parts.append(explain_transfer(self.airbyte, self.server.run, known, new))
        else:
            transfer = CursorTransfer.parse(known.outputs.get("unfinished"))
            parts += [f"will take over the cursors of connection {transfer.old_id}"] if transfer else []
            after = self.tree(new)
            past = past_of(known, after)
            parts.append(backfill.explained(past.tokens, new, past.tree, after, found))
        return "; ".join(part for part in parts if part)

    def _reread(self, known: Known, again: Due, new: Properties, target: Target) -> Properties:
        if not again.streams:
            return results_output(again.results)
        return reread(self.airbyte, self._writes.there(known.id), again, new, target)

    def _kept(self, known: Known) -> Properties:
        """Outputs that only the state has."""
        results = results_output(looked_up(self.airbyte, results_of(known.outputs)))
        return results | {key: value for key, value in known.outputs.items() if key == "unfinished"}


def _refused(named: Properties) -> list[Failure]:
    """Failures for properties other than the streams."""
    others = {key: value for key, value in named.items() if key != "configurations"}
    found = schedule_failures(named.get("schedule")) + resource_failures(named) + refused_tags(named.get("tags"))
    return found + refused_texts(others)


def _checked_streams(configurations: Property, checking: Checking) -> tuple[Property, list[Failure]]:
    """The streams as canonical text, and failures for them."""
    if not is_known(configurations):
        known = known_streams(configurations)
        return UNKNOWN, _checked_streams(known, checking)[1] if known else []
    try:
        streams = parse(reveal(configurations), stored=checking.importing)
    except ConfigurationError as error:
        return "", [Failure("configurations", str(error))]
    if checking.importing:
        return to_text(streams), []
    found = [Failure(render_path(path), MASK_ADVICE) for path in masks(cast("Property", streams), ("configurations",))]
    return to_text(streams), found + refused_streams(streams)


def differences(airbyte: Airbyte, known: Known, new: Properties) -> list[tuple[Path, Property, Property]]:
    """Every change of a connection, and every stream to re-read. Calls the server only if a backfill was running."""
    if _same_texts(known, new):
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
    """Every difference in meaning between the state's inputs and the new ones."""
    if _same_streams(known.inputs, new) and not _may_lack_streams(known):
        # Streams are most of a connection. Skipping equal texts saves the time to parse them.
        old, new = (
            {key: value for key, value in each.items() if key != "configurations"} for each in (known.inputs, new)
        )
        return list(_changes(taken_of(replace(known, inputs=old)).tree, canonical(new)))
    after = canonical(new)
    return list(_changes(past_of(known, after).tree, after))


def _same_texts(known: Known, new: Properties) -> bool:
    """Whether streams and tokens equal the state's texts, and the state has nothing unfinished."""
    same_tokens = unwrap(known.inputs.get("backfills")) == unwrap(new.get("backfills"))
    left = RESULTS in known.outputs or "unfinished" in known.outputs or _may_lack_streams(known)
    return same_tokens and not left and _same_streams(known.inputs, new)


def _may_lack_streams(known: Known) -> bool:
    """Whether the last write may have lost part of the streams."""
    found = known_rewrites(known.outputs)
    return may_lose({path: there for path, there in found.items() if path[0] == "configurations"})


def _same_streams(old: Properties, new: Properties) -> bool:
    was, now = (unwrap(inputs.get("configurations")) for inputs in (old, new))
    return isinstance(was, str) and was == now


def _changes(before: Properties, after: Properties) -> Iterator[tuple[Path, Property, Property]]:
    was, now = ({key: value for key, value in tags_by_id(tree).items() if key not in QUIET} for tree in (before, after))
    return changes(was, now)


def explain_streams(differences: list[Difference]) -> str:
    """One line such as `orders: + field note, - field tags; + stream customers (namespace shop)`."""
    by_stream: dict[str, list[Difference]] = {}
    for path, old, new in differences:
        if len(path) > 1:
            by_stream.setdefault(str(path[1]), []).append((path[2:], old, new))
    return "; ".join(_explain_stream(shown(key), found) for key, found in sorted(by_stream.items()))


def _explain_stream(name: str, differences: list[Difference]) -> str:
    path, old, _ = differences[0]
    if not path:
        return f"+ stream {name}" if old is None else f"- stream {name}"
    parts = []
    for key in sorted({str(where[0]) for where, _, _ in differences}):
        found = [item for item in differences if str(item[0][0]) == key]
        parts.append(_explain_fields(found) if key == "selectedFields" else f"~ {key}")
    return f"{name}: {', '.join(parts)}"


def _explain_fields(differences: list[Difference]) -> str:
    old, new = (_names(differences, side) for side in (1, 2))
    if any(where == ("selectedFields",) and new_value is None for where, _, new_value in differences):
        return "~ all fields"
    if any(where == ("selectedFields",) and old_value is None for where, old_value, _ in differences):
        return f"~ only fields {', '.join(sorted(new))}"
    added = [f"+ field {field}" for field in sorted(new - old)]
    return ", ".join(added + [f"- field {field}" for field in sorted(old - new)])


def _names(differences: list[Difference], side: int) -> set[str]:
    names: set[str] = set()
    for difference in differences:
        value = unwrap(difference[side])  # type: ignore[arg-type]
        names |= (
            {str(item) for item in value}
            if isinstance(value, list)
            else {str(value)}
            if isinstance(value, str)
            else set()
        )
    return names


def changes_in_airbyte(
    live: Properties, sent: Properties, found: Connection, ask: Callable[[], ConfigConnection | None]
) -> str:
    """Explain how a connection changed in Airbyte since it was last applied; empty if it did not.

    Who made a change is unknown: an edit looks like a change by the server.

    Args:
        live: the live canonical tree.
        sent: the canonical tree that was applied.
        found: the connection.
        ask: reads the Config API's record; called only if there is a change to explain.
    """
    if not sent:
        return ""
    parts = [*_status(live, sent, ask), *_propagated(live, sent, found)]
    return "; ".join(parts)


def _status(live: Properties, sent: Properties, ask: Callable[[], ConfigConnection | None]) -> Iterator[str]:
    status = live.get("status", "active")
    if status == reveal(sent.get("status", "active")):
        return
    if status == "locked":
        said = ask()
        reason = f" ({said.status_reason})" if said and said.status_reason else ""
        yield f"it is locked in Airbyte{reason}: Airbyte refuses changes until it is unlocked on its page there"
    elif status == "inactive":
        said = ask()
        if said and said.breaking_change:
            yield (
                "it is switched off in Airbyte, where a breaking change of the source's schema needs a review: "
                'the next up switches it on again, unless ignore_changes=["status"] leaves it as it is'
            )
        else:
            yield "it is switched off in Airbyte"


def _propagated(live: Properties, sent: Properties, found: Connection) -> Iterator[str]:
    policy = found.non_breaking_schema_updates_behavior
    if policy not in ADDS_FIELDS:
        return
    now, before = streams_of(live), streams_of(sent)
    changed = False
    for key in sorted(now.keys() & before.keys()):
        has, had = now[key].get("selectedFields"), before[key].get("selectedFields")
        if isinstance(has, list) and isinstance(had, list):
            for field in sorted(set(has) - set(had)):
                changed = True
                yield f"field {field} of {shown(key)} was added in Airbyte ({policy} adds what the source gains)"
    if policy == "propagate_fully":
        for key in sorted(now.keys() - before.keys()):
            changed = True
            yield f"stream {shown(key)} was added in Airbyte ({policy} adds what the source gains)"
    if changed:
        yield LEAVE
