"""What becomes of each source and its one connection."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from airbyte_model.streams import Stream, name_of, shown

from lotus_infra.changes import cursors
from lotus_infra.changes.compare import compared, overwritten
from lotus_infra.changes.digest import Preview, ResourceState, Step
from lotus_infra.changes.impact import Change, Cursors, History, Loss, Refresh, Setting, SourceImpact
from lotus_infra.changes.kinds import CONNECTION, SOURCE
from lotus_infra.changes.places import is_secret, places, setting
from lotus_infra.changes.streams import streams

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
    anew = cursors.read_anew(step) if step is not None and step.op == "update" else {}
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
        remarks=tuple(_remarks(step)),
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
    keys: Mapping[str, str] = (
        cursors.keys_now(step.old, step.new) if step.old is not None and step.new is not None else {}
    )
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
        return cursors.of_deletion(old)
    if step.op == "update":
        return cursors.of_update(old, new, anew)
    return cursors.of_replacement(step.old, step.new, same_connector=_same_connector(pipeline, step.old, step.new))


def _same_connector(pipeline: Pipeline, old: ResourceState, new: ResourceState) -> bool | None:
    """Whether both sources of a connection are of one connector; None where the preview does not tell."""
    if old.inputs.get("sourceId") == new.inputs.get("sourceId"):
        return True
    source = pipeline.source
    if source is None or source.old is None or source.new is None or source.old.id != old.inputs.get("sourceId"):
        return None
    return source.old.inputs.get("definitionId") == source.new.inputs.get("definitionId")


def _remarks(step: Step | None) -> Iterator[str]:
    if step is not None and _is_unseen(step):
        yield SECRET
    if step is None or step.old is None or step.new is None or step.quiet:
        return
    if step.old.inputs.get("destinationId") != step.new.inputs.get("destinationId"):
        yield ELSEWHERE
    if any(place[0] in PLACES for place in places(step)):
        yield OTHER_PLACE
