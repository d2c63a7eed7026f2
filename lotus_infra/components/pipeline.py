"""One folder of the lake: its source and its one connection."""

from dataclasses import dataclass

import pulumi

from lotus_infra.components.actor import ActorSettings
from lotus_infra.components.connection import Connection, ConnectionSettings
from lotus_infra.components.destination import Destination
from lotus_infra.components.source import Source


@dataclass(frozen=True)
class PipelineSettings:
    """What a pipeline is made of.

    Attributes:
        source: the source.
        connection: its connection.
        protect: whether deleting the source takes an unprotect first.
    """

    source: ActorSettings
    connection: ConnectionSettings
    protect: bool


class Pipeline(pulumi.ComponentResource):
    """A source and its connection (`lotus:airbyte:Pipeline`), named after the folder.

    Attributes:
        connection_id: the connection's id.
    """

    connection_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: PipelineSettings,
        destination: Destination,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("lotus:airbyte:Pipeline", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        source = Source(name, settings.source, pulumi.ResourceOptions(parent=self, protect=settings.protect))
        connection = Connection(name, settings.connection, source, destination, own)
        self.connection_id = connection.connection_id
        self.register_outputs({"connectionId": self.connection_id})
