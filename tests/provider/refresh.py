"""The two halves of a promise: clean after apply, and not blind."""

from tests.provider.plugin import NOTHING, Object, Plugin


def assert_clean(plugin: Plugin, kind: str, made: Object) -> None:
    """A refresh finds the inputs that were applied, so that neither it nor a preview shows anything."""
    live = plugin.refreshed(kind, made)
    assert live.inputs == made.inputs
    assert live.outputs == made.outputs
    assert plugin.diff(kind, live.inputs, made.inputs, made.outputs) == NOTHING


def drifted(plugin: Plugin, kind: str, made: Object) -> dict[str, str]:
    """What a preview after a refresh will repair; and after that, nothing is left."""
    live = plugin.refreshed(kind, made)
    found = plugin.diff(kind, live.inputs, made.inputs, live.outputs)
    repaired = plugin.update(kind, live, made.inputs)
    assert_clean(plugin, kind, repaired)
    return found.detail
