"""A review as one JSON document, for `lotus comment --json` and `lotus gate --json`."""

from dataclasses import asdict

from pydantic import JsonValue

from lotus_infra.changes.impact import Loss
from lotus_infra.ops.review import Review


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


def comment_document(review: Review, markdown: str) -> dict[str, JsonValue]:
    """The same, with what becomes of each source and object, and the comment."""
    return {
        **gate_document(review),
        "sources": [asdict(source) for source in review.impact.sources],
        "others": [asdict(other) for other in review.impact.others],
        "markdown": markdown,
    }


def _loss(loss: Loss) -> JsonValue:
    return {"object": loss.object, "what": loss.what, "refused": loss.refused}
