"""OAuth: credentials of workspaces (Cloud) and organizations (a license), and the flow of a consent (Cloud).

Cloud's own code is not public. A consent follows its documentation, and the twin consents for the person: `consentUrl`
leads to the callback at once.
"""

from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.bodies import OAuthCredentialsPut, OAuthStart
from airbyte_twin.body import read_body
from airbyte_twin.database import missing_row
from airbyte_twin.documents import JsonObject, dump_json
from airbyte_twin.errors import BareError, ProblemError, bodyless, deleted, forbidden, json_response, unconverted
from airbyte_twin.public.workspaces import known_workspace
from airbyte_twin.records import ActorKind, OAuthCredentials, Secret
from airbyte_twin.secrets import secret_paths
from airbyte_twin.settings import Edition
from airbyte_twin.twin import Consent, Twin, canonical_id

TOKENS = ("client_id", "client_secret", "access_token", "refresh_token")
"""Secrets of a connector that a consent brings, where it has them."""
FEATURE = "CONFIG_TEMPLATE_ENDPOINTS"


def definition_of(twin: Twin, kind: ActorKind, name: str) -> str:
    """The definition of a connector's type.

    Raises:
        ProblemError: 400, there is none.
    """
    connector = twin.registry.by_type(kind, name)
    if connector is None:
        raise ProblemError(400, "value-not-found", {"value": name})
    return connector.definition_id


def named_scope(request: Request) -> dict[str, str]:
    """The workspace or the organization that a path names, if it may have credentials.

    Raises:
        ProblemError: 403, no license, or an unknown id on Cloud; 404 or 500, an unknown one.
        BareError: 501, a workspace of a self-managed server.
    """
    twin, path = Twin.of(request), request.path_params
    if "workspace_id" in path:
        if twin.settings.edition is Edition.COMMUNITY:
            raise BareError(501)
        return {"workspace_id": known_workspace(twin, path["workspace_id"]).id}
    organization_id = canonical_id(path["organization_id"])
    unknown = twin.store.organizations.get(organization_id) is None
    if unknown and twin.settings.unknown_id_status == 403:
        raise forbidden()
    twin.check_entitled(FEATURE)
    if unknown:
        raise missing_row("actor_oauth_parameter", "organization", organization_id)
    return {"organization_id": organization_id}


def credentials_in(twin: Twin, scope: dict[str, str], definition_id: str) -> OAuthCredentials | None:
    """The credentials of a connector in a workspace or in an organization itself."""
    return next(
        (
            each
            for each in twin.store.oauth_credentials
            if each.definition_id == definition_id
            and each.model_dump(include={"workspace_id", "organization_id"}, exclude_none=True) == scope
        ),
        None,
    )


async def put(request: Request) -> Response:
    """PUT the credentials of a connector; answers 200 without a body, and no call ever returns them."""
    twin = Twin.of(request)
    owner = "Workspace" if "workspace_id" in request.path_params else "Organization"
    body = await read_body(request, OAuthCredentialsPut, f"{owner}OAuthCredentialsRequest")
    scope = named_scope(request)
    kind = ActorKind(body.actor_type)
    definition_id = definition_of(twin, kind, body.name)
    before = credentials_in(twin, scope, definition_id)
    if before:
        twin.store.secrets.drop(before.secret_id)
    [key] = scope.values()
    secret = Secret(
        id=f"airbyte_{owner.lower()}_{key}_secret_{uuid4()}_v1", value=dump_json(body.configuration).decode()
    )
    twin.store.oauth_credentials.put(
        OAuthCredentials(
            id=before.id if before else str(uuid4()),
            kind=kind,
            definition_id=definition_id,
            secret_id=twin.store.secrets.put(secret).id,
            **scope,
        )
    )
    return bodyless(200)


async def delete(request: Request) -> Response:
    """DELETE the credentials of a connector; answers 204 if there are none too."""
    twin, text, name = Twin.of(request), request.path_params["kind"], request.path_params["name"]
    if text.lower() not in set(ActorKind):
        raise unconverted(request, "actorType", text, f"No enum constant ActorTypeEnum.{text.upper()}")
    scope = named_scope(request)
    found = credentials_in(twin, scope, definition_of(twin, ActorKind(text.lower()), name))
    if found:
        twin.store.secrets.drop(found.secret_id)
        twin.store.oauth_credentials.drop(found.id)
    return deleted()


async def initiate(request: Request) -> Response:
    """POST the start of a consent; answers where the person shall go."""
    twin, body = Twin.of(request), await read_body(request, OAuthStart)
    if twin.settings.edition is Edition.COMMUNITY:
        raise BareError(501)
    workspace = known_workspace(twin, str(body.workspace_id))
    if urlsplit(body.redirect_url).scheme != "https":
        raise ProblemError(422, "invalid-redirect-url", {"redirectUrl": body.redirect_url})
    definition_id = definition_of(twin, ActorKind.SOURCE, body.source_type or body.name or "")
    state = str(uuid4())
    twin.consents[state] = Consent(definition_id, workspace.id, body.redirect_url)
    here = f"{request.base_url}api/public/v1/oauth/callback"
    return json_response({"consentUrl": f"{here}?{urlencode({'state': state, 'code': uuid4().hex})}"})


async def callback(request: Request) -> Response:
    """GET, anonymous: a person has consented; leads to the caller's address with the id of the tokens' secret.

    Raises:
        HTTPException: 404, the server is self-managed.
        ProblemError: 500, no such flow is under way, or the person refused.
    """
    twin, query = Twin.of(request), request.query_params
    if twin.settings.edition is Edition.COMMUNITY:
        raise HTTPException(404)
    consent = twin.consents.pop(query.get("state", ""), None)
    if consent is None or "code" not in query:
        raise ProblemError(500, "oauth-callback-failure", {"message": query.get("error", "Unknown or used state.")})
    names = {path[-1] for path in secret_paths(twin.connector(consent.definition_id).spec)}
    tokens: JsonObject = {name: f"twin-{name}-{uuid4().hex}" for name in TOKENS if name in names}
    secret_id = f"airbyte_workspace_{consent.workspace_id}_secret_{uuid4()}_v1"
    twin.store.secrets.put(Secret(id=secret_id, value=dump_json(tokens).decode()))
    joint = "&" if urlsplit(consent.redirect_url).query else "?"
    location = f"{consent.redirect_url}{joint}{urlencode({'secret_id': secret_id})}"
    return Response(status_code=302, headers={"location": location})


OWNERS = ("/workspaces/{workspace_id}", "/organizations/{organization_id}")
ROUTES = [
    *(Route(f"{owner}/oauthCredentials", put, methods=["PUT"]) for owner in OWNERS),
    *(Route(f"{owner}/oauthCredentials/{{kind}}/{{name}}", delete, methods=["DELETE"]) for owner in OWNERS),
    Route("/sources/initiateOAuth", initiate, methods=["POST"]),
    Route("/oauth/callback", callback, methods=["GET"]),
]
