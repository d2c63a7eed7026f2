"""How a review is shown: what would be done, a line for each resource."""

from typing import Final

from pydantic import JsonValue

from lotus_infra.changes.digest import Step
from lotus_infra.ops.preview import Reviewed
from lotus_infra.streams.problems import printable

SIGNS: Final = {"create": "+", "delete": "-", "update": "~", "import": "="}


def render(reviewed: Reviewed) -> str:
    """The review for a terminal."""
    review, steps = reviewed.review, _changing(reviewed)
    head = f"{review.stack} at {review.commit[:12]}: {len(steps)} to do" if steps else f"{review.stack}: nothing to do"
    lines = [f" {SIGNS.get(step.op, '±')} {step.op:<8} {_kind(step)} {printable(step.name)}" for step in steps]
    return "\n".join([head, *lines, f"reviewed in {printable(str(reviewed.folder))}"])


def as_document(reviewed: Reviewed) -> dict[str, JsonValue]:
    """The review as JSON."""
    steps: list[JsonValue] = [{"op": step.op, "type": step.type, "name": step.name} for step in _changing(reviewed)]
    return {"ok": True, **reviewed.review.model_dump(), "folder": str(reviewed.folder), "steps": steps}


def _changing(reviewed: Reviewed) -> list[Step]:
    return [step for step in reviewed.preview.steps if not step.quiet]


def _kind(step: Step) -> str:
    return step.type.rsplit(":", maxsplit=1)[-1]
