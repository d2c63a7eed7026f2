"""`/operations`: what is done after a sync; of the three types only webhooks have a configuration left.

Source: airbyte-platform OperationsHandler, OperationsConverter.
"""

import re
from collections.abc import Iterable
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.body import read_body
from airbyte_twin.config.bodies import (
    ConnectionIdBody,
    OperationCreateBody,
    OperationIdBody,
    OperationUpdateBody,
    OperatorBody,
    WebhookBody,
)
from airbyte_twin.config.connections import config_connection
from airbyte_twin.documents import JsonArray, JsonObject, without_nulls
from airbyte_twin.errors import OpaqueError, json_response
from airbyte_twin.records import Connection, Operation
from airbyte_twin.twin import Twin

DBT_CLOUD = "https://cloud.getdbt.com/api/v2/accounts/{}/jobs/{}/run/"
DBT_CLOUD_RUN = re.compile(r"https://.*/api/v2/accounts/(\d+)/jobs/(\d+)/run/")


def stored_webhook(body: WebhookBody | None) -> JsonObject:
    """A webhook as it is stored: by its URL.

    Raises:
        OpaqueError: 500, there is none, or it lacks its job.
    """
    if body is None:
        raise OpaqueError(500)
    config_id = None if body.webhook_config_id is None else str(body.webhook_config_id)
    url, content = body.execution_url, body.execution_body
    if body.webhook_type is not None:
        if body.dbt_cloud is None:
            raise OpaqueError(500)
        url = DBT_CLOUD.format(body.dbt_cloud.account_id, body.dbt_cloud.job_id)
        content = '{"cause": "airbyte"}'
    return without_nulls({"webhookConfigId": config_id, "executionUrl": url, "executionBody": content})


def operation_view(operation: Operation) -> JsonObject:
    """An OperationRead.

    Raises:
        OpaqueError: 500, its webhook is not a run of a job of dbt Cloud.
    """
    shown: JsonObject = {"operatorType": operation.type}
    if operation.webhook is not None:
        run = DBT_CLOUD_RUN.fullmatch(str(operation.webhook.get("executionUrl", "")))
        if run is None:
            raise OpaqueError(500)
        job: JsonObject = {"accountId": int(run[1]), "jobId": int(run[2])}
        shown["webhook"] = {**operation.webhook, "webhookType": "dbtCloud", "dbtCloud": job}
    return {
        "workspaceId": operation.workspace_id,
        "operationId": operation.id,
        "name": operation.name,
        "operatorConfiguration": shown,
    }


def operation_views(twin: Twin, connection: Connection) -> JsonArray:
    """The operations of a connection."""
    found = (twin.store.operations.get(each) for each in connection.operation_ids)
    return [operation_view(each) for each in found if each is not None and not each.deleted]


def known_operation(twin: Twin, operation_id: str) -> Operation:
    """An operation, deleted or not.

    Raises:
        ApiError: 404 or 403.
    """
    found = twin.store.operations.get(operation_id)
    if found is None:
        raise twin.unknown_in_config()
    return found


def create_operation(twin: Twin, body: OperationCreateBody) -> Operation:
    """Create an operation.

    Raises:
        ApiError: 404 or 403 for an unknown workspace; 500 for a webhook that has no URL of dbt Cloud's.
    """
    workspace = twin.store.workspaces.get(str(body.workspace_id))
    if workspace is None or workspace.deleted:
        raise twin.unknown_in_config()
    return saved(twin, Operation(id=str(uuid4()), workspace_id=workspace.id, name="", type="dbt"), body)


def saved(twin: Twin, before: Operation, body: OperationCreateBody | OperationUpdateBody) -> Operation:
    """Store the name and configuration of an operation.

    Raises:
        OpaqueError: 500 for a webhook that has no URL of dbt Cloud's.
    """
    asked: OperatorBody = body.operator_configuration
    webhook = stored_webhook(asked.webhook) if asked.operator_type == "webhook" else None
    after = before.model_copy(update={"name": body.name, "type": asked.operator_type, "webhook": webhook})
    operation_view(after)
    return twin.store.operations.put(after)


def delete_operations(twin: Twin, connection: Connection, gone: Iterable[str]) -> None:
    """Delete operations of a connection, unless another one has them too."""
    shared = {key for each in twin.store.connections if each.id != connection.id for key in each.operation_ids}
    for key in gone:
        found = twin.store.operations.get(key)
        if found is not None and key not in shared:
            twin.store.operations.put(found.model_copy(update={"deleted": True}))


async def create(request: Request) -> Response:
    """Create an operation."""
    twin, body = Twin.of(request), await read_body(request, OperationCreateBody)
    return json_response(operation_view(create_operation(twin, body)))


async def update(request: Request) -> Response:
    """Replace name and configuration."""
    twin, body = Twin.of(request), await read_body(request, OperationUpdateBody)
    return json_response(operation_view(saved(twin, known_operation(twin, str(body.operation_id)), body)))


async def get(request: Request) -> Response:
    """An operation; a deleted one is still found."""
    twin, body = Twin.of(request), await read_body(request, OperationIdBody)
    return json_response(operation_view(known_operation(twin, str(body.operation_id))))


async def list_operations(request: Request) -> Response:
    """The operations of a connection."""
    twin, body = Twin.of(request), await read_body(request, ConnectionIdBody)
    return json_response({"operations": operation_views(twin, config_connection(twin, body))})


async def delete(request: Request) -> Response:
    """Delete an operation, also from its connections; answers 204, also for an unknown one."""
    twin, body = Twin.of(request), await read_body(request, OperationIdBody)
    key = str(body.operation_id)
    found = twin.store.operations.get(key)
    if found is not None:
        twin.store.operations.put(found.model_copy(update={"deleted": True}))
    for connection in [each for each in twin.store.connections if key in each.operation_ids]:
        left = tuple(each for each in connection.operation_ids if each != key)
        twin.store.connections.put(connection.model_copy(update={"operation_ids": left}))
    return Response(status_code=204)


async def check(request: Request) -> Response:
    """Whether an operation's configuration is complete; HTTP 200 whether it is or not."""
    body = await read_body(request, OperatorBody)
    failed = body.operator_type == "webhook" and body.webhook is None
    return json_response({"status": "failed", "message": "Failed requirement."} if failed else {"status": "succeeded"})


ROUTES = [
    Route("/operations/create", create, methods=["POST"]),
    Route("/operations/update", update, methods=["POST"]),
    Route("/operations/get", get, methods=["POST"]),
    Route("/operations/list", list_operations, methods=["POST"]),
    Route("/operations/delete", delete, methods=["POST"]),
    Route("/operations/check", check, methods=["POST"]),
]
