"""Why a run of dlt has failed, in one line: dlt wraps errors in its own, whose advice is for its own command line."""

import logging
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from lotus_infra import naming
from lotus_infra.errors import LotusError, masked_urls, one_line

_SHORTEST_SECRET = 4


class RunError(LotusError):
    """A run of dlt has failed."""


@contextmanager
def plain_errors(
    shown: str, what: str, remedy: str, *, log: logging.Logger, secrets: Collection[str] = ()
) -> Iterator[None]:
    """Raise Lotus's own errors as they are, and any other as one line.

    Args:
        shown: The stream for messages.
        what: What has failed: `can't be read`.
        remedy: What to do about an error that is not Lotus's own.
        log: Gets the traceback.
        secrets: Texts that neither the log nor the error shows; nor do they show what addresses have in them.

    Raises:
        LotusError: Something has failed.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001, a module of the lake may raise anything
        causes = list(_causes(error))
        for cause in causes:
            if isinstance(cause, LotusError):
                raise cause from None
        log.info("%s", _masked("".join(traceback.format_exception(error)), secrets))
        first = causes[-1]
        reason = one_line(_masked(_last_line(str(first)) or type(first).__name__, secrets))
        raise RunError(f"{shown} {what}: {reason}{_place(causes)}", remedy) from None


def _masked(text: str, secrets: Collection[str]) -> str:
    text = masked_urls(text)
    for secret in sorted(secrets, key=len, reverse=True):
        # A shorter one is part of words.
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return text


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _last_line(text: str) -> str:
    """The message itself; of a load, dlt has only the text of a traceback, whose last line it is."""
    if "Traceback" not in text:
        return text
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1]


def _place(causes: list[BaseException]) -> str:
    """Where in a source's module it was: ` (dagster/sources/erp.py:20)`."""
    for cause in reversed(causes):
        for frame in reversed(traceback.extract_tb(cause.__traceback__)):
            _, found, name = frame.filename.replace("\\", "/").rpartition(f"{naming.SOURCE_MODULES}/")
            if found:
                return f" ({found}{name}:{frame.lineno})"
    return ""
