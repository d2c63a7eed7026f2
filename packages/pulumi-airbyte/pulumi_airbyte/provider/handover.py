"""Handing cursors over from a connection to the one that replaces it (airbyte-platform, StateHandler)."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from airbyte_model.streams import shown

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.cursors import SavedState
from pulumi_airbyte.client.models import Connection
from pulumi_airbyte.provider.carry import Plan, Verdict
from pulumi_airbyte.provider.gone import actor_listed, connection_there, exists
from pulumi_airbyte.provider.inventory import Inventory
from pulumi_airbyte.provider.jobs import Deadline, until_idle
from pulumi_airbyte.provider.properties import Properties, unwrap
from pulumi_airbyte.provider.target import Run, Target

UNREADABLE = "it can't be read without the Config API"
ADVICE = "To let them go, set allowCursorLoss on the connection: its next sync reads these streams from the beginning."


def begin(airbyte: Airbyte, old_id: str, verdict: Verdict, target: Target, *, allowed: bool) -> Plan | None:
    """Bring the old connection to rest and say what its successor takes over; None where that is nothing.

    Raises:
        AirbyteError: a cursor would be lost and that is not allowed (then nothing was written), a job of the old
            connection does not end, or a call failed.
    """
    found = connection_there(airbyte, old_id)
    if found is None:
        return None
    state = readable(airbyte, old_id)
    refuse_losses(found, verdict, state, allowed=allowed)
    if state is None or not verdict.kept:
        return None
    if found.status == "active":
        airbyte.patch_connection(old_id, {"status": "inactive"})
    with resumed(airbyte, old_id, when=found.status == "active"):
        until_idle(airbyte, old_id, Deadline.of(target))
        # A sync that just ended may have left more cursors.
        state = airbyte.cursors(old_id)
        refuse_losses(found, verdict, state, allowed=allowed)
        return Plan(old_id, verdict.names(state), alive=found.status != "deprecated")


@contextmanager
def resumed(airbyte: Airbyte, connection_id: str, *, when: bool) -> Iterator[None]:
    """Let a connection run on, as far as that can be had, where it gets no successor after all."""
    try:
        yield
    except AirbyteError:
        if when:
            with suppress(AirbyteError):
                airbyte.patch_connection(connection_id, {"status": "active"})
        raise


def refuse_losses(old: Connection, verdict: Verdict, state: SavedState | None, *, allowed: bool) -> None:
    """Make sure that no cursor is lost that the old connection has.

    Args:
        old: the connection.
        verdict: what becomes of its cursors.
        state: how far it has read; None where that can't be read.
        allowed: whether cursors may be lost.

    Raises:
        AirbyteError: one would be.
    """
    if allowed:
        return
    lost = verdict.losses(state) if state else dict.fromkeys([*verdict.kept, *verdict.lost], UNREADABLE)
    if lost:
        named = ", ".join(f"{shown(key)} ({why})" for key, why in sorted(lost.items()))
        raise AirbyteError(f'A new connection in place of "{old.name}" would lose cursors: {named}.', ADVICE)


def readable(airbyte: Airbyte, connection_id: str) -> SavedState | None:
    """The cursors of a connection that exists, or None where the server has no Config API to read them with."""
    if not airbyte.has_config_api:
        return None
    try:
        return airbyte.cursors(connection_id)
    except AirbyteError as error:
        if error.status == 404:
            return None
        raise


def finish(airbyte: Airbyte, new: Connection, plan: Plan, wanted: str) -> Connection:
    """Give a connection that was made inactive its cursors, and then the status that is wanted. May be repeated.

    One that is active had been finished before: it may have synced since, so that its cursors stay.

    Raises:
        AirbyteError: a call failed, or the server did not keep the cursors.
    """
    if new.status == "active":
        return new
    state = plan.part(airbyte.cursors(plan.old_id))
    if state.rows or state.kind in {"global", "legacy"}:
        airbyte.write_cursors(new.connection_id, state)
        if not state.within(airbyte.cursors(new.connection_id)):
            raise AirbyteError(
                f'Airbyte did not keep the cursors of connection "{new.name}" ({new.connection_id}).',
                "It stays inactive; `pulumi up` tries again.",
            )
    return new if wanted == "inactive" else airbyte.patch_connection(new.connection_id, {"status": wanted})


def same_definition(inventory: Inventory, airbyte: Airbyte, old_source: str, new_source: str) -> bool:
    """Whether two sources are of one connector; one that is gone is of none.

    Raises:
        AirbyteError: a call failed.
    """
    if old_source == new_source:
        return True

    def definition(source_id: str) -> str | None:
        found = exists(airbyte, lambda: inventory.actors("source").get(source_id), actor_listed("source", source_id))
        return found.definition_id if found else None

    definitions = (definition(old_source), definition(new_source))
    return definitions[0] is not None and definitions[0] == definitions[1]


def seems_same_definition(run: Run, old: Properties, new: Properties) -> bool | None:
    """The same, as far as this run of the engine has shown, without a call; None where it has not."""
    if unwrap(old.get("sourceId")) == unwrap(new.get("sourceId")):
        return True
    known = []
    for inputs in (old, new):
        source_id = unwrap(inputs.get("sourceId"))
        seen = run.inputs_of(source_id) if isinstance(source_id, str) else None
        known.append(unwrap(seen.get("definitionId")) if seen else None)
    return known[0] == known[1] if None not in known else None
