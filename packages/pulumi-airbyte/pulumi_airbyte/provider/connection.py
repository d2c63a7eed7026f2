"""Connections: a source's streams into a destination."""

import json
from dataclasses import replace
from functools import partial
from typing import cast

from airbyte_model.streams import ConfigurationError, parse, to_text

from pulumi_airbyte.provider import backfill
from pulumi_airbyte.provider.carry import Plan
from pulumi_airbyte.provider.config_fields import noted, resource_failures, settings_of
from pulumi_airbyte.provider.config_writes import config_failures, require_config_api, server_says, with_settings
from pulumi_airbyte.provider.connection_identity import IDENTITY
from pulumi_airbyte.provider.connection_past import past_of, taken_of
from pulumi_airbyte.provider.connection_steps import (
    Due,
    UnreadError,
    changed_places,
    differences,
    due,
    explained_takeover,
    parting,
    read_anew,
    successor_note,
    takeover,
)
from pulumi_airbyte.provider.connection_tree import (
    canonical,
    from_server,
    leaves_out,
    mapper_keys_hidden,
    named,
    secrecy_kept,
    wire,
)
from pulumi_airbyte.provider.connection_writes import ConnectionWrites, identity_of
from pulumi_airbyte.provider.explain import explain_streams
from pulumi_airbyte.provider.gone import connection_listed, connection_there, exists, remove
from pulumi_airbyte.provider.handover import readable, refuse_losses
from pulumi_airbyte.provider.losses import Taken
from pulumi_airbyte.provider.properties import UNKNOWN, Properties, Property, is_known, reveal, unwrap
from pulumi_airbyte.provider.reconcile import merged, same
from pulumi_airbyte.provider.refreshes import looked_up
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
from pulumi_airbyte.provider.server_made import told
from pulumi_airbyte.provider.tables import CONNECTION_INPUTS, CONNECTION_OUTPUTS
from pulumi_airbyte.provider.target import Known, Target
from pulumi_airbyte.provider.unfinished import UnfinishedError
from pulumi_airbyte.values import Path, render_path


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
        """Refuse what the server would refuse without looking at the source."""
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
        # What the engine puts in for ignoreChanges is what the server has, which code could not have said.
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
        """Inputs without defaults, with the streams as a tree by key."""
        return canonical(inputs)

    def taken(self, known: Known) -> Taken:
        """As the server took it, with the streams by their keys of today."""
        return taken_of(known)

    def leaves_out(self, tree: Properties, path: Path) -> bool:
        """A namespace or a key that is the source's own."""
        return leaves_out(tree, path)

    def named(self, tree: Properties, path: Path) -> str:
        """Tags, streams and fields by name."""
        return named(tree, path)

    def successor(self, inputs: Properties) -> str:
        """What decides which cursors can go over: the source and the streams, without what their mappers hold."""
        return successor_note(inputs)

    def create(self, inputs: Properties, target: Target) -> Made:
        """POST, unless it is there already. One that replaces another goes on where that one was."""
        tree, old = self.remote(self.tree(inputs)), self._writes.found(target.replaced)
        require_config_api(self.server, tree, set(tree))
        target = replace(target, replaced=old)
        plan = takeover(self.server, old, inputs, target)
        resumes = old is not None and plan is not None and plan.alive and "status" not in self.tree(old.inputs)
        made = self._writes.make(tree, target, plan, resumes=resumes)
        if old is not None:
            self.server.run.record.arrive(self.entry(old.inputs))
        return Made(made.connection_id, self._writes.complete(made, tree, plan))

    def foresee(self, inputs: Properties, target: Target) -> Properties:
        """Say whether it is there already: its source and its destination are, where their ids are known."""
        if not all(isinstance(unwrap(inputs.get(key)), str) for key in IDENTITY):
            return {}
        target = replace(target, replaced=self._writes.found(target.replaced))
        found = self._writes.adoption(self.remote(self.tree(inputs)), target).foresee()
        return identity_of(found.record) if found is not None else {}

    def read(self, known: Known, target: Target) -> Live | None:
        """GET; `deprecated` is what a deleted connection is."""
        connections = self.server.inventory.connections
        found = exists(self.airbyte, lambda: connections.get(known.id), connection_listed(known.id))
        if found is None or found.status == "deprecated":
            return None
        sent = self.remote(self.tree(known.inputs)) if known.inputs else {}
        found, made = with_settings(self.server, found, known), self.taken(known)
        live = cast("Properties", merged(from_server(found, sent, made.rewrites), sent, made.rewrites))
        news = told(live, sent, found, partial(server_says, self.server, found))
        if news:
            target.say(news)
        outputs = {**identity_of(found), **kept_rewrites(known.outputs, sent, made), **self._kept(known)}
        inputs = {**secrecy_kept(wire(live), known.inputs), **self.local(known.inputs)}
        if sent and live.get("configurations") == sent.get("configurations"):
            # An earlier version may have written the same streams in another order.
            inputs["configurations"] = known.inputs["configurations"]
        return Live(inputs, outputs)

    def update(self, known: Known, new: Properties, target: Target) -> Properties:
        """PATCH just what differs: the server leaves a schedule or a catalog alone only when it is absent."""
        after = self.remote(self.tree(new))
        past = past_of(known, after)
        again = due(self.airbyte, past, new, after)
        differing = set(self.remote({str(path[0]): None for path, _, _ in changed_places(known, new)}))
        differing |= noted(known.outputs)
        require_config_api(self.server, after, differing | settings_of(after) if differing else set())
        self._writes.offers.require(str(after.get("sourceId")), past.tree, after)
        plan = Plan.parse(known.outputs.get("unfinished"))
        if plan is not None:
            self._writes.hand_over(self._writes.there(known.id), plan, after)
        outputs = {key: value for key, value in known.outputs.items() if key not in {"unfinished", backfill.RESULTS}}
        reasons: list[str] = []
        if differing:
            try:
                outputs = self._writes.change(known, after, differing, past.rewrites)
            except UnfinishedError as error:
                outputs, reasons = error.outputs, [*error.reasons]
            again = replace(again, rewrites=known_rewrites(outputs))
        try:
            outputs = {**outputs, **self._read_anew(known, again, new, target)}
        except UnreadError as error:
            # The change is made: a refresh would find it, and nothing that is still to be read anew.
            outputs = {**outputs, **backfill.told(error.results)}
            reasons.append(str(error))
        if reasons:
            raise UnfinishedError(known.id, outputs, *reasons)
        return outputs

    def delete(self, known: Known, target: Target) -> None:
        """DELETE; one that is gone already answers 204 or 404."""
        noted = self.server.run.record.successor(self.entry(known.inputs))
        if noted is None:
            self._writes.catch_up(known, self.server.run.inputs_now(target.urn), target)
        elif noted:
            successor: Properties = json.loads(noted)
            # It goes before its successor comes: what could not be handed over then must not be lost now.
            live = connection_there(self.airbyte, known.id)
            if live is not None:
                state = readable(self.airbyte, known.id)
                verdict = parting(self.server, known, successor)
                refuse_losses(live, verdict, state, allowed=successor.get("allowCursorLoss") is True)
        remove(self.airbyte, lambda: self.airbyte.delete_connection(known.id), connection_listed(known.id))
        self.server.inventory.connections.drop(known.id)

    def diff(self, known: Known, new: Properties) -> Differences:
        """What is to change, and what is to be read anew."""
        found = changed_places(known, new)
        if any(self.replaces(path) for path, _, _ in found):
            return found
        return differences(self.airbyte, known, new)

    def explain(self, known: Known, new: Properties, found: Differences) -> str:
        """The streams and fields that change, by name; and what becomes of cursors and of rows that were read."""
        if not found:
            return ""
        parts = [explain_streams([item for item in found if item[0][0] == "configurations"])]
        if any(self.replaces(path) for path, _, _ in found):
            parts.append(explained_takeover(self.airbyte, self.server.run, known, new))
        else:
            plan = Plan.parse(known.outputs.get("unfinished"))
            parts += [f"will take over the cursors of connection {plan.old_id}"] if plan else []
            after = self.tree(new)
            past = past_of(known, after)
            parts.append(backfill.explained(past.tokens, new, past.tree, after, found))
        return "; ".join(part for part in parts if part)

    def _read_anew(self, known: Known, again: Due, new: Properties, target: Target) -> Properties:
        if not again.streams:
            return backfill.told(again.results)
        return read_anew(self.airbyte, self._writes.there(known.id), again, new, target)

    def _kept(self, known: Known) -> Properties:
        """Outputs of which the server knows nothing."""
        results = backfill.told(looked_up(self.airbyte, backfill.results_of(known.outputs)))
        return results | {key: value for key, value in known.outputs.items() if key == "unfinished"}


def _refused(named: Properties) -> list[Failure]:
    """What the server would refuse in properties other than the streams."""
    others = {key: value for key, value in named.items() if key != "configurations"}
    found = schedule_failures(named.get("schedule")) + resource_failures(named) + refused_tags(named.get("tags"))
    return found + refused_texts(others)


def _checked_streams(configurations: Property, checking: Checking) -> tuple[Property, list[Failure]]:
    """The streams as canonical text, or what is wrong with them."""
    if not is_known(configurations):
        return UNKNOWN, []
    try:
        streams = parse(reveal(configurations), stored=checking.importing)
    except ConfigurationError as error:
        return "", [Failure("configurations", str(error))]
    if checking.importing:
        return to_text(streams), []
    found = [Failure(render_path(path), MASK_ADVICE) for path in masks(cast("Property", streams), ("configurations",))]
    return to_text(streams), found + refused_streams(streams)
