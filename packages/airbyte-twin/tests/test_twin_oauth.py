"""OAuth credentials and consents, and tokens for embedded pages."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from twin_support import PUBLIC, Api, serving

ORGANIZATION = "00000000-0000-0000-0000-000000000000"
CREDENTIALS = {
    "actorType": "source",
    "name": "shopify",
    "configuration": {"credentials": {"client_id": "mine", "client_secret": "hidden"}},
}


@pytest.fixture
def cloud() -> Iterator[Api]:
    with serving(edition="cloud") as served:
        yield served


def owners(api: Api) -> tuple[str, str]:
    return f"/workspaces/{api.twin.workspace_id}", f"/organizations/{ORGANIZATION}"


def stored(api: Api) -> list[Any]:
    """The configurations of all credentials."""
    secrets = [api.twin.store.secrets.get(each.secret_id) for each in api.twin.store.oauth_credentials]
    return [json.loads(secret.value) for secret in secrets if secret]


def test_a_community_server_has_no_oauth_credentials(api: Api) -> None:
    workspace, organization = owners(api)
    assert api.put(f"{workspace}/oauthCredentials", CREDENTIALS, 501) == ""
    assert api.delete(f"{workspace}/oauthCredentials/source/shopify", 501) == ""
    refused = api.put(f"{organization}/oauthCredentials", CREDENTIALS, 403)
    assert (refused["type"], refused["data"]) == (
        "error:license/entitlement",
        {"entitlement": "CONFIG_TEMPLATE_ENDPOINTS"},
    )
    api.delete(f"{organization}/oauthCredentials/source/shopify", 403)
    start = {"redirectUrl": "https://example.com", "workspaceId": api.twin.workspace_id, "sourceType": "shopify"}
    assert api.post("/sources/initiateOAuth", start, 501) == ""
    assert api.get("/oauth/callback", 404, state="x") == "Object not found."


@pytest.mark.parametrize("which", [0, 1])
def test_credentials_are_put_replaced_and_deleted_and_never_shown(cloud: Api, which: int) -> None:
    path = f"{owners(cloud)[which]}/oauthCredentials"
    assert cloud.put(path, CREDENTIALS) == ""
    other = {**CREDENTIALS, "configuration": {"credentials": {"client_id": "mine", "client_secret": "rotated"}}}
    cloud.put(path, other)
    assert stored(cloud) == [other["configuration"]]
    assert len(list(cloud.twin.store.secrets)) == 1
    cloud.put(path, {**CREDENTIALS, "actorType": "destination", "name": "s3"})
    assert len(stored(cloud)) == 2
    for _ in range(2):
        cloud.delete(f"{path}/SOURCE/shopify")
    assert stored(cloud) == [CREDENTIALS["configuration"]]
    for method in ("GET", "POST"):
        cloud.call(method, PUBLIC + path, 405)


def test_credentials_of_a_workspace_and_of_its_organization_are_two(cloud: Api) -> None:
    workspace, organization = owners(cloud)
    for owner in (workspace, organization):
        cloud.put(f"{owner}/oauthCredentials", CREDENTIALS)
    cloud.delete(f"{organization}/oauthCredentials/source/shopify")
    [left] = cloud.twin.store.oauth_credentials
    assert (left.workspace_id, left.organization_id) == (cloud.twin.workspace_id, None)


def test_credentials_that_are_refused(cloud: Api) -> None:
    for owner in owners(cloud):
        path = f"{owner}/oauthCredentials"
        unknown = cloud.put(path, {**CREDENTIALS, "name": "nope"}, 400)
        assert (unknown["title"], unknown["data"]) == ("value-not-found", {"value": "nope"})
        cloud.put(path, {**CREDENTIALS, "actorType": "connection"}, 400)
        cloud.put(path, {"actorType": "source", "name": "shopify"}, 400)
        cloud.delete(f"{path}/connection/shopify", 400)
    for owner in ("workspaces", "organizations"):
        cloud.put(f"/{owner}/{uuid4()}/oauthCredentials", CREDENTIALS, 403)
    assert stored(cloud) == []


def test_credentials_are_saved_apart_from_everything_else(tmp_path: Path) -> None:
    with serving(edition="cloud", data_dir=tmp_path) as api:
        api.put(f"{owners(api)[0]}/oauthCredentials", CREDENTIALS)
    assert "hidden" not in (tmp_path / "state.json").read_text()
    with serving(edition="cloud", data_dir=tmp_path) as api:
        assert stored(api) == [CREDENTIALS["configuration"]]


def test_a_consent_leads_back_with_the_id_of_a_secret(cloud: Api) -> None:
    back = "https://example.com/done?from=lake"
    start = {"redirectUrl": back, "workspaceId": cloud.twin.workspace_id, "sourceType": "shopify"}
    consent = cloud.post("/sources/initiateOAuth", start)["consentUrl"]
    answer = cloud.http.get(consent)
    address, _, secret_id = answer.headers["location"].partition("&secret_id=")
    assert (answer.status_code, address) == (302, back)
    secret = cloud.twin.store.secrets.get(secret_id)
    assert secret is not None
    assert set(json.loads(secret.value)) == {"client_id", "client_secret", "access_token"}
    assert cloud.http.get(consent).json()["title"] == "oauth-callback-failure"


def test_consents_that_are_refused(cloud: Api) -> None:
    start = {"redirectUrl": "https://example.com", "workspaceId": cloud.twin.workspace_id, "sourceType": "shopify"}
    plain = cloud.post("/sources/initiateOAuth", {**start, "redirectUrl": "http://example.com"}, 422)
    assert (plain["title"], plain["data"]) == ("invalid-redirect-url", {"redirectUrl": "http://example.com"})
    assert cloud.post("/sources/initiateOAuth", {**start, "sourceType": "nope"}, 400)["data"] == {"value": "nope"}
    cloud.post("/sources/initiateOAuth", {**start, "workspaceId": str(uuid4())}, 403)
    refused = cloud.post("/sources/initiateOAuth", start)["consentUrl"].replace("code=", "error=access_denied&x=")
    assert cloud.http.get(refused).json()["data"] == {"message": "access_denied"}


def test_embedding_is_there_only_where_the_server_issues_tokens(api: Api) -> None:
    body = {"workspaceId": api.twin.workspace_id}
    assert api.post("/embedded/scoped_token", body, 404) == api.get("/embedded/organizations", 404)


def test_tokens_for_embedded_pages_are_good_for_nothing_else() -> None:
    with serving(auth="client_credentials", edition="cloud") as api:
        credentials = {"client_id": api.twin.client_id, "client_secret": api.twin.client_secret}
        bearer = api.post("/applications/token", credentials)["access_token"]
        api.http.headers["Authorization"] = f"Bearer {bearer}"
        [organization] = api.get("/embedded/organizations")["organizations"]
        assert (organization["organizationId"], organization["permission"]) == (ORGANIZATION, "instance_admin")
        widget = {"allowedOrigin": "https://example.com", "externalUserId": "ada", "organizationId": ORGANIZATION}
        tokens = [api.post("/embedded/widget_token", widget)["token"] for _ in range(2)]
        assert "widgetUrl" in json.loads(base64.b64decode(tokens[0]))
        assert [each["name"] for each in api.get("/workspaces")["data"]].count("ada") == 1
        scoped = api.post("/embedded/scoped_token", {"workspaceId": api.twin.workspace_id})["token"]
        headers = {"Authorization": f"Bearer {scoped}"}
        assert httpx.get(f"{api.twin.public_url}/sources", headers=headers, trust_env=False).status_code == 401
        api.post("/embedded/widget_token", {**widget, "organizationId": str(uuid4())}, 403)
        api.post("/embedded/scoped_token", {"workspaceId": str(uuid4())}, 403)
