"""`airbyte.Destination`."""

from collections.abc import Mapping
from typing import Any

import pulumi


class Destination(pulumi.CustomResource):
    """A place that data goes to: a connector with its configuration (`airbyte:index/destination:Destination`).

    The attributes that are inputs too are unknown in a preview: the plugin's outputs repeat no input, which keeps states small.
    """

    configuration: pulumi.Output[Mapping[str, Any]] = pulumi.property("configuration")
    workspace_id: pulumi.Output[str] = pulumi.property("workspaceId")
    definition_id: pulumi.Output[str | None] = pulumi.property("definitionId")
    name: pulumi.Output[str] = pulumi.property("name")
    resource_allocation: pulumi.Output[Mapping[str, Any] | None] = pulumi.property("resourceAllocation")
    destination_id: pulumi.Output[str] = pulumi.property("destinationId")
    destination_type: pulumi.Output[str] = pulumi.property("destinationType")
    created_at: pulumi.Output[int] = pulumi.property("createdAt")
    server_rewrites: pulumi.Output[str | None] = pulumi.property("serverRewrites")

    def __init__(
        self,
        resource_name: str,
        *,
        configuration: pulumi.Input[Mapping[str, Any]],
        workspace_id: pulumi.Input[str],
        definition_id: pulumi.Input[str] | None = None,
        name: pulumi.Input[str] | None = None,
        resource_allocation: pulumi.Input[Mapping[str, Any]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a destination.

        Args:
            resource_name: its name in the program; changing it makes another destination.
            configuration: as the connector's specification asks for. Give secrets as secret outputs at their places, not
                the whole as one, so that the rest stays readable in plans.
            workspace_id: the workspace that holds it; a change makes a new destination.
            definition_id: the connector's definition; a change makes a new destination. May be left out where
                `configuration` has `destinationType`.
            name: the display name; defaults to `resource_name`.
            resource_allocation: CPU and memory for its jobs (self-managed servers only).
            opts: the engine's options.
        """
        inputs = {
            "configuration": configuration,
            "workspace_id": workspace_id,
            "definition_id": definition_id,
            "name": name,
            "resource_allocation": resource_allocation,
        }
        outputs = dict.fromkeys(("destination_id", "destination_type", "created_at", "server_rewrites"))
        super().__init__("airbyte:index/destination:Destination", resource_name, {**inputs, **outputs}, opts)
