"""Serve a twin with uvicorn on a socket bound beforehand, with a clean end and connections that a fault can cut."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from airbyte_twin.faults import TRANSPORT

GRACE = 1
"""Seconds for requests under way to end after the server stopped listening."""
POLL = 0.005
"""Seconds between two looks at whether they have."""


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 that hands each request its transport, so that a fault can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wrap the application for this connection."""
        super().connection_made(transport)
        app = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[TRANSPORT] = transport
            await app(scope, receive, send)

        self.app = with_transport


class TwinServer(uvicorn.Server):
    """A uvicorn server with callbacks at its start and end, and a clean exit on signals."""

    def __init__(
        self,
        app: ASGIApp,
        on_ready: Callable[[], None],
        on_end: Callable[[], None],
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
        )
        super().__init__(config)
        self._on_ready = on_ready
        self._on_end = on_end
        self._is_wanted = is_wanted
        self._wake: Callable[[], object] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen."""
        await super().startup(sockets)
        self._on_ready()

    async def main_loop(self) -> None:
        """Wait for the end: by `stop` at once; by a signal, or if unwanted, within a tenth of a second."""
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._wake = lambda: loop.call_soon_threadsafe(stopped.set)
        while not self.should_exit and self._is_wanted():
            await self.on_tick(0)  # sets the Date header
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), 0.1)
        self._on_end()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, close idle connections and wait for requests under way.

        uvicorn's own version always sleeps a tenth of a second, which a test run pays once for each of its twins.
        """
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(GRACE):
                while self.server_state.connections or self.server_state.tasks:
                    await asyncio.sleep(POLL)
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()

    def stop(self) -> None:
        """End soon; may be called from another thread."""
        self.should_exit = True
        if self._wake:
            self._wake()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End at SIGTERM and SIGINT without raising them again, so that the process can end with 0."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        signals = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def bound_socket(host: str, port: int) -> socket.socket:
    """A TCP socket on an address; port 0 is any free one.

    Raises:
        OSError: The address is taken or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio disables Nagle's algorithm only for sockets of protocol TCP; with it, each answer takes 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except (OSError, OverflowError):
        bound.close()
        raise
    return bound
