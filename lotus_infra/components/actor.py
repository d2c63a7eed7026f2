"""What sources and destinations of the lake share."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pydantic import BaseModel, ConfigDict


class ActorSettings(BaseModel):
    """What a source or a destination is made of.

    Attributes:
        name: the display name; changing it is an update.
        definition_id: the connector's definition.
        workspace_id: the workspace that holds it.
        configuration: the connector's configuration, with outputs where the stack holds the value.
        rotating: paths of what Airbyte puts other values in place of, as the engine reads them; each is written once,
            with the object.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    name: str
    definition_id: str
    workspace_id: str
    configuration: Mapping[str, Any]
    rotating: tuple[str, ...] = ()

    def arguments(self, opts: pulumi.ResourceOptions | None) -> dict[str, Any]:
        """What the resource is declared with.

        Args:
            opts: the engine's options, as its component has them.
        """
        if self.rotating:
            opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=list(self.rotating)))
        return {**{key: value for key, value in self if key != "rotating"}, "opts": opts}
