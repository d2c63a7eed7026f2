"""Compute the effect of an update on data from the steps of its preview.

Cursors follow the rules of the server and of the provider. On an update, Airbyte drops the cursor of a stream that is
no longer read incrementally, and keeps it if the cursor field changes or the stream is removed (airbyte-platform,
deleteStateForStreamsWithSyncModeChanged). On a replacement, the provider transfers cursors, and its own code computes
here which ones (`pulumi_airbyte.provider.connection_cursors`).

A loss is what an update can't restore, or what it exposes to others. A stream that is removed keeps its files and its
cursor, so it is no loss. Every deletion is one, also of a kind that Lotus does not know, unless the stack only forgets
the object. `lotus_infra.plan.verdicts` has the verdicts by type and property; cursors and rows are judged here.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from airbyte_model.modes import is_incremental
from airbyte_model.streams import Stream, name_of, shown
from pulumi_airbyte.provider.backfill import reshaped, tokens_now
from pulumi_airbyte.provider.configuration import SETTINGS_CHANGE
from pulumi_airbyte.provider.connection_cursors import UNSEEN, cursor_outcome
from pulumi_airbyte.provider.connection_inputs import canonical
from pulumi_airbyte.provider.connection_state import past_of
from pulumi_airbyte.provider.properties import UNKNOWN as UNKNOWN_PROPERTY
from pulumi_airbyte.provider.properties import Properties, Property
from pulumi_airbyte.provider.target import Known
from pydantic import JsonValue

from lotus_infra.plan.addresses import Files, LeafChange, exposures, leaf_changes, shown_change
from lotus_infra.plan.impact import (
    CONNECTION,
    DESTINATION,
    PROVIDER,
    SOURCE,
    Change,
    CursorImpact,
    History,
    Impact,
    Loss,
    ObjectImpact,
    PropertyChange,
    Refresh,
    SourceImpact,
    StreamImpact,
    area_of,
    is_object,
    is_provider,
    kind_of,
    worst,
)
from lotus_infra.plan.preview import (
    QUIET,
    REPLACEMENT_PARTS,
    REPLACES,
    Preview,
    PropertyPath,
    ResourceState,
    Step,
    hides,
    is_hidden,
    property_paths,
    value_at,
)
from lotus_infra.plan.streams import streams
from lotus_infra.plan.verdicts import Run, findings, is_forgotten, subject_of
from lotus_infra.urns import Urn

SECRET_STREAMS: Final = (
    "its streams are secret, because a mapper holds a key: "
    "this preview can't show which streams, fields or cursors change"
)
_CHANGES: Final[Mapping[str, Change]] = {
    "create": "added",
    "import": "added",
    "update": "changed",
    "delete": "removed",
    "replace": "replaced",
    "import-replacement": "replaced",
    "create-replacement": "replaced",
    "delete-replaced": "removed",
}
"""The change that each operation of the engine makes. One that is not known counts as `changed`."""
_OVERWRITING_MODES: Final = frozenset({"full_refresh_overwrite", "full_refresh_overwrite_deduped"})
_LOSSES: Final = frozenset({"destroys", "exposes"})
"""Effects that close the gate."""
_LOCATION: Final = frozenset({"namespaceDefinition", "namespaceFormat", "prefix"})
"""Properties of a connection that decide where rows land within a destination."""
_REPORTED_ELSEWHERE: Final = frozenset({"configurations", "backfills", "sourceId", "destinationId"})
"""Properties of a connection that are reported as streams, refreshes, replacements and remarks, not by value."""
_MOVES_DESTINATION: Final = "it moves to another destination: existing rows stay in the old one"
_MOVES_LOCATION: Final = "new rows land under another namespace or prefix: existing rows stay where they are"
_HIDDEN_LOSS: Final = (
    "changes streams that this preview can't show, because a mapper holds a key: cursors may be lost and existing rows "
    "overwritten"
)


def impact_of(
    preview: Preview,
    histories: Mapping[str, History] | None = None,
    stack: str = "",
    files: Files | None = None,
) -> Impact:
    """Compute the effect of an update on data.

    Args:
        preview: the preview of the update.
        histories: the job history of connections, by connection id; None if Airbyte was not asked.
        stack: the stack; if empty, the one that the preview names.
        files: the lake's files, with the pinned specifications; without them, secrets are known by their names only.

    Raises:
        LotusError: a connection's streams are not in the provider's form.
    """
    steps = main_steps(preview)
    run = Run.of(steps)
    sources = (_source_impact(pipeline, preview, histories or {}, run) for pipeline in _pipelines(steps))
    return Impact(
        stack=stack or stack_of(preview),
        complete=preview.complete,
        errors=preview.errors,
        sources=tuple(sources),
        others=tuple(sorted(_others(steps, preview, run), key=lambda each: (each.area, each.kind, each.name))),
        losses=_losses([*steps, *_leftovers(preview)], run, files or Files()),
    )


def stack_of(preview: Preview) -> str:
    """The stack that the first step names; empty if there is no step."""
    return Urn.parse(preview.steps[0].urn).stack if preview.steps else ""


def main_steps(preview: Preview) -> list[Step]:
    """One step for each resource.

    A replacement has three steps in events and one in a digest; its step `replace` is in both. A resource may have a
    quiet step first, such as `same` or `refresh`, and be changed or deleted by a later one.
    """
    found: dict[str, Step] = {}
    for step in preview.steps:
        if step.urn not in found or _rank(step) > _rank(found[step.urn]):
            found[step.urn] = step
    changed = {step.urn: step for step in _changed_providers(preview)}
    return list(
        {**changed, **{urn: step for urn, step in found.items() if urn not in changed or not step.quiet}}.values()
    )


def _changed_providers(preview: Preview) -> Iterator[Step]:
    """A step for each provider whose plugin reports changed settings: the engine shows none of a default provider."""
    for each in preview.diagnostics:
        if (
            each.message.startswith(SETTINGS_CHANGE)
            and "::" in each.urn
            and Urn.parse(each.urn).type.startswith(PROVIDER)
        ):
            names = tuple(each.message.removeprefix(SETTINGS_CHANGE).split(", "))
            yield Step(op="update", urn=each.urn, old=ResourceState(), new=ResourceState(), diff_reasons=names)


def _rank(step: Step) -> int:
    """How much of a resource's change a step shows, beside its other steps."""
    if step.op in REPLACES:
        return 4
    if step.op == "delete":
        return 3
    if step.op == "refresh":
        return -1  # Before the program: it has the options of the state. A later `same` has those of the program.
    return 0 if step.op in QUIET else 1 if step.op in REPLACEMENT_PARTS else 2


def _leftovers(preview: Preview) -> list[Step]:
    """The deletions that an earlier, unfinished replacement left over, beside other changes of the same resource."""
    main = {step.urn: step for step in main_steps(preview)}
    return [
        step
        for step in preview.steps
        if step.op in REPLACEMENT_PARTS and main[step.urn].op not in REPLACES and step is not main[step.urn]
    ]


def _others(steps: Sequence[Step], preview: Preview, run: Run) -> Iterator[ObjectImpact]:
    for step in steps:
        if step.quiet or not (is_object(step) or is_provider(step)) or step.type in {SOURCE, CONNECTION}:
            continue
        found = [each for each in findings(step, run) if each.effect not in _LOSSES]
        area = area_of(step)
        is_airbyte = area == "Airbyte"
        yield ObjectImpact(
            kind=kind_of(step),
            name=step.name,
            area=area,
            change="left alone" if is_forgotten(step) else _CHANGES.get(step.op, "changed"),
            settings=tuple(_property_changes(step) if is_airbyte else _changed_paths(step)),
            secrets=tuple(_changed_secrets(step)) if is_airbyte else (),
            said=preview.messages_of(step.urn),
            effect=worst(each.effect for each in found),
            notes=tuple(each for each in found if each.effect == "look" or not is_airbyte),
        )


# Properties


def _property_changes(step: Step) -> Iterator[PropertyChange]:
    """The differing properties of an Airbyte object, without secrets and without those reported elsewhere."""
    if step.old is None or step.new is None:
        return
    yield from (leaf.property for leaf in _leaves(step) if not leaf.hidden)
    paths = (path for path in _paths(step) if path[0] not in _REPORTED_ELSEWHERE and not _is_secret(step, path))
    # The keys of a schedule make sense together only.
    for path in dict.fromkeys(path[:1] if path[0] == "schedule" else path for path in paths):
        yield shown_change(path, *(value_at(state.inputs, path) for state in (step.old, step.new)))


def _changed_secrets(step: Step) -> Iterator[str]:
    """The paths of secrets that differ. Secret streams have a remark instead."""
    if step.old is not None and step.new is not None:
        yield from (leaf.property.name for leaf in _leaves(step) if leaf.hidden)
        paths = (path for path in _paths(step) if path[0] != "configurations" and _is_secret(step, path))
        yield from map(".".join, paths)


def _leaves(step: Step) -> list[LeafChange]:
    """The differing leaves of the configuration of a source or destination."""
    return leaf_changes(step, Files()) if step.type in {SOURCE, DESTINATION} else []


def _paths(step: Step) -> Iterator[PropertyPath]:
    """The paths of differing properties, without those that are in `_leaves`."""
    is_actor = step.type in {SOURCE, DESTINATION}
    return (path for path in property_paths(step) if not (is_actor and path[0] == "configuration"))


def _changed_paths(step: Step) -> Iterator[PropertyChange]:
    """The paths of differing properties without values: other providers do not mark all their secrets."""
    if step.old is not None and step.new is not None:
        yield from (PropertyChange(".".join(path), "", "") for path in property_paths(step))


def _is_secret(step: Step, path: PropertyPath) -> bool:
    """Whether there is a secret at a path before or after the step."""
    return any(state is not None and hides(state.inputs, path) for state in (step.old, step.new))


# Sources


@dataclass(frozen=True, slots=True)
class _Pipeline:
    """The steps of a source and of its connection; None if the preview has no such step."""

    name: str
    source: Step | None
    connection: Step | None


def _pipelines(steps: Sequence[Step]) -> list[_Pipeline]:
    """The sources that change, by name.

    An unchanged step is kept beside a changed one: a connection's cursors depend on its source.
    """
    of_type = {
        wanted: {
            step.name: step
            for step in steps
            if step.type == wanted and step.op not in REPLACEMENT_PARTS and (step.op == "same" or not step.quiet)
        }
        for wanted in (SOURCE, CONNECTION)
    }
    found = (
        _Pipeline(name, of_type[SOURCE].get(name), of_type[CONNECTION].get(name))
        for name in sorted(of_type[SOURCE].keys() | of_type[CONNECTION].keys())
    )
    return [
        each for each in found if any(step is not None and not step.quiet for step in (each.source, each.connection))
    ]


def _source_impact(pipeline: _Pipeline, preview: Preview, histories: Mapping[str, History], run: Run) -> SourceImpact:
    step = pipeline.connection
    old, new = _old_and_new_streams(step) or ({}, {})
    reread = reread_streams(step) if step is not None and step.op == "update" else {}
    cursors = _cursor_impact(pipeline, old, new, reread)
    refreshes = reread or dict.fromkeys(cursors.reread, "a new token")
    history = histories.get(step.old.id) if step is not None and step.old is not None else None
    steps = [each for each in (pipeline.source, step) if each is not None and not each.quiet]
    found = [each for one in steps for each in findings(one, run) if each.effect not in _LOSSES]
    return SourceImpact(
        name=pipeline.name,
        change=_change(pipeline.source),
        connection=_change(step),
        streams=tuple(compare_streams(old, new, cursors, refreshes)),
        settings=tuple(each for one in steps for each in _property_changes(one)),
        secrets=tuple(path for one in steps for path in _changed_secrets(one)),
        cursors=_with_shown_names(cursors),
        refreshes=tuple(Refresh(shown(key), why, history) for key, why in refreshes.items()),
        remarks=tuple(_connection_remarks(step)),
        said=tuple(message for one in steps for message in preview.messages_of(one.urn)),
        effect=worst(each.effect for each in found),
        # Everything that touches data has its place among streams, settings and remarks.
        notes=tuple(dict.fromkeys(each for each in found if each.effect == "look")),
    )


def _change(step: Step | None) -> Change:
    return _CHANGES.get(step.op, "changed") if step is not None else "changed"


def _old_and_new_streams(step: Step | None) -> tuple[dict[str, Stream], dict[str, Stream]] | None:
    """The streams of a connection before and after, both by the new keys; None if they are secret."""
    if step is None or step.quiet:
        return {}, {}
    old, new = (streams(state.inputs) if state is not None else {} for state in (step.old, step.new))
    if old is None or new is None:
        return None
    if step.old is None or step.new is None:
        return old, new
    # A namespace that the program adds or drops changes a stream's key, although it is the same stream.
    keys = past_of(_known(step.old), canonical(_properties(step.new.inputs))).keys
    return {keys.get(key, key): stream for key, stream in old.items()}, new


def _changes_secret_streams(step: Step) -> bool:
    differs = step.op != "update" or any(path[0] == "configurations" for path in property_paths(step))
    return differs and _old_and_new_streams(step) is None


def _connection_remarks(step: Step | None) -> Iterator[str]:
    if step is None:
        return
    if _changes_secret_streams(step):
        yield SECRET_STREAMS
    if step.old is None or step.new is None or step.quiet:
        return
    if step.old.inputs.get("destinationId") != step.new.inputs.get("destinationId"):
        yield _MOVES_DESTINATION
    if any(path[0] in _LOCATION for path in property_paths(step)):
        yield _MOVES_LOCATION


def _known(state: ResourceState) -> Known:
    return Known(state.id, _properties(state.inputs), _properties(state.outputs))


def _properties(values: Mapping[str, JsonValue]) -> Properties:
    """JSON values as the provider's properties. Hidden values count as unknown."""
    return {key: UNKNOWN_PROPERTY if is_hidden(value) else cast("Property", value) for key, value in values.items()}


# Cursors


def _cursor_impact(
    pipeline: _Pipeline, old: Mapping[str, Stream], new: Mapping[str, Stream], reread: Collection[str]
) -> CursorImpact:
    step = pipeline.connection
    if step is None or step.old is None or step.quiet:
        return CursorImpact()
    if step.new is None:
        return cursors_after_deletion(old)
    if step.op == "update":
        return cursors_after_update(old, new, reread)
    return cursors_after_replacement(step.old, step.new, same_connector=_same_connector(pipeline, step.old, step.new))


def cursors_after_deletion(old: Mapping[str, Stream]) -> CursorImpact:
    """The cursors that are deleted with a connection."""
    incremental = (key for key, stream in sorted(old.items()) if is_incremental(stream.sync_mode))
    return CursorImpact(lost=dict.fromkeys(incremental, "its connection is deleted"))


def cursors_after_update(old: Mapping[str, Stream], new: Mapping[str, Stream], reread: Collection[str]) -> CursorImpact:
    """The cursors of the streams that an update does not remove."""
    staying = [key for key, stream in sorted(old.items()) if is_incremental(stream.sync_mode) and key in new]
    lost = {key: "its sync mode changes" for key in staying if not is_incremental(new[key].sync_mode)}
    kept = tuple(key for key in staying if key not in lost and key not in reread)
    return CursorImpact(kept, lost, tuple(key for key in staying if key in reread and key not in lost))


def cursors_after_replacement(old: ResourceState, new: ResourceState, *, same_connector: bool | None) -> CursorImpact:
    """The cursors that the provider transfers to the connection that replaces another.

    Args:
        old: the old connection.
        new: the new connection.
        same_connector: whether both sources have the same connector; if None, it is unknown, and so no cursor counts as
            kept.
    """
    outcome = cursor_outcome(_known(old), _properties(new.inputs), same_connector=same_connector is not False)
    uncertain = outcome.kept if same_connector is None else []
    lost = {**dict.fromkeys(uncertain, UNSEEN), **outcome.lost}
    kept = tuple(key for key in outcome.kept if key not in lost)
    return CursorImpact(kept, dict(sorted(lost.items())), tuple(sorted(outcome.reread)))


def _same_connector(pipeline: _Pipeline, old: ResourceState, new: ResourceState) -> bool | None:
    """Whether a connection's old and new source have the same connector; None if the preview does not show it."""
    if old.inputs.get("sourceId") == new.inputs.get("sourceId"):
        return True
    source = pipeline.source
    if source is None or source.old is None or source.new is None or source.old.id != old.inputs.get("sourceId"):
        return None
    return source.old.inputs.get("definitionId") == source.new.inputs.get("definitionId")


def reread_streams(step: Step) -> dict[str, str]:
    """The streams that an update of a connection re-reads from the beginning, with the reason, by key."""
    if step.old is None or step.new is None:
        return {}
    inputs = _properties(step.new.inputs)
    after = canonical(inputs)
    past = past_of(_known(step.old), after)
    tokens = tokens_now(inputs, after, past)
    found: dict[str, str] = {}
    if inputs.get("refreshOnSchemaChange") is True:
        found |= dict.fromkeys(reshaped(past.tree, after), "it changes, and refreshOnSchemaChange is set")
    # The provider's diff names every stream that is due, also one whose token stays because its last refresh failed.
    due = [path[1] for path in property_paths(step) if path[0] == "backfills" and len(path) > 1]
    for key in due:
        token = tokens.get(key)
        retried = ", whose last refresh failed" if token == past.tokens.get(key) else ""
        text = "true" if token is True else str(token)
        found[key] = "its last refresh failed" if token is None else f"token {text}{retried}"
    return dict(sorted(found.items()))


def _with_shown_names(cursors: CursorImpact) -> CursorImpact:
    """The same with the names of streams in place of their keys."""
    lost = None if cursors.lost is None else {shown(key): why for key, why in cursors.lost.items()}
    return CursorImpact(tuple(map(shown, cursors.kept)), lost, tuple(map(shown, cursors.reread)))


# Streams


def compare_streams(
    old: Mapping[str, Stream], new: Mapping[str, Stream], cursors: CursorImpact, reread: Collection[str]
) -> Iterator[StreamImpact]:
    """The streams that are added, removed or changed, by key.

    Args:
        old: the streams before, by the keys of `new`; empty if the connection is new.
        new: the streams after; empty if the connection is deleted.
        cursors: what happens to cursors.
        reread: keys of the streams that are re-read from the beginning.
    """
    lost = cursors.lost or {}
    for key in sorted(old.keys() | new.keys()):
        if key not in old:
            settings = tuple(_added_settings(new[key]))
            yield StreamImpact(shown(key), "added", settings=settings, cursor=_added_cursor(new[key], is_new=not old))
        elif key not in new:
            stays = "stays in Airbyte: the stream resumes there if it is selected again"
            kept = stays if new and is_incremental(old[key].sync_mode) else ""
            yield StreamImpact(shown(key), "removed", cursor=f"lost: {lost[key]}" if key in lost else kept)
        elif old[key] != new[key] or key in lost:
            yield _changed_stream(old[key], new[key], lost.get(key, ""), is_reread=key in reread)


def _added_cursor(stream: Stream, *, is_new: bool) -> str:
    if not is_incremental(stream.sync_mode):
        return ""
    # Airbyte keeps the cursor of a removed stream, and the preview does not show whether there is one.
    return (
        "from the beginning"
        if is_new
        else "from the beginning, or from its old cursor if this connection had the stream before"
    )


def _added_settings(stream: Stream) -> Iterator[PropertyChange]:
    yield PropertyChange("sync mode", "", stream.sync_mode)
    yield PropertyChange("cursor", "", ".".join(stream.cursor_field))
    yield PropertyChange("key", "", _key_text(stream))
    yield PropertyChange("fields", "", _field_count(stream))


def _changed_stream(old: Stream, new: Stream, lost: str, *, is_reread: bool) -> StreamImpact:
    added, removed = _changed_fields(old, new)
    settings = tuple(each for each in _changed_settings(old, new) if each.before != each.after)
    names = {each.name for each in settings}
    return StreamImpact(
        shown(new.key),
        "changed",
        added,
        removed,
        settings,
        _changed_cursor(old, new, lost, is_reread=is_reread),
        tuple(_stream_remarks(old, new, added, names, is_reread=is_reread)),
    )


def _changed_fields(old: Stream, new: Stream) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if old.selected_fields is None or new.selected_fields is None:
        return (), ()
    had, has = set(old.selected_fields), set(new.selected_fields)
    return tuple(sorted(has - had)), tuple(sorted(had - has))


def _changed_settings(old: Stream, new: Stream) -> Iterator[PropertyChange]:
    yield PropertyChange("sync mode", old.sync_mode, new.sync_mode)
    yield PropertyChange("cursor", ".".join(old.cursor_field), ".".join(new.cursor_field))
    yield PropertyChange("key", _key_text(old), _key_text(new))
    yield PropertyChange("namespace", old.namespace, new.namespace)
    if (old.selected_fields is None) != (new.selected_fields is None):
        yield PropertyChange("fields", _field_count(old), _field_count(new))
    for name in sorted(old.others.keys() | new.others.keys()):
        before, after = (json.dumps(each.others.get(name), sort_keys=True) for each in (old, new))
        if before != after:
            # Without values: a mapper may hold an encryption key.
            yield PropertyChange(name, "", "changed")


def _changed_cursor(old: Stream, new: Stream, lost: str, *, is_reread: bool) -> str:
    if lost:
        return f"lost: {lost}"
    if not is_incremental(new.sync_mode):
        return ""
    if is_reread:
        return "from the beginning, as requested"
    if not is_incremental(old.sync_mode):
        return "from the beginning"
    if old.cursor_field != new.cursor_field:
        return f"kept, but its value is from {'.'.join(old.cursor_field) or 'the default cursor of the source'}"
    return "kept"


def _stream_remarks(
    old: Stream, new: Stream, added: Collection[str], settings: Collection[str], *, is_reread: bool
) -> Iterator[str]:
    was, becomes = is_incremental(old.sync_mode), is_incremental(new.sync_mode)
    resumes = was and becomes and not is_reread
    if added and resumes:
        yield "existing rows stay NULL in new fields until a backfill"
    if resumes and ("cursor" in settings or "sync mode" in settings):
        yield "its cursor or sync mode changes: without a backfill, rows may be missing or duplicated"
    if _becomes_overwritten(old, new):
        yield "each sync overwrites all existing rows"
    elif was and not becomes:
        yield "each sync appends all rows again"


def _becomes_overwritten(old: Stream, new: Stream) -> bool:
    return new.sync_mode in _OVERWRITING_MODES and old.sync_mode not in _OVERWRITING_MODES


def _field_count(stream: Stream) -> str:
    return "all" if stream.selected_fields is None else f"{len(stream.selected_fields)}"


def _key_text(stream: Stream) -> str:
    return ", ".join(".".join(path) for path in stream.primary_key)


# Losses


def _losses(steps: Sequence[Step], run: Run, files: Files) -> tuple[Loss, ...]:
    """The objects that an update deletes, whose data it loses or exposes, by kind and name."""
    found = [loss for step in steps for loss in _object_losses(step, run)]
    found += [loss for pipeline in _pipelines(steps) for loss in _stream_losses(pipeline)]
    found += exposures(steps, files)
    # The loss of a deleted source includes its connection: one acknowledgement is enough.
    deleted = {step.name for step in steps if step.type == SOURCE and step.op == "delete"}
    kept = (loss for loss in found if not (loss.kind == "connection" and loss.name in deleted))
    # A bucket and its settings are one object for the reader, and may have the same loss.
    return tuple(sorted(dict.fromkeys(kept), key=lambda loss: (loss.kind, loss.name, loss.what)))


def _object_losses(step: Step, run: Run) -> Iterator[Loss]:
    for each in findings(step, run):
        if each.effect in _LOSSES:
            effect: Literal["destroys", "exposes"] = "exposes" if each.effect == "exposes" else "destroys"
            yield Loss(subject_of(step), step.name, each.what, effect=effect)


def _stream_losses(pipeline: _Pipeline) -> Iterator[Loss]:
    """The streams of an updated or replaced connection that lose their cursor or their existing rows."""
    step = pipeline.connection
    if step is None or step.old is None or step.new is None or step.quiet:
        return
    if _changes_secret_streams(step):
        yield Loss("connection", pipeline.name, _HIDDEN_LOSS)
        return
    old, new = _old_and_new_streams(step) or ({}, {})
    lost = _cursor_impact(pipeline, old, new, ()).lost or {}
    overwritten = {key for key in old.keys() & new.keys() if _becomes_overwritten(old[key], new[key])}
    for key in sorted(lost.keys() | overwritten):
        what = [f"its cursor is lost, because {lost[key]}"] if key in lost else []
        what += ["its existing rows are overwritten"] if key in overwritten else []
        # The provider refuses to lose a cursor in a replacement; on an update, it is Airbyte that drops it.
        refused = step.op != "update" and key in lost and step.new.inputs.get("allowCursorLoss") is not True
        by_file = f"{pipeline.name}/{name_of(key)[1]}"
        yield Loss("stream", f"{pipeline.name}/{shown(key)}", "; ".join(what), refused=refused, by_file=by_file)
