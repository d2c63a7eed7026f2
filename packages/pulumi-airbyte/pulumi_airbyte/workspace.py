"""`airbyte.Workspace`."""

from collections.abc import Mapping
from typing import Any

import pulumi


class Workspace(pulumi.CustomResource):
    """What holds sources, destinations and connections (`airbyte:index/workspace:Workspace`). Deleting it deletes them."""

    name: pulumi.Output[str] = pulumi.property("name")
    organization_id: pulumi.Output[str | None] = pulumi.property("organizationId")
    region_id: pulumi.Output[str | None] = pulumi.property("regionId")
    notifications: pulumi.Output[Mapping[str, Any] | None] = pulumi.property("notifications")
    workspace_id: pulumi.Output[str] = pulumi.property("workspaceId")
    data_residency: pulumi.Output[str] = pulumi.property("dataResidency")
    server_rewrites: pulumi.Output[str | None] = pulumi.property("serverRewrites")

    def __init__(
        self,
        resource_name: str,
        *,
        name: pulumi.Input[str] | None = None,
        organization_id: pulumi.Input[str] | None = None,
        region_id: pulumi.Input[str] | None = None,
        notifications: pulumi.Input[Mapping[str, Any]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a workspace.

        Args:
            resource_name: its name in the program; changing it makes another workspace.
            name: the display name; defaults to `resource_name`.
            organization_id: the organization that holds it (Cloud and Enterprise); a change makes a new workspace.
            region_id: the region that runs its jobs (servers of 1.7 and later).
            notifications: who is told of what, in the public API's shape; the server fills in what is left out.
            opts: the engine's options.
        """
        inputs = {
            "name": name,
            "organization_id": organization_id,
            "region_id": region_id,
            "notifications": notifications,
        }
        outputs = dict.fromkeys(("workspace_id", "data_residency", "server_rewrites"))
        super().__init__("airbyte:index/workspace:Workspace", resource_name, {**inputs, **outputs}, opts)
