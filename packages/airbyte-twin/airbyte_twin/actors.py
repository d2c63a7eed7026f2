"""Operations on sources and destinations, for both APIs: create, replace, patch, delete, show.

Source: airbyte-platform SourceHandler, DestinationHandler, ConfigurationUpdate, OAuthSecretHelper.
"""

from uuid import uuid4

from pydantic import JsonValue

from airbyte_twin.bodies import ActorCreate, ActorPatch, ActorPut, ResourceAllocation
from airbyte_twin.database import check_actor, insert_of_actor, update_of_actor
from airbyte_twin.documents import JsonObject, as_object, parse_json
from airbyte_twin.errors import OpaqueError, ProblemError, bad_request, unexpected
from airbyte_twin.jobs import drive
from airbyte_twin.records import Actor, ActorKind, Connection
from airbyte_twin.secrets import merged, secret_paths
from airbyte_twin.settings import Edition
from airbyte_twin.twin import Twin, canonical_id

RESOURCE_TYPES = {ActorKind.SOURCE: "SOURCE_CONNECTION", ActorKind.DESTINATION: "DESTINATION_CONNECTION"}
DEFINITION_TYPES = {
    ActorKind.SOURCE: "STANDARD_SOURCE_DEFINITION",
    ActorKind.DESTINATION: "STANDARD_DESTINATION_DEFINITION",
}


def type_key(kind: ActorKind) -> str:
    """`sourceType` or `destinationType`."""
    return f"{kind}Type"


def known_actor(twin: Twin, kind: ActorKind, actor_id: str) -> Actor:
    """A source or destination, deleted ones included, as the server finds them by id.

    Raises:
        ApiError: 404 or 403, there never was one.
    """
    key = canonical_id(actor_id)
    found = twin.store.actor(kind, key)
    if found is None:
        raise twin.unknown(RESOURCE_TYPES[kind], key)
    return found


def definition_for(twin: Twin, kind: ActorKind, body: ActorCreate) -> str:
    """The definition of a new actor: the id in the request, else that of its type's name.

    Raises:
        ApiError: 422 without either, 400 `value-not-found` for an unknown type, 404 or 403 for an unknown id, 500 for a
            configuration that is no object.
    """
    if body.definition_id is not None:
        definition = twin.definition(str(body.definition_id))
        if definition is None or definition.kind is not kind:
            raise twin.unknown(DEFINITION_TYPES[kind], str(body.definition_id))
        return definition.id
    if not isinstance(body.configuration, dict):
        raise OpaqueError(500)
    name = body.configuration.get(type_key(kind))
    if not isinstance(name, str):
        raise ProblemError(422, "unprocessable-entity")
    connector = twin.registry.by_type(kind, name)
    if connector is None or twin.definition(connector.definition_id) is None:
        raise ProblemError(400, "value-not-found", {"value": name})
    return connector.definition_id


def create_actor(twin: Twin, kind: ActorKind, body: ActorCreate) -> Actor:
    """Create a source or destination; only its configuration is validated, without a connection check.

    Raises:
        ApiError: See `definition_for`; 422 for a configuration against the spec, 500 or 403 for an unknown workspace,
            500 for what the database does not take.
    """
    definition_id = definition_for(twin, kind, body)
    allocation = allocation_document(twin, body.resource_allocation)
    configuration = without_type(body.configuration, kind)
    if kind is ActorKind.SOURCE:
        configuration = with_oauth_result(twin, definition_id, configuration, body.secret_id)
    twin.connector(definition_id).validator.check(configuration)
    workspace = twin.store.workspaces.get(str(body.workspace_id))
    if workspace is None or workspace.deleted:
        raise twin.lost("STANDARD_WORKSPACE", str(body.workspace_id))
    check_actor(insert_of_actor(), body.name, configuration)
    sealed = twin.vault(workspace.id).sealed(configuration, twin.secret_tree(definition_id), None)
    return twin.store.actors.put(
        Actor(
            id=str(uuid4()),
            kind=kind,
            name=body.name,
            definition_id=definition_id,
            workspace_id=workspace.id,
            configuration=as_object(sealed),
            resource_allocation=allocation,
            created_at=twin.clock.seconds(),
        )
    )


def replace_actor(twin: Twin, actor: Actor, body: ActorPut) -> Actor:
    """PUT: replace name and configuration; masked secrets keep their stored value.

    Raises:
        ApiError: 422 for a configuration against the spec, which is checked with its masks; 500 for a deleted actor and
            for what the database does not take.
    """
    if actor.deleted:
        raise unexpected("Failed requirement.")
    allocation = allocation_document(twin, body.resource_allocation)
    tree = twin.secret_tree(actor.definition_id)
    vault = twin.vault(actor.workspace_id)
    configuration = without_type(body.configuration, actor.kind)
    twin.connector(actor.definition_id).validator.check(configuration)
    kept = vault.kept(configuration, tree, actor.configuration)
    check_actor(update_of_actor(), body.name, kept)
    sealed = vault.sealed(kept, tree, actor.configuration)
    changes = {"name": body.name, "configuration": as_object(sealed), "resource_allocation": allocation}
    return twin.store.actors.put(actor.model_copy(update=changes))


def patch_actor(twin: Twin, actor: Actor, body: ActorPatch) -> Actor:
    """PATCH: merge the configuration; a mask becomes the value of the secret.

    Raises:
        ApiError: 422 for a merged configuration against the spec, and so for any patch of a deleted actor; 500 for what
            the database does not take.
    """
    if actor.deleted:
        twin.connector(actor.definition_id).validator.check(None)
    allocation = allocation_document(twin, body.resource_allocation)
    changes: dict[str, object] = {"resource_allocation": allocation}
    if body.name is not None:
        changes["name"] = body.name
    check_actor(update_of_actor(), body.name or "", body.configuration)
    sent = body.configuration
    if actor.kind is ActorKind.SOURCE and body.secret_id:
        sent = with_oauth_result(twin, actor.definition_id, {} if sent is None else sent, body.secret_id)
    if sent is not None:
        changes["configuration"] = _merged_configuration(twin, actor, sent)
    return twin.store.actors.put(actor.model_copy(update=changes))


def _merged_configuration(twin: Twin, actor: Actor, patch: JsonValue) -> JsonObject:
    tree, vault = twin.secret_tree(actor.definition_id), twin.vault(actor.workspace_id)
    result = merged(actor.configuration, without_type(patch, actor.kind))
    twin.connector(actor.definition_id).validator.check(vault.revealed(result, tree, actor.configuration))
    return as_object(vault.sealed(result, tree, actor.configuration))


def with_oauth_result(twin: Twin, definition_id: str, configuration: JsonValue, secret_id: str | None) -> JsonValue:
    """The configuration with the tokens that an OAuth consent left as a secret, each at the secret of its name.

    The server takes the places from the connector's `advancedAuth`, which the registry here leaves out.

    Raises:
        ProblemError: 500, there is no such secret.
    """
    if not secret_id or not isinstance(configuration, dict):
        return configuration
    secret = twin.store.secrets.get(secret_id)
    if secret is None:
        raise unexpected(f"That secret was not found in the store! Coordinate: {secret_id}")
    tokens = as_object(parse_json(secret.value.encode()))
    placed: JsonValue = configuration
    for path in secret_paths(twin.connector(definition_id).spec):
        if path[-1] in tokens and "*" not in path:
            placed = merged(placed, _nested(path, tokens[path[-1]]))
    return placed


def _nested(path: tuple[str, ...], value: JsonValue) -> JsonObject:
    head, *rest = path
    return {head: _nested(tuple(rest), value) if rest else value}


def delete_actor(twin: Twin, actor: Actor) -> None:
    """Tombstone an actor: drop its configuration and secrets, deprecate its connections."""
    if actor.deleted:
        return
    twin.vault(actor.workspace_id).forget(actor.configuration, twin.secret_tree(actor.definition_id))
    twin.store.actors.put(actor.model_copy(update={"deleted": True, "configuration": None}))
    for connection in twin.store.connections_of(actor.id):
        deprecate(twin, connection)


def deprecate(twin: Twin, connection: Connection) -> None:
    """Delete a connection: keep its jobs and state, cancel its running job."""
    if connection.status == "deprecated":
        return
    twin.store.connections.put(connection.model_copy(update={"status": "deprecated"}))
    job = twin.store.active_job(connection.id)
    if job is not None:
        drive(twin, job, "cancelled")


def without_type(configuration: JsonValue, kind: ActorKind) -> JsonValue:
    """The configuration without its type, which is not stored."""
    if not isinstance(configuration, dict):
        return configuration
    return {key: value for key, value in configuration.items() if key != type_key(kind)}


def allocation_document(twin: Twin, allocation: ResourceAllocation | None) -> JsonObject | None:
    """The stored document of resources.

    Raises:
        ProblemError: 400 on Cloud, which does not take any.
    """
    if allocation is None:
        return None
    if twin.settings.edition is Edition.CLOUD:
        raise bad_request("Setting resource allocation is not permitted on Airbyte Cloud.")
    return allocation.document()


def shown_configuration(twin: Twin, actor: Actor, *, with_coordinates: bool = False) -> JsonValue:
    """The configuration in responses: secrets masked or as coordinates, null once the actor is deleted.

    Cloud shows coordinates in a secret store of the caller's own only.
    """
    if actor.configuration is None:
        return None
    vault, tree = twin.vault(actor.workspace_id), twin.secret_tree(actor.definition_id)
    referenced = vault.referenced_elsewhere if twin.settings.edition is Edition.CLOUD else vault.referenced
    show = referenced if with_coordinates else vault.masked
    shown = as_object(show(actor.configuration, tree))
    if twin.settings.echo_connector_type:
        return {**shown, type_key(actor.kind): twin.type_name(actor.definition_id)}
    return shown
