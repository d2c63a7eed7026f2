"""Checks and discoveries, which run in a thread while a caller waits (Airbyte's synchronous jobs)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from airbyte_twin.documents import JsonObject
from airbyte_twin.records import Actor, ActorKind, DiscoveredStream
from airbyte_twin.sync.commands import configured_secrets, real_connector, revealed_configuration
from airbyte_twin.sync.protocol.cancellation import Cancelled
from airbyte_twin.sync.protocol.connector import redacted
from airbyte_twin.sync.protocol.messages import ConnectorError
from airbyte_twin.sync.run.destinations import WRITABLE, DestinationError, Namespaces, Target
from airbyte_twin.twin import Twin

CALLED_OFF = "The twin was stopped."
T = TypeVar("T")


async def discovered_streams(twin: Twin, source: Actor) -> tuple[DiscoveredStream, ...]:
    """The streams that a source's real connector finds; none if it has no real connector.

    Raises:
        ConnectorError: It failed.
        Cancelled: The twin ended.
    """
    configuration = revealed_configuration(twin, source)
    with twin.cancellations.one() as cancellation:
        connector = real_connector(twin, source.definition_id, configuration, cancellation)
        return await asyncio.to_thread(connector.discover, configuration) if connector else ()


async def check_failure(twin: Twin, kind: ActorKind, definition_id: str, configuration: JsonObject) -> str | None:
    """The failure of a connection check with a plain configuration; None if it succeeds.

    Checks run only for a source with a real connector, and for destinations if the twin runs syncs.
    """
    if kind is ActorKind.DESTINATION:
        return await _destination_failure(twin, definition_id, configuration)
    with twin.cancellations.one() as cancellation:
        connector = real_connector(twin, definition_id, configuration, cancellation)
        try:
            return await asyncio.to_thread(connector.check, configuration) if connector else None
        except ConnectorError as error:
            return str(error)
        except Cancelled:
            return CALLED_OFF


async def _destination_failure(twin: Twin, definition_id: str, configuration: JsonObject) -> str | None:
    repository = twin.connector(definition_id).docker_repository
    if not twin.settings.run_syncs or repository not in WRITABLE:
        return None
    secrets = configured_secrets(twin, definition_id, configuration)
    target = Target(repository, configuration, secrets, twin.clock, Namespaces("destination", None), "")

    def look() -> str | None:
        try:
            destination = target.destination()
        except DestinationError as error:
            return str(error)
        try:
            destination.check()
        except destination.errors as error:
            return str(error)
        finally:
            destination.close()
        return None

    failure = await aside(look)
    return failure and redacted(failure, secrets)


async def aside(work: Callable[[], T]) -> T:
    """Run work that cannot be cancelled in a daemon thread, so that the twin can end before it."""
    done: Future[T] = Future()
    done.set_running_or_notify_cancel()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001 - raised where the result is awaited
            done.set_exception(error)

    Thread(target=run, name="aside", daemon=True).start()
    return await asyncio.wrap_future(done)
