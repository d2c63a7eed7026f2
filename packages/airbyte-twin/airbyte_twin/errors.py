"""The error bodies that Airbyte sends, as exceptions.

Knows the shapes of error answers. Must not know which request leads to which of them.
Source of shapes: airbyte-platform `api-problems.yaml` and the exception handlers of airbyte-commons-server.
"""

from uuid import uuid4

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import Response

from airbyte_twin.documents import JsonObject, dump_json

DOCUMENTATION = "https://reference.airbyte.com/reference/errors#"
DETAILS = {
    400: "The request is not valid.",
    403: "You may not do this.",
    404: "The requested resource could not be found.",
    409: "The request conflicts with the state of the server.",
    422: "The request could not be processed as sent.",
    500: "The server failed in an unexpected way.",
    501: "Not implemented in this edition.",
}


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
    """A problem document, the error shape of the public API; sent as `application/json` with its nulls."""

    def __init__(self, status: int, title: str, data: JsonObject | None = None, detail: str | None = None) -> None:
        body: JsonObject = {
            "status": status,
            "type": title if title.startswith("error:") else DOCUMENTATION + title,
            "title": title,
            "detail": detail or DETAILS.get(status, title),
            "documentationUrl": None,
            "data": data,
        }
        super().__init__(status, body)


class OpaqueError(ApiError):
    """An error that says nothing but an id: uncaught ones, constraints, unreadable bodies, 404s of the Config API."""

    def __init__(self, status: int) -> None:
        super().__init__(status, {"errorId": str(uuid4())})


class KnownError(ApiError):
    """An error of the Config API that carries a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, {"message": message, "errorId": str(uuid4())})


class BadObjectError(KnownError):
    """422 of the Config API: something sent does not fulfil its specification (ApiHelper.execute)."""

    def __init__(self, reason: str) -> None:
        super().__init__(422, f"The provided configuration does not fulfill the specification. Errors: {reason}")


class HttpError(ApiError):
    """The web framework's own error body: 401, 405, 415 and wrong client credentials."""

    def __init__(self, status: int, reason: str, path: str, message: str | None = None) -> None:
        nested: JsonObject = {"message": message or reason, "_links": {}, "_embedded": {}}
        body: JsonObject = {
            "message": reason,
            "_links": {"self": {"href": path, "templated": False}},
            "_embedded": {"errors": [nested]},
        }
        super().__init__(status, body)


def bad_request(message: str) -> ProblemError:
    """400 `bad-request` with the reason in `data.message`."""
    return ProblemError(400, "bad-request", {"message": message})


def unprocessable(message: str) -> ProblemError:
    """422 `unprocessable-entity` with the reason in `data.message`."""
    return ProblemError(422, "unprocessable-entity", {"message": message})


def unexpected(message: str) -> ProblemError:
    """500 `unexpected-problem`, as the server answers when a connector fails inside a request."""
    return ProblemError(500, "unexpected-problem", {"message": message})


def missing(resource_type: str, resource_id: str) -> ProblemError:
    """404 `resource-not-found`."""
    return ProblemError(404, "resource-not-found", {"resourceType": resource_type, "resourceId": resource_id})


def forbidden() -> ProblemError:
    """403 `forbidden`."""
    return ProblemError(403, "forbidden", {"message": "Caller does not have the required permissions."})


def not_in_oss() -> ProblemError:
    """501 for what only Airbyte Cloud has."""
    return ProblemError(501, "error:implementation/not-implemented-in-oss")


def json_response(document: JsonValue, status: int = 200) -> Response:
    """One JSON answer, nulls included."""
    return Response(dump_json(document), status, media_type="application/json")


async def answer_api_error(_request: Request, error: Exception) -> Response:
    """Starlette exception handler for every `ApiError`."""
    if not isinstance(error, ApiError):
        raise error
    return json_response(error.body, error.status)


async def answer_http_exception(request: Request, error: Exception) -> Response:
    """Starlette exception handler for unknown routes and wrong methods."""
    status = getattr(error, "status_code", 500)
    if status == 404:
        return Response("Object not found.", 404, media_type="text/plain")
    if status == 405:
        return json_response(HttpError(405, "Method Not Allowed", request.url.path).body, 405)
    return json_response(OpaqueError(status).body, status)
