"""Request bodies of the control endpoints, strict so that a typo in a test is an error."""

from typing import Annotated, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from airbyte_twin.documents import JsonObject, parse_json
from airbyte_twin.errors import ApiError
from airbyte_twin.records import ConnectionStatus, JobStatus

LAST_INSTANT = 253_402_300_799
"""The end of the year 9999, in seconds since 1970: later times cannot be written down."""


class Order(BaseModel):
    """Base of all control bodies."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class ClockOrder(Order):
    """Freeze the clock (at an instant, in seconds since 1970), let it run again, move it; in this order."""

    freeze: bool | Annotated[float, Field(ge=0, le=LAST_INSTANT)] | None = None
    resume: bool = False
    advance: float = Field(default=0, ge=-LAST_INSTANT, le=LAST_INSTANT)


class JobOrder(Order):
    """Move a job to a status."""

    status: JobStatus
    bytes_synced: int | None = Field(default=None, ge=0)
    rows_synced: int | None = Field(default=None, ge=0)


class StatusDrift(Order):
    """The server sets a connection's status, as after a breaking schema change, of which it then keeps a mark."""

    kind: Literal["connection_status"]
    connection_id: UUID
    status: ConnectionStatus
    breaking_change: bool | None = None


class ColumnDrift(Order):
    """The server propagates a new column to a connection; `select` adds it to selected fields too."""

    kind: Literal["propagate_column"]
    connection_id: UUID
    stream: str
    field: str
    json_schema: JsonObject = Field(default={"type": "string"}, validate_default=True)
    select: bool = True


class OutsideDrift(Order):
    """The system behind a source gains or changes a column, or loses it (null schema); found by a fresh discovery."""

    kind: Literal["outside_column"]
    source_id: UUID
    stream: str
    field: str
    json_schema: JsonObject | None


class SecretDrift(Order):
    """Someone changes a secret of an actor out of band; `path` names it, array positions as text."""

    kind: Literal["rotate_secret"]
    actor_id: UUID
    path: tuple[str, ...] = Field(min_length=1)
    value: str


class TemperDrift(Order):
    """A connector starts to fail or to be slow; what is left out is well again.

    `read_failure_after` is the number of records that a source still sends before it fails.
    """

    kind: Literal["temper"]
    actor_id: UUID
    check_failure: str | None = None
    discover_failure: str | None = None
    discover_seconds: float = Field(default=0, ge=0, le=600)
    read_failure: str | None = None
    read_failure_after: int = Field(default=0, ge=0)


class Drift(RootModel[StatusDrift | ColumnDrift | OutsideDrift | SecretDrift | TemperDrift]):
    """Any change that the server or the outside world makes by itself."""

    model_config = ConfigDict(frozen=True)

    root: Annotated[StatusDrift | ColumnDrift | OutsideDrift | SecretDrift | TemperDrift, Field(discriminator="kind")]


M = TypeVar("M", bound=BaseModel)


def refused(message: str, status: int = 422) -> ApiError:
    """A control answer that says what is wrong."""
    return ApiError(status, {"message": message})


async def read_order(request: Request, model: type[M]) -> M:
    """Parse a control body.

    Raises:
        ApiError: 422 with the first thing that is wrong.
    """
    try:
        return model.model_validate(parse_json(await request.body()))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise refused(f"{where}: {first['msg']}") from error
    except ValueError as error:
        raise refused(f"not JSON: {error}") from error
