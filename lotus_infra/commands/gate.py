"""`lotus gate`: fail if a preview loses or exposes data without an acknowledgement, with a line and a remedy for each.

`lotus deploy` prints the same lines, and `lotus comment --json` contains the same document.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from pydantic import JsonValue

from lotus_infra.commands.options import JSON, LABEL, PREVIEW, PREVIEWED_STACK, STREAMS
from lotus_infra.commands.review import Review, ReviewRequest, review_losses
from lotus_infra.commands.terminal import lead
from lotus_infra.config.stack import ACKNOWLEDGE_KEY
from lotus_infra.lake.diagnostics import escape_unprintable
from lotus_infra.plan.gate import Gate
from lotus_infra.plan.impact import Loss


@click.command()
@PREVIEW
@LABEL
@PREVIEWED_STACK
@STREAMS
@JSON
def gate(preview: Path, labels: tuple[str, ...], stack: str | None, directory: Path, *, as_json: bool) -> None:
    """Fail if a preview loses data that was not acknowledged.

    Exits with 1 if the preview loses objects, cursors or existing rows, or exposes data. Acknowledge losses and
    exposures with the label `accepts-data-loss`, or object by object in the stack's `lotus:acknowledge`. A failed
    preview never passes.

    Example: lotus gate --preview preview.json --label accepts-data-loss
    """
    review = review_losses(ReviewRequest(preview, directory, stack, labels))
    click.echo(json.dumps(gate_document(review), indent=2) if as_json else render_gate(review), nl=as_json)
    if not review.gate.ok:
        sys.exit(1)


def render_gate(review: Review) -> str:
    """Format the blocked losses, the accepted ones and the stale acknowledgements, a line each."""
    return "".join(f"{line}\n" for line in _lines(review))


def gate_document(review: Review) -> dict[str, JsonValue]:
    """The gate's decision as one JSON document; `ok` is whether the run may proceed."""
    gate = review.gate
    return {
        "ok": gate.ok,
        "stack": review.impact.stack,
        "verdict": review.impact.verdict,
        "errors": list(review.impact.errors),
        "blocked": [_loss_document(loss) for loss in gate.blocked],
        "accepted": [_loss_document(loss) for loss in gate.accepted],
        "stale": list(gate.stale),
        "label": gate.label,
    }


def _loss_document(loss: Loss) -> JsonValue:
    return {"object": loss.object, "what": loss.what, "refused": loss.refused, "effect": loss.effect}


def _lines(review: Review) -> Iterator[str]:
    gate = review.gate
    for error in review.impact.errors:
        yield from (escape_unprintable(line) for line in error.splitlines())
    if not gate.complete:
        yield lead("blocked: the preview failed, so its losses are unknown: fix it, and preview again", "bad")
    for loss in gate.blocked:
        yield lead(f"blocked: {loss.object} {loss.what}: {_remedy(gate, loss)}", "bad")
    for loss in gate.accepted:
        yield lead(f"accepted: {loss.object} {loss.what}", "warning")
    for object_ in gate.stale:
        yield lead(f"stale: {object_} is not affected: remove it from {ACKNOWLEDGE_KEY}", "warning")
    if gate.ok:
        reason = f"{len(gate.accepted)} accepted" if gate.accepted else "no losses or exposures"
        yield lead(f"the gate is open: {reason}", "good")


def _remedy(gate: Gate, loss: Loss) -> str:
    acknowledge = f'add "{loss.object}" to {ACKNOWLEDGE_KEY} in the stack\'s file'
    if loss.refused:
        # The program passes acknowledgements to the provider; it cannot know the labels of a pull request.
        return (
            f"{acknowledge}; the label {gate.label} is not sufficient, because the provider refuses the loss by itself"
        )
    return f"label the pull request {gate.label}, or {acknowledge}"
