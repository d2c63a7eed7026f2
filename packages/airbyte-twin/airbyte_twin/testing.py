"""A twin for tests, in a thread of the test's own process on a free loopback port.

The twin itself must not import it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty
from typing import Any, TypeAlias

from airbyte_twin.app import build_twin, run_twin
from airbyte_twin.calls import Call
from airbyte_twin.faults import Held
from airbyte_twin.server import bound_socket
from airbyte_twin.settings import TwinSettings
from airbyte_twin.store import SecretSnapshot, Snapshot, Store
from airbyte_twin.twin import Twin

HOST = "127.0.0.1"
PATIENCE = 30
"""Seconds after which a twin that did not start or stop is a failure."""

Saved: TypeAlias = tuple[Snapshot, SecretSnapshot]


@dataclass(frozen=True)
class RunningTwin:
    """A running twin.

    Attributes:
        url: Its root, `http://127.0.0.1:<port>`.
        twin: Store, clock, faults, calls, settings and registry.
    """

    url: str
    twin: Twin

    @property
    def public_url(self) -> str:
        """Root of the public API, without a slash at its end."""
        return f"{self.url}/api/public/v1"

    @property
    def config_url(self) -> str:
        """Root of the Config API, without a slash at its end."""
        return f"{self.url}/api/v1"

    @property
    def workspace_id(self) -> str:
        """The workspace that exists from the start."""
        return self.twin.settings.workspace_id

    @property
    def client_id(self) -> str:
        """Of the application that exists from the start."""
        return self.twin.settings.client_id

    @property
    def client_secret(self) -> str:
        """Of the same application."""
        return self.twin.settings.client_secret

    @property
    def store(self) -> Store:
        """All objects."""
        return self.twin.store

    def settle(self) -> None:
        """Wait until no job waits or runs, where the twin runs syncs.

        Raises:
            TimeoutError: A job does not end.
        """
        if not self.twin.runner.settled(PATIENCE):
            raise TimeoutError("a job does not end")

    def held(self, seconds: float = PATIENCE) -> Held | None:
        """Wait until a fault holds a request; None after the timeout."""
        try:
            return self.twin.faults.held.get(timeout=seconds)
        except Empty:
            return None

    def calls(self) -> list[Call]:
        """Calls since the start or the last clearing, oldest first; control calls are not among them."""
        return self.twin.calls.calls()

    def counts(self) -> dict[str, int]:
        """Number of those calls by method."""
        return self.twin.calls.counts()

    def clear_calls(self) -> None:
        """Forget them."""
        self.twin.calls.clear()

    def saved(self) -> Saved:
        """All objects as they are now, for `restore`."""
        return self.store.snapshot(), self.store.secret_snapshot()

    def restore(self, saved: Saved) -> None:
        """Replace all objects by saved ones, and forget calls, ordered failures and defects; the clock is kept."""
        self.store.restore(*saved)
        self.twin.faults.clear()
        self.twin.defects.clear()
        self.twin.consents.clear()
        self.clear_calls()


@contextmanager
def running_twin(*, saves: bool = True, **settings: Any) -> Iterator[RunningTwin]:
    """Serve a twin within the context.

    Args:
        saves: Whether its objects are saved into `data_dir`, which takes longer than most requests do.
        **settings: Fields of `TwinSettings`, e.g. `auth="client_credentials"`, `edition="cloud"`, `data_dir=path`.

    Yields:
        The twin, once it answers.

    Raises:
        pydantic.ValidationError: A setting is unknown or wrong.
        TimeoutError: It did not start or stop in time.
    """
    twin, saver = build_twin(TwinSettings(**settings))
    saver = saver if saves else None
    listener = bound_socket(HOST, 0)
    ready = threading.Event()
    server, join = run_twin(twin, saver, ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="airbyte-twin", daemon=True)
    thread.start()
    try:
        if not ready.wait(PATIENCE):
            raise TimeoutError("the twin did not start")
        yield RunningTwin(f"http://{HOST}:{listener.getsockname()[1]}", twin)
    finally:
        server.stop()
        thread.join(PATIENCE)
        join()
        listener.close()
    if thread.is_alive():
        raise TimeoutError("the twin did not stop")
    if saver:
        saver.save()
