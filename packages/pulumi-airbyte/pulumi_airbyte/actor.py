"""What `airbyte.Source` and `airbyte.Destination` share."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pulumi

from pulumi_airbyte.wiring import Resource


class Actor(Resource):
    """A connector with its configuration.

    The attributes that are inputs too are unknown in a preview: the plugin's outputs repeat no input, which keeps
    states small.
    """

    _token: ClassVar[str]

    def __init__(
        self,
        resource_name: str,
        *,
        configuration: pulumi.Input[Mapping[str, Any]],
        workspace_id: pulumi.Input[str],
        definition_id: pulumi.Input[str] | None = None,
        name: pulumi.Input[str] | None = None,
        resource_allocation: pulumi.Input[Mapping[str, Any]] | None = None,
        check_connection: pulumi.Input[bool] | None = None,
        force_destroy: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare it.

        Args:
            resource_name: its name in the program; changing it makes another object.
            configuration: as the connector's specification asks for. Give secrets as secret outputs at their places,
                not the whole as one, so that the rest stays readable in plans.
            workspace_id: the workspace that holds it; a change makes a new object.
            definition_id: the connector's definition; a change makes a new object. May be left out where
                `configuration` has `sourceType` or `destinationType`.
            name: the display name; defaults to `resource_name`.
            resource_allocation: CPU and memory for its jobs (self-managed servers only).
            check_connection: let the connector try its configuration after each write; one that fails is kept, and the
                next update tries again. Needs the Config API.
            force_destroy: delete it even where connections that the program does not delete would go with it.
            opts: the engine's options.
        """
        inputs = {
            "configuration": configuration,
            "workspace_id": workspace_id,
            "definition_id": definition_id,
            "name": resource_name if name is None else name,
            "resource_allocation": resource_allocation,
            "check_connection": check_connection,
            "force_destroy": force_destroy,
        }
        super().__init__(self._token, resource_name, inputs, opts)

    @property
    @pulumi.getter(name="configuration")
    def configuration(self) -> pulumi.Output[Mapping[str, Any]]:
        """The connector's configuration."""
        return pulumi.get(self, "configuration")

    @property
    @pulumi.getter(name="workspaceId")
    def workspace_id(self) -> pulumi.Output[str]:
        """The workspace that holds it."""
        return pulumi.get(self, "workspace_id")

    @property
    @pulumi.getter(name="definitionId")
    def definition_id(self) -> pulumi.Output[str | None]:
        """The connector's definition."""
        return pulumi.get(self, "definition_id")

    @property
    @pulumi.getter(name="name")
    def name(self) -> pulumi.Output[str]:
        """The display name."""
        return pulumi.get(self, "name")

    @property
    @pulumi.getter(name="resourceAllocation")
    def resource_allocation(self) -> pulumi.Output[Mapping[str, Any] | None]:
        """CPU and memory for its jobs."""
        return pulumi.get(self, "resource_allocation")

    @property
    @pulumi.getter(name="checkConnection")
    def check_connection(self) -> pulumi.Output[bool | None]:
        """Whether the connector tries its configuration after each write."""
        return pulumi.get(self, "check_connection")

    @property
    @pulumi.getter(name="forceDestroy")
    def force_destroy(self) -> pulumi.Output[bool | None]:
        """Whether it is deleted with connections of others."""
        return pulumi.get(self, "force_destroy")

    @property
    @pulumi.getter(name="createdAt")
    def created_at(self) -> pulumi.Output[int]:
        """When it was made, in seconds since 1970."""
        return pulumi.get(self, "created_at")

    @property
    @pulumi.getter(name="serverRewrites")
    def server_rewrites(self) -> pulumi.Output[str | None]:
        """What the server made of values that it rewrote, as JSON."""
        return pulumi.get(self, "server_rewrites")

    @property
    @pulumi.getter(name="secretVersions")
    def secret_versions(self) -> pulumi.Output[str | None]:
        """What stands behind each secret since the last write, as JSON."""
        return pulumi.get(self, "secret_versions")

    @property
    @pulumi.getter(name="unfinished")
    def unfinished(self) -> pulumi.Output[str | None]:
        """What is still to be done about it, as JSON."""
        return pulumi.get(self, "unfinished")
