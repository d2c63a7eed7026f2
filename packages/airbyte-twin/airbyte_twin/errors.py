"""Airbyte's error bodies, as exceptions.

Source of shapes: airbyte-platform `api-problems.yaml` and the exception handlers of airbyte-commons-server.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import Response

from airbyte_twin.documents import JsonArray, JsonObject, dump_json

SECURED = "airbyte_twin.secured"
"""Key in a request's scope: set if its bearer token was checked. Unknown routes then answer 403."""
DOCUMENTATION = "https://reference.airbyte.com/reference/errors"
CONFIG_ROOT = "/api/v1/"


@dataclass(frozen=True)
class Problem:
    """The fixed members of one kind of problem."""

    type: str
    title: str
    detail: str


def _documented(title: str, detail: str, fragment: str | None = None) -> Problem:
    """A problem whose type leads to the reference; an empty fragment leaves none."""
    fragment = title if fragment is None else fragment
    return Problem(f"{DOCUMENTATION}#{fragment}" if fragment else DOCUMENTATION, title, detail)


PROBLEMS = {
    "bad-request": _documented(
        "bad-request", "The request could not be understood by the server due to malformed syntax."
    ),
    "value-not-found": _documented("value-not-found", "The submitted value could not be found.", ""),
    "forbidden": _documented("forbidden", "The request is forbidden."),
    "resource-not-found": _documented("resource-not-found", "The requested resource could not be found."),
    "state-conflict": _documented("state-conflict", "State conflict", "409-state-conflict"),
    "try-again-later": _documented("try-again-later", "Please try again later."),
    "unprocessable-entity": _documented("unprocessable-entity", "The body of the request was not understood"),
    "invalid-redirect-url": _documented(
        "invalid-redirect-url",
        "Redirect URL format not understood. Please verify that it is a valid URI and uses HTTPS.",
    ),
    "oauth-callback-failure": _documented("oauth-callback-failure", "Unexpected problem completing OAuth"),
    "unexpected-problem": _documented(
        "unexpected-problem",
        "An unexpected problem has occurred. If this is an error that needs to be addressed, please submit a pull "
        "request or github issue.",
        "",
    ),
}
"""Problems of the public API, whose title is their code. Observed or in api-problems.yaml."""

TEXTS = {
    "error:cron-validation/invalid-timezone": ("Invalid cron timezone", "The specified cron timezone is invalid"),
    "error:mapper-validation": ("Mapper validation failed", "The mapper configuration is invalid"),
    "error:mapper-validation/invalid-config": (
        "Invalid Mapper Configuration",
        "The mapper configuration is invalid and cannot be parsed",
    ),
    "error:connection-validation/file-transfer/connection-unsupported": (
        "Connection does not support file transfers",
        "The source or destination used in this connection does not support file transfers, so they cannot be enabled.",
    ),
    "error:dataplane-group-name-already-exists": (
        "Data plane group name already exists",
        "A data plane group with this name already exists for this organization.",
    ),
    "error:group-already-exists": (
        "Group already exists",
        "A group with this name already exists in this organization.",
    ),
    "error:group-member-already-exists": (
        "Group member already exists",
        "This user is already a member of this group.",
    ),
    "error:license/entitlement": (
        "License Entitlement Error",
        "The license for this organization is not entitled to use the requested feature.",
    ),
    "error:connection/locked": ("Connection is locked", "The connection is locked and cannot be modified."),
    "error:twin/not-modelled": (
        "Not modelled by airbyte-twin",
        "A real Airbyte has this call, the twin does not model it.",
    ),
    "error:tag-already-exists": ("Tag already exists", "A tag with this name already exists in this workspace."),
    "error:tag-invalid-hex-color": ("Invalid hex color", "The hex color provided is invalid."),
    "error:tag-name-too-long": ("Tag name too long", "The tag name can be maximum 30 characters."),
}
"""Title and detail of `error:*` problems, whose code is only in their type. Observed or in api-problems.yaml."""


def problem_of(code: str) -> Problem:
    """The problem of a code; without recorded texts, its title is derived from the code."""
    known = PROBLEMS.get(code)
    if known is not None:
        return known
    made = code.rpartition("/")[2].removeprefix("error:").replace("-", " ").capitalize()
    title, detail = TEXTS.get(code, (made, made))
    return Problem(code, title, detail)


class ApiError(Exception):
    """Any error that is answered with a JSON body.

    Attributes:
        status: HTTP status.
        body: The JSON document to send, nulls included.
    """

    def __init__(self, status: int, body: JsonObject) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


class ProblemError(ApiError):
    """A problem document, the error shape of the public API; sent as `application/json` with its nulls.

    Args:
        status: HTTP status.
        code: See `problem_of`.
        data: What the problem is about.
        detail: The text, where it is not the problem's own.
        config: What the Config API answers instead; None for the few problems that both APIs have.
    """

    def __init__(
        self,
        status: int,
        code: str,
        data: JsonObject | None = None,
        detail: str | None = None,
        *,
        config: ApiError | None = None,
    ) -> None:
        self.config = config
        problem = problem_of(code)
        body: JsonObject = {
            "status": status,
            "type": problem.type,
            "title": problem.title,
            "detail": problem.detail if detail is None else detail,
            "documentationUrl": None,
            "data": data,
        }
        super().__init__(status, body)


class OpaqueError(ApiError):
    """An error with nothing but an id: uncaught errors, constraints, unreadable bodies, 404s of the Config API."""

    def __init__(self, status: int) -> None:
        super().__init__(status, {"errorId": str(uuid4())})


class KnownError(ApiError):
    """An error of the Config API with a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, {"message": message, "errorId": str(uuid4())})


class BadObjectError(KnownError):
    """422 of the Config API: something sent does not fulfil its specification (ApiHelper.execute)."""

    def __init__(self, reason: str) -> None:
        super().__init__(422, f"The provided configuration does not fulfill the specification. Errors: {reason}")


class HttpError(ApiError):
    """The web framework's own error body: 401, 403, wrong client credentials, arguments of the wrong type.

    Args:
        status: HTTP status.
        reason: Its name, or another summary.
        target: Path and query of the call.
        message: Details, if there are more than the reason.
        argument: Which of the call's arguments is wrong.
    """

    def __init__(
        self, status: int, reason: str, target: str, message: str | None = None, argument: str | None = None
    ) -> None:
        nested: JsonObject = {"message": message or reason, "_links": {}, "_embedded": {}}
        if argument is not None:
            nested["path"] = f"/{argument}"
        body: JsonObject = {
            "message": reason,
            "_links": {"self": {"href": target, "templated": False}},
            "_embedded": {"errors": [nested]},
        }
        super().__init__(status, body)


class BareError(Exception):
    """An error that is answered with its status alone.

    Attributes:
        status: HTTP status.
    """

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


def target_of(request: Request) -> str:
    """Path and query of a call, as it was sent."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def unconverted(request: Request, argument: str, value: str, reason: str) -> HttpError:
    """400 for an argument that does not convert to its type."""
    message = f"Failed to convert argument [{argument}] for value [{value}] due to: {reason}"
    return HttpError(400, "Bad Request", target_of(request), message, argument)


def bad_request(message: str, config: ApiError | None = None) -> ProblemError:
    """400 `bad-request` with the reason in `data.message`."""
    return ProblemError(400, "bad-request", {"message": message}, config=config)


def unprocessable(message: str) -> ProblemError:
    """422 with the reason: `unprocessable-entity` in the public API."""
    return ProblemError(422, "unprocessable-entity", {"message": message}, config=BadObjectError(message))


def unexpected(message: str | None, config: ApiError | None = None) -> ProblemError:
    """500 `unexpected-problem`: a connector failed inside a request, or the server's own code or database did."""
    data: JsonObject | None = None if message is None else {"message": message}
    return ProblemError(500, "unexpected-problem", data, config=config or OpaqueError(500))


def missing(resource_type: str, resource_id: str) -> ProblemError:
    """404 `resource-not-found`."""
    data: JsonObject = {"resourceType": resource_type, "resourceId": resource_id}
    return ProblemError(404, "resource-not-found", data, config=OpaqueError(404))


def forbidden() -> ProblemError:
    """403 `forbidden`."""
    return ProblemError(403, "forbidden", {"message": "Caller does not have the required permissions."})


def files_unsupported(what: Literal["connection", "stream"], streams: Iterable[tuple[str | None, str]]) -> ProblemError:
    """400 for streams, by namespace and name, whose connection, or that themselves, do not support file transfer."""
    code = f"error:connection-validation/file-transfer/{what}-unsupported"
    shown: JsonArray = [{"streamName": name, "streamNamespace": namespace} for namespace, name in streams]
    return ProblemError(400, code, {"streams": shown})


def json_response(document: JsonValue, status: int = 200) -> Response:
    """One JSON answer, nulls included."""
    return Response(dump_json(document), status, media_type="application/json")


def deleted() -> Response:
    """204."""
    return bodyless(204)


def bodyless(status: int) -> Response:
    """An answer of the server's own code that has no body, with the type that the server gives it."""
    return Response(status_code=status, headers={"content-type": "*/*"})


async def answer_api_error(request: Request, error: Exception) -> Response:
    """Starlette exception handler for every `ApiError`; the two APIs have shapes of their own for a shared rule."""
    if not isinstance(error, ApiError):
        raise error
    config = error.config if isinstance(error, ProblemError) else None
    shown = config if config is not None and request.url.path.startswith(CONFIG_ROOT) else error
    return json_response(shown.body, shown.status)


async def answer_bare_error(_request: Request, error: Exception) -> Response:
    """Starlette exception handler for every `BareError`."""
    if not isinstance(error, BareError):
        raise error
    return Response(status_code=error.status)


async def answer_http_exception(request: Request, error: Exception) -> Response:
    """Starlette exception handler for unknown routes and wrong methods."""
    status = getattr(error, "status_code", 500)
    if status == 404 and request.scope.get(SECURED):
        return json_response(HttpError(403, "Forbidden", target_of(request)).body, 403)
    if status == 404:
        return Response("Object not found.", 404, media_type="application/json")
    if status == 405:
        return Response(status_code=405)
    return json_response(OpaqueError(status).body, status)
