"""The steps of sources that dlt reads, in the form that steps of Airbyte's sources and connections have.

The engine creates nothing for such a source: its component has the settings as inputs, and a Kubernetes secret below it
has the configuration with all values. So the engine compares a component's inputs, and names no differing paths.
`readable` adds them, and puts `[secret]` in the place of each reference, whose value only the secret has.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.lake.references import is_reference, property_path, walk_leaves
from lotus_infra.plan.addresses import CONFIGURATION, Files, is_credential
from lotus_infra.plan.impact import DLT_SOURCE, Loss
from lotus_infra.plan.preview import HIDDEN, PropertyDiff, PropertyPath, ResourceState, Step, property_paths
from lotus_infra.plan.verdicts import differences, is_source_secret

_VARIABLES: Final = frozenset({"stringData", "data"})
"""The properties of a Kubernetes secret with its values."""
_OF_WRITER: Final = frozenset((name,) for name in naming.WRITER_VARIABLES)


def readable(steps: Sequence[Step]) -> list[Step]:
    """Steps in which those of sources that dlt reads name what differs, and hide what only their secrets have.

    A source whose secret alone changes counts as updated, if the preview shows its component.

    Args:
        steps: One for each resource.
    """
    secrets = {step.name: step for step in steps if is_source_secret(step)}
    sources = {step.urn: step for step in steps if step.type == DLT_SOURCE}
    found = []
    for step in steps:
        if step.urn in sources:
            secret = secrets.get(naming.source_secret(step.name))
            found.append(_readable(step, is_secret_changed=secret is not None and _changes(secret)))
        else:
            found.append(step)
    return found


def hidden_moves(steps: Sequence[Step], files: Files) -> Iterator[Loss]:
    """The sources whose secret changes an address, as far as the preview shows no step of their component.

    Args:
        steps: One for each resource.
        files: The lake's files, which say what the secret has.
    """
    shown = {naming.source_secret(step.name) for step in steps if step.type == DLT_SOURCE}
    for step in steps:
        if not is_source_secret(step) or step.name in shown:
            continue
        source = files.source_of_secret(step.name)
        if not _changes(step):
            continue
        named = files.references(("source", source)).items()
        hidden = [path for path, each in named if files.hides(each) and not is_credential(path, None)]
        if hidden or not source:
            where = ", ".join(map(".".join, hidden)) or CONFIGURATION
            what = f"may point to another place: {where} (hidden); if so, its secrets are sent there"
            yield Loss("source", source or step.name, what, effect="exposes")


def _changes(secret: Step) -> bool:
    """Whether a step of a source's secret may change its configuration, and not the writer's key alone."""
    if secret.op != "update":
        return False
    named = [path for path in property_paths(secret) if path[0] in _VARIABLES]
    return not named or any(path[1:] not in _OF_WRITER for path in named)


def _readable(step: Step, *, is_secret_changed: bool) -> Step:
    if step.old is None or step.new is None:
        return step.model_copy(update={"old": _hidden(step.old), "new": _hidden(step.new)})
    if step.quiet and not is_secret_changed:
        return step
    old, new = (state.inputs.get(CONFIGURATION) for state in (step.old, step.new))
    named = {
        *differences(
            {**step.old.inputs, CONFIGURATION: _without(old)}, {**step.new.inputs, CONFIGURATION: _without(new)}
        ),
        *((CONFIGURATION, *path) for path in _hidden_paths(old, new, is_secret_changed=is_secret_changed)),
    }
    return step.model_copy(
        update={
            "op": "update" if step.quiet else step.op,
            "old": _hidden(step.old),
            "new": _hidden(step.new),
            "detailed_diff": {_path_text(path): PropertyDiff(kind="update") for path in sorted(named)},
            "diff_reasons": tuple(sorted({path[0] for path in named})),
        }
    )


def _hidden_paths(old: JsonValue, new: JsonValue, *, is_secret_changed: bool) -> Iterator[PropertyPath]:
    """The places of references that differ, or whose values may: the secret has them all in one text.

    If a value that is not hidden differs too, the secret differs anyway. Then a credential counts as unchanged, and an
    address as changed.
    """
    before, after = (_references(value) for value in (old, new))
    yield from (path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    if is_secret_changed:
        is_alone = _without(old) == _without(new) and before == after
        yield from (path for path in before.keys() & after.keys() if is_alone or not is_credential(path, None))


def _references(configuration: JsonValue) -> Mapping[PropertyPath, JsonValue]:
    return {tuple(map(str, path)): leaf for path, leaf in walk_leaves(configuration) if is_reference(leaf)}


def _hidden(state: ResourceState | None) -> ResourceState | None:
    """A state with `[secret]` in the place of each reference in its configuration."""
    if state is None or CONFIGURATION not in state.inputs:
        return state
    shown = _replaced(state.inputs[CONFIGURATION], HIDDEN)
    return state.model_copy(update={"inputs": {**state.inputs, CONFIGURATION: shown}})


def _without(configuration: JsonValue) -> JsonValue:
    """A configuration without its references."""
    return _replaced(configuration, None)


def _replaced(value: JsonValue, reference: str | None) -> JsonValue:
    if is_reference(value):
        return reference
    if isinstance(value, dict):
        return {key: _replaced(inner, reference) for key, inner in value.items()}
    return [_replaced(inner, reference) for inner in value] if isinstance(value, list) else value


def _path_text(path: PropertyPath) -> str:
    """A path as the engine writes it; its first part alone, if the rest can't be written."""
    return property_path(path) or path[0]
