"""A destination of the lake."""

import pulumi
import pulumi_airbyte as airbyte

from lotus_infra.components.actor import ActorSettings


class Destination(airbyte.Destination):
    """A destination, named after its file."""

    def __init__(self, name: str, settings: ActorSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, **settings.arguments(opts))
