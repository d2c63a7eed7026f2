"""The official Python SDK against the twin: it works where it works against Airbyte, and fails where it fails there."""

from typing import Any

import airbyte_api
import pytest
from airbyte_api import api as calls
from airbyte_api import errors, models
from airbyte_api._hooks.clientcredentials import ClientCredentialsHook
from twin_support import PUBLIC, Api, faker, serving, stream

TOKENS = PUBLIC + "/applications/token"


@pytest.fixture(autouse=True)
def _without_tokens() -> None:
    """Forget the tokens of other tests: the SDK keeps them for the whole process, by the application's id."""
    ClientCredentialsHook._sessions.clear()


def sdk(api: Api) -> airbyte_api.AirbyteAPI:
    return airbyte_api.AirbyteAPI(server_url=api.twin.public_url)


def faker_source(api: Api) -> Any:
    return api.post("/sources", faker(api.twin.workspace_id, count=3))


def test_it_asks_for_a_token_by_itself() -> None:
    with serving(auth="client_credentials") as api:
        credentials = models.SchemeClientCredentials(
            client_id=api.twin.client_id, client_secret=api.twin.client_secret, token_url=TOKENS
        )
        client = airbyte_api.AirbyteAPI(
            server_url=api.twin.public_url, security=models.Security(client_credentials=credentials)
        )
        assert client.workspaces.list_workspaces(request=calls.ListWorkspacesRequest()).workspaces_response is not None
        assert api.twin.calls()[0].path == TOKENS


def test_it_finds_no_tokens_where_it_looks_for_them_unless_told() -> None:
    with serving(auth="client_credentials") as api:
        credentials = models.SchemeClientCredentials(
            client_id=api.twin.client_id, client_secret=api.twin.client_secret, token_url="/applications/token"
        )
        client = airbyte_api.AirbyteAPI(
            server_url=api.twin.public_url, security=models.Security(client_credentials=credentials)
        )
        with pytest.raises(Exception, match="404 from token endpoint"):
            client.workspaces.list_workspaces(request=calls.ListWorkspacesRequest())


def test_it_sees_health_and_workspaces(api: Api) -> None:
    client = sdk(api)
    assert client.health.get_health_check().status_code == 200
    made = client.workspaces.create_workspace(request=models.WorkspaceCreateRequest(name="sdk")).workspace_response
    assert made is not None
    found = client.workspaces.get_workspace(request=calls.GetWorkspaceRequest(workspace_id=made.workspace_id))
    assert found.workspace_response == made
    listed = client.workspaces.list_workspaces(request=calls.ListWorkspacesRequest(workspace_ids=[made.workspace_id]))
    assert listed.workspaces_response is not None
    assert listed.workspaces_response.data == [made]


def test_it_creates_and_reads_a_faker_source(api: Api) -> None:
    client = sdk(api)
    request = models.SourceCreateRequest(
        name="Faker", workspace_id=api.twin.workspace_id, configuration=models.SourceFaker(count=3)
    )
    made = client.sources.create_source(request=request).source_response
    assert made is not None
    assert made.source_type == "faker"
    found = client.sources.get_source(request=calls.GetSourceRequest(source_id=made.source_id)).source_response
    assert found is not None
    assert found.source_id == made.source_id
    listed = client.sources.list_sources(request=calls.ListSourcesRequest(workspace_ids=[api.twin.workspace_id]))
    assert listed.sources_response is not None
    assert [each.source_id for each in listed.sources_response.data] == [made.source_id]
    assert "includeDeleted=false&limit=20&offset=0" in api.twin.calls()[-1].query


def test_it_creates_reads_changes_and_deletes_a_connection(api: Api) -> None:
    client = sdk(api)
    tag = client.tags.create_tag(
        request=models.TagCreateRequest(name="sdk", color="00FF00", workspace_id=api.twin.workspace_id)
    ).tag_response
    assert tag is not None
    request = models.ConnectionCreateRequest(
        source_id=faker_source(api)["sourceId"],
        destination_id=api.destination()["destinationId"],
        configurations=models.StreamConfigurations(
            streams=[
                models.StreamConfiguration(name="users", sync_mode=models.ConnectionSyncModeEnum.INCREMENTAL_APPEND)
            ]
        ),
    )
    made = client.connections.create_connection(request=request).connection_response
    assert made is not None
    patch = calls.PatchConnectionRequest(
        connection_id=made.connection_id, connection_patch_request=models.ConnectionPatchRequest(name="Renamed")
    )
    patched = client.connections.patch_connection(request=patch).connection_response
    assert patched is not None
    assert patched.name == "Renamed"
    listed = client.connections.list_connections(request=calls.ListConnectionsRequest()).connections_response
    assert listed is not None
    assert [each.connection_id for each in listed.data] == [made.connection_id]
    client.connections.delete_connection(request=calls.DeleteConnectionRequest(connection_id=made.connection_id))
    found = client.connections.get_connection(request=calls.GetConnectionRequest(connection_id=made.connection_id))
    assert found.connection_response is not None
    assert found.connection_response.status == models.ConnectionStatusEnum.DEPRECATED


def test_it_lists_streams_and_runs_jobs(api: Api) -> None:
    client = sdk(api)
    source = faker_source(api)["sourceId"]
    streams = client.streams.get_stream_properties(request=calls.GetStreamPropertiesRequest(source_id=source))
    assert streams.stream_properties_response is not None
    assert len(streams.stream_properties_response) == 3
    connection = api.connection(stream("users"), sourceId=source)["connectionId"]
    request = models.JobCreateRequest(connection_id=connection, job_type=models.JobTypeEnum.SYNC)
    job = client.jobs.create_job(request=request).job_response
    assert job is not None
    cancelled = client.jobs.cancel_job(request=calls.CancelJobRequest(job_id=job.job_id)).job_response
    assert cancelled is not None
    assert cancelled.status == models.JobStatusEnum.CANCELLED
    listed = client.jobs.list_jobs(request=calls.ListJobsRequest(connection_id=connection)).jobs_response
    assert listed is not None
    assert [each.job_id for each in listed.data] == [job.job_id]


def test_a_problem_reaches_it_as_its_error(api: Api) -> None:
    with pytest.raises(errors.SDKError) as caught:
        sdk(api).connections.get_connection(request=calls.GetConnectionRequest(connection_id=api.twin.workspace_id))
    assert caught.value.status_code == 404


def test_it_cannot_read_any_destination(api: Api) -> None:
    destination = api.destination()["destinationId"]
    with pytest.raises(errors.ResponseValidationError):
        sdk(api).destinations.get_destination(request=calls.GetDestinationRequest(destination_id=destination))


def test_it_cannot_read_a_source_with_credentials(api: Api) -> None:
    source = api.source()["sourceId"]
    with pytest.raises(errors.ResponseValidationError):
        sdk(api).sources.get_source(request=calls.GetSourceRequest(source_id=source))


def test_it_cannot_read_a_deleted_source(api: Api) -> None:
    source = faker_source(api)["sourceId"]
    api.delete(f"/sources/{source}")
    with pytest.raises(errors.ResponseValidationError):
        sdk(api).sources.get_source(request=calls.GetSourceRequest(source_id=source))


def test_it_reads_destinations_of_an_unfaithful_twin() -> None:
    with serving(echo_connector_type=True) as api:
        destination = api.destination()["destinationId"]
        found = sdk(api).destinations.get_destination(request=calls.GetDestinationRequest(destination_id=destination))
        assert found.destination_response is not None
        assert found.destination_response.destination_id == destination
