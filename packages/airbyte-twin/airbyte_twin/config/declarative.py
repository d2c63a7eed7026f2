"""`/declarative_source_definitions` and `/connector_builder_projects`: manifests, their versions and drafts.

Source: airbyte-platform DeclarativeSourceDefinitionsHandler, ConnectorBuilderProjectsHandler.
"""

from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from airbyte_twin.body import read_body
from airbyte_twin.config.bodies import (
    ActiveManifestBody,
    BuilderDefinitionBody,
    BuilderTestingBody,
    CreateManifestBody,
    ManifestsBody,
    NewProjectBody,
    ProjectBody,
    ProjectUpdateBody,
    PublishBody,
    WorkspaceIdBody,
)
from airbyte_twin.declarative import activate, add_version, manifest_version, new_definition, projects, versions_of
from airbyte_twin.documents import JsonArray, JsonObject, without_nulls
from airbyte_twin.errors import BadObjectError, KnownError, json_response
from airbyte_twin.manifests import manifest_spec
from airbyte_twin.records import ActorKind, BuilderProject, Definition
from airbyte_twin.secrets import SecretTree
from airbyte_twin.specs import spec_flaw
from airbyte_twin.twin import Twin


def check_spec(spec: JsonObject) -> None:
    """Refuse a spec that no configuration could be checked against.

    Raises:
        BadObjectError: 422.
    """
    flaw = spec_flaw(spec)
    if flaw:
        raise BadObjectError(f"The connection specification is no JSON Schema: {flaw}")


def declared(twin: Twin, workspace_id: UUID, definition_id: UUID) -> Definition:
    """A declarative definition of a workspace.

    Raises:
        ApiError: 404 or 403, the workspace has no such definition; 400, it has no manifest.
    """
    found = twin.definition(str(definition_id))
    if found is None or found.kind is not ActorKind.SOURCE or found.workspace_id != str(workspace_id):
        raise KnownError(404, f"Can't find source definition id `{definition_id}` in workspace {workspace_id}")
    if not found.declarative:
        raise KnownError(400, f"Source {definition_id} is does not have a declarative manifest associated to it")
    return found


async def create_manifest(request: Request) -> Response:
    """Add a version of a manifest; answers 201 without a body."""
    twin, body = Twin.of(request), await read_body(request, CreateManifestBody)
    definition = declared(twin, body.workspace_id, body.source_definition_id)
    sent = body.declarative_manifest
    if sent.version in {each.version for each in versions_of(twin, definition)}:
        raise KnownError(409, f"Version '{sent.version}' for source {definition.id} already exists")
    check_spec(sent.specification())
    added = manifest_version(definition.id, sent.version, sent.manifest, sent.spec, sent.description)
    add_version(twin, definition, added, active=body.set_as_active_manifest)
    drop_draft(twin, definition)
    return Response(status_code=201)


def drop_draft(twin: Twin, definition: Definition) -> None:
    """Forget the draft of a definition's project."""
    for project in [each for each in twin.store.projects if each.definition_id == definition.id]:
        twin.store.projects.put(project.model_copy(update={"draft": None}))


async def update_active(request: Request) -> Response:
    """Use another version of a manifest; answers 204."""
    twin, body = Twin.of(request), await read_body(request, ActiveManifestBody)
    definition = declared(twin, body.workspace_id, body.source_definition_id)
    wanted = next((each for each in versions_of(twin, definition) if each.version == body.version), None)
    if wanted is None:
        raise twin.unknown_in_config()
    # The present one may not be stored yet.
    add_version(twin, definition, wanted, active=False)
    activate(twin, definition, wanted)
    return Response(status_code=204)


async def list_manifests(request: Request) -> Response:
    """The versions of a declarative definition."""
    twin, body = Twin.of(request), await read_body(request, ManifestsBody)
    definition = declared(twin, body.workspace_id, body.source_definition_id)
    shown: JsonArray = [
        {
            "version": each.version,
            "isActive": each.version == definition.manifest_version,
            "description": each.description,
        }
        for each in versions_of(twin, definition)
    ]
    return json_response({"manifestVersions": shown})


def project_view(twin: Twin, project: BuilderProject) -> JsonObject:
    """A ConnectorBuilderProjectDetailsRead."""
    definition = twin.store.definitions.get(project.definition_id or "")
    return without_nulls(
        {
            "name": project.name,
            "builderProjectId": project.id,
            "sourceDefinitionId": project.definition_id,
            "activeDeclarativeManifestVersion": definition.manifest_version if definition else None,
            "hasDraft": project.draft is not None,
            "updatedAt": project.updated_at,
        }
    )


def known_project(twin: Twin, workspace_id: UUID, project_id: UUID) -> BuilderProject:
    """A project of a workspace.

    Raises:
        ApiError: 404 or 403.
    """
    for project in projects(twin):
        if project.id == str(project_id) and project.workspace_id == str(workspace_id):
            return project
    raise twin.unknown_in_config()


async def create_project(request: Request) -> Response:
    """Create a project with a draft; answers 201."""
    twin, body = Twin.of(request), await read_body(request, NewProjectBody)
    workspace = twin.store.workspaces.get(str(body.workspace_id))
    if workspace is None or workspace.deleted:
        raise twin.unknown_in_config()
    project = twin.store.projects.put(
        BuilderProject(
            id=str(uuid4()),
            workspace_id=workspace.id,
            name=body.builder_project.name,
            draft=body.builder_project.draft_manifest,
            updated_at=twin.clock.seconds(),
        )
    )
    return json_response({"workspaceId": workspace.id, "builderProjectId": project.id}, 201)


async def update_project(request: Request) -> Response:
    """Replace a project's name and draft; answers 204."""
    twin, body = Twin.of(request), await read_body(request, ProjectUpdateBody)
    project = known_project(twin, body.workspace_id, body.builder_project_id)
    sent = body.builder_project
    changes: dict[str, object] = {"name": sent.name, "updated_at": twin.clock.seconds()}
    if sent.draft_manifest is not None:
        changes["draft"] = sent.draft_manifest
    twin.store.projects.put(project.model_copy(update=changes))
    return Response(status_code=204)


async def delete_project(request: Request) -> Response:
    """Delete a project, but not its definition; answers 204."""
    twin, body = Twin.of(request), await read_body(request, ProjectBody)
    twin.store.projects.drop(known_project(twin, body.workspace_id, body.builder_project_id).id)
    return Response(status_code=204)


async def list_projects(request: Request) -> Response:
    """The projects of a workspace."""
    twin, body = Twin.of(request), await read_body(request, WorkspaceIdBody)
    found = [each for each in projects(twin) if each.workspace_id == str(body.workspace_id)]
    return json_response({"projects": [project_view(twin, each) for each in found]})


async def get_project(request: Request) -> Response:
    """A project with its draft, or else with the version that is asked for or used."""
    twin, body = Twin.of(request), await read_body(request, ProjectBody)
    project = known_project(twin, body.workspace_id, body.builder_project_id)
    shown: JsonObject = {"builderProject": project_view(twin, project)}
    definition = twin.store.definitions.get(project.definition_id or "")
    manifest = project.draft
    if project.draft is not None and body.version is None:
        shown["declarativeManifest"] = {"manifest": project.draft, "isDraft": True}
    elif definition is not None:
        version = definition.manifest_version if body.version is None else body.version
        found = next((each for each in versions_of(twin, definition) if each.version == version), None)
        if found is None:
            raise twin.unknown_in_config()
        manifest = found.manifest
        shown["declarativeManifest"] = {
            "manifest": found.manifest,
            "isDraft": False,
            "version": found.version,
            "description": found.description,
        }
    if project.testing_values is not None:
        tree = SecretTree(manifest_spec(manifest))
        shown["testingValues"] = twin.vault(project.workspace_id).masked(project.testing_values, tree)
    return json_response(shown)


async def project_of_definition(request: Request) -> Response:
    """The project of a declarative definition; nothing for others."""
    twin, body = Twin.of(request), await read_body(request, BuilderDefinitionBody)
    found = next((each for each in projects(twin) if each.definition_id == str(body.actor_definition_id)), None)
    if found is None:
        return json_response({"builderProjectId": None, "workspaceId": None})
    return json_response({"builderProjectId": found.id, "workspaceId": found.workspace_id})


async def publish(request: Request) -> Response:
    """Make a definition of a project's first manifest."""
    twin, body = Twin.of(request), await read_body(request, PublishBody)
    project = known_project(twin, body.workspace_id, body.builder_project_id)
    sent = body.initial_declarative_manifest
    check_spec(sent.specification())
    definition = new_definition(twin, project.workspace_id, body.name, sent.manifest)
    first = manifest_version(definition.id, sent.version, sent.manifest, sent.spec, sent.description)
    twin.store.manifests.put(first)
    activate(twin, definition, first)
    changes = {"definition_id": definition.id, "draft": None, "updated_at": twin.clock.seconds()}
    twin.store.projects.put(project.model_copy(update=changes))
    return json_response({"sourceDefinitionId": definition.id})


async def update_testing_values(request: Request) -> Response:
    """Replace the values that a project is tried with; secrets are masked in the answer."""
    twin, body = Twin.of(request), await read_body(request, BuilderTestingBody)
    project = known_project(twin, body.workspace_id, body.builder_project_id)
    # Nothing reads a project's streams here, so that the secrets need not be kept.
    shown = twin.vault(project.workspace_id).masked(body.testing_values, SecretTree(body.specification()))
    twin.store.projects.put(project.model_copy(update={"testing_values": shown}))
    return json_response(shown)


async def capabilities(_request: Request) -> Response:
    """What the connector builder can do: it runs no code of a project's own; the body is ignored."""
    return json_response({"customCodeExecution": False})


PROJECT_CALLS = {
    "capabilities": capabilities,
    "create": create_project,
    "update": update_project,
    "delete": delete_project,
    "list": list_projects,
    "publish": publish,
    "get_with_manifest": get_project,
    "get_for_definition_id": project_of_definition,
    "update_testing_values": update_testing_values,
}
ROUTES = [
    Route("/declarative_source_definitions/create_manifest", create_manifest, methods=["POST"]),
    Route("/declarative_source_definitions/update_active_manifest", update_active, methods=["POST"]),
    Route("/declarative_source_definitions/list_manifests", list_manifests, methods=["POST"]),
    *(Route(f"/connector_builder_projects/{name}", call, methods=["POST"]) for name, call in PROJECT_CALLS.items()),
]
