"""A destination of the lake."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_airbyte as airbyte
from pydantic import BaseModel, ConfigDict


class DestinationSettings(BaseModel):
    """What a destination is made of.

    Attributes:
        label: the display name; changing it is an update.
        definition_id: the connector's definition.
        workspace_id: the workspace that holds it.
        configuration: the connector's configuration, with outputs where the stack holds the value.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    label: str
    definition_id: str
    workspace_id: str
    configuration: Mapping[str, Any]


class Destination(airbyte.Destination):
    """A destination, named after its file."""

    def __init__(self, name: str, settings: DestinationSettings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(
            name,
            name=settings.label,
            definition_id=settings.definition_id,
            workspace_id=settings.workspace_id,
            configuration=settings.configuration,
            opts=opts,
        )
