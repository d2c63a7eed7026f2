"""Look-ups: read objects of the server that the program does not manage.

Each has a plain form, which takes values and returns the answer, and a form that ends in `_output`, which takes outputs
too and returns an output: unknown in a preview while an argument is. Both raise the engine's error if the server has no
such object, or more than one; the message lists the possible arguments or objects. No answer has a secret: Airbyte
shows masks in their place.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import pulumi

from pulumi_airbyte.answers import (
    ConnectionProperties,
    ConnectorDefinition,
    DeclarativeDefinitionProperties,
    DeclaredObject,
    DefinitionProperties,
    DestinationProperties,
    GroupProperties,
    GroupWithMembers,
    JobProperties,
    LiveObject,
    OrganizationProperties,
    PermissionProperties,
    SelectionDifferences,
    SourceProperties,
    StreamProperties,
    TagProperties,
    UserProperties,
    WorkspaceProperties,
    answer_of,
)

Found = TypeVar("Found")
OutputOptions = pulumi.InvokeOptions | pulumi.InvokeOutputOptions
_UNKNOWN: Any = pulumi.output.UNKNOWN
"""The answer of a provider whose own configuration is not known yet in a preview: the engine answers with nothing."""


def get_workspace(
    *, workspace_id: str | None = None, name: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> WorkspaceProperties:
    """A workspace by id or by name; with neither, the only one there is."""
    return _one(WorkspaceProperties, "getWorkspace", {"workspaceId": workspace_id, "name": name}, opts)


def get_workspace_output(
    *,
    workspace_id: pulumi.Input[str] | None = None,
    name: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[WorkspaceProperties]:
    """As `get_workspace`, from outputs."""
    return _one_later(WorkspaceProperties, "getWorkspace", {"workspaceId": workspace_id, "name": name}, opts)


def get_workspaces(*, opts: pulumi.InvokeOptions | None = None) -> list[WorkspaceProperties]:
    """All visible workspaces, by name."""
    return _all(WorkspaceProperties, "getWorkspaces", {}, opts)


def get_workspaces_output(*, opts: OutputOptions | None = None) -> pulumi.Output[list[WorkspaceProperties]]:
    """As `get_workspaces`, from outputs."""
    return _all_later(WorkspaceProperties, "getWorkspaces", {}, opts)


def get_connector_definition(
    name: str,
    *,
    type: Literal["source", "destination"] | None = None,  # noqa: A002
    workspace_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> ConnectorDefinition:
    """A connector by name, such as `source-faker`. With a workspace, custom connectors are included."""
    return _one(
        ConnectorDefinition, "getConnectorDefinition", {"name": name, "type": type, "workspaceId": workspace_id}, opts
    )


def get_connector_definition_output(
    name: pulumi.Input[str],
    *,
    type: pulumi.Input[str] | None = None,  # noqa: A002
    workspace_id: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[ConnectorDefinition]:
    """As `get_connector_definition`, from outputs."""
    return _one_later(
        ConnectorDefinition, "getConnectorDefinition", {"name": name, "type": type, "workspaceId": workspace_id}, opts
    )


def get_source_definition(
    *,
    definition_id: str | None = None,
    name: str | None = None,
    docker_repository: str | None = None,
    workspace_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> DefinitionProperties:
    """A source definition, by id, name or image."""
    return _one(
        DefinitionProperties,
        "getSourceDefinition",
        {
            "definitionId": definition_id,
            "name": name,
            "dockerRepository": docker_repository,
            "workspaceId": workspace_id,
        },
        opts,
    )


def get_source_definition_output(
    *,
    definition_id: pulumi.Input[str] | None = None,
    name: pulumi.Input[str] | None = None,
    docker_repository: pulumi.Input[str] | None = None,
    workspace_id: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[DefinitionProperties]:
    """As `get_source_definition`, from outputs."""
    return _one_later(
        DefinitionProperties,
        "getSourceDefinition",
        {
            "definitionId": definition_id,
            "name": name,
            "dockerRepository": docker_repository,
            "workspaceId": workspace_id,
        },
        opts,
    )


def get_source_definitions(
    *, workspace_id: str | None = None, docker_repository: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> list[DefinitionProperties]:
    """All source definitions of a workspace, by name. Airbyte's own connectors are among them."""
    return _all(
        DefinitionProperties,
        "getSourceDefinitions",
        {"workspaceId": workspace_id, "dockerRepository": docker_repository},
        opts,
    )


def get_source_definitions_output(
    *,
    workspace_id: pulumi.Input[str] | None = None,
    docker_repository: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[list[DefinitionProperties]]:
    """As `get_source_definitions`, from outputs."""
    return _all_later(
        DefinitionProperties,
        "getSourceDefinitions",
        {"workspaceId": workspace_id, "dockerRepository": docker_repository},
        opts,
    )


def get_destination_definition(
    *,
    definition_id: str | None = None,
    name: str | None = None,
    docker_repository: str | None = None,
    workspace_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> DefinitionProperties:
    """A destination definition, by id, name or image."""
    return _one(
        DefinitionProperties,
        "getDestinationDefinition",
        {
            "definitionId": definition_id,
            "name": name,
            "dockerRepository": docker_repository,
            "workspaceId": workspace_id,
        },
        opts,
    )


def get_destination_definition_output(
    *,
    definition_id: pulumi.Input[str] | None = None,
    name: pulumi.Input[str] | None = None,
    docker_repository: pulumi.Input[str] | None = None,
    workspace_id: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[DefinitionProperties]:
    """As `get_destination_definition`, from outputs."""
    return _one_later(
        DefinitionProperties,
        "getDestinationDefinition",
        {
            "definitionId": definition_id,
            "name": name,
            "dockerRepository": docker_repository,
            "workspaceId": workspace_id,
        },
        opts,
    )


def get_destination_definitions(
    *, workspace_id: str | None = None, docker_repository: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> list[DefinitionProperties]:
    """All destination definitions of a workspace, by name. Airbyte's own connectors are among them."""
    return _all(
        DefinitionProperties,
        "getDestinationDefinitions",
        {"workspaceId": workspace_id, "dockerRepository": docker_repository},
        opts,
    )


def get_destination_definitions_output(
    *,
    workspace_id: pulumi.Input[str] | None = None,
    docker_repository: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[list[DefinitionProperties]]:
    """As `get_destination_definitions`, from outputs."""
    return _all_later(
        DefinitionProperties,
        "getDestinationDefinitions",
        {"workspaceId": workspace_id, "dockerRepository": docker_repository},
        opts,
    )


def get_declarative_source_definition(
    *,
    definition_id: str | None = None,
    name: str | None = None,
    workspace_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> DeclarativeDefinitionProperties:
    """A declarative source definition, by id or name."""
    return _one(
        DeclarativeDefinitionProperties,
        "getDeclarativeSourceDefinition",
        {"definitionId": definition_id, "name": name, "workspaceId": workspace_id},
        opts,
    )


def get_declarative_source_definition_output(
    *,
    definition_id: pulumi.Input[str] | None = None,
    name: pulumi.Input[str] | None = None,
    workspace_id: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[DeclarativeDefinitionProperties]:
    """As `get_declarative_source_definition`, from outputs."""
    return _one_later(
        DeclarativeDefinitionProperties,
        "getDeclarativeSourceDefinition",
        {"definitionId": definition_id, "name": name, "workspaceId": workspace_id},
        opts,
    )


def get_declarative_source_definitions(
    *, workspace_id: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> list[DeclarativeDefinitionProperties]:
    """All declarative source definitions of a workspace, by name."""
    return _all(DeclarativeDefinitionProperties, "getDeclarativeSourceDefinitions", {"workspaceId": workspace_id}, opts)


def get_declarative_source_definitions_output(
    *, workspace_id: pulumi.Input[str] | None = None, opts: OutputOptions | None = None
) -> pulumi.Output[list[DeclarativeDefinitionProperties]]:
    """As `get_declarative_source_definitions`, from outputs."""
    return _all_later(
        DeclarativeDefinitionProperties, "getDeclarativeSourceDefinitions", {"workspaceId": workspace_id}, opts
    )


def get_source(
    *,
    source_id: str | None = None,
    name: str | None = None,
    workspace_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> SourceProperties:
    """A source, by id or by name. Airbyte shows its secrets as masks, never the values."""
    return _one(SourceProperties, "getSource", {"sourceId": source_id, "name": name, "workspaceId": workspace_id}, opts)


def get_source_output(
    *,
    source_id: pulumi.Input[str] | None = None,
    name: pulumi.Input[str] | None = None,
    workspace_id: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[SourceProperties]:
    """As `get_source`, from outputs."""
    return _one_later(
        SourceProperties, "getSource", {"sourceId": source_id, "name": name, "workspaceId": workspace_id}, opts
    )


def get_sources(
    *, workspace_id: str | None = None, definition_id: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> list[SourceProperties]:
    """All sources, by name. Airbyte shows their secrets as masks, never the values."""
    return _all(SourceProperties, "getSources", {"workspaceId": workspace_id, "definitionId": definition_id}, opts)


def get_sources_output(
    *,
    workspace_id: pulumi.Input[str] | None = None,
    definition_id: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[list[SourceProperties]]:
    """As `get_sources`, from outputs."""
    return _all_later(
        SourceProperties, "getSources", {"workspaceId": workspace_id, "definitionId": definition_id}, opts
    )


def get_destination(
    *,
    destination_id: str | None = None,
    name: str | None = None,
    workspace_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> DestinationProperties:
    """A destination, by id or by name. Airbyte shows its secrets as masks, never the values."""
    return _one(
        DestinationProperties,
        "getDestination",
        {"destinationId": destination_id, "name": name, "workspaceId": workspace_id},
        opts,
    )


def get_destination_output(
    *,
    destination_id: pulumi.Input[str] | None = None,
    name: pulumi.Input[str] | None = None,
    workspace_id: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[DestinationProperties]:
    """As `get_destination`, from outputs."""
    return _one_later(
        DestinationProperties,
        "getDestination",
        {"destinationId": destination_id, "name": name, "workspaceId": workspace_id},
        opts,
    )


def get_destinations(
    *, workspace_id: str | None = None, definition_id: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> list[DestinationProperties]:
    """All destinations, by name. Airbyte shows their secrets as masks, never the values."""
    return _all(
        DestinationProperties, "getDestinations", {"workspaceId": workspace_id, "definitionId": definition_id}, opts
    )


def get_destinations_output(
    *,
    workspace_id: pulumi.Input[str] | None = None,
    definition_id: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[list[DestinationProperties]]:
    """As `get_destinations`, from outputs."""
    return _all_later(
        DestinationProperties, "getDestinations", {"workspaceId": workspace_id, "definitionId": definition_id}, opts
    )


def get_connection(
    *,
    connection_id: str | None = None,
    name: str | None = None,
    source_id: str | None = None,
    destination_id: str | None = None,
    workspace_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> ConnectionProperties:
    """A connection, by id, or by its name, source and destination, as far as they are given."""
    return _one(
        ConnectionProperties,
        "getConnection",
        {
            "connectionId": connection_id,
            "name": name,
            "sourceId": source_id,
            "destinationId": destination_id,
            "workspaceId": workspace_id,
        },
        opts,
    )


def get_connection_output(
    *,
    connection_id: pulumi.Input[str] | None = None,
    name: pulumi.Input[str] | None = None,
    source_id: pulumi.Input[str] | None = None,
    destination_id: pulumi.Input[str] | None = None,
    workspace_id: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[ConnectionProperties]:
    """As `get_connection`, from outputs."""
    return _one_later(
        ConnectionProperties,
        "getConnection",
        {
            "connectionId": connection_id,
            "name": name,
            "sourceId": source_id,
            "destinationId": destination_id,
            "workspaceId": workspace_id,
        },
        opts,
    )


def get_connections(
    *,
    workspace_id: str | None = None,
    source_id: str | None = None,
    destination_id: str | None = None,
    status: Literal["active", "inactive", "locked"] | None = None,
    tag_ids: Sequence[str] | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> list[ConnectionProperties]:
    """All connections, by name."""
    return _all(
        ConnectionProperties,
        "getConnections",
        {
            "workspaceId": workspace_id,
            "sourceId": source_id,
            "destinationId": destination_id,
            "status": status,
            "tagIds": tag_ids,
        },
        opts,
    )


def get_connections_output(
    *,
    workspace_id: pulumi.Input[str] | None = None,
    source_id: pulumi.Input[str] | None = None,
    destination_id: pulumi.Input[str] | None = None,
    status: pulumi.Input[str] | None = None,
    tag_ids: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[list[ConnectionProperties]]:
    """As `get_connections`, from outputs."""
    return _all_later(
        ConnectionProperties,
        "getConnections",
        {
            "workspaceId": workspace_id,
            "sourceId": source_id,
            "destinationId": destination_id,
            "status": status,
            "tagIds": tag_ids,
        },
        opts,
    )


def get_streams(
    source_id: str,
    *,
    destination_id: str | None = None,
    ignore_cache: bool | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> list[StreamProperties]:
    """The streams that a source offers, by name. Discovers the source, which takes minutes if not cached."""
    return _all(
        StreamProperties,
        "getStreams",
        {"sourceId": source_id, "destinationId": destination_id, "ignoreCache": ignore_cache},
        opts,
    )


def get_streams_output(
    source_id: pulumi.Input[str],
    *,
    destination_id: pulumi.Input[str] | None = None,
    ignore_cache: pulumi.Input[bool] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[list[StreamProperties]]:
    """As `get_streams`, from outputs."""
    return _all_later(
        StreamProperties,
        "getStreams",
        {"sourceId": source_id, "destinationId": destination_id, "ignoreCache": ignore_cache},
        opts,
    )


def get_selection_differences(
    connection_id: str, *, ignore_cache: bool | None = None, opts: pulumi.InvokeOptions | None = None
) -> SelectionDifferences:
    """Compare a connection with its source: streams and fields that it does not select, or that are not offered."""
    return _one(
        SelectionDifferences,
        "getSelectionDifferences",
        {"connectionId": connection_id, "ignoreCache": ignore_cache},
        opts,
    )


def get_selection_differences_output(
    connection_id: pulumi.Input[str],
    *,
    ignore_cache: pulumi.Input[bool] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[SelectionDifferences]:
    """As `get_selection_differences`, from outputs."""
    return _one_later(
        SelectionDifferences,
        "getSelectionDifferences",
        {"connectionId": connection_id, "ignoreCache": ignore_cache},
        opts,
    )


def get_tag(
    *,
    tag_id: str | None = None,
    name: str | None = None,
    workspace_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> TagProperties:
    """A tag, by id or by name."""
    return _one(TagProperties, "getTag", {"tagId": tag_id, "name": name, "workspaceId": workspace_id}, opts)


def get_tag_output(
    *,
    tag_id: pulumi.Input[str] | None = None,
    name: pulumi.Input[str] | None = None,
    workspace_id: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[TagProperties]:
    """As `get_tag`, from outputs."""
    return _one_later(TagProperties, "getTag", {"tagId": tag_id, "name": name, "workspaceId": workspace_id}, opts)


def get_tags(*, workspace_id: str | None = None, opts: pulumi.InvokeOptions | None = None) -> list[TagProperties]:
    """All tags, by name."""
    return _all(TagProperties, "getTags", {"workspaceId": workspace_id}, opts)


def get_tags_output(
    *, workspace_id: pulumi.Input[str] | None = None, opts: OutputOptions | None = None
) -> pulumi.Output[list[TagProperties]]:
    """As `get_tags`, from outputs."""
    return _all_later(TagProperties, "getTags", {"workspaceId": workspace_id}, opts)


def get_job(job_id: int, *, opts: pulumi.InvokeOptions | None = None) -> JobProperties:
    """A job, by id."""
    return _one(JobProperties, "getJob", {"jobId": job_id}, opts)


def get_job_output(job_id: pulumi.Input[int], *, opts: OutputOptions | None = None) -> pulumi.Output[JobProperties]:
    """As `get_job`, from outputs."""
    return _one_later(JobProperties, "getJob", {"jobId": job_id}, opts)


def get_jobs(
    *,
    connection_id: str | None = None,
    workspace_id: str | None = None,
    job_type: Literal["sync", "reset", "refresh"] | None = None,
    status: Literal["pending", "queued", "running", "incomplete", "failed", "succeeded", "cancelled"] | None = None,
    created_at_start: str | None = None,
    created_at_end: str | None = None,
    updated_at_start: str | None = None,
    updated_at_end: str | None = None,
    limit: int | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> list[JobProperties]:
    """The newest jobs, refreshes included, the newest first."""
    return _all(
        JobProperties,
        "getJobs",
        {
            "connectionId": connection_id,
            "workspaceId": workspace_id,
            "jobType": job_type,
            "status": status,
            "createdAtStart": created_at_start,
            "createdAtEnd": created_at_end,
            "updatedAtStart": updated_at_start,
            "updatedAtEnd": updated_at_end,
            "limit": limit,
        },
        opts,
    )


def get_jobs_output(
    *,
    connection_id: pulumi.Input[str] | None = None,
    workspace_id: pulumi.Input[str] | None = None,
    job_type: pulumi.Input[str] | None = None,
    status: pulumi.Input[str] | None = None,
    created_at_start: pulumi.Input[str] | None = None,
    created_at_end: pulumi.Input[str] | None = None,
    updated_at_start: pulumi.Input[str] | None = None,
    updated_at_end: pulumi.Input[str] | None = None,
    limit: pulumi.Input[int] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[list[JobProperties]]:
    """As `get_jobs`, from outputs."""
    return _all_later(
        JobProperties,
        "getJobs",
        {
            "connectionId": connection_id,
            "workspaceId": workspace_id,
            "jobType": job_type,
            "status": status,
            "createdAtStart": created_at_start,
            "createdAtEnd": created_at_end,
            "updatedAtStart": updated_at_start,
            "updatedAtEnd": updated_at_end,
            "limit": limit,
        },
        opts,
    )


def get_organization(
    *, organization_id: str | None = None, name: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> OrganizationProperties:
    """An organization by id or by name; with neither, the only one there is."""
    return _one(OrganizationProperties, "getOrganization", {"organizationId": organization_id, "name": name}, opts)


def get_organization_output(
    *,
    organization_id: pulumi.Input[str] | None = None,
    name: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[OrganizationProperties]:
    """As `get_organization`, from outputs."""
    return _one_later(
        OrganizationProperties, "getOrganization", {"organizationId": organization_id, "name": name}, opts
    )


def get_organizations(*, opts: pulumi.InvokeOptions | None = None) -> list[OrganizationProperties]:
    """All organizations of the caller, by name."""
    return _all(OrganizationProperties, "getOrganizations", {}, opts)


def get_organizations_output(*, opts: OutputOptions | None = None) -> pulumi.Output[list[OrganizationProperties]]:
    """As `get_organizations`, from outputs."""
    return _all_later(OrganizationProperties, "getOrganizations", {}, opts)


def get_user(
    *,
    user_id: str | None = None,
    email: str | None = None,
    name: str | None = None,
    organization_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> UserProperties:
    """A user of an organization, by id, e-mail address or name."""
    return _one(
        UserProperties,
        "getUser",
        {"userId": user_id, "email": email, "name": name, "organizationId": organization_id},
        opts,
    )


def get_user_output(
    *,
    user_id: pulumi.Input[str] | None = None,
    email: pulumi.Input[str] | None = None,
    name: pulumi.Input[str] | None = None,
    organization_id: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[UserProperties]:
    """As `get_user`, from outputs."""
    return _one_later(
        UserProperties,
        "getUser",
        {"userId": user_id, "email": email, "name": name, "organizationId": organization_id},
        opts,
    )


def get_users(
    *,
    organization_id: str | None = None,
    ids: Sequence[str] | None = None,
    emails: Sequence[str] | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> list[UserProperties]:
    """All users of an organization, by e-mail address."""
    return _all(UserProperties, "getUsers", {"organizationId": organization_id, "ids": ids, "emails": emails}, opts)


def get_users_output(
    *,
    organization_id: pulumi.Input[str] | None = None,
    ids: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
    emails: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[list[UserProperties]]:
    """As `get_users`, from outputs."""
    return _all_later(
        UserProperties, "getUsers", {"organizationId": organization_id, "ids": ids, "emails": emails}, opts
    )


def get_group(
    *,
    group_id: str | None = None,
    name: str | None = None,
    organization_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> GroupWithMembers:
    """A group of users and its members, by id or by name."""
    return _one(
        GroupWithMembers, "getGroup", {"groupId": group_id, "name": name, "organizationId": organization_id}, opts
    )


def get_group_output(
    *,
    group_id: pulumi.Input[str] | None = None,
    name: pulumi.Input[str] | None = None,
    organization_id: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[GroupWithMembers]:
    """As `get_group`, from outputs."""
    return _one_later(
        GroupWithMembers, "getGroup", {"groupId": group_id, "name": name, "organizationId": organization_id}, opts
    )


def get_groups(
    *, organization_id: str | None = None, opts: pulumi.InvokeOptions | None = None
) -> list[GroupProperties]:
    """All groups of an organization, by name."""
    return _all(GroupProperties, "getGroups", {"organizationId": organization_id}, opts)


def get_groups_output(
    *, organization_id: pulumi.Input[str] | None = None, opts: OutputOptions | None = None
) -> pulumi.Output[list[GroupProperties]]:
    """As `get_groups`, from outputs."""
    return _all_later(GroupProperties, "getGroups", {"organizationId": organization_id}, opts)


def get_permission(permission_id: str, *, opts: pulumi.InvokeOptions | None = None) -> PermissionProperties:
    """A permission of a user, by id."""
    return _one(PermissionProperties, "getPermission", {"permissionId": permission_id}, opts)


def get_permission_output(
    permission_id: pulumi.Input[str], *, opts: OutputOptions | None = None
) -> pulumi.Output[PermissionProperties]:
    """As `get_permission`, from outputs."""
    return _one_later(PermissionProperties, "getPermission", {"permissionId": permission_id}, opts)


def get_permissions(
    *,
    user_id: str | None = None,
    group_id: str | None = None,
    organization_id: str | None = None,
    permission_type: Literal[
        "instance_admin",
        "organization_admin",
        "organization_editor",
        "organization_runner",
        "organization_reader",
        "organization_member",
        "workspace_owner",
        "workspace_admin",
        "workspace_editor",
        "workspace_runner",
        "workspace_reader",
    ]
    | None = None,
    workspace_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> list[PermissionProperties]:
    """The permissions of a user or of a group; with neither, those of the caller.

    Without the Config API, those of another user than the caller are listed for one organization, not for workspaces.
    """
    return _all(
        PermissionProperties,
        "getPermissions",
        {
            "userId": user_id,
            "groupId": group_id,
            "organizationId": organization_id,
            "permissionType": permission_type,
            "workspaceId": workspace_id,
        },
        opts,
    )


def get_permissions_output(
    *,
    user_id: pulumi.Input[str] | None = None,
    group_id: pulumi.Input[str] | None = None,
    organization_id: pulumi.Input[str] | None = None,
    permission_type: pulumi.Input[str] | None = None,
    workspace_id: pulumi.Input[str] | None = None,
    opts: OutputOptions | None = None,
) -> pulumi.Output[list[PermissionProperties]]:
    """As `get_permissions`, from outputs."""
    return _all_later(
        PermissionProperties,
        "getPermissions",
        {
            "userId": user_id,
            "groupId": group_id,
            "organizationId": organization_id,
            "permissionType": permission_type,
            "workspaceId": workspace_id,
        },
        opts,
    )


def get_inventory(
    workspace_id: str,
    *,
    managed: Sequence[str] = (),
    declared: Sequence[DeclaredObject] = (),
    opts: pulumi.InvokeOptions | None = None,
) -> list[LiveObject]:
    """Every source, destination and connection of a workspace, with its standing.

    Args:
        workspace_id: the workspace.
        managed: ids of the objects in the program's state.
        declared: the objects that the program declares.
        opts: options of the call.
    """
    return _all(LiveObject, "getInventory", _inventory(workspace_id, managed, declared), opts)


def get_inventory_output(
    workspace_id: pulumi.Input[str],
    *,
    managed: pulumi.Input[Sequence[pulumi.Input[str]]] = (),
    declared: Sequence[DeclaredObject] = (),
    opts: OutputOptions | None = None,
) -> pulumi.Output[list[LiveObject]]:
    """As `get_inventory`, from outputs."""
    return _all_later(LiveObject, "getInventory", _inventory(workspace_id, managed, declared), opts)


def _inventory(workspace_id: Any, managed: Any, declared: Sequence[DeclaredObject]) -> dict[str, Any]:
    entries = [
        {
            "kind": each.kind,
            "name": each.name,
            "sourceName": each.source_name,
            "destinationName": each.destination_name,
        }
        for each in declared
    ]
    return {"workspaceId": workspace_id, "managed": managed, "declared": entries}


def _one(kind: type[Found], name: str, arguments: Mapping[str, Any], opts: pulumi.InvokeOptions | None) -> Found:
    return answer_of(kind, _invoked(name, arguments, opts))


def _all(kind: type[Found], name: str, arguments: Mapping[str, Any], opts: pulumi.InvokeOptions | None) -> list[Found]:
    return _items(kind, _invoked(name, arguments, opts))


def _items(kind: type[Found], answer: Mapping[str, Any]) -> list[Found]:
    """The objects of an answer that is one list."""
    [items] = answer.values()
    return [answer_of(kind, item) for item in items]


def _invoked(name: str, arguments: Mapping[str, Any], opts: pulumi.InvokeOptions | None) -> dict[str, Any]:
    answer: dict[str, Any] = pulumi.runtime.invoke(_token(name), _given(arguments), opts).value
    if not answer:
        raise RuntimeError(
            f"{name} has no answer in this preview, because an argument or the provider's configuration is not known "
            "yet: use the form that ends in _output"
        )
    return answer


def _one_later(
    kind: type[Found], name: str, arguments: Mapping[str, Any], opts: OutputOptions | None
) -> pulumi.Output[Found]:
    return _later(name, arguments, opts).apply(lambda answer: answer_of(kind, answer) if answer else _UNKNOWN)


def _all_later(
    kind: type[Found], name: str, arguments: Mapping[str, Any], opts: OutputOptions | None
) -> pulumi.Output[list[Found]]:
    return _later(name, arguments, opts).apply(lambda answer: _items(kind, answer) if answer else _UNKNOWN)


def _later(name: str, arguments: Mapping[str, Any], opts: OutputOptions | None) -> pulumi.Output[dict[str, Any]]:
    return pulumi.runtime.invoke_output(_token(name), _given(arguments), opts)


def _token(name: str) -> str:
    return f"airbyte:index/{name}:{name}"


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in arguments.items()}
    return {key: value for key, value in given.items() if value is not None}
