"""Steps of dagster-airbyte: its client, its workspace as assets, and its older resource with managed elements."""

import datetime as dt
from typing import Any

import dagster
import dagster_airbyte as airbyte
from dagster_airbyte.resources import AirbyteClient
from worker import serve

NOW: dict[str, Any] = {"request_max_retries": 0, "poll_interval": 0.01}
SILENT = {"test_destination": {"test_destination_type": "SILENT"}}
HELPERS = {
    "all_additional_request_headers",
    "all_additional_request_params",
    "api_base_url",
    "authorization_request_headers",
    "cache_requests",
    "clear_request_cache",
    "make_request",
    "make_request_cached",
    "user_agent_request_headers",
    "validate_authentication",
}
"""What its methods use: a test of a method is a test of these."""


def workspace(twin: dict[str, Any]) -> Any:
    """The resource of today."""
    signs_in = {"client_credentials": ("client_id", "client_secret"), "basic": ("username", "password"), "none": ()}
    return airbyte.AirbyteWorkspace(
        rest_api_base_url=twin["public_url"],
        configuration_api_base_url=twin["config_url"],
        workspace_id=twin["workspace_id"],
        **{name: twin[name] for name in signs_in[twin["auth"]]},
        **NOW,
    )


def older(twin: dict[str, Any]) -> Any:
    """The resource of releases up to Airbyte 1.5, which knows the Config API only."""
    host, _, port = twin["url"].removeprefix("http://").partition(":")
    return airbyte.AirbyteResource(host=host, port=port, **NOW)


def methods(twin: dict[str, Any]) -> Any:
    """Names of the methods that call a server: of its client, and of its older resource."""
    of_client = {name for name in vars(AirbyteClient) if not name.startswith(("_", "model_"))}
    of_older = {name for name in vars(airbyte.AirbyteResource) if not name.startswith(("_", "model_"))}
    return sorted((of_client - HELPERS) | {f"older.{name}" for name in of_older - HELPERS})


def call(twin: dict[str, Any], method: str, **arguments: Any) -> Any:
    """What a method of the client returns."""
    if "created_after" in arguments:
        arguments["created_after"] = dt.datetime.fromisoformat(arguments["created_after"])
    return getattr(workspace(twin).get_client(), method)(**arguments)


def data(twin: dict[str, Any]) -> Any:
    """The workspace with all connections and destinations."""
    return workspace(twin).fetch_airbyte_workspace_data()


def assets(twin: dict[str, Any]) -> Any:
    """Keys and metadata of the assets that the workspace has."""
    specs = airbyte.load_airbyte_asset_specs(workspace(twin))
    return {spec.key.to_user_string(): {name: str(value) for name, value in spec.metadata.items()} for spec in specs}


def materialize(twin: dict[str, Any]) -> Any:
    """Keys of the assets that a run of Dagster materialized, by a sync."""
    resource = workspace(twin)
    definitions = airbyte.build_airbyte_assets_definitions(workspace=resource)
    result = dagster.materialize(definitions, resources={"airbyte": resource}, raise_on_error=True)
    keys = (event.asset_key for event in result.get_asset_materialization_events())
    return sorted(key.to_user_string() for key in keys if key)


def call_older(twin: dict[str, Any], method: str, **arguments: Any) -> Any:
    """What a method of the older resource returns."""
    return getattr(older(twin), method.removeprefix("older."))(**arguments)


def older_assets(twin: dict[str, Any], **arguments: Any) -> Any:
    """Keys of the assets that the older resource finds."""
    found = airbyte.load_assets_from_airbyte_instance(older(twin), **arguments)
    built = found.build_definitions(found.compute_cacheable_data())
    return sorted(key.to_user_string() for definition in built for key in definition.keys)


def older_op(twin: dict[str, Any], connection_id: str) -> Any:
    """What the op that syncs yields."""

    @dagster.job(resource_defs={"airbyte": older(twin).get_resource_definition()})
    def sync() -> None:
        airbyte.airbyte_sync_op.configured({"connection_id": connection_id, "poll_interval": 0.01}, name="sync_op")()

    return sync.execute_in_process(raise_on_error=True).output_for_node("sync_op")


def managed(twin: dict[str, Any], verb: str) -> Any:
    """The differences that the managed elements see, or what they make of them."""
    source = airbyte.AirbyteSource("Managed", "Sample Data (Faker)", {"count": 3})
    destination = airbyte.AirbyteDestination("Managed null", "End-to-End Testing (/dev/null)", SILENT)
    connection = airbyte.AirbyteConnection(
        "Managed", source, destination, {"users": airbyte.AirbyteSyncMode.full_refresh_append()}
    )
    reconciler = airbyte.AirbyteManagedElementReconciler(older(twin), [connection])
    return str(getattr(reconciler, verb)())


if __name__ == "__main__":
    serve(
        {
            "methods": methods,
            "call": call,
            "data": data,
            "assets": assets,
            "materialize": materialize,
            "call_older": call_older,
            "older_assets": older_assets,
            "older_op": older_op,
            "managed": managed,
        }
    )
