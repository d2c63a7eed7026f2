"""Read a request's body into a model, with the rules and errors of the server's JSON mapper.

Unknown members are ignored, enums are case-insensitive, null counts as absent, and a single value may stand for a list.
"""

import re
from typing import Annotated, ClassVar, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from airbyte_twin.documents import parse_json
from airbyte_twin.errors import BareError, HttpError, OpaqueError, target_of, unconverted
from airbyte_twin.json_mapper import (
    CONFIG_MAPPER,
    PUBLIC_MAPPER,
    MissingMemberError,
    java_name,
    no_content,
    syntax_error,
)

JSON = "application/json"


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _listed(value: object) -> object:
    return value if value is None or isinstance(value, list) else [value]


def _standard(value: object) -> object:
    if isinstance(value, str) and not STANDARD_ID.fullmatch(value):
        raise ValueError("no UUID of 36 characters")
    return value


STANDARD_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
AnyCase = BeforeValidator(_lowered)
Many = BeforeValidator(_listed)
"""Mark of a list for which one value may stand."""
Id = Annotated[UUID, BeforeValidator(_standard)]
Names = Annotated[tuple[str, ...], Many]


class Body(BaseModel):
    """Base of all request bodies: camelCase outside, snake_case inside.

    Attributes:
        java: Simple name of the server's class, where it is not the model's.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, coerce_numbers_to_str=True)

    java: ClassVar[str] = ""


B = TypeVar("B", bound=Body)


async def read_body(request: Request, model: type[B], class_name: str = "") -> B:
    """Parse the request's body.

    Args:
        request: The call.
        model: Model of the body.
        class_name: The server's class, where it is not the model's own.

    Raises:
        BareError: 415, it is announced as something other than JSON.
        ApiError: 400, invalid JSON or a value of the wrong type; 500, no body, null, or a missing required member.
    """
    raw = await request.body()
    announced = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if raw and announced != JSON:
        raise BareError(415)
    name = class_name or java_name(model)
    argument = name[:1].lower() + name[1:]
    if raw and not raw.strip():
        raise unconverted(request, argument, "null", no_content(raw))
    try:
        document = parse_json(raw) if raw else None
    except ValueError as error:
        raise HttpError(400, "Invalid JSON", target_of(request), syntax_error(raw)) from error
    if document is None:
        raise OpaqueError(500)
    mapper = PUBLIC_MAPPER if request.url.path.startswith("/api/public/") else CONFIG_MAPPER
    try:
        return model.model_validate(document)
    except ValidationError as error:
        try:
            reason = mapper.refusal(raw, model, name, error)
        except MissingMemberError:
            raise OpaqueError(500) from error
        raise unconverted(request, argument, "null", reason) from error
