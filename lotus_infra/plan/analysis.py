"""From the steps of a preview to what they do to data."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from airbyte_model.streams import Stream, name_of, shown
from pulumi_airbyte.provider.backfill import reshaped, tokens_now
from pulumi_airbyte.provider.connection_cursors import UNSEEN, cursor_outcome
from pulumi_airbyte.provider.connection_inputs import canonical
from pulumi_airbyte.provider.connection_state import past_of
from pulumi_airbyte.provider.properties import UNKNOWN, Properties, Property
from pulumi_airbyte.provider.target import Known
from pydantic import JsonValue

from lotus_infra.plan.impact import (
    BUCKET,
    CONNECTION,
    HOLDERS,
    LIFECYCLE,
    SOURCE,
    Change,
    Cursors,
    History,
    Impact,
    Loss,
    ObjectImpact,
    Refresh,
    Setting,
    SourceImpact,
    StreamImpact,
    area_of,
    is_object,
    is_secret,
    kind_of,
    places,
    setting,
)
from lotus_infra.plan.preview import Preview, ResourceState, Step, is_hidden
from lotus_infra.plan.streams import streams

MODE_CHANGES: Final = "its sync mode changes"
DELETED: Final = "its connection is deleted"
OVERWRITING: Final = frozenset({"full_refresh_overwrite", "full_refresh_overwrite_deduped"})
ALL_FIELDS: Final = "all that the source has"
OVERWRITTEN: Final = "each sync puts its rows in place of all that have landed"
COMES_BACK: Final = "stays in Airbyte: the stream goes on there if it comes back"
WAS_HERE: Final = "from the beginning, or where it was if this connection had it before"
CHANGES: Final[Mapping[str, Change]] = {
    "create": "added",
    "import": "added",
    "update": "changed",
    "delete": "removed",
    "replace": "replaced",
    "import-replacement": "replaced",
}
ELSEWHERE: Final = "it moves to another destination: rows that were read before stay in the old one"
OTHER_PLACE: Final = "rows land in another place from now on, and those that are there stay where they are"
SECRET: Final = (
    "its streams are secret, because a mapper holds a key: "
    "this preview can't show which streams, fields or cursors change"
)
SECRET_LOSS: Final = (
    "changes streams that this preview can't show, because a mapper holds a key: cursors may be lost and landed rows "
    "overwritten"
)
PLACES: Final = frozenset({"namespaceDefinition", "namespaceFormat", "prefix"})
"""Settings of a connection that say where rows land."""
_ENDS: Final = frozenset({"sourceId", "destinationId"})
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


def incremental(stream: Stream) -> bool:
    """Whether a stream has a cursor."""
    return stream.sync_mode.startswith("incremental")


def of_replacement(old: ResourceState, new: ResourceState, *, same_connector: bool | None) -> Cursors:
    """What goes over to the connection that replaces another.

    Args:
        old: the one that goes.
        new: the one that comes.
        same_connector: whether both sources are of one connector; None where nothing tells.
    """
    outcome = cursor_outcome(_known(old), _properties(new.inputs), same_connector=same_connector is not False)
    lost = (
        dict(outcome.lost) if same_connector is not None else dict.fromkeys(outcome.kept, UNSEEN) | dict(outcome.lost)
    )
    kept = tuple(key for key in outcome.kept if key not in lost)
    return Cursors(kept, dict(sorted(lost.items())), tuple(sorted(outcome.reread)))


def of_update(old: Mapping[str, Stream], new: Mapping[str, Stream], anew: Mapping[str, str]) -> Cursors:
    """What an update leaves of the cursors of streams that stay."""
    staying = [key for key, stream in sorted(old.items()) if incremental(stream) and key in new]
    lost = {key: MODE_CHANGES for key in staying if not incremental(new[key])}
    kept = tuple(key for key in staying if key not in lost and key not in anew)
    return Cursors(kept, lost, tuple(key for key in staying if key in anew and key not in lost))


def of_deletion(old: Mapping[str, Stream]) -> Cursors:
    """What goes with a connection."""
    return Cursors(lost={key: DELETED for key, stream in sorted(old.items()) if incremental(stream)})


def read_anew(step: Step) -> dict[str, str]:
    """The streams that an update reads from the beginning, each with what asks for it, in words."""
    if step.old is None or step.new is None:
        return {}
    new = _properties(step.new.inputs)
    after = canonical(new)
    past = past_of(_known(step.old), after)
    was, now = past.tokens, tokens_now(new, after, past)
    found: dict[str, str] = {}
    if new.get("refreshOnSchemaChange") is True:
        found |= dict.fromkeys(reshaped(past.tree, after), "it changes")
    due = [place[1] for place in places(step) if place[0] == "backfills" and len(place) > 1]
    for key in due:
        token = now.get(key)
        again = ", whose last refresh failed" if token == was.get(key) else ""
        said = "true" if token is True else str(token)
        found[key] = "its last refresh failed" if token is None else f"token {said}{again}"
    return dict(sorted(found.items()))


def keys_now(old: ResourceState, new: ResourceState) -> Mapping[str, str]:
    """The keys that the streams of a connection have in what it becomes, by those that they have in what it is."""
    return past_of(_known(old), canonical(_properties(new.inputs))).keys


def _known(state: ResourceState) -> Known:
    return Known(state.id, _properties(state.inputs), _properties(state.outputs))


def _properties(values: Mapping[str, JsonValue]) -> Properties:
    """JSON values are properties of the provider that hold no secret; what is hidden is not known."""
    return {key: UNKNOWN if is_hidden(value) else cast("Property", value) for key, value in values.items()}


def compared(
    old: Mapping[str, Stream], new: Mapping[str, Stream], cursors: Cursors, anew: Collection[str]
) -> tuple[StreamImpact, ...]:
    """The streams that come, go or change, by key.

    Args:
        old: those of the connection as it is, by the keys of `new`; empty where there is none yet.
        new: those that it will have; empty where it goes.
        cursors: what becomes of cursors.
        anew: streams that are read from the beginning.
    """
    return tuple(_impacts(old, new, cursors, anew))


def _impacts(
    old: Mapping[str, Stream], new: Mapping[str, Stream], cursors: Cursors, anew: Collection[str]
) -> Iterator[StreamImpact]:
    lost = cursors.lost or {}
    for key in sorted(old.keys() | new.keys()):
        if key not in old:
            starts = (WAS_HERE if old else "from the beginning") if incremental(new[key]) else ""
            yield StreamImpact(shown(key), "added", settings=tuple(_shape(new[key])), cursor=starts)
        elif key not in new:
            kept = COMES_BACK if new and incremental(old[key]) else ""
            yield StreamImpact(shown(key), "removed", cursor=f"lost: {lost[key]}" if key in lost else kept)
        elif old[key] != new[key] or key in lost:
            yield _changed(old[key], new[key], lost.get(key, ""), again=key in anew)


def overwritten(old: Mapping[str, Stream], new: Mapping[str, Stream]) -> list[str]:
    """The streams whose rows that have landed go, because they come to be overwritten."""
    both = sorted(old.keys() & new.keys())
    return [key for key in both if new[key].sync_mode in OVERWRITING and old[key].sync_mode not in OVERWRITING]


def _changed(old: Stream, new: Stream, lost: str, *, again: bool) -> StreamImpact:
    added, removed = _fields(old, new)
    settings = tuple(one for one in _settings(old, new) if one.before != one.after)
    names = {one.name for one in settings}
    return StreamImpact(
        shown(new.key),
        "changed",
        added,
        removed,
        settings,
        _cursor(old, new, lost, again=again),
        tuple(_stream_remarks(old, new, added, names, again=again)),
    )


def _cursor(old: Stream, new: Stream, lost: str, *, again: bool) -> str:
    if lost:
        return f"lost: {lost}"
    if not incremental(new):
        return ""
    if again:
        return "from the beginning, as asked"
    if not incremental(old):
        return "from the beginning"
    if old.cursor_field != new.cursor_field:
        return f"kept, but its value is of {'.'.join(old.cursor_field) or 'what the source chose'}"
    return "kept"


def _stream_remarks(old: Stream, new: Stream, added: tuple[str, ...], names: set[str], *, again: bool) -> Iterator[str]:
    whole = incremental(old) and incremental(new) and not again
    if added and whole:
        yield "rows that are there already get no value of a new field until a backfill"
    if whole and names & {"cursor", "sync mode"}:
        yield "what it was read by changes: without a backfill rows may be missing or come twice"
    if new.sync_mode in OVERWRITING and old.sync_mode not in OVERWRITING:
        yield OVERWRITTEN
    elif incremental(old) and not incremental(new):
        yield "each sync brings all rows once more"


def _fields(old: Stream, new: Stream) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if old.selected_fields is None or new.selected_fields is None:
        return (), ()
    had, has = set(old.selected_fields), set(new.selected_fields)
    return tuple(sorted(has - had)), tuple(sorted(had - has))


def _settings(old: Stream, new: Stream) -> Iterator[Setting]:
    yield Setting("sync mode", old.sync_mode, new.sync_mode)
    yield Setting("cursor", ".".join(old.cursor_field), ".".join(new.cursor_field))
    yield Setting("key", _key(old), _key(new))
    yield Setting("namespace", old.namespace, new.namespace)
    if (old.selected_fields is None) != (new.selected_fields is None):
        yield Setting("fields", _count(old), _count(new))
    for name in sorted(old.others.keys() | new.others.keys()):
        # Mappers may hold keys to encrypt with: that they differ is all that is said.
        before, after = (json.dumps(each.others.get(name), sort_keys=True) for each in (old, new))
        if before != after:
            yield Setting(name, "", "changed")


def _shape(stream: Stream) -> Iterator[Setting]:
    """What a stream that comes is like."""
    yield Setting("sync mode", "", stream.sync_mode)
    yield Setting("cursor", "", ".".join(stream.cursor_field))
    yield Setting("key", "", _key(stream))
    yield Setting("fields", "", _count(stream))


def _count(stream: Stream) -> str:
    fields = stream.selected_fields
    return ALL_FIELDS if fields is None else f"{len(fields)}"


def _key(stream: Stream) -> str:
    return ", ".join(".".join(path) for path in stream.primary_key)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The steps of one source; None where the preview has none."""

    name: str
    source: Step | None
    connection: Step | None


def pipelines(steps: Sequence[Step]) -> list[Pipeline]:
    """The sources that change, by name; that something stays is of use beside what doesn't."""
    of_type = {
        wanted: {step.name: step for step in steps if step.type == wanted and step.op in {*CHANGES, "same"}}
        for wanted in (SOURCE, CONNECTION)
    }
    found = (
        Pipeline(name, of_type[SOURCE].get(name), of_type[CONNECTION].get(name))
        for name in sorted(of_type[SOURCE].keys() | of_type[CONNECTION].keys())
    )
    return [
        each for each in found if any(step is not None and not step.quiet for step in (each.source, each.connection))
    ]


def source_impact(pipeline: Pipeline, preview: Preview, histories: Mapping[str, History]) -> SourceImpact:
    """What becomes of a source.

    Args:
        pipeline: its steps.
        preview: the whole.
        histories: of connections, by their id.

    Raises:
        LotusError: a connection's streams are not what the provider writes.
    """
    step = pipeline.connection
    old, new = _streams(step) or ({}, {})
    anew = read_anew(step) if step is not None and step.op == "update" else {}
    fates = _cursors(pipeline, old, new, anew)
    refreshes = anew or dict.fromkeys(fates.anew, "a new token")
    history = histories.get(step.old.id) if step is not None and step.old is not None else None
    steps = [each for each in (pipeline.source, step) if each is not None and not each.quiet]
    return SourceImpact(
        name=pipeline.name,
        change=_change(pipeline.source),
        connection=_change(step),
        streams=compared(old, new, fates, refreshes),
        settings=tuple(each for one in steps for each in settings_of(one)),
        secrets=tuple(secret for one in steps for secret in secrets_of(one)),
        cursors=_told(fates),
        refreshes=tuple(Refresh(shown(key), why, history) for key, why in refreshes.items()),
        remarks=tuple(_source_remarks(step)),
        said=tuple(line for one in steps for line in said_of(preview, one)),
    )


def stream_losses(pipeline: Pipeline) -> Iterator[Loss]:
    """The streams of a connection that stays, or is replaced, which lose a cursor or rows that have landed."""
    step = pipeline.connection
    if step is None or step.old is None or step.new is None or step.quiet:
        return
    if _is_unseen(step):
        yield Loss("connection", pipeline.name, SECRET_LOSS)
        return
    old, new = _streams(step) or ({}, {})
    lost = dict(_cursors(pipeline, old, new, {}).lost or {})
    gone = overwritten(old, new)
    for key in sorted({*lost, *gone}):
        what = [f"its cursor is lost, because {lost[key]}"] if key in lost else []
        what += ["its landed rows are overwritten"] if key in gone else []
        refused = step.op != "update" and key in lost and step.new.inputs.get("allowCursorLoss") is not True
        by_file = f"{pipeline.name}/{name_of(key)[1]}"
        yield Loss("stream", f"{pipeline.name}/{shown(key)}", "; ".join(what), refused=refused, by_file=by_file)


def settings_of(step: Step) -> Iterator[Setting]:
    """The values of an Airbyte object that differ, without secrets, streams and backfills."""
    if step.old is None or step.new is None:
        return
    seen: set[tuple[str, ...]] = set()
    for place in places(step):
        shown = place[:1] if place[0] == "schedule" else place
        if place[0] in {"configurations", "backfills", *_ENDS} or is_secret(step, place) or shown in seen:
            continue
        seen.add(shown)
        yield setting(step, shown)


def secrets_of(step: Step) -> Iterator[str]:
    """The paths of secrets that differ; of streams, which may be secret as a whole, a remark tells."""
    if step.old is not None and step.new is not None:
        found = (place for place in places(step) if place[0] != "configurations" and is_secret(step, place))
        yield from map(".".join, found)


def said_of(preview: Preview, step: Step) -> tuple[str, ...]:
    """What was said of an object, but for what went wrong, which is said of the whole."""
    told = (said for said in preview.diagnostics if said.urn == step.urn and said.severity != "error")
    return tuple(said.message for said in told)


def _change(step: Step | None) -> Change:
    return CHANGES.get(step.op, "changed") if step is not None else "changed"


def _streams(step: Step | None) -> tuple[dict[str, Stream], dict[str, Stream]] | None:
    """The streams of a connection as it is and as it will be, by the keys of the latter; None where they are secret."""
    if step is None or step.quiet:
        return {}, {}
    old, new = (streams(state.inputs) if state is not None else {} for state in (step.old, step.new))
    if old is None or new is None:
        return None
    keys: Mapping[str, str] = keys_now(step.old, step.new) if step.old is not None and step.new is not None else {}
    return {keys.get(key, key): stream for key, stream in old.items()}, new


def _is_unseen(step: Step) -> bool:
    """Whether streams of a connection change, and are secret."""
    differ = step.op != "update" or any(place[0] == "configurations" for place in places(step))
    return differ and _streams(step) is None


def _told(fates: Cursors) -> Cursors:
    """The same with streams as people read them."""
    lost = None if fates.lost is None else {shown(key): why for key, why in fates.lost.items()}
    return Cursors(tuple(map(shown, fates.kept)), lost, tuple(map(shown, fates.anew)))


def _cursors(
    pipeline: Pipeline, old: Mapping[str, Stream], new: Mapping[str, Stream], anew: Mapping[str, str]
) -> Cursors:
    step = pipeline.connection
    if step is None or step.old is None or step.quiet:
        return Cursors()
    if step.new is None:
        return of_deletion(old)
    if step.op == "update":
        return of_update(old, new, anew)
    return of_replacement(step.old, step.new, same_connector=_same_connector(pipeline, step.old, step.new))


def _same_connector(pipeline: Pipeline, old: ResourceState, new: ResourceState) -> bool | None:
    """Whether both sources of a connection are of one connector; None where the preview does not tell."""
    if old.inputs.get("sourceId") == new.inputs.get("sourceId"):
        return True
    source = pipeline.source
    if source is None or source.old is None or source.new is None or source.old.id != old.inputs.get("sourceId"):
        return None
    return source.old.inputs.get("definitionId") == source.new.inputs.get("definitionId")


def _source_remarks(step: Step | None) -> Iterator[str]:
    if step is not None and _is_unseen(step):
        yield SECRET
    if step is None or step.old is None or step.new is None or step.quiet:
        return
    if step.old.inputs.get("destinationId") != step.new.inputs.get("destinationId"):
        yield ELSEWHERE
    if any(place[0] in PLACES for place in places(step)):
        yield OTHER_PLACE


def losses_of(steps: Sequence[Step]) -> tuple[Loss, ...]:
    """What a run deletes or loses, by kind and name."""
    found = [loss for step in steps if is_object(step) for loss in _of_step(step)]
    made = {step.name for step in steps if step.type == BUCKET and step.op == "create"}
    rules = (step for step in steps if step.type == LIFECYCLE and step.new is not None and step.name not in made)
    found += [loss for step in rules for loss in _expiring(step)]
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


def impact_of(preview: Preview, histories: Mapping[str, History] | None = None, stack: str = "") -> Impact:
    """What a run does.

    Args:
        preview: what the engine said.
        histories: what jobs brought so far, by the id of the connection; None where nobody asked.
        stack: whose run it is, where the preview does not tell.

    Raises:
        LotusError: a connection's streams are not what the provider writes.
    """
    steps = main_steps(preview)
    sources = (source_impact(pipeline, preview, histories or {}) for pipeline in pipelines(steps))
    return Impact(
        stack=stack or stack_of(preview),
        complete=preview.complete,
        errors=preview.errors,
        sources=tuple(sources),
        others=tuple(sorted(_others(steps, preview), key=lambda each: (each.area, each.kind, each.name))),
        losses=losses_of(steps),
    )


def stack_of(preview: Preview) -> str:
    """The stack that the first URN names; empty where there is none."""
    parts = preview.steps[0].urn.split(":") if preview.steps else []
    return parts[2] if len(parts) > 2 else ""


def main_steps(preview: Preview) -> list[Step]:
    """One step for each resource: events tell of a replacement in three, a digest in one.

    What an earlier step leaves as it is may still go in a later one.
    """
    found: dict[str, Step] = {}
    for step in preview.steps:
        if step.urn not in found or found[step.urn].quiet or step.op == "replace":
            found[step.urn] = step
    return list(found.values())


def _others(steps: list[Step], preview: Preview) -> Iterator[ObjectImpact]:
    for step in steps:
        if step.op not in CHANGES or not is_object(step) or step.type in {SOURCE, CONNECTION}:
            continue
        area = area_of(step)
        own = area == "Airbyte"
        yield ObjectImpact(
            kind=kind_of(step),
            name=step.name,
            area=area,
            change="left alone" if left_alone(step) else CHANGES[step.op],
            settings=tuple(settings_of(step)) if own else tuple(_paths(step)),
            secrets=tuple(secrets_of(step)) if own else (),
            said=said_of(preview, step),
        )


def _paths(step: Step) -> Iterator[Setting]:
    """Where it differs, without values: nobody says here which of them are secrets."""
    if step.old is not None and step.new is not None:
        yield from (Setting(".".join(place), "", "") for place in places(step))
