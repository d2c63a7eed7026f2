"""Four ways to prove who one is, and what happens when that fails."""

from collections.abc import Callable
from typing import Any

import pytest
from airbyte_twin.testing import RunningTwin, running_twin
from pulumi_airbyte.client import AirbyteError, Auth
from pulumi_airbyte.client.errors import Unauthenticated

from tests.client.support import application, asked, client, tokens

WRONG = "a-wrong-secret"
WAYS: dict[str, tuple[str, Callable[[RunningTwin], Auth]]] = {
    "none": ("none", lambda _: Auth()),
    "basic": ("basic", lambda twin: Auth(username="airbyte", password=twin.twin.settings.password)),
    "client credentials": ("client_credentials", application),
    "bearer": ("client_credentials", lambda twin: Auth(bearer=twin.twin.tokens.issue("somebody"))),
}
WRONG_WAYS: dict[str, tuple[dict[str, Any], Auth, str]] = {
    "no credentials": ({"auth": "client_credentials"}, Auth(), "credentials"),
    "a wrong password": ({"auth": "basic"}, Auth(username="airbyte", password=WRONG), "username and password"),
    "a wrong token": ({"auth": "client_credentials"}, Auth(bearer=WRONG), "bearerAuth"),
    "a wrong client secret": (
        {"auth": "client_credentials"},
        Auth(client_id="twin-client-id", client_secret=WRONG),
        "Check clientId and clientSecret",
    ),
    "a wrong client secret on Cloud": (
        {"auth": "client_credentials", "edition": "cloud"},
        Auth(client_id="twin-client-id", client_secret=WRONG),
        "Check clientId and clientSecret",
    ),
}


@pytest.mark.parametrize(("mode", "credentials"), WAYS.values(), ids=WAYS)
def test_right_credentials_get_in(mode: str, credentials: Callable[[RunningTwin], Auth]) -> None:
    with running_twin(auth=mode) as twin, client(twin.public_url, credentials(twin)) as airbyte:
        assert [workspace.workspace_id for workspace in airbyte.list_workspaces()] == [twin.workspace_id]


@pytest.mark.parametrize(("settings", "auth", "advice"), WRONG_WAYS.values(), ids=WRONG_WAYS)
def test_wrong_credentials_are_one_clear_error_without_the_secret(
    settings: dict[str, Any], auth: Auth, advice: str
) -> None:
    with running_twin(**settings) as twin, client(twin.public_url, auth) as airbyte:
        with pytest.raises(Unauthenticated) as caught:
            airbyte.list_workspaces()
        assert advice in caught.value.hint
        assert WRONG not in str(caught.value)
        assert WRONG not in repr(auth)
        assert len(twin.calls()) == 1


def test_credentials_for_a_server_that_has_no_token_endpoint_are_an_error_that_says_so(twin: RunningTwin) -> None:
    with client(twin.public_url, application(twin)) as airbyte, pytest.raises(Unauthenticated) as caught:
        airbyte.list_workspaces()
    assert "no token endpoint" in caught.value.message
    assert "leave clientId out" in caught.value.hint
    assert len(twin.calls()) == 1


def test_the_token_endpoint_of_the_config_api_serves_too(guarded: RunningTwin) -> None:
    url = f"{guarded.config_url}/applications/token"
    auth = Auth(client_id=guarded.client_id, client_secret=guarded.client_secret, token_url=url)
    with client(guarded.public_url, auth) as airbyte:
        assert airbyte.list_workspaces()
    assert guarded.calls()[0].path == "/api/v1/applications/token"


def test_the_config_api_takes_the_same_token(guarded: RunningTwin) -> None:
    with client(guarded.public_url, application(guarded)) as airbyte:
        [definition] = [
            item for item in airbyte.connector_definitions("source", guarded.workspace_id) if item.name == "Shopify"
        ]
        assert airbyte.specification("source", definition.definition_id, guarded.workspace_id)
    assert tokens(guarded) == 1


@pytest.mark.parametrize("token", ["line-break\n", "not-ascii-é"])
def test_a_token_that_no_header_can_carry_is_a_problem_of_the_settings(token: str) -> None:
    problem = Auth(bearer=token).problem()
    assert "no header can carry" in problem
    assert token.strip() not in problem


def test_a_token_that_no_header_can_carry_is_not_shown_even_if_it_is_used(twin: RunningTwin) -> None:
    with client(twin.public_url, Auth(bearer="secret-part\n")) as airbyte, pytest.raises(AirbyteError) as caught:
        airbyte.list_workspaces()
    assert "secret-part" not in str(caught.value)
    assert asked(twin) == []


@pytest.mark.parametrize(
    ("auth", "problem"),
    [
        (Auth(), ""),
        (Auth(client_id="a", client_secret="b"), ""),
        (Auth(username="a", password="b"), ""),
        (Auth(bearer="a"), ""),
        (Auth(client_id="a"), "clientId and clientSecret go together"),
        (Auth(client_secret="a"), "clientId and clientSecret go together"),
        (Auth(username="a"), "username and password go together"),
        (Auth(username="a", password="b", bearer="c"), "not several"),
        (Auth(client_id="a", client_secret="b", username="c", password="d"), "not several"),
    ],
    ids=repr,
)
def test_one_whole_way_to_authenticate_is_needed(auth: Auth, problem: str) -> None:
    assert problem in auth.problem()
    assert bool(problem) == bool(auth.problem())
