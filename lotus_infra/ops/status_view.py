"""How a status is shown: a table of connections, one of streams, what is wrong, and what was not asked."""

from collections.abc import Iterator
from datetime import UTC, datetime

from pydantic import JsonValue
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from lotus_infra.ops.freshness import Made, StreamStatus, Unknown
from lotus_infra.ops.landing import Landed
from lotus_infra.ops.status import ConnectionStatus, Status
from lotus_infra.streams.problems import counted, printable

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def render(found: Status) -> str:
    """The tables, and below them a line for each problem and for each reason why something is not known."""
    console = Console()
    with console.capture() as captured:
        console.print(_connections(found))
        if found.streams:
            console.print(_streams(found))
    lines = [*found.problems, *dict.fromkeys(_unknown(found))]
    lines.append(counted(len(found.problems), "problem") if found.problems else "no problems")
    return captured.get() + "".join(printable(line) + "\n" for line in lines)


def _unknown(found: Status) -> Iterator[str]:
    for stream in found.streams:
        for what, value in (("files", stream.landed), ("models and marts", stream.model)):
            if isinstance(value, Unknown):
                yield f"{what}: {_word(value)}: {value.why}"


def _word(value: Unknown) -> str:
    return "unknown" if value.asked else "not asked"


def _connections(found: Status) -> Table:
    table = Table("source", "state", "last job")
    for heading in ("rows", "when", "next"):
        table.add_column(heading, justify="right")
    for each in found.connections:
        job = each.job
        table.add_row(
            each.source,
            each.state,
            "none yet" if job is None else f"{job.job_type} {job.status}",
            "" if job is None or job.rows_synced is None else f"{job.rows_synced:,}",
            "" if job is None else ago(job.started, found.at),
            ahead(each.next_run, found.at),
        )
    return table


def _streams(found: Status) -> Table:
    table = Table("stream")
    for heading in ("newest file", "files", "size", "model", "oldest mart"):
        table.add_column(heading, justify="right")
    for each in found.streams:
        table.add_row(f"{each.source}/{each.stream}", *_files(each, found.at), *_models(each, found.at))
    return table


def _files(stream: StreamStatus, now: datetime) -> tuple[str, str, str]:
    """The newest file of a stream; the number and the size of those of its day."""
    match stream.landed:
        case None:
            return "none", "", ""
        case Unknown():
            return _word(stream.landed), "", ""
        case Landed(_, files, size, newest):
            return ago(newest, now), f"{files:,}", decimal(size)


def _models(stream: StreamStatus, now: datetime) -> tuple[str, str]:
    if isinstance(stream.model, Unknown):
        return _word(stream.model), _word(stream.model)
    never = [each for each in stream.marts if each.at is None]
    oldest = never or sorted(stream.marts, key=lambda each: each.at or now)
    return _made(stream.model, now), _made(oldest[0], now) if oldest else "none"


def _made(made: Made, now: datetime) -> str:
    return "never" if made.at is None else ago(made.at, now)


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago something was, in the largest unit that fits: `3 h ago`."""
    return "" if at is None else f"{_span((now - at).total_seconds())} ago"


def ahead(at: datetime | None, now: datetime) -> str:
    """How long it is until something."""
    if at is None:
        return ""
    return "due" if at <= now else f"in {_span((at - now).total_seconds())}"


def _span(seconds: float) -> str:
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "less than 1 min"


def as_document(found: Status) -> dict[str, JsonValue]:
    """The same for programs; what is not known is null, with the reason beside it."""
    return {
        "ok": not found.problems,
        "at": _time(found.at),
        "connections": [_connection(each) for each in found.connections],
        "streams": [_stream(each) for each in found.streams],
        "problems": list(found.problems),
    }


def _connection(each: ConnectionStatus) -> dict[str, JsonValue]:
    job = each.job
    last: JsonValue = None
    if job is not None:
        last = {
            "id": job.job_id,
            "type": job.job_type,
            "status": job.status,
            "running": not job.finished,
            "rows": job.rows_synced,
            "started": _time(job.started),
            "ended": _time(job.ended),
        }
    return {
        "source": each.source,
        "connection_id": each.connection_id,
        "state": each.state,
        "last_job": last,
        "next_run": _time(each.next_run),
        "problem": each.problem,
    }


def _stream(each: StreamStatus) -> dict[str, JsonValue]:
    files: JsonValue = None
    if isinstance(each.landed, Landed):
        day = each.landed
        files = {"partition": day.partition, "files": day.files, "bytes": day.bytes, "newest": _time(day.newest)}
    model: JsonValue = None
    if isinstance(each.model, Made):
        model = _made_document(each.model)
    return {
        "source": each.source,
        "stream": each.stream,
        "files": files,
        "files_unknown": each.landed.why if isinstance(each.landed, Unknown) else None,
        "model": model,
        "marts": [_made_document(made) for made in each.marts],
        "models_unknown": each.model.why if isinstance(each.model, Unknown) else None,
    }


def _made_document(made: Made) -> dict[str, JsonValue]:
    return {"name": made.name, "made": _time(made.at)}


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")
