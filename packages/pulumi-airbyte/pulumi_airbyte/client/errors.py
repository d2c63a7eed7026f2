"""Errors of calls to Airbyte.

AirbyteError(message, hint, status, outcome_unknown)
├── Unreachable      no HTTP answer: refused, timed out, dropped
├── Unauthenticated  401, or a token endpoint that refuses the credentials
├── Forbidden        403: not allowed, or (Cloud and Enterprise) an id that does not exist
├── NotFound         404 from the API itself: the object does not exist
├── Rejected         400, 422: the request is invalid
├── Conflict         409, 423: the object is in use
│   └── JobRunning   409: a job of the connection is running
├── Busy             429, 502, 503, 504: the same request may succeed later
├── Unsettled        a list that changed each time it was read
└── ServerError      any other 5xx, or an answer of an unexpected shape
"""

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import httpx

EXCERPT: Final = 256
LONGEST: Final = 65536
"""Characters of an HTML error page that are searched for a message; EXCERPT of them are shown."""
ROOT_HINT: Final = (
    "Check that serverUrl is the API's root (self-managed: https://<host>/api/public/v1), not its web page."
)
_TAG: Final = re.compile(r"<[^<>]*>")


class AirbyteError(Exception):
    """A failed call.

    Args:
        message: the request and the answer, redacted, one line.
        hint: the remedy; may be empty.
        status: the HTTP status; None without an answer.
        outcome_unknown: whether a failed write may still take effect: the server or a proxy gave up on it (408, 502,
            503, 504 and other 5xx of proxies), or the answer was late or lost. False for reads, for requests that were
            never sent (a refused connection, no token), and for every decision by the server itself. A 500 is false
            too, although Airbyte may have written something before it failed: check once after it.
    """

    def __init__(
        self, message: str, hint: str = "", status: int | None = None, *, outcome_unknown: bool = False
    ) -> None:
        super().__init__(f"{message}\n  {hint}" if hint else message)
        self.message = message
        self.hint = hint
        self.status = status
        self.outcome_unknown = outcome_unknown


class Unreachable(AirbyteError):
    """There was no HTTP answer."""


class Unauthenticated(AirbyteError):
    """The credentials were refused."""


class Forbidden(AirbyteError):
    """Not allowed. Cloud and Enterprise also answer this for ids that do not exist."""


class NotFound(AirbyteError):
    """The object does not exist."""


class Rejected(AirbyteError):
    """The request is invalid."""


class Conflict(AirbyteError):
    """The object is in use."""


class JobRunning(Conflict):
    """A job of the connection is running."""


class Busy(AirbyteError):
    """The server could not take the request now."""


class Unsettled(AirbyteError):
    """A list changed each time it was read, so no decision can rely on it."""


class ServerError(AirbyteError):
    """The server failed, or its answer has an unexpected shape."""


_BY_STATUS: Final[dict[int, type[AirbyteError]]] = {
    400: Rejected,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: Rejected,
    423: Conflict,
    429: Busy,
    502: Busy,
    503: Busy,
    504: Busy,
}

_HINTS: Final[dict[int, str]] = {
    401: "Check the provider's credentials (clientId and clientSecret, username and password, or bearerAuth).",
    403: "Check that the application's user may edit this workspace, and that the id exists.",
    429: "The server is shedding load; run the command again later.",
    502: "The server or a proxy before it is not ready; run the command again later.",
    503: "The server is not ready; run the command again later.",
    504: "The server took too long; run the command again later.",
}

_CODE_HINTS: Final[dict[str, str]] = {
    "value-not-found": "Give definitionId: the connector's type name is not known to this server.",
    "try-again-later": "A sync is running for the connection; wait for it or cancel it.",
    "error:connection/locked": "The connection is locked by the server; see its page in Airbyte.",
}


def leaves_open(status: int) -> bool:
    """Whether a write that failed with this status may still take effect.

    Airbyte's own 500 and 501 end a request. The other 5xx come from proxies and say nothing about the server.
    """
    return status == 408 or status >= 502


def error_from(
    response: "httpx.Response", what: str, clean: Callable[[str], str], *, writes: bool = False
) -> AirbyteError:
    """The typed error for a failed response.

    Args:
        response: a failed response; its body was read.
        what: the request in words, e.g. `create source "Shopify"`.
        clean: removes secrets from a text. Applied before a text is cut or joined to one line, because cut secrets
            would not be recognized.
        writes: whether the request changes something.
    """
    status = response.status_code
    kind = _BY_STATUS.get(status, ServerError)
    code, detail = _explain(response, clean)
    hint = _CODE_HINTS.get(code) or _HINTS.get(status, "")
    if status == 404 and not code.endswith("not-found"):
        # Only the API's own "not found" means that an object is missing. This 404 comes from a proxy or a wrong
        # address; taking it for a missing object would drop a live object from the state and create it again.
        kind, hint = ServerError, ROOT_HINT
    elif code == "try-again-later":
        kind = JobRunning
    elif response.is_redirect:
        hint = f"It redirects to {clean(response.headers.get('location', 'another address'))}. {ROOT_HINT}"
    message = f"Airbyte could not {what}: {status} {detail}"
    return kind(message, hint, status, outcome_unknown=writes and leaves_open(status))


def _explain(response: "httpx.Response", clean: Callable[[str], str]) -> tuple[str, str]:
    """The error's code and a readable line, from any known form of error body."""
    try:
        body = response.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict):
        # Clean after removing the tags and before cutting: a page may have tags inside a secret.
        shown = clean(_TAG.sub(" ", clean(response.text[:LONGEST])))
        return "", _line(shown)[:EXCERPT] or response.reason_phrase
    code, detail = _explain_object(body, response.reason_phrase)
    return code, _line(clean(detail))


def _line(text: str) -> str:
    return " ".join(text.split())


def _explain_object(body: dict[str, Any], otherwise: str) -> tuple[str, str]:
    title = str(body.get("title") or "")
    data = body.get("data") if isinstance(body.get("data"), dict) else {}
    specific = str(data.get("message") or "") if isinstance(data, dict) else ""
    detail = specific or str(body.get("detail") or body.get("message") or title or otherwise)
    if isinstance(data, dict) and data.get("resourceId"):
        detail += f" ({data.get('resourceType')} {data.get('resourceId')})"
    nested = body.get("_embedded")
    if isinstance(nested, dict) and isinstance(nested.get("errors"), list):
        detail = "; ".join(str(error.get("message")) for error in nested["errors"] if isinstance(error, dict)) or detail
    if body.get("errorId"):
        detail += f" (error id {body['errorId']} in the server's log)"
    return _code(body, title), detail


def _code(body: dict[str, Any], title: str) -> str:
    """The error's code: its type if that is an `error:*`, else its title."""
    kind = str(body.get("type") or "")
    return kind if kind.startswith("error:") else title
