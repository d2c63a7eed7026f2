"""`/workspaces`: created, changed, deleted and found; there is no `/workspaces/list`.

Source: airbyte-platform WorkspacesHandler, NotificationSettingsConverter.
"""

import re
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.body import read_body
from airbyte_twin.config.actors import page_at
from airbyte_twin.config.bodies import (
    ConnectionIdBody,
    NotificationItemBody,
    NotificationSettingsBody,
    OrganizationWorkspacesBody,
    PageBody,
    SlugBody,
    UserWorkspacesBody,
    WorkspaceCreateBody,
    WorkspaceIdBody,
    WorkspaceIdCreateBody,
    WorkspaceMembersBody,
    WorkspaceNameBody,
    WorkspaceReadBody,
    WorkspacesPageBody,
    WorkspaceUpdateBody,
)
from airbyte_twin.config.connections import config_connection
from airbyte_twin.documents import JsonArray, JsonObject, as_object, without_nulls
from airbyte_twin.errors import KnownError, OpaqueError, json_response
from airbyte_twin.public.workspaces import delete_workspace, new_workspace, region_of
from airbyte_twin.records import DEFAULT_ID, Workspace
from airbyte_twin.twin import Twin

EVENTS = {
    "success": "sendOnSuccess",
    "failure": "sendOnFailure",
    "syncDisabled": "sendOnSyncDisabled",
    "syncDisabledWarning": "sendOnSyncDisabledWarning",
    "connectionUpdate": "sendOnConnectionUpdate",
    "connectionUpdateActionRequired": "sendOnConnectionUpdateActionRequired",
}
"""Kinds of events of both APIs, the public one's first."""
ALWAYS_MAILED = ("sendOnBreakingChangeWarning", "sendOnBreakingChangeSyncsDisabled")
SETTINGS = (
    "email",
    "anonymous_data_collection",
    "news",
    "security_updates",
    "display_setup_wizard",
    "initial_setup_complete",
)
"""Members that only this API has."""


def slug_of(workspace: Workspace) -> str:
    """The name of a workspace in URLs."""
    return f"{re.sub('[^a-z0-9]+', '-', workspace.name.lower()).strip('-')}-{workspace.id[:8]}"


def workspace_view(twin: Twin, workspace: Workspace) -> JsonObject:
    """A WorkspaceRead."""
    default = next((each.id for each in twin.store.regions if each.organization_id == DEFAULT_ID), None)
    shown: JsonObject = {
        "workspaceId": workspace.id,
        "customerId": workspace.id,
        "name": workspace.name,
        "slug": slug_of(workspace),
        "initialSetupComplete": True,
        "notifications": [],
        "notificationSettings": settings_view(workspace.notifications),
        "dataplaneGroupId": workspace.region_id or default,
        "organizationId": workspace.organization_id,
        "tombstone": workspace.deleted,
        **workspace.settings,
    }
    return without_nulls(shown)


def settings_view(notifications: JsonObject) -> JsonObject:
    """NotificationSettings of the public API's notifications."""
    mail: JsonObject = {"notificationType": ["customerio"]}
    shown: JsonObject = dict.fromkeys(ALWAYS_MAILED, mail)
    for event, name in EVENTS.items():
        found = as_object(notifications.get(event))
        webhook = as_object(found.get("webhook"))
        mailed = as_object(found.get("email")).get("enabled") is True
        types: JsonArray = [*(["customerio"] if mailed else []), *(["slack"] if webhook.get("enabled") is True else [])]
        url = webhook.get("url")
        shown[name] = without_nulls(
            {"notificationType": types, "slackConfiguration": {"webhook": url} if isinstance(url, str) else None}
        )
    return shown


def notifications_after(before: JsonObject, sent: NotificationSettingsBody | None) -> JsonObject:
    """The public API's notifications after merging in the settings that were sent."""
    if sent is None:
        return before
    items: dict[str, NotificationItemBody | None] = {
        "success": sent.send_on_success,
        "failure": sent.send_on_failure,
        "syncDisabled": sent.send_on_sync_disabled,
        "syncDisabledWarning": sent.send_on_sync_disabled_warning,
        "connectionUpdate": sent.send_on_connection_update,
        "connectionUpdateActionRequired": sent.send_on_connection_update_action_required,
    }
    return {**before, **{event: _notification(item) for event, item in items.items() if item is not None}}


def _notification(item: NotificationItemBody) -> JsonObject:
    types = item.notification_type or ()
    webhook: JsonObject = {"enabled": "slack" in types}
    if item.slack_configuration is not None:
        webhook["url"] = item.slack_configuration.webhook
    return {"email": {"enabled": "customerio" in types}, "webhook": webhook}


def written(twin: Twin, workspace: Workspace, body: WorkspaceMembersBody) -> Workspace:
    """A workspace with the members that were sent.

    Raises:
        OpaqueError: 500 for an unknown region.
    """
    sent = as_object(body.model_dump(mode="json", by_alias=True, exclude_none=True, include={*SETTINGS}))
    changes: dict[str, object] = {
        "name": workspace.name if body.name is None else body.name,
        "notifications": notifications_after(workspace.notifications, body.notification_settings),
        "settings": {**workspace.settings, **sent},
        "region_id": region_of(twin, body.dataplane_group_id) or workspace.region_id,
    }
    return workspace.model_copy(update=changes)


def config_workspace(twin: Twin, workspace_id: object, *, deleted: bool = False) -> Workspace:
    """A workspace; a deleted one only if it is asked for.

    Raises:
        ApiError: 404 or 403.
    """
    found = twin.store.workspaces.get(str(workspace_id))
    if found is None or (found.deleted and not deleted):
        raise twin.unknown_in_config()
    return found


def create_workspace(twin: Twin, body: WorkspaceCreateBody, workspace_id: str) -> Workspace:
    """Create a workspace of an organization.

    Raises:
        ApiError: 422, it names no organization; 500, nor one that there is; see `written`.
    """
    if body.organization_id is None:
        raise KnownError(422, "Workspace missing org ID.")
    if twin.store.organizations.get(str(body.organization_id)) is None:
        raise OpaqueError(500)
    new = new_workspace(twin, body.name, str(body.organization_id)).model_copy(update={"id": workspace_id})
    return twin.store.workspaces.put(written(twin, new, body))


async def create(request: Request) -> Response:
    """Create a workspace."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceCreateBody)
    return json_response(workspace_view(twin, create_workspace(twin, body, str(uuid4()))))


async def create_if_not_exist(request: Request) -> Response:
    """Create a workspace with an id of the caller's, or find it."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceIdCreateBody)
    found = twin.store.workspaces.get(str(body.id))
    return json_response(workspace_view(twin, found or create_workspace(twin, body, str(body.id))))


async def get(request: Request) -> Response:
    """A workspace."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceReadBody)
    return json_response(
        workspace_view(twin, config_workspace(twin, body.workspace_id, deleted=body.include_tombstone))
    )


async def get_by_slug(request: Request) -> Response:
    """A workspace by the name that it has in URLs."""
    twin, body = Twin.of(request), await read_body(request, SlugBody)
    for workspace in twin.store.workspaces:
        if slug_of(workspace) == body.slug and not workspace.deleted:
            return json_response(workspace_view(twin, workspace))
    raise twin.unknown_in_config()


async def get_by_connection(request: Request) -> Response:
    """The workspace of a connection."""
    twin = Twin.of(request)
    connection = config_connection(twin, await read_body(request, ConnectionIdBody))
    deleted = request.url.path.endswith("_with_tombstone")
    return json_response(workspace_view(twin, config_workspace(twin, connection.workspace_id, deleted=deleted)))


async def update(request: Request) -> Response:
    """Change the members that are sent."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceUpdateBody)
    after = written(twin, config_workspace(twin, body.workspace_id), body)
    return json_response(workspace_view(twin, twin.store.workspaces.put(after)))


async def update_name(request: Request) -> Response:
    """Rename a workspace."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceNameBody)
    after = config_workspace(twin, body.workspace_id).model_copy(update={"name": body.name})
    return json_response(workspace_view(twin, twin.store.workspaces.put(after)))


async def delete(request: Request) -> Response:
    """Delete a workspace with all that it has; answers 204."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceIdBody)
    delete_workspace(twin, config_workspace(twin, body.workspace_id))
    return Response(status_code=204)


async def tag_feedback(request: Request) -> Response:
    """Note that a user gave feedback; answers 204."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceIdBody)
    before = config_workspace(twin, body.workspace_id)
    twin.store.workspaces.put(before.model_copy(update={"settings": {**before.settings, "feedbackDone": True}}))
    return Response(status_code=204)


def _named(twin: Twin, text: str | None) -> list[Workspace]:
    wanted = (text or "").lower()
    return [each for each in twin.store.workspaces if not each.deleted and wanted in each.name.lower()]


def _list(twin: Twin, rows: list[Workspace], page: PageBody | None) -> Response:
    return json_response({"workspaces": [workspace_view(twin, each) for each in page_at(rows, page)]})


async def list_paginated(request: Request) -> Response:
    """Some workspaces, by page."""
    twin, body = Twin.of(request), await read_body(request, WorkspacesPageBody)
    wanted = {str(each) for each in body.workspace_ids}
    rows = [each for each in twin.store.workspaces if each.id in wanted and (body.include_deleted or not each.deleted)]
    return _list(twin, rows, body.pagination)


async def list_of_organization(request: Request) -> Response:
    """The workspaces of an organization."""
    twin, body = Twin.of(request), await read_body(request, OrganizationWorkspacesBody)
    rows = [each for each in _named(twin, body.name_contains) if each.organization_id == str(body.organization_id)]
    return _list(twin, rows, body.pagination)


async def list_of_user(request: Request) -> Response:
    """The workspaces that a user sees: everybody is an administrator of the instance."""
    twin, body = Twin.of(request), await read_body(request, UserWorkspacesBody)
    return _list(twin, _named(twin, body.name_contains), body.pagination)


CALLS = {
    "create": create,
    "create_if_not_exist": create_if_not_exist,
    "get": get,
    "get_by_slug": get_by_slug,
    "get_by_connection_id": get_by_connection,
    "get_by_connection_id_with_tombstone": get_by_connection,
    "update": update,
    "update_name": update_name,
    "delete": delete,
    "tag_feedback_status_as_done": tag_feedback,
    "list_paginated": list_paginated,
    "list_by_organization_id": list_of_organization,
    "list_by_user_id": list_of_user,
}
ROUTES = [Route(f"/workspaces/{name}", call, methods=["POST"]) for name, call in CALLS.items()]
