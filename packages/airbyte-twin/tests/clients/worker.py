"""Runs inside a client's environment: takes the steps that a test orders, one JSON document a line."""

import dataclasses
import datetime as dt
import enum
import json
import os
import sys
from collections.abc import Callable
from typing import Any


def serve(steps: dict[str, Callable[..., Any]]) -> None:
    """Answer orders until the input ends.

    An order is `{"step": name, "twin": {...}, "with": {...}}`, an answer `{"result": ...}` or `{"error": class, "text": ...}`.

    Args:
        steps: Functions by name; each takes the twin's addresses as `twin` and the order's arguments by name.
    """
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # clients print
        for line in sys.stdin:
            order = json.loads(line)
            try:
                answer = {"result": steps[order["step"]](order["twin"], **order["with"])}
                text = json.dumps(answer, default=plain)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the test judges it
                text = json.dumps({"error": type(error).__name__, "text": str(error)})
            print(text, file=answers, flush=True)


def plain(value: object) -> object:
    """An object of a client as JSON can hold it."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if dump := getattr(value, "model_dump", None):
        return dump(mode="json", by_alias=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)
