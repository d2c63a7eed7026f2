"""The official Python SDK against the twin: it works where it works against Airbyte, and fails where it fails there."""

from typing import Any

import airbyte_api
import pytest
from airbyte_api import api as calls
from airbyte_api import errors, models
from airbyte_api._hooks.clientcredentials import ClientCredentialsHook
from twin_support import PUBLIC, Api, faker, serving

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
