"""Runs inside a client's environment: takes the steps that a test orders, one JSON document a line."""

import dataclasses
import datetime as dt
import enum
import json
import os
import sys
from collections.abc import Callable
from typing import Any

MARK = "answer "
"""Begins an answer's line: some clients print while they are imported."""


def serve(steps: dict[str, Callable[..., Any]]) -> None:
    """Answer orders until the input ends.

    An order is `{"step": name, "twin": {...}, "with": {...}}`; an answer is `{"result": ...}` or
    `{"error": class, "text": ...}`.

    Args:
        steps: Functions by name; each takes the twin's addresses as `twin` and the order's arguments by name.
    """
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # clients print
        for line in sys.stdin:
            order = json.loads(line)
            try:
                text = json.dumps({"result": plain(steps[order["step"]](order["twin"], **order["with"]))})
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the test judges it
                text = json.dumps({"error": type(error).__name__, "text": str(error)})
            print(MARK + text, file=answers, flush=True)


def plain(value: Any) -> Any:
    """An object of a client as JSON can hold it."""
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if dump := getattr(value, "model_dump", None):
        return plain(dump(mode="json"))
    members = value if isinstance(value, dict) else {name: getattr(value, name) for name in members_of(value)}
    if members or isinstance(value, dict):
        return {str(key): plain(member) for key, member in members.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(member) for member in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def members_of(value: Any) -> list[str]:
    """Names of the members of a dataclass or a named tuple; Dagster's records are named tuples."""
    if isinstance(value, type):
        return []
    if dataclasses.is_dataclass(value):
        return [field.name for field in dataclasses.fields(value)]
    return list(getattr(value, "_fields", ()))
