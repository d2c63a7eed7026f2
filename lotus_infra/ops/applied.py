"""Which commit a stack was brought to last: the engine records it with each update, and no other record is needed."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from lotus_infra.errors import LotusError
from lotus_infra.ops.engine import Engine

APPLYING: Final = frozenset({"update", "destroy", "resource-import"})
"""Kinds of updates that bring a program's state of things about; a refresh only looks."""


class _Update(BaseModel):
    """What `pulumi stack history --json` prints of an update (`updateInfoJSON` in pulumi, pkg/cmd/pulumi/stack)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str
    environment: Mapping[str, str] = {}

    @property
    def commit(self) -> str:
        """The commit that was checked out; empty where it ran outside a clone."""
        return self.environment.get("git.head", "") if self.kind in APPLYING else ""


_UPDATES: Final = TypeAdapter(tuple[_Update, ...])


def last_applied(engine: Engine) -> str | None:
    """The commit of the last update, also of one that failed: it may have changed things. None where none is known.

    Raises:
        LotusError: the history can't be had.
    """
    try:
        updates = _UPDATES.validate_json(engine.asked("stack", "history", "--json"))
    except ValidationError:
        raise LotusError(
            "the stack's history is not what pulumi prints", "use the engine that `make env` finds"
        ) from None
    return next((update.commit for update in updates if update.commit), None)
