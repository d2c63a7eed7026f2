"""From the steps of a preview to what they do to data."""

from collections.abc import Iterator, Mapping

from lotus_infra.changes.digest import Preview, Step
from lotus_infra.changes.impact import History, Impact, ObjectImpact, Setting
from lotus_infra.changes.kinds import CONNECTION, SOURCE, area_of, is_object, kind_of
from lotus_infra.changes.losses import left_alone, losses_of
from lotus_infra.changes.places import places
from lotus_infra.changes.sources import CHANGES, pipelines, said_of, secrets_of, settings_of, source_impact


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
    """One step for each resource: events tell of a replacement in three, a digest in one."""
    found: dict[str, Step] = {}
    for step in preview.steps:
        if step.urn not in found or step.op == "replace":
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
