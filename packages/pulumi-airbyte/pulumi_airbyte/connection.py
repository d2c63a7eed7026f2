"""`airbyte.Connection`."""

from collections.abc import Sequence
from typing import Literal

import pulumi

from pulumi_airbyte.arguments import ConnectionConfigurationsArgs, ConnectionScheduleArgs, TagArgs
from pulumi_airbyte.wiring import wired, wired_list


class Connection(pulumi.CustomResource):
    """Streams of a source that are synced into a destination (`airbyte:index/connection:Connection`).

    The attributes that are inputs too are unknown in a preview: the plugin's outputs repeat no input, which keeps states small.
    """

    source_id: pulumi.Output[str] = pulumi.property("sourceId")
    destination_id: pulumi.Output[str] = pulumi.property("destinationId")
    configurations: pulumi.Output[str] = pulumi.property("configurations")
    name: pulumi.Output[str] = pulumi.property("name")
    schedule: pulumi.Output[dict[str, str] | None] = pulumi.property("schedule")
    namespace_definition: pulumi.Output[str | None] = pulumi.property("namespaceDefinition")
    namespace_format: pulumi.Output[str | None] = pulumi.property("namespaceFormat")
    prefix: pulumi.Output[str | None] = pulumi.property("prefix")
    non_breaking_schema_updates_behavior: pulumi.Output[str | None] = pulumi.property(
        "nonBreakingSchemaUpdatesBehavior"
    )
    status: pulumi.Output[str | None] = pulumi.property("status")
    tags: pulumi.Output[list[dict[str, str]] | None] = pulumi.property("tags")
    connection_id: pulumi.Output[str] = pulumi.property("connectionId")
    created_at: pulumi.Output[int] = pulumi.property("createdAt")
    server_rewrites: pulumi.Output[str | None] = pulumi.property("serverRewrites")

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
        non_breaking_schema_updates_behavior: pulumi.Input[
            Literal["ignore", "disable_connection", "propagate_columns", "propagate_fully"]
        ]
        | None = None,
        status: pulumi.Input[Literal["active", "inactive"]] | None = None,
        tags: Sequence[pulumi.Input[TagArgs]] | None = None,
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
            non_breaking_schema_updates_behavior: what the server does when the source gains or loses fields; default `ignore`.
            status: whether it runs; default `active`.
            tags: tags of the workspace.
            opts: the engine's options.
        """
        inputs = {
            "source_id": source_id,
            "destination_id": destination_id,
            "configurations": wired(configurations),
            "name": name,
            "schedule": wired(schedule),
            "namespace_definition": namespace_definition,
            "namespace_format": namespace_format,
            "prefix": prefix,
            "non_breaking_schema_updates_behavior": non_breaking_schema_updates_behavior,
            "status": status,
            "tags": wired_list(tags),
        }
        outputs = dict.fromkeys(("connection_id", "created_at", "server_rewrites"))
        super().__init__("airbyte:index/connection:Connection", resource_name, {**inputs, **outputs}, opts)
