"""Responses of the public API.

Source: airbyte-platform PublicApi mappers.
"""

from airbyte_twin.actors import shown_configuration, type_key
from airbyte_twin.clock import duration, instant
from airbyte_twin.documents import JsonArray, JsonObject, without_nulls
from airbyte_twin.mappers import mapper_view
from airbyte_twin.records import (
    DEFAULT_ID,
    Actor,
    Connection,
    Dataplane,
    Definition,
    Group,
    Job,
    Membership,
    Organization,
    Permission,
    Region,
    SelectedStream,
    Tag,
    User,
    Workspace,
)
from airbyte_twin.schedules import public_view
from airbyte_twin.secrets import Vault
from airbyte_twin.sync_modes import combined_mode
from airbyte_twin.twin import Twin


def actor_view(twin: Twin, actor: Actor, *, with_coordinates: bool = False) -> JsonObject:
    """A SourceResponse or DestinationResponse; `configuration` is null once the actor is deleted."""
    shown: JsonObject = {
        f"{actor.kind}Id": actor.id,
        "name": actor.name,
        type_key(actor.kind): twin.type_name(actor.definition_id),
        "definitionId": actor.definition_id,
        "workspaceId": actor.workspace_id,
        "configuration": shown_configuration(twin, actor, with_coordinates=with_coordinates),
        "createdAt": actor.created_at,
    }
    if actor.resource_allocation is not None:
        shown["resourceAllocation"] = actor.resource_allocation
    return shown


def connection_view(twin: Twin, connection: Connection) -> JsonObject:
    """A ConnectionResponse."""
    vault = twin.vault(connection.workspace_id)
    streams: JsonArray = [stream_view(stream, vault) for stream in connection.streams]
    tags = (twin.store.tags.get(tag_id) for tag_id in connection.tag_ids)
    return without_nulls(
        {
            "connectionId": connection.id,
            "name": connection.name,
            "sourceId": connection.source_id,
            "destinationId": connection.destination_id,
            "workspaceId": connection.workspace_id,
            "status": connection.status,
            "schedule": public_view(connection.schedule),
            "configurations": {"streams": streams},
            "nonBreakingSchemaUpdatesBehavior": connection.non_breaking_policy,
            "namespaceDefinition": connection.namespace_definition,
            "namespaceFormat": connection.namespace_format,
            "prefix": connection.prefix,
            "createdAt": connection.created_at,
            "tags": [tag_view(tag) for tag in tags if tag is not None],
        }
    )


def stream_view(stream: SelectedStream, vault: Vault) -> JsonObject:
    """A StreamConfiguration; no selection of fields reads as an empty list."""
    mappers: JsonArray = [mapper_view(mapper, vault) for mapper in stream.mappers]
    return without_nulls(
        {
            "name": stream.name,
            "namespace": stream.namespace,
            "syncMode": combined_mode(stream.sync_mode, stream.destination_sync_mode),
            "cursorField": None if stream.cursor_field is None else list(stream.cursor_field),
            "primaryKey": None if stream.primary_key is None else [list(path) for path in stream.primary_key],
            "selectedFields": [{"fieldPath": [name]} for name in stream.selected_fields or ()],
            "mappers": mappers,
            "includeFiles": stream.include_files,
            "destinationObjectName": stream.destination_object_name,
        }
    )


def tag_view(tag: Tag) -> JsonObject:
    """A TagResponse."""
    return {"tagId": tag.id, "name": tag.name, "color": tag.color, "workspaceId": tag.workspace_id}


def job_view(job: Job) -> JsonObject:
    """A JobResponse: `lastUpdatedAt` once it is finished, `duration` once it started."""
    return without_nulls(
        {
            "jobId": int(job.id),
            "status": job.status,
            "jobType": job.type,
            "startTime": instant(job.created_at),
            "connectionId": job.connection_id,
            "lastUpdatedAt": instant(job.updated_at) if job.finished else None,
            "duration": None if job.status == "pending" else duration(job.updated_at - job.created_at),
            "bytesSynced": job.bytes_synced,
            "rowsSynced": job.rows_synced,
        }
    )


def workspace_view(twin: Twin, workspace: Workspace) -> JsonObject:
    """A WorkspaceResponse."""
    return {
        "workspaceId": workspace.id,
        "name": workspace.name,
        "dataResidency": twin.region_name(workspace),
        "notifications": workspace.notifications,
    }


def definition_view(definition: Definition) -> JsonObject:
    """A DefinitionResponse."""
    return without_nulls(
        {
            "id": definition.id,
            "name": definition.name,
            "dockerRepository": definition.docker_repository,
            "dockerImageTag": definition.docker_image_tag,
            "documentationUrl": definition.documentation_url,
        }
    )


def declarative_view(definition: Definition) -> JsonObject:
    """A DeclarativeSourceDefinitionResponse."""
    return {
        "id": definition.id,
        "name": definition.name,
        "manifest": definition.manifest,
        "version": definition.manifest_version,
    }


def permission_view(permission: Permission) -> JsonObject:
    """A PermissionResponse, or the Config API's PermissionRead, of a user's permission."""
    return without_nulls(
        {
            "permissionId": permission.id,
            "permissionType": permission.type,
            "userId": permission.user_id,
            "workspaceId": permission.workspace_id,
            "organizationId": permission.organization_id,
        }
    )


def listed_permission_view(permission: Permission) -> JsonObject:
    """A PermissionResponseRead: lists name a permission's scope otherwise than the permission itself does."""
    scope = "workspace" if permission.workspace_id else "organization" if permission.organization_id else "none"
    return {
        "permissionId": permission.id,
        "permissionType": permission.type,
        "userId": permission.user_id,
        "scopeId": permission.workspace_id or permission.organization_id or DEFAULT_ID,
        "scope": scope,
    }


def group_permission_view(permission: Permission) -> JsonObject:
    """A GroupPermissionResponse."""
    return without_nulls(
        {
            "permissionId": permission.id,
            "groupId": permission.group_id,
            "permissionType": permission.type,
            "workspaceId": permission.workspace_id,
            "organizationId": permission.organization_id,
        }
    )


def group_view(twin: Twin, group: Group) -> JsonObject:
    """A GroupResponse."""
    return without_nulls(
        {
            "groupId": group.id,
            "name": group.name,
            "description": group.description,
            "organizationId": group.organization_id,
            "memberCount": sum(each.group_id == group.id for each in twin.store.memberships),
        }
    )


def membership_view(membership: Membership, user: User) -> JsonObject:
    """A GroupMemberResponse."""
    return {
        "memberId": membership.id,
        "groupId": membership.group_id,
        "userId": user.id,
        "userEmail": user.email,
        "userName": user.name,
    }


def organization_view(organization: Organization) -> JsonObject:
    """An OrganizationResponse."""
    return {
        "organizationId": organization.id,
        "organizationName": organization.name,
        "email": organization.email,
    }


def user_view(user: User) -> JsonObject:
    """A UserResponse."""
    return {"id": user.id, "name": user.name, "email": user.email}


def region_view(region: Region) -> JsonObject:
    """A RegionResponse."""
    return {
        "regionId": region.id,
        "name": region.name,
        "organizationId": region.organization_id,
        "enabled": region.enabled,
        "createdAt": instant(region.created_at),
        "updatedAt": instant(region.updated_at),
    }


def dataplane_view(dataplane: Dataplane) -> JsonObject:
    """A DataplaneResponse."""
    return {
        "dataplaneId": dataplane.id,
        "name": dataplane.name,
        "regionId": dataplane.region_id,
        "enabled": dataplane.enabled,
        "createdAt": instant(dataplane.created_at),
        "updatedAt": instant(dataplane.updated_at),
    }
