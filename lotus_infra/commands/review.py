"""Review a preview: its impact on data, the gate's decision, downstream models and job history.

Not a command: it gathers what `lotus comment`, `lotus gate` and `lotus deploy` show and decide on, so that all three
agree on the losses. It reads the preview and the lake's project; it calls Airbyte for the job history only, on request.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lotus_infra import naming
from lotus_infra.clients.airbyte import connected, translate_errors
from lotus_infra.commands.options import dbt_folder
from lotus_infra.config.settings import StackSettings
from lotus_infra.config.stack import Project
from lotus_infra.dbt.project import StreamName, load_project
from lotus_infra.errors import LotusError
from lotus_infra.lake.loader import load_stack_lake
from lotus_infra.lake.references import LANDING
from lotus_infra.lineage import Lineage, downstream
from lotus_infra.plan.addresses import Files, Target, targets
from lotus_infra.plan.analysis import impact_of, main_steps, stack_of
from lotus_infra.plan.gate import Gate, gate
from lotus_infra.plan.impact import CONNECTION, History, Impact
from lotus_infra.plan.preview import EngineMessage, Preview, read_preview

_OWN_KEYS: Final = "lotus:"
TRUNCATED: Final = "The preview's output is empty or truncated."


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """A preview to review.

    Attributes:
        preview: The file with the output of `pulumi preview --json`.
        directory: The lake's folder.
        stack: The stack; by default the one that the preview names.
        labels: The labels of the pull request.
    """

    preview: Path
    directory: Path
    stack: str | None = None
    labels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """A reviewed preview.

    Attributes:
        impact: Its effect on objects and data.
        gate: The blocked and the accepted losses.
        lineage: Models downstream of the streams that it touches; None without a dbt project.
        with_history: Whether Airbyte was called for the job history.
        targets: Where the sources and destinations point that it adds, changes or replaces.
        with_lake: Whether the lake's files could be read, which name the secrets.
    """

    impact: Impact
    gate: Gate
    lineage: Lineage | None = None
    with_history: bool = False
    targets: tuple[Target, ...] = ()
    with_lake: bool = True


def review_losses(request: ReviewRequest) -> Review:
    """Review a preview by its file and the stack's acknowledgements only.

    Raises:
        LotusError: The file or the stack does not exist, or can't be read.
    """
    return _review(request, load_preview(request.preview), None)


def review_impact(request: ReviewRequest, *, dbt: Path | None = None, airbyte: bool = False) -> Review:
    """Review a preview, with the models downstream of the streams that it touches.

    Args:
        request: The preview.
        dbt: The dbt project's folder, if it is not the default.
        airbyte: Read the job history of the changed connections from the stack's Airbyte.

    Raises:
        LotusError: As `judged`; the dbt project can't be read, or Airbyte is unavailable.
    """
    preview = load_preview(request.preview)
    review = _review(request, preview, _histories(request, preview) if airbyte else None)
    folder = dbt_folder(request.directory, dbt)
    lineage = downstream(touched_streams(review.impact), load_project(folder)) if folder is not None else None
    return replace(review, lineage=lineage, with_history=airbyte)


def load_preview(file: Path) -> Preview:
    """Read a preview from its file; a truncated one is a failed preview.

    Raises:
        LotusError: The file can't be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        what = f"{file} can't be read ({reason})"
        raise LotusError(what, "create it with `pulumi preview --json > preview.json`") from None
    try:
        return read_preview(text)
    except LotusError as error:
        # An engine that crashes or is killed leaves half a document: the pull request gets a comment and a closed gate.
        message = TRUNCATED if not text.strip() else f"{TRUNCATED}\n{error.message}"
        return Preview(diagnostics=(EngineMessage(severity="error", message=message),))


def touched_streams(impact: Impact) -> dict[StreamName, bool]:
    """The streams whose rows may change, each with whether the stream is removed."""
    found: dict[StreamName, bool] = {}
    for source in impact.sources:
        for connection in source.connections:
            for name, is_removed in connection.models.items():
                # A stream that leaves one connection may stay in another one.
                found[source.name, name] = is_removed and found.get((source.name, name), True)
    return found


def _review(request: ReviewRequest, preview: Preview, histories: Mapping[str, History] | None) -> Review:
    previewed = stack_of(preview)
    stack = (request.stack or previewed).rsplit("/", maxsplit=1)[-1]
    settings = _stack_settings(request, stack)
    losses = frozenset(settings.lotus.acknowledge if settings is not None else ())
    if previewed and stack != previewed:
        raise LotusError(f"the preview is of the stack {previewed}, not of {stack}", f"preview the stack {stack}")
    files = _lake_files(request.directory, stack, settings)
    impact = impact_of(preview, histories, stack, files)
    decision = gate(impact, losses, request.labels, naming.LOSS_LABEL)
    pointing = targets(main_steps(preview), files)
    return Review(impact, decision, targets=pointing, with_lake=files.known)


def _stack_settings(request: ReviewRequest, stack: str) -> StackSettings | None:
    """The configuration in the stack's file in this clone; None without a file.

    The clone's file counts, not the deployed configuration: an acknowledgement is part of the reviewed change.

    Raises:
        LotusError: The user named the stack, and it has no file; or the file is invalid.
    """
    project = Project.around(request.directory)
    if project is None or (request.stack is None and stack not in project.stacks):
        return None
    [name] = project.named([stack])
    return project.settings(name)


def _lake_files(directory: Path, stack: str, settings: StackSettings | None) -> Files:
    """The files of a stack's lake, with the stack's plain values by the text of their reference.

    A review of a preview needs them for the names of secrets and for pinned specifications. Files that can't be read
    are left out: then nothing hidden counts as a known credential.
    """
    try:
        lake = load_stack_lake(directory, stack)
    except LotusError:
        return Files()
    if settings is None:
        return Files(lake, {})
    zone, parts = settings.lotus.landing_zone, dict[str, str | int]()
    if zone is not None:
        parts = {
            "bucket": zone.landing,
            "prefix": naming.LANDING_PATH,
            "region": zone.region,
            "endpoint": zone.endpoint,
        }
    return Files(lake, {**settings.values, **{f"{LANDING} {part}": value for part, value in parts.items()}})


def _histories(request: ReviewRequest, preview: Preview) -> dict[str, History]:
    """Read the job history of each connection that the preview changes or replaces, by the connection's id."""
    steps = (step for step in main_steps(preview) if step.type == CONNECTION and not step.quiet)
    ids = sorted({step.old.id for step in steps if step.old is not None and step.new is not None})
    if not ids:
        return {}
    with connected(request.directory, request.stack or stack_of(preview)) as live, translate_errors():
        return {
            connection_id: _sum_rows(
                job.rows_synced
                for kind in ("sync", "refresh")
                for job in live.airbyte.jobs(connection_id=connection_id, kind=kind)
            )
            for connection_id in ids
        }


def _sum_rows(rows: Iterable[int | None]) -> History:
    """Sum the rows of jobs; jobs that report none (still running, failed early) do not count."""
    counted = [each for each in rows if each]
    return History(len(counted), sum(counted))
