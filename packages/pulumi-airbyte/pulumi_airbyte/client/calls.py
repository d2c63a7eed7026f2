"""The base of all calls: the roots of both APIs, paging, and the transport."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pulumi_airbyte.client import deadline
from pulumi_airbyte.client.errors import AirbyteError
from pulumi_airbyte.client.models import build_models, parse
from pulumi_airbyte.client.redactor import Redactor
from pulumi_airbyte.client.settings import ClientSettings
from pulumi_airbyte.values import JsonObject, JsonValue

if TYPE_CHECKING:
    from pulumi_airbyte.client.transport import Effect, Method, Query, Transport

Returned = TypeVar("Returned")
PAGE: Final = 100
"""The server's largest page size (airbyte-platform, PaginationMapper)."""


class Calls:
    """One Airbyte server. Thread-safe; the only user of the transport.

    The transport, and the HTTP library with it, is imported by the first call: a preview without changes makes none.
    """

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._redactor = Redactor()
        self._redactor.learn([settings.auth.client_secret, settings.auth.password, settings.auth.bearer])
        self._cancelled = threading.Event()
        self._connecting = threading.Lock()
        self._connected: Transport | None = None

    @property
    def _transport(self) -> "Transport":
        with self._connecting:
            if self._connected is None:
                from pulumi_airbyte.client.transport import Transport  # noqa: PLC0415

                build_models()
                self._connected = Transport(self._settings, self._redactor, self._cancelled)
            return self._connected

    @property
    def redactor(self) -> Redactor:
        """Removes secrets from messages. Call its `learn` with the secrets of a request."""
        return self._redactor

    @property
    def has_config_api(self) -> bool:
        """Whether the Config API's root is known."""
        return bool(self._settings.config_url)

    @property
    def has_address(self) -> bool:
        """Whether the server's address is known. In a preview, another resource may still have to create the server."""
        return bool(self._settings.public_url)

    @property
    def address(self) -> str:
        """The root of the public API; empty while it is unknown."""
        return self._settings.public_url

    @property
    def server_time(self) -> str:
        """The `Date` header of the last answer; empty without one."""
        return self._connected.server_time if self._connected is not None else ""

    def cancel(self) -> None:
        """Stop retrying and waiting."""
        self._cancelled.set()

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Limit all calls of this thread inside the block to this many seconds together, with retries and waits.

        Each call is limited to `ClientSettings.read_seconds` in any case.
        """
        return deadline.within(seconds)

    def rest(self) -> bool:
        """Wait for one polling interval; returns whether the wait was cancelled."""
        return self._cancelled.wait(self._settings.poll_seconds)

    def patiently(self, may_repeat: Callable[[BaseException], bool], call: Callable[[], Returned]) -> Returned:
        """The result of `call`, retried as often as any call of this client."""
        return self._transport.patiently(may_repeat)(call)

    def close(self) -> None:
        """Close the connections."""
        if self._connected is not None:
            self._connected.close()

    def _public(
        self, method: "Method", path: str, what: str, *, body: JsonObject | None = None, query: "Query | None" = None
    ) -> JsonValue:
        return self._transport.request(method, self._settings.public_url + path, what, body=body, query=query)

    def _config(
        self, path: str, what: str, body: JsonObject, *, needed_by: str, effect: "Effect" = "reads"
    ) -> JsonValue:
        """POST to the Config API, which uses POST for reads too.

        Raises:
            AirbyteError: also if the server has no Config API; `needed_by` then begins the message.
        """
        self._require_config_api(needed_by)
        url = self._settings.config_url + path
        return self._transport.request("POST", url, what, body=body, effect=effect)

    def _config_get(self, path: str, what: str, *, needed_by: str) -> JsonValue:
        """GET from the Config API; raises as `_config`."""
        self._require_config_api(needed_by)
        return self._transport.request("GET", self._settings.config_url + path, what)

    def _require_config_api(self, needed_by: str) -> None:
        if not self.has_config_api:
            hint = "Set configUrl to the root of the Config API, e.g. https://airbyte.example.com/api/v1."
            raise AirbyteError(f"{needed_by} Airbyte's Config API, and its address is not known.", hint)

    def _items(self, path: str, what: str, query: "Query") -> list[dict[str, Any]]:
        answer = self._transport.request("GET", self._settings.public_url + path, what, query=query)
        unwrapped = answer.get("data") if isinstance(answer, dict) else answer
        return parse(list[dict[str, Any]], unwrapped, what)

    def _pages(self, path: str, key: str, what: str, query: "Query | None" = None) -> Iterator[dict[str, Any]]:
        """All items of a list, each once.

        The answer's `next` is not followed: it names the server's internal host, and the last page has one too. Pages
        have no stable order under concurrent writes, so an item may come twice. A server that does not page answers
        the same full page again, which also ends the list.
        """
        seen: set[str] = set()
        offset = 0
        while True:
            page = self._items(path, what, [*(query or []), ("limit", str(PAGE)), ("offset", str(offset))])
            new = {str(item.get(key)): item for item in page if str(item.get(key)) not in seen}
            yield from new.values()
            seen |= new.keys()
            if len(page) < PAGE or not new:
                return
            offset += PAGE
