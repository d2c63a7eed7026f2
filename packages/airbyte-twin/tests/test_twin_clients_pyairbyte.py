"""PyAirbyte, unchanged, against the twin: each method with which it manages an Airbyte."""

from typing import Any

import pytest
from clients_support import (
    MANIFEST,
    SILENT,
    Client,
    ClientError,
    Worker,
    finished,
    guarded,
    null_connection,
    stale_facts,
    steps_of,
)
from sync_support import DEV_NULL
from twin_support import Api, serving, stream

from toolchain.connectors import connector
from toolchain.engine import EngineError

CLIENT = "pyairbyte"
pytestmark = pytest.mark.nightly
LOCAL = {
    "CloudClient.bearer_token",
    "CloudClient.client_id",
    "CloudClient.client_secret",
    "CloudClient.config_api_root",
    "CloudClient.default_workspace_id",
    "CloudClient.organization_id",
    "CloudClient.public_api_root",
    "CloudConnection.connection_url",
    "CloudConnection.job_history_url",
    "CloudDestination.connector_url",
    "CloudSource.connector_url",
    "CloudWorkspace.workspace_url",
    "CustomCloudSourceDefinition.docker_image_tag",
    "CustomCloudSourceDefinition.docker_repository",
    "CustomCloudSourceDefinition.documentation_url",
    "SyncResult.get_dataset",
    "SyncResult.get_sql_cache",
    "SyncResult.get_sql_database_name",
    "SyncResult.get_sql_engine",
    "SyncResult.get_sql_schema_name",
    "SyncResult.get_sql_table",
    "SyncResult.get_sql_table_name",
    "SyncResult.job_url",
    "SyncResult.streams",
}
"""Call no Airbyte, or only to connect to a database in which a destination of another kind has written."""


def called(client: Client, api: Api, method: str, of: Any = None, /, **arguments: Any) -> Any:
    """What a method or property returns, `Class.name`; objects are their ids."""
    return client.do(api, "call", method=method, of=of, **arguments)


def test_it_signs_in_with_the_credentials_of_an_application(client: Client) -> None:
    with guarded() as api:
        assert called(client, api, "CloudWorkspace.connect") is None
        connection = null_connection(api)["connectionId"]
        assert called(client, api, "CloudConnection.dump_raw_state", connection) == []


def test_it_creates_renames_lists_and_deletes_workspaces(client: Client, api: Api) -> None:
    made = called(client, api, "CloudClient.create_workspace", name="one")
    of = made["workspace_id"]
    assert called(client, api, "CloudClient.rename_workspace", workspace_id=of, name="two")["name"] == "two"
    assert called(client, api, "CloudWorkspace.rename", of, name="deleteme") == of
    listed = called(client, api, "CloudWorkspace.list_workspaces", name="deleteme")
    assert [each["workspace_id"] for each in listed] == [of]
    assert called(client, api, "CloudClient.get_workspace", workspace_id=of) == of
    assert called(client, api, "CloudWorkspace.permanently_delete", of) is None
    other = called(client, api, "CloudClient.create_workspace", name="deleteme")["workspace_id"]
    assert called(client, api, "CloudClient.permanently_delete_workspace", workspace_id=other) is None
    assert called(client, api, "CloudWorkspace.list_workspaces", name="deleteme") == []


def test_it_does_not_delete_a_workspace_with_connections(client: Client, api: Api) -> None:
    null_connection(api)
    with pytest.raises(ClientError) as caught:
        called(client, api, "CloudWorkspace.permanently_delete", safe_mode=False)
    assert caught.value.kind == "AirbyteWorkspaceNotEmptyError"


def test_it_reads_the_organization_of_a_workspace(client: Client, api: Api) -> None:
    of = called(client, api, "CloudWorkspace.get_organization")
    (known,) = api.get("/organizations")["data"]
    assert of == known["organizationId"]
    assert called(client, api, "CloudOrganization.organization_name") == known["organizationName"]
    assert called(client, api, "CloudOrganization.is_account_locked") is False
    for name in ("email", "payment_status", "subscription_status"):
        called(client, api, f"CloudOrganization.{name}")
    with pytest.raises(ClientError, match="billing details"):  # there is none in the community edition
        called(client, api, "CloudOrganization.get_billing_status")


def test_it_finds_the_workspaces_and_organizations_of_a_user(client: Client) -> None:
    with guarded() as api:
        (known,) = api.get("/organizations")["data"]
        of = known["organizationId"]
        listed = called(client, api, "CloudClient.list_organizations")
        assert listed == [of]
        assert called(client, api, "CloudClient.get_organization", organization_id=of) == of
        parent = called(
            client, api, "CloudClient.get_workspace_parent_organization_id", workspace_id=api.twin.workspace_id
        )
        assert parent == of
        for scope in ({"organization_id": of}, {"privilege_scope": "any"}, {"privilege_scope": "instance_admin"}):
            found = called(client, api, "CloudClient.list_workspaces", **scope)
            assert [each["workspace_id"] for each in found] == [api.twin.workspace_id]


def test_it_finds_and_sets_the_default_workspace_of_a_user(client: Client) -> None:
    with guarded() as api:
        (known,) = api.get("/organizations")["data"]
        (user,) = api.get("/users", organizationId=known["organizationId"])["data"]
        called(
            client, api, "CloudClient.set_default_workspace_for_user",
            user_email=user["email"], workspace_id=api.twin.workspace_id,
        )  # fmt: skip
        assert called(client, api, "CloudClient.resolve_default_workspace_id") == api.twin.workspace_id
        context = called(client, api, "CloudClient.get_default_context_for_user")
        assert context["default_workspace_id"] == api.twin.workspace_id


def test_it_makes_changes_and_deletes_sources(client: Client, api: Api) -> None:
    try:
        executable = str(connector("source-faker"))
    except EngineError as error:
        pytest.skip(str(error))
    of = client.do(
        api, "deploy_source", method="CloudWorkspace.deploy_source", executable=executable, config={"count": 3},
        name="deleteme",
    )  # fmt: skip
    assert called(client, api, "CloudWorkspace.list_sources", name="deleteme") == [of]
    assert called(client, api, "CloudWorkspace.get_source", source_id=of) == of
    assert called(client, api, "CloudSource.source_id", of) == of
    assert called(client, api, "CloudSource.name", of) == "deleteme"
    assert called(client, api, "CloudSource.definition_id", of) == api.get(f"/sources/{of}")["definitionId"]
    assert called(client, api, "CloudSource.rename", of, name="deleteme too") == of
    assert called(client, api, "CloudSource.update_config", of, config={"count": 4}) == of
    assert api.get(f"/sources/{of}")["configuration"]["count"] == 4
    assert called(client, api, "CloudSource.permanently_delete", of) is None
    assert called(client, api, "CloudWorkspace.list_sources") == []


def test_it_makes_changes_and_deletes_destinations(client: Client, api: Api) -> None:
    configuration = {"destinationType": "dev-null", **SILENT}
    of = called(client, api, "CloudWorkspace.deploy_destination", name="deleteme", destination=configuration)
    assert api.get(f"/destinations/{of}")["definitionId"] == DEV_NULL
    assert called(client, api, "CloudWorkspace.list_destinations", name="deleteme") == [of]
    assert called(client, api, "CloudWorkspace.get_destination", destination_id=of) == of
    assert called(client, api, "CloudDestination.destination_id", of) == of
    assert called(client, api, "CloudDestination.name", of) == "deleteme"
    assert called(client, api, "CloudDestination.definition_id", of) == DEV_NULL
    assert called(client, api, "CloudDestination.configuration", of) == SILENT
    assert called(client, api, "CloudDestination.rename", of, name="deleteme too") == of
    assert called(client, api, "CloudDestination.update_config", of, config=SILENT) == of
    assert called(client, api, "CloudDestination.permanently_delete", of) is None
    assert called(client, api, "CloudWorkspace.list_destinations") == []


def test_it_checks_connectors(client: Client, api: Api) -> None:
    connection = null_connection(api)
    assert called(client, api, "CloudSource.check", connection["sourceId"])["success"] is True
    assert called(client, api, "CloudDestination.check", connection["destinationId"])["success"] is True
    one = {"connector_type": "source", "connector_id": connection["sourceId"]}
    assert called(client, api, "CloudWorkspace.check_connector_setup", **one)["success"] is True


def test_a_server_of_this_version_knows_no_drafts(client: Client, api: Api) -> None:
    """It takes `createAsDraft` for an unknown key, makes the destination, and does not call it a draft."""
    draft = {"definition_id": DEV_NULL, "defer_credentials": True, "destination": SILENT}
    with pytest.raises(ClientError, match="without acknowledging draft mode"):
        called(client, api, "CloudWorkspace.deploy_destination", name="draft", **draft)
    assert [each["name"] for each in api.get("/destinations")["data"]] == ["draft"]


def test_it_deletes_connectors_by_their_ids(client: Client, api: Api) -> None:
    connection = null_connection(api)
    for kind in ("source", "destination"):
        one = {kind: connection[f"{kind}Id"]}
        assert called(client, api, f"CloudWorkspace.permanently_delete_{kind}", **one, safe_mode=False) is None
    assert api.get("/connections")["data"] == []


def test_it_makes_and_changes_connections(client: Client, api: Api) -> None:
    ids = {"source": null_connection(api)["sourceId"], "destination": api.destination()["destinationId"]}
    of = called(
        client, api, "CloudWorkspace.deploy_connection",
        connection_name="deleteme", selected_streams=["users"], table_prefix="raw_", **ids,
    )  # fmt: skip
    assert called(client, api, "CloudWorkspace.list_connections", name="deleteme") == [of]
    assert called(client, api, "CloudWorkspace.get_connection", connection_id=of) == of
    for name, value in (
        ("check_is_valid", True),
        ("destination", ids["destination"]),
        ("destination_id", ids["destination"]),
        ("enabled", True),
        ("name", "deleteme"),
        ("namespace_definition", "destination"),
        ("namespace_format", None),
        ("source", ids["source"]),
        ("source_id", ids["source"]),
        ("stream_names", ["users"]),
        ("table_prefix", "raw_"),
    ):
        assert called(client, api, f"CloudConnection.{name}", of) == value
    called(client, api, "CloudConnection.rename", of, name="deleteme too")
    called(client, api, "CloudConnection.set_table_prefix", of, prefix="other_")
    called(client, api, "CloudConnection.set_selected_streams", of, stream_names=["products"])
    called(client, api, "CloudConnection.set_schedule", of, cron_expression="0 0 * * * ?")
    changed = api.get(f"/connections/{of}")
    assert (changed["name"], changed["prefix"], changed["schedule"]["scheduleType"]) == (
        "deleteme too",
        "other_",
        "cron",
    )
    assert [each["name"] for each in changed["configurations"]["streams"]] == ["products"]
    called(client, api, "CloudConnection.set_manual_schedule", of)
    called(client, api, "CloudConnection.set_enabled", of, enabled=False)
    assert client.do(api, "setting", method="CloudConnection.enabled", of=of, value=True) is True
    assert called(client, api, "CloudConnection.permanently_delete", of) is None


def test_it_deletes_a_connection_with_both_ends(client: Client, api: Api) -> None:
    of = null_connection(api)["connectionId"]
    cascade = {"cascade_delete_source": True, "cascade_delete_destination": True, "safe_mode": False}
    called(client, api, "CloudWorkspace.permanently_delete_connection", connection=of, **cascade)
    assert api.get("/sources")["data"] == api.get("/destinations")["data"] == []


def test_it_runs_a_sync_and_waits(client: Client, syncing: Api) -> None:
    of = null_connection(syncing)["connectionId"]
    job = called(client, syncing, "CloudConnection.run_sync", of)
    assert called(client, syncing, "CloudConnection.get_previous_sync_logs", of) == [job]
    assert called(client, syncing, "CloudConnection.get_sync_result", of) == job
    for name, value in (
        ("get_job_status", "succeeded"),
        ("is_job_complete", True),
        ("raise_failure_status", None),
        ("records_synced", 30),
        ("stream_names", ["users"]),
        ("wait_for_completion", "succeeded"),
    ):
        assert called(client, syncing, f"SyncResult.{name}", [of, job]) == value
    assert called(client, syncing, "SyncResult.bytes_synced", [of, job]) > 0
    assert called(client, syncing, "SyncResult.start_time", [of, job]).startswith("2026-01-01")


def test_it_reads_the_attempts_of_a_job(client: Client, syncing: Api) -> None:
    of = list(finished(syncing))
    assert len(called(client, syncing, "SyncResult.get_attempts", of)) == 1
    assert called(client, syncing, "SyncAttempt.status", of) == "succeeded"
    assert called(client, syncing, "SyncAttempt.records_synced", of) == 30
    assert called(client, syncing, "SyncAttempt.attempt_id", of) == 0
    assert called(client, syncing, "SyncAttempt.bytes_synced", of) > 0
    assert called(client, syncing, "SyncAttempt.created_at", of).startswith("2026-01-01")
    assert isinstance(called(client, syncing, "SyncAttempt.get_full_log_text", of), str)


def test_it_raises_where_a_sync_failed(client: Client, syncing: Api) -> None:
    connection = null_connection(syncing)
    syncing.control("POST", "/drift", {"kind": "temper", "actorId": connection["sourceId"], "readFailure": "broken"})
    with pytest.raises(ClientError) as caught:
        called(client, syncing, "CloudConnection.run_sync", connection["connectionId"])
    assert caught.value.kind == "AirbyteConnectionSyncError"


def test_it_cancels_a_sync(client: Client, api: Api) -> None:
    of = null_connection(api)["connectionId"]
    job = called(client, api, "CloudConnection.run_sync", of, wait=False)
    assert called(client, api, "CloudConnection.cancel_sync", of) == job
    assert api.get(f"/jobs/{job}")["status"] == "cancelled"


def test_it_reads_and_writes_states(client: Client, syncing: Api) -> None:
    of, _ = finished(syncing)
    (state,) = called(client, syncing, "CloudConnection.dump_raw_state", of)
    assert state["stream"]["stream_descriptor"]["name"] == "users"
    assert called(client, syncing, "CloudConnection.get_state_artifacts", of) is not None
    cursor = {"updated_at": "2020-01-01T00:00:00Z"}
    called(client, syncing, "CloudConnection.set_stream_state", of, stream_name="users", state_blob_dict=cursor)
    assert called(client, syncing, "CloudConnection.get_stream_state", of, stream_name="users") == cursor
    called(client, syncing, "CloudConnection.import_raw_state", of, connection_state=[state])
    assert called(client, syncing, "CloudConnection.dump_raw_state", of) == [state]


def test_it_reads_and_writes_catalogs(client: Client, api: Api) -> None:
    of = null_connection(api, stream("users"), stream("products"))["connectionId"]
    catalog = called(client, api, "CloudConnection.dump_raw_catalog", of)
    selected = {each["stream"]["name"]: each["selected"] for each in catalog["streams"]}
    assert selected == {"products": True, "purchases": False, "users": True}
    assert called(client, api, "CloudConnection.get_catalog_artifact", of) == catalog
    wanted = {"streams": [each for each in catalog["streams"] if each["stream"]["name"] == "users"]}
    called(client, api, "CloudConnection.import_raw_catalog", of, catalog=wanted)
    assert [each["name"] for each in api.get(f"/connections/{of}")["configurations"]["streams"]] == ["users"]


def test_it_publishes_changes_and_deletes_connectors_of_its_own(client: Client, api: Api) -> None:
    published = {"name": "Items deleteme", "manifest_yaml": MANIFEST, "pre_validate": False}
    of = called(client, api, "CloudWorkspace.publish_custom_source_definition", **published)
    listed = called(client, api, "CloudWorkspace.list_custom_source_definitions", definition_type="yaml")
    assert listed == [of]
    got = called(client, api, "CloudWorkspace.get_custom_source_definition", definition_id=of, definition_type="yaml")
    assert got == of
    assert called(client, api, "CustomCloudSourceDefinition.name", of) == "Items deleteme"
    assert called(client, api, "CustomCloudSourceDefinition.manifest", of) == MANIFEST
    assert called(client, api, "CustomCloudSourceDefinition.version", of) == "1"
    changed = {**MANIFEST, "description": "changed"}
    called(client, api, "CustomCloudSourceDefinition.update_definition", of, manifest_yaml=changed, pre_validate=False)
    assert called(client, api, "CustomCloudSourceDefinition.manifest", of) == changed
    source = called(client, api, "CustomCloudSourceDefinition.deploy_source", of, name="Items", config={})
    assert api.get(f"/sources/{source}")["definitionId"] == of
    with pytest.raises(ClientError, match="Cannot rename YAML"):
        called(client, api, "CustomCloudSourceDefinition.rename", of, new_name="other")
    called(client, api, "CustomCloudSourceDefinition.permanently_delete", of)
    assert called(client, api, "CloudWorkspace.list_custom_source_definitions", definition_type="yaml") == []


def test_a_connector_that_an_api_made_has_a_project_in_the_builder(client: Client, api: Api) -> None:
    published = {"name": "Items", "manifest_yaml": MANIFEST, "pre_validate": False}
    of = called(client, api, "CloudWorkspace.publish_custom_source_definition", **published)
    project = called(client, api, "CustomCloudSourceDefinition.connector_builder_project_id", of)
    assert project is not None
    assert called(client, api, "CustomCloudSourceDefinition.connector_builder_project_url", of).endswith(project)
    assert called(client, api, "CustomCloudSourceDefinition.definition_url", of).endswith(project)
    data = called(client, api, "CustomCloudSourceDefinition.get_builder_project_data", of)
    assert data["builderProject"]["builderProjectId"] == project
    assert called(client, api, "CustomCloudSourceDefinition.has_draft", of) is False
    assert called(client, api, "CustomCloudSourceDefinition.draft_manifest", of) is None
    called(client, api, "CustomCloudSourceDefinition.set_testing_values", of, testing_values={})


def test_a_workspace_of_another_server_is_not_found(client: Client, api: Api) -> None:
    with serving(workspace_id="11111111-2222-4333-8444-555555555555") as other:
        with pytest.raises(ClientError) as caught:
            called(client, api, "CloudWorkspace.connect", other.twin.workspace_id)
        assert caught.value.kind == "AirbyteMissingResourceError"


def test_each_of_its_methods_is_used(worker: Worker) -> None:
    assert set(worker.take({"step": "methods", "twin": {}, "with": {}})) - LOCAL - steps_of(CLIENT) == set()
    assert stale_facts(CLIENT, globals()) == set()
