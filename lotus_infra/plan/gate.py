"""Whether a run may go ahead: what it loses, and what of that somebody has agreed to."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from lotus_infra.plan.impact import Impact, Loss


@dataclass(frozen=True, slots=True)
class Gate:
    """What the gate says.

    Attributes:
        complete: whether the preview came to its end; what is missing could lose anything.
        blocked: losses that nobody agreed to.
        accepted: losses that the stack acknowledges, or that the label lets pass.
        label: the label that lets losses pass.
        stale: acknowledgements of what this run does not lose.
    """

    complete: bool
    blocked: tuple[Loss, ...]
    accepted: tuple[Loss, ...]
    label: str
    stale: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the run may go ahead."""
        return self.complete and not self.blocked


def gate(impact: Impact, acknowledged: Collection[str], labels: Collection[str], label: str) -> Gate:
    """Judge a run.

    Args:
        impact: what it does.
        acknowledged: objects as `stream shopify/orders`, each of which may be lost.
        labels: those that the pull request carries.
        label: the one of them that lets every loss pass that an update does not refuse by itself.
    """
    labelled = label in labels
    # A name that two lost streams share says of neither that it may be lost.
    named = Counter(name for loss in impact.losses for name in loss.objects)
    agreed = {name for name in acknowledged if named[name] == 1}

    def passes(loss: Loss) -> bool:
        return loss.object in acknowledged or bool(loss.objects & agreed) or (labelled and not loss.refused)

    lost = set(named)
    return Gate(
        complete=impact.complete,
        blocked=tuple(loss for loss in impact.losses if not passes(loss)),
        accepted=tuple(loss for loss in impact.losses if passes(loss)),
        label=label,
        stale=tuple(sorted(set(acknowledged) - lost)) if impact.complete else (),
    )
