"""A lake that is live in a twin: files in a folder, and the objects that `pulumi up` would have made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airbyte_twin.documents import as_object
from airbyte_twin.jobs import drive, known_job
from airbyte_twin.records import Actor, Catalog, DiscoveredStream
from airbyte_twin.testing import RunningTwin
from pulumi_airbyte.client import Airbyte

from lotus_infra.clients.airbyte import ConnectedLake
from lotus_infra.commands.runners import AirbyteRunner, Syncs
from lotus_infra.commands.sync import Polling
from lotus_infra.lake.loader import load_lake
from tests.support.lakes import Document, clean_files, source, stream, write

TIME: Document = {"type": "string", "format": "date-time"}
USERS = stream(stream="users", fields={"id": {"type": "integer"}, "email": {"type": "string"}, "updated_at": TIME})


@dataclass
class Lab:
    """The lake, the twin, and what waits for the jobs.

    Attributes:
        folder: The lake's folder.
        twin: Its Airbyte.
        airbyte: A client of it.
        steps: What happens in each wait of `patience`, first to last; after them every wait is an error.
        waited: How many seconds the waits were to take.
    """

    folder: Path
    twin: RunningTwin
    airbyte: Airbyte
    steps: list[Callable[[], object]] = field(default_factory=list)
    waited: float = 0

    @property
    def live(self) -> ConnectedLake:
        """The lake as it is now."""
        return ConnectedLake(self.airbyte, self.twin.workspace_id, load_lake(self.folder).lake)

    def syncs(self, connection_id: str = "") -> Syncs:
        """What runs the syncs of the lake as it is now."""
        live = self.live
        return Syncs(live.lake, {"airbyte": AirbyteRunner(live, connection_id)})

    @property
    def values(self) -> Document:
        """What a stack's file says of this Airbyte."""
        return {"airbyte:serverUrl": self.twin.public_url, "lotus:workspaceId": self.twin.workspace_id}

    def connection_id(self, selector: str) -> str:
        """The id of a connection by its argument of commands."""
        [connection] = self.live.connections([selector])
        return self.live.connection(connection).connection_id

    def patience(self, timeout_seconds: float | None = None) -> Polling:
        """Waits of ten seconds that take no time but by this clock."""
        return Polling(10, timeout_seconds, pause=self._pause, clock=lambda: self.waited)

    def _pause(self, seconds: float) -> None:
        assert seconds > 0
        self.waited += seconds
        self.steps.pop(0)()

    def drive(self, job_id: int, status: Any, **counts: int) -> None:
        """Let a job come to a status."""
        drive(self.twin.twin, known_job(self.twin.twin, job_id), status, **counts)

    def deploy(self, label: str, destination_id: str) -> str:
        """A source of the twin and its connection; returns the connection's id."""
        made = self.airbyte.create_actor("source", self.body(label, {"sourceType": "faker", "count": 10}))
        body: Any = {"sourceId": made.actor_id, "destinationId": destination_id, "name": f"{label} → S3"}
        return self.airbyte.create_connection(body).connection_id

    def destination(self) -> str:
        """A destination of the twin."""
        silent: Document = {"test_destination": {"test_destination_type": "SILENT"}}
        dev_null = "a7bcc9d8-13b3-4e49-b80d-d020b90045e3"  # the server has no type name for it
        return self.airbyte.create_actor("destination", self.body("S3", silent) | {"definitionId": dev_null}).actor_id

    def body(self, name: str, configuration: Document) -> Any:
        return {"name": name, "workspaceId": self.twin.workspace_id, "configuration": configuration}

    def outside(self, change: Callable[[dict[str, DiscoveredStream]], object], label: str = "Shop") -> None:
        """Change what the system behind a source has."""
        [actor] = [actor for actor in self.twin.store.actors if actor.name == label]
        streams = {each.name: each for each in self._catalog(actor)}
        change(streams)
        catalog = self.twin.store.catalogs.put(Catalog(id=f"{actor.id}-{self.waited}", streams=tuple(streams.values())))
        self.twin.store.actors.put(actor.model_copy(update={"catalog_id": catalog.id}))

    def _catalog(self, actor: Actor) -> tuple[DiscoveredStream, ...]:
        known = self.twin.twin.connector(actor.definition_id).catalog
        assert known is not None
        return known.streams


def with_fields(stream: DiscoveredStream, **fields: Document | None) -> DiscoveredStream:
    """A stream with fields added, changed, or (None) gone."""
    before = as_object(stream.json_schema.get("properties"))
    after = {name: schema for name, schema in {**before, **fields}.items() if schema is not None}
    return stream.model_copy(update={"json_schema": {**stream.json_schema, "properties": after}})


def write_lake(folder: Path) -> Path:
    """A lake with two sources that read the same kind of system, `shop` and `store`."""
    files = clean_files() | {"shop/orders.json": None, "shop/_discovered/orders.json": None}
    streams = {f"{name}/users.json": USERS for name in ("shop", "store")}
    return write(folder, files | streams | {"store/_source.json": source(name="Store")})
