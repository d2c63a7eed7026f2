"""What a discovery that fails inside another call looks like: a bare 500, without a reason."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pulumi_airbyte.client.errors import ServerError

DISCOVERY_HINT: Final = (
    "Airbyte discovers the source here. Where that fails, the source's credentials or its configuration may be the "
    "reason: test the source on its page in Airbyte, or set checkConnection on it, which shows what its connector says."
)
FAILED: Final = 500


@contextmanager
def discovering() -> Iterator[None]:
    """Add to a 500 of a call that discovers a source what may be behind it.

    Raises:
        ServerError: the same with a hint.
    """
    try:
        yield
    except ServerError as error:
        if error.status != FAILED:
            raise
        raise ServerError(error.message, DISCOVERY_HINT, error.status, outcome_unknown=error.outcome_unknown) from error
