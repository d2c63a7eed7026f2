"""What the client's tests share: clients that retry at once, counts of a twin's calls, bodies, threads."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from airbyte_twin.testing import RunningTwin
from pulumi_airbyte.client import Airbyte, Auth, ClientSettings, RetryPolicy

TOKEN_PATH = "/api/public/v1/applications/token"
AT_ONCE = RetryPolicy(base_seconds=0)


@contextmanager
def client(public_url: str, auth: Auth | None = None, **settings: Any) -> Iterator[Airbyte]:
    """A client that waits for nothing between its tries."""
    airbyte = Airbyte(ClientSettings(public_url, auth=auth or Auth(), **{"retry": AT_ONCE} | settings))
    try:
        yield airbyte
    finally:
        airbyte.close()


def application(twin: RunningTwin) -> Auth:
    """The credentials of the twin's application."""
    return Auth(client_id=twin.client_id, client_secret=twin.client_secret)


def asked(twin: RunningTwin) -> list[str]:
    """The twin's calls as `GET /sources 200`, below the public root."""
    return [f"{call.method} {call.path.removeprefix('/api/public/v1')} {call.status}" for call in twin.calls()]


def tokens(twin: RunningTwin) -> int:
    """How many tokens were asked for."""
    return sum(call.path == TOKEN_PATH for call in twin.calls())


def faker(twin: RunningTwin, **configuration: Any) -> dict[str, Any]:
    """The body of a Faker source."""
    return {
        "name": "Faker",
        "workspaceId": twin.workspace_id,
        "configuration": {"sourceType": "faker", "count": 10} | configuration,
    }


def all_at_once(number: int, call: Callable[[], object]) -> list[object]:
    """What `call` gives or raises in that many threads that start together."""
    barrier, results = threading.Barrier(number), []

    def run() -> None:
        barrier.wait()
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001, shown by the assertion
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
