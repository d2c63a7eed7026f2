"""How the gate is shown on a terminal: a line for each object, with the ways out."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from pydantic import JsonValue

from lotus_infra.commands.options import JSON, LABEL, PREVIEW, PREVIEWED_STACK, STREAMS
from lotus_infra.commands.review import Request, Review, judged
from lotus_infra.config.stack import ACKNOWLEDGE_KEY
from lotus_infra.lake.diagnostics import printable
from lotus_infra.plan.gate import Gate
from lotus_infra.plan.impact import Loss


@click.command()
@PREVIEW
@LABEL
@PREVIEWED_STACK
@STREAMS
@JSON
def gate(preview: Path, labels: tuple[str, ...], stack: str | None, directory: Path, *, as_json: bool) -> None:
    """Exit with 1 if a preview deletes something, loses a cursor or landed rows, and nobody agreed to that.

    It is agreed to by the label `accepts-data-loss`, or object by object in the stack's `lotus:acknowledge`. A preview
    that failed never passes.

    Example: lotus gate --preview preview.json --label accepts-data-loss
    """
    review = judged(Request(preview, directory, stack, labels))
    click.echo(json.dumps(gate_document(review), indent=2) if as_json else render_gate(review), nl=as_json)
    if not review.gate.ok:
        sys.exit(1)


def render_gate(review: Review) -> str:
    """What is blocked, what is accepted, and what is acknowledged in vain."""
    return "".join(f"{line}\n" for line in _lines(review))


def _lines(review: Review) -> Iterator[str]:
    gate = review.gate
    for error in review.impact.errors:
        yield from (printable(line) for line in error.splitlines())
    if not gate.complete:
        yield "blocked: the preview failed, so nobody knows what would be lost: mend it, and preview again"
    for loss in gate.blocked:
        yield printable(f"blocked: {loss.object} {loss.what}: {_ways_out(gate, loss)}")
    for loss in gate.accepted:
        yield printable(f"accepted: {loss.object} {loss.what}")
    for object_ in gate.stale:
        yield printable(f"stale: nothing happens to {object_}: take it out of {ACKNOWLEDGE_KEY}")
    if gate.ok:
        yield (
            f"the gate is open: {len(gate.accepted)} accepted" if gate.accepted else "the gate is open: nothing is lost"
        )


def _ways_out(gate: Gate, loss: Loss) -> str:
    acknowledge = f'add "{loss.object}" to {ACKNOWLEDGE_KEY} in the stack\'s file'
    if loss.refused:
        return f"{acknowledge}; the label {gate.label} is not enough, because an update refuses it without that"
    return f"label the pull request {gate.label}, or {acknowledge}"


def gate_document(review: Review) -> dict[str, JsonValue]:
    """Whether the run may go ahead, and what of it nobody agreed to."""
    gate = review.gate
    return {
        "ok": gate.ok,
        "stack": review.impact.stack,
        "verdict": review.impact.verdict,
        "errors": list(review.impact.errors),
        "blocked": [_loss(loss) for loss in gate.blocked],
        "accepted": [_loss(loss) for loss in gate.accepted],
        "stale": list(gate.stale),
        "label": gate.label,
    }


def _loss(loss: Loss) -> JsonValue:
    return {"object": loss.object, "what": loss.what, "refused": loss.refused}
