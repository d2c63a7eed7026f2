"""What somebody has to agree to: objects that go, and what they or their streams lose for good.

A stream that leaves the lake keeps its files and its cursor, and so is no loss. Everything that the engine deletes is
one, known or not, unless it is only left alone.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import JsonValue

from lotus_infra.changes.digest import Step
from lotus_infra.changes.impact import Loss
from lotus_infra.changes.kinds import HOLDERS, LIFECYCLE, SOURCE, is_object, kind_of
from lotus_infra.changes.sources import pipelines, stream_losses

_WHAT: Final = {
    "source": "is deleted, and with it its connection and every cursor; files in the bucket stay",
    "connection": "is deleted, and with it every cursor; files in the bucket stay",
    "destination": "is deleted; files in the bucket stay",
    "bucket": "is deleted with all that is in it",
    "database": "is deleted with all that is in it",
    "volume": "is deleted with all that is in it",
    "namespace": "is deleted with all that is in it",
}
_ANEW: Final = "is made anew, and what is in it goes with the old one"
_UNGUARDED: Final = "is no longer protected from deletion"
_FORCED: Final = "may from now on be deleted although something is in it"


def losses_of(steps: Sequence[Step]) -> tuple[Loss, ...]:
    """What a run deletes or loses, by kind and name."""
    found = [loss for step in steps if is_object(step) for loss in _of_step(step)]
    found += [loss for pipeline in pipelines(steps) for loss in stream_losses(pipeline)]
    # A connection goes with its source, which says so.
    deleted = {step.name for step in steps if step.type == SOURCE and step.op == "delete"}
    told = (loss for loss in found if not (loss.kind == "connection" and loss.name in deleted))
    return tuple(sorted(told, key=lambda loss: (loss.kind, loss.name, loss.what)))


def left_alone(step: Step) -> bool:
    """Whether a deletion only makes the stack forget the object."""
    return step.op == "delete" and step.old is not None and step.old.retain_on_delete


def _of_step(step: Step) -> Iterator[Loss]:
    kind, name = kind_of(step), step.name
    if step.op == "delete" and not left_alone(step):
        yield Loss(kind, name, _WHAT.get(kind, "is deleted"))
    elif step.op == "replace" and kind in HOLDERS:
        yield Loss(kind, name, _ANEW)
    elif step.old is not None and step.new is not None:
        if step.old.protect and not step.new.protect:
            yield Loss(kind, name, _UNGUARDED)
        if step.new.inputs.get("forceDestroy") is True and step.old.inputs.get("forceDestroy") is not True:
            yield Loss(kind, name, _FORCED)
        if step.type == LIFECYCLE:
            yield from _expiring(step)


def _expiring(step: Step) -> Iterator[Loss]:
    """A bucket's rules by which objects go that stay today, or stay longer."""
    before, after = (_days(state.inputs.get("rules")) if state else {} for state in (step.old, step.new))
    for rule, days in sorted(after.items()):
        if rule not in before or days < before[rule]:
            yield Loss("bucket", step.name, f"loses what is older than {days} days (its rule {rule})")


def _days(rules: JsonValue) -> dict[str, int]:
    """After how many days a rule lets objects, or versions that are no longer current, go; by the rule's id."""
    found: dict[str, int] = {}
    for rule in rules if isinstance(rules, list) else []:
        if not isinstance(rule, dict) or rule.get("status") == "Disabled":
            continue
        told = [_number(rule.get("expiration"), "days")]
        told.append(_number(rule.get("noncurrentVersionExpiration"), "noncurrentDays"))
        days = [each for each in told if each is not None]
        if days:
            found[str(rule.get("id"))] = min(days)
    return found


def _number(part: JsonValue, key: str) -> int | None:
    """An integer that a preview shows as one or, as AWS's schema would have it, as a float."""
    value = part.get(key) if isinstance(part, dict) else None
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
