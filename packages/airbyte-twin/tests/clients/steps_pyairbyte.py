"""Steps of PyAirbyte: the classes with which it manages an Airbyte, and its MCP tools for that."""

import inspect
import warnings
from typing import Any

import airbyte
from airbyte import cloud
from airbyte._util import api_util
from airbyte.cloud.client import CloudClient
from airbyte.cloud.connectors import CloudDestination, CloudSource, CustomCloudSourceDefinition
from airbyte.cloud.models import WorkspacePrivilegeScope
from airbyte.cloud.organizations import CloudOrganization
from airbyte.cloud.sync_results import SyncAttempt
from worker import serve

CLASSES = (
    CloudClient,
    CloudOrganization,
    cloud.CloudWorkspace,
    cloud.CloudConnection,
    CloudSource,
    CloudDestination,
    CustomCloudSourceDefinition,
    cloud.SyncResult,
    SyncAttempt,
)
api_util.JOB_WAIT_INTERVAL_SECS = 0.01
warnings.simplefilter("ignore", DeprecationWarning)


def signed(twin: dict[str, Any]) -> dict[str, Any]:
    """It insists on credentials; a server without authentication ignores the token."""
    if twin["auth"] == "client_credentials":
        return {"client_id": twin["client_id"], "client_secret": twin["client_secret"]}
    return {"bearer_token": twin["token"]}


def workspace(twin: dict[str, Any]) -> Any:
    """The twin's first workspace."""
    return cloud.CloudWorkspace(workspace_id=twin["workspace_id"], api_root=twin["public_url"], **signed(twin))


def begin(twin: dict[str, Any], kind: str, of: Any) -> Any:
    """The object of a class: `of` is its id, or a connection's id and a job's number."""
    if kind == "CloudClient":
        return CloudClient(public_api_root=twin["public_url"], **signed(twin))
    if kind in ("CloudWorkspace", "CloudOrganization"):
        made = cloud.CloudWorkspace(
            workspace_id=of or twin["workspace_id"], api_root=twin["public_url"], **signed(twin)
        )
        return made if kind == "CloudWorkspace" else made.get_organization()
    if kind in ("SyncResult", "SyncAttempt"):
        result = workspace(twin).get_connection(of[0]).get_sync_result(of[1])
        return result if kind == "SyncResult" else result.get_attempts()[0]
    if kind == "CustomCloudSourceDefinition":
        return workspace(twin).get_custom_source_definition(of, definition_type="yaml")
    getter = {"CloudConnection": "get_connection", "CloudSource": "get_source", "CloudDestination": "get_destination"}
    return getattr(workspace(twin), getter[kind])(of)


def methods(twin: dict[str, Any]) -> Any:
    """Names of all public methods and properties, `Class.name`."""
    return sorted(
        f"{kind.__name__}.{name}"
        for kind in CLASSES
        for parent in kind.__mro__[:-1]
        for name, member in vars(parent).items()
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
    )


def call(twin: dict[str, Any], method: str, of: Any = None, **arguments: Any) -> Any:
    """What a method or a property returns."""
    kind, _, name = method.partition(".")
    if "privilege_scope" in arguments:
        arguments["privilege_scope"] = WorkspacePrivilegeScope(arguments["privilege_scope"])
    member = getattr(begin(twin, kind, of), name)
    return seen(member(**arguments) if callable(member) else member)


def seen(value: Any) -> Any:
    """Its objects as their ids."""
    if isinstance(value, list):
        return [seen(member) for member in value]
    for name in ("connection_id", "connector_id", "definition_id", "job_id", "organization_id", "workspace_id"):
        if type(value) in CLASSES and hasattr(value, name):
            return getattr(value, name) if name != "connection_id" or not hasattr(value, "job_id") else value.job_id
    return value


def setting(twin: dict[str, Any], method: str, of: str, value: Any) -> Any:
    """Sets a property of a connection, and reads it."""
    connection = workspace(twin).get_connection(of)
    setattr(connection, method.partition(".")[2], value)
    return getattr(connection, method.partition(".")[2])


def deploy_source(twin: dict[str, Any], method: str, executable: str, config: dict[str, Any], name: str) -> Any:
    """The id of a source that is made from a connector of this machine."""
    source = airbyte.get_source("source-faker", config=config, local_executable=executable)
    return workspace(twin).deploy_source(name, source).connector_id


if __name__ == "__main__":
    serve({"methods": methods, "call": call, "setting": setting, "deploy_source": deploy_source})
