"""Decide whether an update may run: it may lose or expose only what the stack's acknowledgements or a label accept."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from lotus_infra.plan.impact import Impact, Loss


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate's decision.

    Attributes:
        complete: whether the preview finished; the missing steps of an incomplete one could lose anything.
        blocked: the losses and exposures that are not accepted.
        accepted: those that the stack acknowledges, or that the label accepts.
        label: the label that accepts losses.
        stale: acknowledgements of objects that this update does not lose.
    """

    complete: bool
    blocked: tuple[Loss, ...]
    accepted: tuple[Loss, ...]
    label: str
    stale: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the update may run."""
        return self.complete and not self.blocked


def gate(impact: Impact, acknowledged: Collection[str], labels: Collection[str], label: str) -> Gate:
    """Judge an update.

    Args:
        impact: the effect of the update.
        acknowledged: the objects that the stack allows to lose, such as `stream shopify/orders`.
        labels: the pull request's labels.
        label: the label that accepts every loss, except those that an update itself refuses.
    """
    is_labelled = label in labels
    # Streams of two namespaces may have one name in their files. That name acknowledges neither of them.
    names = Counter(name for loss in impact.losses for name in loss.objects)
    unambiguous = {name for name in acknowledged if names[name] == 1}

    def is_accepted(loss: Loss) -> bool:
        return loss.object in acknowledged or bool(loss.objects & unambiguous) or (is_labelled and not loss.refused)

    return Gate(
        complete=impact.complete,
        blocked=tuple(loss for loss in impact.losses if not is_accepted(loss)),
        accepted=tuple(loss for loss in impact.losses if is_accepted(loss)),
        label=label,
        # An incomplete preview may lack the very steps that an acknowledgement is for.
        stale=tuple(sorted(set(acknowledged) - names.keys())) if impact.complete else (),
    )
