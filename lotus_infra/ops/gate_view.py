"""How the gate is shown on a terminal: a line for each object, with the ways out."""

from collections.abc import Iterator

from lotus_infra.changes.acknowledge import KEY
from lotus_infra.changes.gate import Gate
from lotus_infra.changes.impact import Loss
from lotus_infra.ops.review import Review
from lotus_infra.streams.problems import printable


def render(review: Review) -> str:
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
        yield printable(f"stale: nothing happens to {object_}: take it out of {KEY}")
    if gate.ok:
        yield (
            f"the gate is open: {len(gate.accepted)} accepted" if gate.accepted else "the gate is open: nothing is lost"
        )


def _ways_out(gate: Gate, loss: Loss) -> str:
    acknowledge = f'add "{loss.object}" to {KEY} in the stack\'s file'
    if loss.refused:
        return f"{acknowledge}; the label {gate.label} is not enough, because an update refuses it without that"
    return f"label the pull request {gate.label}, or {acknowledge}"
