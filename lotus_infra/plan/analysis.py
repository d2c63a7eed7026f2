"""Compute the effect of an update on data from the steps of its preview.

Cursors follow the rules of the server and of the provider. On an update, Airbyte drops the cursor of a stream that is
no longer read incrementally, and keeps it if the cursor field changes or the stream is removed (airbyte-platform,
deleteStateForStreamsWithSyncModeChanged). On a replacement, the provider transfers cursors, and its own code computes
here which ones (`pulumi_airbyte.provider.connection_cursors`).

dlt keeps the cursors of the streams that it reads in the landing bucket, by stream and cursor field. Its runs drop that
of a stream that is no longer read incrementally (`lotus_dagster.ingestion`).

A loss is what an update can't restore, or what it exposes to others. A stream that is removed keeps its files and its
cursor, so it is no loss, and neither is a source that dlt reads. Every other deletion is one, also of a kind that Lotus
does not know, unless the stack only forgets the object. `lotus_infra.plan.verdicts` has the verdicts by type and
property; cursors and rows are judged here.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, Self, cast

from airbyte_model.modes import is_incremental
from airbyte_model.streams import Stream, aligned, name_of, shown
from pulumi_airbyte.provider.backfill import asked, reshaped, tokens_now
from pulumi_airbyte.provider.configuration import SETTINGS_CHANGE
from pulumi_airbyte.provider.connection_cursors import UNSEEN, cursor_outcome
from pulumi_airbyte.provider.connection_inputs import canonical, streams_of
from pulumi_airbyte.provider.connection_state import past_of
from pulumi_airbyte.provider.properties import UNKNOWN as UNKNOWN_PROPERTY
from pulumi_airbyte.provider.properties import Properties, Property
from pulumi_airbyte.provider.target import Known
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.lake.capabilities import TABLE
from lotus_infra.lake.models import Engine
from lotus_infra.plan.addresses import (
    LISTED,
    Files,
    LeafChange,
    another_destination,
    exposures,
    leaf_changes,
    shown_change,
)
from lotus_infra.plan.contrast import as_text
from lotus_infra.plan.dlt import hidden_moves, readable
from lotus_infra.plan.impact import (
    CONNECTION,
    DESTINATION,
    DLT_SOURCE,
    PROVIDER,
    SOURCE,
    Change,
    ConnectionImpact,
    CursorImpact,
    Details,
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
from lotus_infra.plan.mappers import compare_mappers, mapper_text
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
_PATH: Final = "path"
"""The property of a source that dlt reads that decides so too; of a connection, it is its destination's."""
_REPORTED_ELSEWHERE: Final = frozenset({"configurations", "backfills", "sourceId", "destinationId"})
"""Properties of a connection that are reported as streams, refreshes, replacements and remarks, not by value."""
_CONFIGURED: Final = frozenset({SOURCE, DESTINATION, DLT_SOURCE})
"""Types with a configuration whose leaves are compared."""
_WHOLE: Final = frozenset({"schedule", "tags"})
"""Properties that are shown as a whole."""
_MOVES_DESTINATION: Final = "it moves to another destination: existing rows stay in the old one"
_MOVES_LOCATION: Final = "new rows land under another namespace or prefix: existing rows stay where they are"
_ANOTHER_MODULE: Final = "another module reads it, which gets its configuration and secrets: its cursors stay"
_STOPS: Final = "it does not sync: no new rows land until it is active again, when it continues from its cursors"
_SYNCS_AGAIN: Final = "it syncs again, and continues from its cursors"
_CURSOR_CHANGES: Final = "its cursor or sync mode changes: without a backfill, rows may be missing or duplicated"
_CURSOR_STAYS: Final[Mapping[Engine, str]] = {
    "airbyte": "stays in Airbyte: the stream resumes there if it is selected again",
    "dlt": "stays in the landing bucket: the stream resumes there if it is selected again",
}
_LANDS_AGAIN: Final = "its rows land a second time"
_HOW_DLT_REREADS: Final = TABLE["dlt", "landing"].backfill
_HIDDEN_LOSS: Final = (
    "changes streams that this preview can't show, because a mapper holds a key: cursors may be lost, existing rows "
    "overwritten, and values exposed that mappers protect"
)
EVERY_FIELD: Final = (
    "every field of the source lands, also one that the source gains later: a secret one lands too unless a mapper "
    "protects it"
)
_FILES_TOO: Final = "files of the source are copied to the destination too, and not only their records"
_OTHERS: Final = {
    "mappers": "mappers",
    "includeFiles": "copies files",
    "destinationObjectName": "object at the destination",
}
"""Properties of a stream that are shown, with their names in prose."""


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
    context = _Context(preview, run, histories or {}, files or Files())
    sources = (_source_impact(pipeline, context) for pipeline in _pipelines(steps))
    return Impact(
        stack=stack or stack_of(preview),
        complete=preview.complete,
        errors=preview.errors,
        sources=tuple(sources),
        others=tuple(sorted(_others(steps, preview, run), key=lambda each: (each.area, each.kind, each.name))),
        losses=_losses([*steps, *_leftovers(preview)], run, context.files),
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
    return readable(
        [*{**changed, **{urn: step for urn, step in found.items() if urn not in changed or not step.quiet}}.values()]
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
        if step.quiet or not (is_object(step) or is_provider(step)) or step.type in {SOURCE, CONNECTION, DLT_SOURCE}:
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
    # The keys of a schedule make sense together only, and so do the parts of a tag.
    for path in dict.fromkeys(path[:1] if path[0] in _WHOLE else path for path in paths):
        values = (value_at(state.inputs, path) for state in (step.old, step.new))
        yield shown_change(path, *(_tag_names(value) if path == ("tags",) else value for value in values))


def _tag_names(tags: JsonValue) -> JsonValue:
    """The names of a connection's tags, in alphabetical order."""
    named = (
        [str(tag["name"]) for tag in tags if isinstance(tag, dict) and "name" in tag] if isinstance(tags, list) else []
    )
    return ", ".join(sorted(named)) or None


def _changed_secrets(step: Step) -> Iterator[str]:
    """The paths of secrets that differ. Secret streams have a remark instead."""
    if step.old is not None and step.new is not None:
        yield from (leaf.property.name for leaf in _leaves(step) if leaf.hidden)
        paths = (path for path in _paths(step) if path[0] != "configurations" and _is_secret(step, path))
        yield from map(".".join, paths)


def _leaves(step: Step) -> list[LeafChange]:
    """The differing leaves of the configuration of a source or destination."""
    return leaf_changes(step, Files()) if step.type in _CONFIGURED else []


def _paths(step: Step) -> Iterator[PropertyPath]:
    """The paths of differing properties, without those that are in `_leaves`."""
    is_actor = step.type in _CONFIGURED
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
class _Link:
    """The step of a connection, or of a source that dlt reads, with its streams.

    Attributes:
        step: the step.
        old: the streams before, by the keys of `new`; empty if the connection is new, or its streams are secret.
        new: the streams after; empty if the connection is deleted, or its streams are secret.
    """

    step: Step
    old: Mapping[str, Stream]
    new: Mapping[str, Stream]

    @classmethod
    def of(cls, step: Step) -> Self:
        """The link of a step."""
        return cls(step, *(_old_and_new_streams(step) or ({}, {})))

    @property
    def by_dlt(self) -> bool:
        """Whether dlt reads the streams."""
        return self.step.type == DLT_SOURCE

    @property
    def engine(self) -> Engine:
        """What reads the streams."""
        return "dlt" if self.by_dlt else "airbyte"

    @property
    def removed(self) -> list[str]:
        """The keys of the streams that leave the connection."""
        return [key for key in self.old if key not in self.new]

    @property
    def added(self) -> list[str]:
        """The keys of the streams that come to it."""
        return [key for key in self.new if key not in self.old]


@dataclass(frozen=True, slots=True)
class _Move:
    """A stream that leaves one connection of its source and comes to another: its cursor does not go with it.

    Attributes:
        old: the connection that it leaves.
        new: the connection that it comes to.
        left: its key in the one.
        came: its key in the other.
    """

    old: _Link
    new: _Link
    left: str
    came: str


@dataclass(frozen=True, slots=True)
class _Pipeline:
    """The steps of a source and of its connections.

    Attributes:
        name: the source.
        source: its step; None if the preview has none.
        links: its connections, by name.
        moves: the streams that move between them.
    """

    name: str
    source: Step | None
    links: tuple[_Link, ...]
    moves: tuple[_Move, ...]

    def left(self, link: _Link) -> Mapping[str, list[_Move]]:
        """The streams that leave a connection for others, by key."""
        found: dict[str, list[_Move]] = {}
        for move in self.moves:
            if move.old is link:
                found.setdefault(move.left, []).append(move)
        return found


def _pipelines(steps: Sequence[Step]) -> list[_Pipeline]:
    """The sources that change, by name.

    An unchanged step is kept beside a changed one: a connection's cursors depend on its source.
    """
    kept = [step for step in steps if step.op not in REPLACEMENT_PARTS and (step.op == "same" or not step.quiet)]
    sources = {step.name: step for step in kept if step.type == SOURCE}
    connections: dict[str, list[Step]] = {}
    for step in sorted((step for step in kept if step.type in {CONNECTION, DLT_SOURCE}), key=lambda step: step.name):
        # A source of another program may have a slash in its name.
        owner = step.name if step.name in sources else naming.source_of_connection(step.name)
        connections.setdefault(owner, []).append(step)
    found = [
        (name, sources.get(name), connections.get(name, ())) for name in sorted(sources.keys() | connections.keys())
    ]
    return [
        _pipeline(name, source, own)
        for name, source, own in found
        if any(step is not None and not step.quiet for step in (source, *own))
    ]


def _pipeline(name: str, source: Step | None, connections: Iterable[Step]) -> _Pipeline:
    links = tuple(map(_Link.of, connections))
    return _Pipeline(name, source, links, tuple(_moves_between(links)))


def _moves_between(links: Sequence[_Link]) -> Iterator[_Move]:
    for old in links:
        for new in links:
            if old is not new:
                # A namespace that only one of the two names makes no other stream, if it is the only one of its name.
                for left, came in aligned(old.removed, new.added, {}).items():
                    yield _Move(old, new, left, came)


@dataclass(frozen=True, slots=True)
class _Context:
    """What the effect of a step depends on beside the step.

    Attributes:
        preview: the preview.
        run: what its update does to the owners of settings.
        histories: the job history of connections, by connection id.
        files: the lake's files.
    """

    preview: Preview
    run: Run
    histories: Mapping[str, History]
    files: Files


def _source_impact(pipeline: _Pipeline, context: _Context) -> SourceImpact:
    return SourceImpact(
        name=pipeline.name,
        change=_source_change(pipeline),
        own=_details(pipeline.source, context),
        connections=tuple(
            _connection_impact(link, pipeline, context) for link in pipeline.links if not link.step.quiet
        ),
    )


def _source_change(pipeline: _Pipeline) -> Change:
    """The change of a source; one that another engine reads from now on is replaced."""
    read_by_dlt = [link.step for link in pipeline.links if link.by_dlt]
    changes = {_change(step) for step in (pipeline.source, *read_by_dlt) if step is not None and not step.quiet}
    if changes == {"added", "removed"}:
        return "replaced"
    return changes.pop() if len(changes) == 1 else "changed"


def _details(step: Step | None, context: _Context) -> Details:
    if step is None or step.quiet:
        return Details()
    found = [each for each in findings(step, context.run) if each.effect not in _LOSSES]
    return Details(
        settings=tuple(_property_changes(step)),
        secrets=tuple(_changed_secrets(step)),
        said=context.preview.messages_of(step.urn),
        effect=worst(each.effect for each in found),
        # Everything that touches data has its place among streams, settings and remarks.
        notes=tuple(dict.fromkeys(each for each in found if each.effect == "look")),
    )


def _connection_impact(link: _Link, pipeline: _Pipeline, context: _Context) -> ConnectionImpact:
    step = link.step
    reread = reread_streams(step) if step.op == "update" else {}
    cursors = _cursor_impact(link, pipeline, reread)
    refreshes = reread or dict.fromkeys(cursors.reread, "a new token")
    history = context.histories.get(step.old.id) if step.old is not None else None
    compared = compare_streams(link.old, link.new, cursors, refreshes, engine=link.engine)
    streams = tuple(_with_moves(compared, link, pipeline))
    how = _HOW_DLT_REREADS if link.by_dlt else ""
    touched = dict.fromkeys(refreshes, False) | {each.key: each.change == "removed" for each in streams}
    models = context.files.stream_files
    return ConnectionImpact(
        name=step.name,
        change=_change(step),
        streams=streams,
        cursors=_with_shown_names(cursors),
        refreshes=tuple(Refresh(shown(key), why, history, how) for key, why in refreshes.items()),
        remarks=tuple(_connection_remarks(step)),
        details=_details(step, context),
        models={name: gone for key, gone in touched.items() for name in models(step.name, name_of(key))},
        engine=link.engine,
    )


def _with_moves(streams: Iterable[StreamImpact], link: _Link, pipeline: _Pipeline) -> Iterator[StreamImpact]:
    """The streams of a connection; those that move from or to another connection say so."""
    left = pipeline.left(link)
    for each in streams:
        came = [move for move in pipeline.moves if move.new is link and move.came == each.key]
        remarks = list(dict.fromkeys(remark for move in came for remark in _moved_remarks(move)))
        if each.key in left:
            remarks.append(f"it moves to {_listed_connections(move.new for move in left[each.key])}")
        where = f"; it comes from {_listed_connections(move.old for move in came)}" if came and each.cursor else ""
        yield replace(each, cursor=f"{each.cursor}{where}", remarks=(*each.remarks, *remarks))


def _moved_remarks(move: _Move) -> Iterator[str]:
    old, new = move.old.step.old, move.new.step.new
    if move.old.engine != move.new.engine:
        yield f"{_LANDS_AGAIN}, {_models_keep(move.new.new[move.came])}"
    yield from (each.what for each in compare_mappers(move.old.old[move.left], move.new.new[move.came]))
    if old is not None and new is not None and any(old.inputs.get(key) != new.inputs.get(key) for key in _LOCATION):
        yield (
            f"new rows land under another namespace or prefix than those of {_reader(move.old)}: "
            "existing rows stay where they are"
        )


def _models_keep(stream: Stream) -> str:
    """What models have of rows that land twice."""
    return "and models keep one of each key" if stream.primary_key else "and models have both, as it has no key"


def _reader(link: _Link) -> str:
    return "dlt" if link.by_dlt else f"the connection {link.step.name}"


def _listed_connections(links: Iterable[_Link]) -> str:
    found = list(links)
    names = [link.step.name for link in found if not link.by_dlt]
    connections = [f"the connection{'s' if len(names) > 1 else ''} {', '.join(names)}"] if names else []
    return " and ".join([*connections, *(["dlt"] if len(names) < len(found) else [])])


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
    if step.new is not None and not step.quiet:
        yield from _status_remarks(step.new, step.old)
    if step.old is None or step.new is None or step.quiet:
        return
    if step.old.inputs.get("destinationId") != step.new.inputs.get("destinationId"):
        yield _MOVES_DESTINATION
    if any(path[0] in _LOCATION or (path[0] == _PATH and step.type == DLT_SOURCE) for path in property_paths(step)):
        yield _MOVES_LOCATION
    if any(path == ("module",) for path in property_paths(step)):
        yield _ANOTHER_MODULE


def _status_remarks(new: ResourceState, old: ResourceState | None) -> Iterator[str]:
    """What the status of a connection means for its rows, if it is new."""
    before, after = (_status(state) for state in (old, new))
    if before == after:
        return
    if after == "inactive":
        yield _STOPS
    elif old is not None and after == "active":
        yield _SYNCS_AGAIN


def _status(state: ResourceState | None) -> JsonValue:
    return "active" if state is None else state.inputs.get("status") or "active"


def _known(state: ResourceState) -> Known:
    return Known(state.id, _properties(state.inputs), _properties(state.outputs))


def _properties(values: Mapping[str, JsonValue]) -> Properties:
    """JSON values as the provider's properties. Hidden values count as unknown."""
    return {key: UNKNOWN_PROPERTY if is_hidden(value) else cast("Property", value) for key, value in values.items()}


# Cursors


def _cursor_impact(link: _Link, pipeline: _Pipeline, reread: Collection[str]) -> CursorImpact:
    step = link.step
    if step.old is None or step.quiet:
        return CursorImpact()
    if link.by_dlt:
        found = dlt_cursors(link.old, link.new, reread)
    elif step.new is None:
        found = cursors_after_deletion(link.old)
    elif step.op == "update":
        found = cursors_after_update(link.old, link.new, reread)
    else:
        same_connector = _same_connector(pipeline, step.old, step.new)
        found = cursors_after_replacement(step.old, step.new, same_connector=same_connector)
    moved = {
        key: f"it moves to {_listed_connections(move.new for move in moves)}"
        for key, moves in pipeline.left(link).items()
        if is_incremental(link.old[key].sync_mode) and not link.by_dlt
    }
    return replace(found, lost=dict(sorted({**(found.lost or {}), **moved}.items()))) if moved else found


def dlt_cursors(old: Mapping[str, Stream], new: Mapping[str, Stream], reread: Collection[str]) -> CursorImpact:
    """The cursors in dlt's state. It is in the landing bucket, and has a value for each cursor field of a stream.

    A run deletes it of a stream that is no longer incremental. That of a stream that is removed stays.
    """
    staying = [key for key, stream in sorted(old.items()) if is_incremental(stream.sync_mode)]
    lost = {key: "its sync mode changes" for key in staying if key in new and not is_incremental(new[key].sync_mode)}
    moved = {key for key in staying if key in new and old[key].cursor_field != new[key].cursor_field}
    kept = tuple(key for key in staying if key not in reread and key not in moved and key not in lost)
    return CursorImpact(kept, lost or None, tuple(key for key in staying if key in reread and key not in lost))


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
    if step.type == DLT_SOURCE:
        # A run keeps the tokens in dlt's state, by the same rules. A stream that is new there is read in full anyway.
        known = {key: token for key, token in tokens.items() if key in streams_of(past.tree)}
        return {key: f"token {_token_text(tokens[key])}" for key in asked(past.tokens, known, {})}
    found: dict[str, str] = {}
    if inputs.get("refreshOnSchemaChange") is True:
        found |= dict.fromkeys(reshaped(past.tree, after), "it changes, and refreshOnSchemaChange is set")
    # The provider's diff names every stream that is due, also one whose token stays because its last refresh failed.
    due = [path[1] for path in property_paths(step) if path[0] == "backfills" and len(path) > 1]
    for key in due:
        token = tokens.get(key)
        retried = ", whose last refresh failed" if token == past.tokens.get(key) else ""
        found[key] = "its last refresh failed" if token is None else f"token {_token_text(token)}{retried}"
    return dict(sorted(found.items()))


def _token_text(token: Property) -> str:
    return "true" if token is True else str(token)


def _with_shown_names(cursors: CursorImpact) -> CursorImpact:
    """The same with the names of streams in place of their keys."""
    lost = None if cursors.lost is None else {shown(key): why for key, why in cursors.lost.items()}
    return CursorImpact(tuple(map(shown, cursors.kept)), lost, tuple(map(shown, cursors.reread)))


# Streams


def compare_streams(
    old: Mapping[str, Stream],
    new: Mapping[str, Stream],
    cursors: CursorImpact,
    reread: Collection[str],
    *,
    engine: Engine = "airbyte",
) -> Iterator[StreamImpact]:
    """The streams that are added, removed or changed, by key.

    Args:
        old: the streams before, by the keys of `new`; empty if the connection is new.
        new: the streams after; empty if the connection is deleted.
        cursors: what happens to cursors.
        reread: keys of the streams that are re-read from the beginning.
        engine: what reads them.
    """
    lost = cursors.lost or {}
    for key in sorted(old.keys() | new.keys()):
        if key not in old:
            settings = tuple(_added_settings(new[key]))
            cursor = _added_cursor(new[key], engine, is_new=not old)
            yield StreamImpact(key, "added", settings=settings, cursor=cursor, remarks=tuple(_added_remarks(new[key])))
        elif key not in new:
            stays = (new or engine == "dlt") and is_incremental(old[key].sync_mode)
            kept = _CURSOR_STAYS[engine] if stays else ""
            yield StreamImpact(key, "removed", cursor=f"lost: {lost[key]}" if key in lost else kept)
        elif old[key] != new[key] or key in lost:
            changed = _changed_stream(old[key], new[key], lost.get(key, ""), is_reread=key in reread)
            yield _by_dlt(changed, old[key], new[key], is_reread=key in reread) if engine == "dlt" else changed


def _by_dlt(impact: StreamImpact, old: Stream, new: Stream, *, is_reread: bool) -> StreamImpact:
    """A changed stream whose cursor dlt keeps: another cursor field starts from the beginning."""
    if (
        is_reread
        or old.cursor_field == new.cursor_field
        or not (is_incremental(old.sync_mode) and is_incremental(new.sync_mode))
    ):
        return impact
    remarks = [each for each in impact.remarks if each != _CURSOR_CHANGES]
    cursor = f"from the beginning, as dlt has no value of {'.'.join(new.cursor_field)} yet"
    return replace(impact, cursor=cursor, remarks=(*remarks, f"{_LANDS_AGAIN}, {_models_keep(new)}"))


def _added_cursor(stream: Stream, engine: Engine, *, is_new: bool) -> str:
    if not is_incremental(stream.sync_mode):
        return ""
    if engine == "dlt":
        return "from the beginning, or from its old cursor if dlt has read it before"
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
    for name, label in _OTHERS.items():
        yield PropertyChange(label, "", _other_text(stream, name))


def _added_remarks(stream: Stream) -> Iterator[str]:
    if stream.selected_fields is None:
        yield EVERY_FIELD


def _changed_stream(old: Stream, new: Stream, lost: str, *, is_reread: bool) -> StreamImpact:
    added, removed = _changed_fields(old, new)
    settings = tuple(each for each in _changed_settings(old, new) if each.before != each.after)
    names = {each.name for each in settings}
    return StreamImpact(
        new.key,
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
        if before != after and name in _OTHERS:
            yield PropertyChange(_OTHERS[name], _other_text(old, name), _other_text(new, name))
        elif before != after:
            # Without values: they may be secret.
            yield PropertyChange(name, "", "changed")


def _other_text(stream: Stream, name: str) -> str:
    """A property of a stream as text; of mappers their types and fields, because a setting may be a key."""
    value = cast("JsonValue", stream.others.get(name))
    return ", ".join(map(mapper_text, value)) if name == "mappers" and isinstance(value, list) else as_text(value)


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
    yield from (each.what for each in compare_mappers(old, new))
    if old.selected_fields is not None and new.selected_fields is None:
        yield EVERY_FIELD
    if old.others.get("includeFiles") != new.others.get("includeFiles"):
        yield _FILES_TOO if new.others.get("includeFiles") else "files of the source are no longer copied"
    if old.others.get("destinationObjectName") != new.others.get("destinationObjectName"):
        yield "new rows go to another object of the destination: what is in the old one stays"
    if added and resumes:
        yield "existing rows stay NULL in new fields until a backfill"
    if resumes and ("cursor" in settings or "sync mode" in settings):
        yield _CURSOR_CHANGES
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
    pipelines = _pipelines(steps)
    moves = {link.step.urn: pipeline.left(link) for pipeline in pipelines for link in pipeline.links}
    found = [loss for step in steps for loss in _object_losses(step, run, moves.get(step.urn, {}))]
    found += [
        loss for pipeline in pipelines for link in pipeline.links for loss in _stream_losses(link, pipeline, files)
    ]
    found += [
        loss for each in pipelines for move in each.moves for loss in _moved_losses(move, each.name, steps, files)
    ]
    found += [*exposures(steps, files), *hidden_moves(steps, files)]
    # The loss of a deleted source includes its connections: one acknowledgement is enough.
    deleted = {step.name for step in steps if step.type == SOURCE and step.op == "delete"}
    kept = (
        loss
        for loss in found
        if loss.kind != "connection" or deleted.isdisjoint({loss.name, naming.source_of_connection(loss.name)})
    )
    # A bucket and its settings are one object for the reader, and may have the same loss.
    return tuple(sorted(dict.fromkeys(kept), key=lambda loss: (loss.kind, loss.name, loss.what)))


def _object_losses(step: Step, run: Run, moved: Mapping[str, Sequence[_Move]]) -> Iterator[Loss]:
    for each in findings(step, run):
        if each.effect in _LOSSES:
            effect: Literal["destroys", "exposes"] = "exposes" if each.effect == "exposes" else "destroys"
            where = _destinations_of(moved) if step.op == "delete" else ""
            yield Loss(subject_of(step), step.name, f"{each.what}{where}", effect=effect)


def _destinations_of(moved: Mapping[str, Sequence[_Move]]) -> str:
    """Where the streams of a deleted connection go; empty if they go nowhere."""
    by_connections: dict[str, list[str]] = {}
    for key, moves in moved.items():
        by_connections.setdefault(_listed_connections(move.new for move in moves), []).append(shown(key))
    parts = (
        f"; {_listed(streams)} move{'' if len(streams) > 1 else 's'} to {where}, which reads "
        f"{'them' if len(streams) > 1 else 'it'} from the beginning"
        for where, streams in by_connections.items()
    )
    return "".join(parts)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{', '.join(names[:LISTED])}{more}"


def _stream_losses(link: _Link, pipeline: _Pipeline, files: Files) -> Iterator[Loss]:
    """The streams of an updated or replaced connection that lose their cursor or rows, or whose values are exposed."""
    step, old, new = link.step, link.old, link.new
    if step.old is None or step.new is None or step.quiet:
        return
    if _changes_secret_streams(step):
        yield Loss("connection", step.name, _HIDDEN_LOSS)
        return
    lost, moves = _cursor_impact(link, pipeline, ()).lost or {}, pipeline.left(link)
    where = "" if step.name == pipeline.name else f" in the connection {step.name}"
    overwritten = {key for key in old.keys() & new.keys() if _becomes_overwritten(old[key], new[key])}
    for key in sorted(lost.keys() | overwritten):
        why = lost.get(key, "")
        if key in moves:
            why = f"it moves from {_reader(link)} to {_reading_it(moves[key])}"
        what = [f"its cursor{'' if key in moves else where} is lost, because {why}"] if key in lost else []
        what += [f"its existing rows{where} are overwritten"] if key in overwritten else []
        # The provider refuses to lose a cursor in a replacement; on an update, it is Airbyte that drops it.
        refused = (
            step.op != "update"
            and key in lost
            and key not in moves
            and step.new.inputs.get("allowCursorLoss") is not True
        )
        yield replace(_stream_loss(pipeline.name, step, key, files), what="; ".join(what), refused=refused)
    for key in sorted(old.keys() & new.keys()):
        exposed = [each.what for each in compare_mappers(old[key], new[key]) if each.effect == "exposes"]
        if exposed:
            loss = _stream_loss(pipeline.name, step, key, files)
            yield replace(loss, what=f"{'; '.join(exposed)}{where}", effect="exposes")


def _reading_it(moves: Sequence[_Move]) -> str:
    names = ["dlt" if move.new.by_dlt else move.new.step.name for move in moves]
    return f"{', '.join(names)}, which read{'' if len(names) > 1 else 's'} it from the beginning"


def _moved_losses(move: _Move, source: str, steps: Sequence[Step], files: Files) -> Iterator[Loss]:
    """What is exposed by a stream's way to another connection."""
    old, new = move.old.step, move.new.step
    exposed = compare_mappers(move.old.old[move.left], move.new.new[move.came])
    what = [each.what for each in exposed if each.effect == "exposes"]
    if old.old is not None and new.new is not None and another_destination(new, old.old, new.new, steps, files):
        what.append(
            f"writes to another destination, because it moves to the connection {new.name}: new rows go there, and "
            "existing rows stay in the old one"
        )
    if what:
        yield replace(_stream_loss(source, new, move.came, files), what="; ".join(what), effect="exposes")


def _stream_loss(source: str, step: Step, key: str, files: Files) -> Loss:
    """A loss of a connection's stream, without words for it yet."""
    names = (f"{source}/{each}" for each in files.stream_names(step.name, name_of(key)))
    return Loss("stream", f"{source}/{shown(key)}", "", also=tuple(names))
