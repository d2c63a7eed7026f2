"""What sources and destinations of the lake share."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class ActorSettings(BaseModel):
    """What a source or a destination is made of.

    Attributes:
        name: the display name; changing it is an update.
        definition_id: the connector's definition.
        workspace_id: the workspace that holds it.
        configuration: the connector's configuration, with outputs where the stack holds the value.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    name: str
    definition_id: str
    workspace_id: str
    configuration: Mapping[str, Any]
