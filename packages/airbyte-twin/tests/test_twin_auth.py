"""Tokens and the three ways to prove who one is."""

from typing import Any

import httpx
import pytest
from twin_support import CONFIG, PUBLIC, Api, serving

CREDENTIALS = {"client_id": "twin-client-id", "client_secret": "twin-client-secret", "grant_type": "client_credentials"}
PUBLIC_TOKEN = PUBLIC + "/applications/token"
NO_TOKENS = ["/applications/token", "/v1/applications/token"]
CONFIG_TOKEN = CONFIG + "/applications/token"
ANONYMOUS = [PUBLIC + "/health", CONFIG + "/health", CONFIG + "/instance_configuration"]


def token(api: Api) -> str:
    found: str = api.call("POST", PUBLIC_TOKEN, 200, json=CREDENTIALS)["access_token"]
    return found


def listing(api: Api, status: int, authorization: str | None) -> Any:
    headers = {} if authorization is None else {"Authorization": authorization}
    return api.call("GET", PUBLIC + "/sources", status, headers=headers)


def test_without_authentication_a_header_is_ignored_and_no_token_path_exists(api: Api) -> None:
    listing(api, 200, "Bearer nonsense")
    for path in [PUBLIC_TOKEN, *NO_TOKENS, CONFIG_TOKEN]:
        assert api.call("POST", path, 404, json=CREDENTIALS) == "Object not found."


@pytest.mark.parametrize("form", ["json", "data"])
def test_the_public_token_path_takes_json_and_forms(form: str) -> None:
    with serving(auth="client_credentials", token_lifetime=120) as api:
        answer = api.call("POST", PUBLIC_TOKEN, 200, **{form: CREDENTIALS})
        assert {key: answer[key] for key in ("token_type", "expires_in")} == {"token_type": "Bearer", "expires_in": 120}
        listing(api, 200, f"Bearer {answer['access_token']}")


def test_there_are_no_tokens_at_the_root_and_no_unknown_route_for_who_has_one() -> None:
    with serving(auth="client_credentials") as api:
        for path in NO_TOKENS:
            assert api.call("POST", path, 404, json=CREDENTIALS) == "Object not found."
        api.call("GET", PUBLIC + "/nope", 401)
        headers = {"Authorization": f"Bearer {token(api)}"}
        assert api.call("GET", PUBLIC + "/nope", 403, headers=headers)["message"] == "Forbidden"


def test_the_config_token_path_takes_json_only_and_names_no_lifetime() -> None:
    with serving(auth="client_credentials") as api:
        answer = api.call("POST", CONFIG_TOKEN, 200, json=CREDENTIALS)
        assert set(answer) == {"access_token"}
        listing(api, 200, f"Bearer {answer['access_token']}")
        api.call("POST", CONFIG_TOKEN, 401, data=CREDENTIALS)


def test_wrong_credentials_are_a_400_on_community_and_a_401_elsewhere() -> None:
    wrong = {**CREDENTIALS, "client_secret": "nope"}
    with serving(auth="client_credentials") as api:
        answer = api.call("POST", PUBLIC_TOKEN, 400, json=wrong)
        assert answer["_links"]["self"]["href"] == PUBLIC_TOKEN
        assert answer["_embedded"]["errors"][0]["message"] == "Invalid client id or token"
        api.call("POST", PUBLIC_TOKEN, 400, json={"client_id": "x"})
        api.call("POST", PUBLIC_TOKEN, 500, data={"client_id": "x"})
    with serving(auth="client_credentials", edition="cloud") as api:
        assert set(api.call("POST", PUBLIC_TOKEN, 401, json=wrong)) == {"errorId"}


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer x.y.z", "Basic YWlyYnl0ZTpwYXNzd29yZA==", "Bearer ü".encode()]
)
def test_without_a_valid_token_the_answer_is_a_401_that_names_the_path(header: Any) -> None:
    with serving(auth="client_credentials") as api:
        answer = listing(api, 401, header)
        assert answer["message"] == "Unauthorized"
        assert answer["_links"]["self"]["href"] == PUBLIC + "/sources"
        for path in ANONYMOUS:
            api.call("GET", path, 200)


def test_a_token_ends_by_the_twins_clock() -> None:
    with serving(auth="client_credentials", token_lifetime=60) as api:
        header = f"Bearer {token(api)}"
        api.control("POST", "/clock", {"advance": 50}, 200)
        listing(api, 200, header)
        api.control("POST", "/clock", {"advance": 11}, 200)
        listing(api, 401, header)
        listing(api, 200, f"Bearer {token(api)}")


def test_all_tokens_can_be_ended_at_once() -> None:
    with serving(auth="client_credentials") as api:
        header = f"Bearer {token(api)}"
        api.control("DELETE", "/tokens", None, 204)
        listing(api, 401, header)
        listing(api, 200, f"Bearer {token(api)}")


def test_a_token_whose_claims_were_changed_is_refused() -> None:
    with serving(auth="client_credentials") as api:
        head, claims, signature = token(api).split(".")
        listing(api, 401, f"Bearer {head}.{claims[:-2]}AA.{signature}")


def test_basic_authentication_guards_everything_like_a_proxy() -> None:
    with serving(auth="basic", username="me", password="pass") as api:
        response = api.http.get(PUBLIC + "/health")
        assert (response.status_code, response.headers["www-authenticate"]) == (401, 'Basic realm="Airbyte"')
        right, wrong = httpx.BasicAuth("me", "pass"), httpx.BasicAuth("me", "nope")
        assert api.http.get(PUBLIC + "/health", auth=right).status_code == 200
        assert api.http.get(PUBLIC + "/health", auth=wrong).status_code == 401
        listing(api, 401, "Basic !")


def test_control_needs_no_authentication() -> None:
    with serving(auth="client_credentials") as api:
        api.control("GET", "/counts", None, 200)


def test_an_application_of_the_cloud_can_ask_for_tokens_until_it_is_deleted() -> None:
    with serving(auth="client_credentials", edition="cloud") as api:
        headers = {"Authorization": f"Bearer {token(api)}"}
        made = api.call("POST", PUBLIC + "/applications", 200, json={"name": "ci"}, headers=headers)
        asked = {
            "client_id": made["clientId"],
            "client_secret": made["clientSecret"],
            "grant_type": "client_credentials",
        }
        api.call("POST", PUBLIC_TOKEN, 200, json=asked)
        path = f"{PUBLIC}/applications/{made['id']}"
        assert api.call("GET", path, 200, headers=headers) == made
        api.call("DELETE", path, 200, headers=headers)
        api.call("POST", PUBLIC_TOKEN, 401, json=asked)
        api.call("GET", path, 404, headers=headers)


def test_a_community_server_has_one_application_and_fails_to_make_another(api: Api) -> None:
    assert len(api.get("/applications")["applications"]) == 1
    assert set(api.post("/applications", {"name": "x"}, 500)) == {"errorId"}
