"""A run of dlt in a process of its own, killed before or after one of the changes that others can see of it."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from botocore.httpsession import URLLib3Session

from tests.dagster.erp import Erp

CHANGES = ("open", "os.rename", "os.remove", "os.mkdir")
"""What Python reports before it changes a folder."""


def run_until(erp: Erp, stream: str, point: int) -> bool:
    """A run in a process of its own, killed at a point; returns whether it came to its end first."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            kill_at(point, erp.landing)
            erp.land(stream)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


def kill_at(point: int, landing: str) -> None:
    """Have this process kill itself at the n-th point, counted from 1."""
    left = point

    def reached() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def sent(session: URLLib3Session, request: Any, send: Callable[..., Any] = URLLib3Session.send) -> Any:
        reached()
        answer = send(session, request)
        reached()
        return answer

    def changed(event: str, arguments: tuple[Any, ...]) -> None:
        if event in CHANGES and str(arguments[0]).startswith(landing):
            reached()

    if landing.startswith("s3://"):
        URLLib3Session.send = sent  # type: ignore[method-assign, assignment]
    else:
        sys.addaudithook(changed)
