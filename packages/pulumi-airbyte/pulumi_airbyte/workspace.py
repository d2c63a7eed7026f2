"""`airbyte.Workspace`."""

from collections.abc import Mapping
from typing import Any

import pulumi

from pulumi_airbyte.wiring import Resource


class Workspace(Resource):
    """What holds sources, destinations and connections (`airbyte:index/workspace:Workspace`)."""

    def __init__(
        self,
        resource_name: str,
        *,
        name: pulumi.Input[str] | None = None,
        organization_id: pulumi.Input[str] | None = None,
        region_id: pulumi.Input[str] | None = None,
        notifications: pulumi.Input[Mapping[str, Any]] | None = None,
        force_destroy: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a workspace.

        Args:
            resource_name: its name in the program; changing it makes another workspace.
            name: the display name; defaults to `resource_name`.
            organization_id: the organization that holds it (Cloud and Enterprise); a change makes a new workspace.
            region_id: the region that runs its jobs (servers of 1.7 and later).
            notifications: who is told of what, in the public API's shape; the server fills in what is left out.
            force_destroy: delete it even where it holds objects that the program does not delete.
            opts: the engine's options.
        """
        inputs = {
            "name": resource_name if name is None else name,
            "organization_id": organization_id,
            "region_id": region_id,
            "notifications": notifications,
            "force_destroy": force_destroy,
        }
        super().__init__("airbyte:index/workspace:Workspace", resource_name, inputs, opts)

    @property
    @pulumi.getter(name="name")
    def name(self) -> pulumi.Output[str]:
        """The display name."""
        return pulumi.get(self, "name")

    @property
    @pulumi.getter(name="forceDestroy")
    def force_destroy(self) -> pulumi.Output[bool | None]:
        """Whether it is deleted with what it still holds."""
        return pulumi.get(self, "force_destroy")

    @property
    @pulumi.getter(name="organizationId")
    def organization_id(self) -> pulumi.Output[str | None]:
        """The organization that holds it."""
        return pulumi.get(self, "organization_id")

    @property
    @pulumi.getter(name="regionId")
    def region_id(self) -> pulumi.Output[str | None]:
        """The region that runs its jobs."""
        return pulumi.get(self, "region_id")

    @property
    @pulumi.getter(name="notifications")
    def notifications(self) -> pulumi.Output[Mapping[str, Any] | None]:
        """Who is told of what."""
        return pulumi.get(self, "notifications")

    @property
    @pulumi.getter(name="workspaceId")
    def workspace_id(self) -> pulumi.Output[str]:
        """The workspace's id."""
        return pulumi.get(self, "workspace_id")

    @property
    @pulumi.getter(name="dataResidency")
    def data_residency(self) -> pulumi.Output[str]:
        """Where its jobs run."""
        return pulumi.get(self, "data_residency")

    @property
    @pulumi.getter(name="serverRewrites")
    def server_rewrites(self) -> pulumi.Output[str | None]:
        """What the server made of values that it rewrote, as JSON."""
        return pulumi.get(self, "server_rewrites")
