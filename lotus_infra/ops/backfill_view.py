"""How a backfill is shown: the plan before anything is written, and what comes after."""

import json
from datetime import timedelta

from pydantic import JsonValue

from lotus_infra.ops.backfill import Plan
from lotus_infra.ops.history import History
from lotus_infra.streams.problems import counted, printable

Estimate = History | str | None
"""What the jobs brought so far; why that is not known; or None where nobody asked."""


def render(planned: Plan, estimate: Estimate = None) -> str:
    """The plan: each file with its tokens, what the next `pulumi up` will do, and what that takes."""
    names = ", ".join(each.stream for each in planned.edits)
    lines = [f'{each.file}: "backfill": {json.dumps(each.before)} -> "{each.token}"' for each in planned.edits]
    lines += [
        f"The next `pulumi up` has Airbyte read {names} of {planned.edits[0].source} from the beginning, once.",
        "Other streams go on where they are; what was never applied reads everything at its first sync, and no more.",
        "Rows land beside those that are there; the models take the latest row of each key.",
    ]
    lines += [_told(planned.edits[0].source, estimate)] if estimate is not None else []
    return "".join(printable(line) + "\n" for line in lines)


def _told(source: str, estimate: History | str) -> str:
    if isinstance(estimate, str):
        return f"How many rows that is, is not known: {estimate}"
    if not estimate.jobs or estimate.since is None:
        return f"How many rows that is, is not known: no job of {source} has succeeded yet"
    longest = estimate.longest_seconds
    took = "" if longest is None else f"; the longest took {timedelta(seconds=round(longest))}"
    since = f"{'all' if estimate.complete else 'the newest'} since {estimate.since:%Y-%m-%d}"
    return (
        f"So far {counted(estimate.jobs, 'job')} of {source} brought {estimate.rows:,} rows, all of its streams "
        f"together ({since}){took}."
    )


def afterwards(planned: Plan) -> str:
    """What to do once the tokens are written."""
    files = " ".join(each.file for each in planned.edits)
    token, names = planned.edits[0].token, " and ".join(each.stream for each in planned.edits)
    return printable(
        f"next: git commit {files}, and open a pull request; its preview says `will refresh` for {names} "
        f"(token {token}), and the `pulumi up` after the merge does it"
    )


def as_document(planned: Plan, estimate: Estimate, *, written: bool) -> dict[str, JsonValue]:
    """The same for programs."""
    rows: JsonValue = None
    if isinstance(estimate, History):
        since = estimate.since.isoformat() if estimate.since is not None else None
        rows = {
            "jobs": estimate.jobs,
            "rows": estimate.rows,
            "longest_seconds": estimate.longest_seconds,
            "since": since,
            "complete": estimate.complete,
        }
    return {
        "ok": True,
        "written": written,
        "streams": [
            {
                "source": each.source,
                "stream": each.stream,
                "file": each.file,
                "before": each.before,
                "token": each.token,
            }
            for each in planned.edits
        ],
        "history": rows,
        "history_unknown": estimate if isinstance(estimate, str) else None,
    }
