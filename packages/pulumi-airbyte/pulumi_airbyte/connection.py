"""`airbyte.Connection`."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pulumi

from pulumi_airbyte.arguments import ConnectionConfigurationsArgs, ConnectionScheduleArgs, TagArgs
from pulumi_airbyte.wiring import Resource, applied, wired, wired_list

SchemaPolicy = Literal["ignore", "disable_connection", "propagate_columns", "propagate_fully"]


class Connection(Resource):
    """Streams of a source that are synced into a destination (`airbyte:index/connection:Connection`).

    The attributes that are inputs too are unknown in a preview: the plugin's outputs repeat no input, which keeps
    states small.
    """

    def __init__(
        self,
        resource_name: str,
        *,
        source_id: pulumi.Input[str],
        destination_id: pulumi.Input[str],
        configurations: pulumi.Input[ConnectionConfigurationsArgs],
        name: pulumi.Input[str] | None = None,
        schedule: pulumi.Input[ConnectionScheduleArgs] | None = None,
        namespace_definition: pulumi.Input[Literal["source", "destination", "custom_format"]] | None = None,
        namespace_format: pulumi.Input[str] | None = None,
        prefix: pulumi.Input[str] | None = None,
        non_breaking_schema_updates_behavior: pulumi.Input[SchemaPolicy] | None = None,
        status: pulumi.Input[Literal["active", "inactive"]] | None = None,
        tags: Sequence[pulumi.Input[TagArgs]] | None = None,
        notify_schema_changes: pulumi.Input[bool] | None = None,
        notify_schema_changes_by_email: pulumi.Input[bool] | None = None,
        backfill_preference: pulumi.Input[Literal["enabled", "disabled"]] | None = None,
        resource_requirements: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        refresh_mode: pulumi.Input[Literal["merge", "truncate"]] | None = None,
        refresh_on_schema_change: pulumi.Input[bool] | None = None,
        allow_cursor_loss: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a connection.

        Args:
            resource_name: its name in the program; changing it makes another connection.
            source_id: the source to read; a change makes a new connection.
            destination_id: the destination to write; a change makes a new connection.
            configurations: the streams to sync.
            name: the display name; defaults to `resource_name`.
            schedule: when to sync; without it only on request.
            namespace_definition: where the namespace of the written data comes from; default `destination`.
            namespace_format: the namespace for `custom_format`.
            prefix: put before every stream's name in the destination.
            non_breaking_schema_updates_behavior: what the server does with new and lost fields; default `ignore`.
            status: whether it runs; default `active`.
            tags: tags of the workspace.
            notify_schema_changes: whether webhooks hear of schema changes (by the Config API, as is what follows).
            notify_schema_changes_by_email: whether people are told of them by mail.
            backfill_preference: whether a stream is read anew when the server adds a column to it.
            resource_requirements: CPU and memory of its syncs, such as `{"memory_limit": "2Gi"}`.
            refresh_mode: whether a backfill keeps the rows that the destination has; default `merge`.
            refresh_on_schema_change: whether incremental streams that change, or gain fields, are read anew.
            allow_cursor_loss: whether a new connection may replace this one where cursors can't go over to it.
            opts: the engine's options.
        """
        ends = {"source_id": source_id, "destination_id": destination_id, "configurations": wired(configurations)}
        place = {"namespace_definition": namespace_definition, "namespace_format": namespace_format, "prefix": prefix}
        running = {"schedule": wired(schedule), "status": status, "tags": wired_list(tags)}
        refreshing = {"refresh_mode": refresh_mode, "refresh_on_schema_change": refresh_on_schema_change}
        inputs = {
            **(ends | place | running | refreshing),
            "name": resource_name if name is None else name,
            "non_breaking_schema_updates_behavior": non_breaking_schema_updates_behavior,
            "notify_schema_changes": notify_schema_changes,
            "notify_schema_changes_by_email": notify_schema_changes_by_email,
            "backfill_preference": backfill_preference,
            "resource_requirements": resource_requirements,
            "backfills": applied(configurations, ConnectionConfigurationsArgs.backfills),
            "allow_cursor_loss": allow_cursor_loss,
        }
        super().__init__("airbyte:index/connection:Connection", resource_name, inputs, opts)

    @property
    @pulumi.getter(name="sourceId")
    def source_id(self) -> pulumi.Output[str]:
        """The source that is read."""
        return pulumi.get(self, "source_id")

    @property
    @pulumi.getter(name="destinationId")
    def destination_id(self) -> pulumi.Output[str]:
        """The destination that is written."""
        return pulumi.get(self, "destination_id")

    @property
    @pulumi.getter(name="configurations")
    def configurations(self) -> pulumi.Output[str]:
        """The streams, as one JSON text."""
        return pulumi.get(self, "configurations")

    @property
    @pulumi.getter(name="name")
    def name(self) -> pulumi.Output[str]:
        """The display name."""
        return pulumi.get(self, "name")

    @property
    @pulumi.getter(name="schedule")
    def schedule(self) -> pulumi.Output[dict[str, str] | None]:
        """When it syncs."""
        return pulumi.get(self, "schedule")

    @property
    @pulumi.getter(name="namespaceDefinition")
    def namespace_definition(self) -> pulumi.Output[str | None]:
        """Where the namespace of the written data comes from."""
        return pulumi.get(self, "namespace_definition")

    @property
    @pulumi.getter(name="namespaceFormat")
    def namespace_format(self) -> pulumi.Output[str | None]:
        """The namespace for `custom_format`."""
        return pulumi.get(self, "namespace_format")

    @property
    @pulumi.getter(name="prefix")
    def prefix(self) -> pulumi.Output[str | None]:
        """What is put before every stream's name."""
        return pulumi.get(self, "prefix")

    @property
    @pulumi.getter(name="nonBreakingSchemaUpdatesBehavior")
    def non_breaking_schema_updates_behavior(self) -> pulumi.Output[str | None]:
        """What the server does when the source gains or loses fields."""
        return pulumi.get(self, "non_breaking_schema_updates_behavior")

    @property
    @pulumi.getter(name="status")
    def status(self) -> pulumi.Output[str | None]:
        """Whether it runs."""
        return pulumi.get(self, "status")

    @property
    @pulumi.getter(name="tags")
    def tags(self) -> pulumi.Output[list[dict[str, str]] | None]:
        """Its tags."""
        return pulumi.get(self, "tags")

    @property
    @pulumi.getter(name="notifySchemaChanges")
    def notify_schema_changes(self) -> pulumi.Output[bool | None]:
        """Whether webhooks are told of changes of the source's schema."""
        return pulumi.get(self, "notify_schema_changes")

    @property
    @pulumi.getter(name="notifySchemaChangesByEmail")
    def notify_schema_changes_by_email(self) -> pulumi.Output[bool | None]:
        """Whether people are told of changes of the source's schema by mail."""
        return pulumi.get(self, "notify_schema_changes_by_email")

    @property
    @pulumi.getter(name="backfillPreference")
    def backfill_preference(self) -> pulumi.Output[str | None]:
        """Whether a stream is read anew when the server adds a column to it."""
        return pulumi.get(self, "backfill_preference")

    @property
    @pulumi.getter(name="resourceRequirements")
    def resource_requirements(self) -> pulumi.Output[dict[str, str] | None]:
        """CPU and memory of its syncs."""
        return pulumi.get(self, "resource_requirements")

    @property
    @pulumi.getter(name="backfills")
    def backfills(self) -> pulumi.Output[dict[str, str | bool] | None]:
        """The streams' backfill tokens."""
        return pulumi.get(self, "backfills")

    @property
    @pulumi.getter(name="refreshMode")
    def refresh_mode(self) -> pulumi.Output[str | None]:
        """Whether a backfill keeps the rows that the destination has."""
        return pulumi.get(self, "refresh_mode")

    @property
    @pulumi.getter(name="refreshOnSchemaChange")
    def refresh_on_schema_change(self) -> pulumi.Output[bool | None]:
        """Whether a stream is read anew when it changes."""
        return pulumi.get(self, "refresh_on_schema_change")

    @property
    @pulumi.getter(name="allowCursorLoss")
    def allow_cursor_loss(self) -> pulumi.Output[bool | None]:
        """Whether cursors may be lost to a replacement."""
        return pulumi.get(self, "allow_cursor_loss")

    @property
    @pulumi.getter(name="backfillResults")
    def backfill_results(self) -> pulumi.Output[dict[str, Any] | None]:
        """How the last backfill of each stream went."""
        return pulumi.get(self, "backfill_results")

    @property
    @pulumi.getter(name="unfinished")
    def unfinished(self) -> pulumi.Output[str | None]:
        """What is still to be done about the connection."""
        return pulumi.get(self, "unfinished")

    @property
    @pulumi.getter(name="connectionId")
    def connection_id(self) -> pulumi.Output[str]:
        """The connection's id."""
        return pulumi.get(self, "connection_id")

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
