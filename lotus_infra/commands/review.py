"""What `lotus comment` and `lotus gate` stand on: a preview that was made, and what the stack says may be lost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lotus_infra import naming
from lotus_infra.clients.airbyte import connected, translate_errors
from lotus_infra.commands.options import dbt_folder
from lotus_infra.config.stack import ACKNOWLEDGE_KEY, Project, acknowledged
from lotus_infra.dbt.project import StreamName, load_project
from lotus_infra.errors import LotusError
from lotus_infra.lineage import Lineage, downstream
from lotus_infra.plan.analysis import impact_of, main_steps, stack_of
from lotus_infra.plan.gate import Gate, gate
from lotus_infra.plan.impact import CONNECTION, History, Impact
from lotus_infra.plan.preview import EngineMessage, Preview, read

CUT_OFF: Final = "The preview's output is missing, or breaks off in the middle."


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be reviewed.

    Attributes:
        preview: the file with the output of `pulumi preview --json`.
        directory: the lake's folder.
        stack: the stack; else the one that the preview names.
        labels: those that the pull request carries.
    """

    preview: Path
    directory: Path
    stack: str | None = None
    labels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """A preview that was looked at.

    Attributes:
        impact: what it does to data.
        gate: whether that may go ahead.
        lineage: models downstream of the streams that it touches; None without a dbt project.
        asked: whether Airbyte was asked for its job history.
    """

    impact: Impact
    gate: Gate
    lineage: Lineage | None = None
    asked: bool = False


def judged(request: Request) -> Review:
    """Judge a preview by itself.

    Raises:
        LotusError: there is no such file or stack, or the stack's file can't be read.
    """
    return _judged(request, preview_in(request.preview), None)


def reviewed(request: Request, *, dbt: Path | None = None, airbyte: bool = False) -> Review:
    """Judge a preview, with what is made of the streams that it touches.

    Args:
        request: what is to be reviewed.
        dbt: the dbt project's folder, if it isn't where it is expected.
        airbyte: whether to ask the stack's Airbyte for the job history of connections that read a stream anew.

    Raises:
        LotusError: as `judged`; the dbt project can't be read, or Airbyte can't be asked.
    """
    preview = preview_in(request.preview)
    review = _judged(request, preview, _histories(request, preview) if airbyte else None)
    folder = dbt_folder(request.directory, dbt)
    lineage = downstream(touched(review.impact), load_project(folder)) if folder is not None else None
    return Review(review.impact, review.gate, lineage, airbyte)


def preview_in(file: Path) -> Preview:
    """A preview from its file; one that breaks off is one that failed.

    Raises:
        LotusError: the file can't be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        what = f"{file} can't be read ({reason})"
        raise LotusError(what, "`pulumi preview --json > preview.json` makes a preview") from None
    try:
        return read(text)
    except LotusError as error:
        said = CUT_OFF if not text.strip() else f"{CUT_OFF}\n{error.message}"
        return Preview(diagnostics=(EngineMessage(severity="error", message=said),))


def _judged(request: Request, preview: Preview, histories: Mapping[str, History] | None) -> Review:
    previewed = stack_of(preview)
    stack = (request.stack or previewed).rsplit("/", maxsplit=1)[-1]
    agreed = _acknowledged(request, stack)
    if previewed and stack != previewed:
        raise LotusError(f"the preview is of the stack {previewed}, not of {stack}", f"make one of {stack}")
    impact = impact_of(preview, histories, stack)
    return Review(impact, gate(impact, agreed, request.labels, naming.LOSS_LABEL))


def _acknowledged(request: Request, stack: str) -> frozenset[str]:
    """What the stack's file, as it is in this clone, says may be lost; nothing where there is no such file."""
    project = Project.around(request.directory)
    if project is None or (request.stack is None and stack not in project.stacks):
        return frozenset()
    [name] = project.named([stack])
    return acknowledged(project.values(name).get(ACKNOWLEDGE_KEY))


def touched(impact: Impact) -> dict[StreamName, bool]:
    """The streams of which other rows may come than before, each with whether it goes."""
    found: dict[StreamName, bool] = {}
    for source in impact.sources:
        found |= {(source.name, refresh.stream): False for refresh in source.refreshes}
        found |= {(source.name, stream.name): stream.change == "removed" for stream in source.streams}
        found |= {(source.name, key): source.connection == "removed" for key in source.cursors.lost or ()}
    return found


def _histories(request: Request, preview: Preview) -> dict[str, History]:
    """What jobs have brought, for each connection that changes."""
    steps = (step for step in main_steps(preview) if step.type == CONNECTION and not step.quiet)
    ids = sorted({step.old.id for step in steps if step.old is not None and step.new is not None})
    if not ids:
        return {}
    with connected(request.directory, request.stack or stack_of(preview)) as live, translate_errors():
        return {
            connection_id: _history(
                job.rows_synced
                for kind in ("sync", "refresh")
                for job in live.airbyte.jobs(connection_id=connection_id, kind=kind)
            )
            for connection_id in ids
        }


def _history(rows: Iterable[int | None]) -> History:
    counted = [each for each in rows if each]
    return History(len(counted), sum(counted))
