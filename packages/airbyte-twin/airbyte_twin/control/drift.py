"""POST `/_twin/drift`: what the server or the outside world changes behind a caller's back.

Source of the propagation: airbyte-platform AutoPropagateSchemaChangeHelper.
"""

from uuid import uuid4

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import Response

from airbyte_twin.control.bodies import (
    ColumnDrift,
    Drift,
    OutsideDrift,
    SecretDrift,
    StatusDrift,
    TemperDrift,
    read_order,
    refused,
)
from airbyte_twin.discovery import outside_catalog
from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.records import Actor, Catalog, Connection, SelectedStream, Temper
from airbyte_twin.secrets import SecretTree, is_node
from airbyte_twin.twin import Twin


async def drift(request: Request) -> Response:
    """Make one change; answers 204."""
    twin, order = Twin.of(request), (await read_order(request, Drift)).root
    if isinstance(order, StatusDrift):
        connection = known_connection(twin, str(order.connection_id))
        marked = {} if order.breaking_change is None else {"breaking_change": order.breaking_change}
        twin.store.connections.put(connection.model_copy(update={"status": order.status, **marked}))
    elif isinstance(order, ColumnDrift):
        propagate_column(twin, order)
    elif isinstance(order, OutsideDrift):
        change_outside(twin, order)
    elif isinstance(order, SecretDrift):
        rotate_secret(twin, order)
    else:
        set_temper(twin, order)
    return Response(status_code=204)


def known_connection(twin: Twin, connection_id: str) -> Connection:
    """A connection of any status."""
    found = twin.store.connections.get(connection_id)
    if found is None:
        raise refused(f"no connection {connection_id}", 404)
    return found


def known_actor(twin: Twin, actor_id: str) -> Actor:
    """A source or destination that was not deleted."""
    found = twin.store.actors.get(actor_id)
    if found is None or found.deleted:
        raise refused(f"no source or destination {actor_id}", 404)
    return found


def with_column(catalog: Catalog, stream_name: str, field: str, schema: JsonObject | None) -> Catalog:
    """A copy of a catalog, under a new id, in which one stream has one column more, changed or (None) less."""
    if all(stream.name != stream_name for stream in catalog.streams):
        raise refused(f"no stream {stream_name}", 404)
    streams = []
    for stream in catalog.streams:
        if stream.name == stream_name:
            columns = {
                key: value for key, value in as_object(stream.json_schema.get("properties")).items() if key != field
            }
            columns |= {} if schema is None else {field: schema}
            changed = {**stream.json_schema, "properties": columns}
            streams.append(stream.model_copy(update={"json_schema": changed}))
        else:
            streams.append(stream)
    return Catalog(id=str(uuid4()), streams=tuple(streams))


def propagate_column(twin: Twin, order: ColumnDrift) -> None:
    """Give a connection's stream a column, in its catalog and its selected fields."""
    connection = known_connection(twin, str(order.connection_id))
    before = twin.catalog(connection.catalog_id)
    catalog = twin.store.catalogs.put(with_column(before, order.stream, order.field, order.json_schema))

    def widened(stream: SelectedStream) -> SelectedStream:
        if stream.name != order.stream or stream.selected_fields is None or not order.select:
            return stream
        return stream.model_copy(update={"selected_fields": (*stream.selected_fields, order.field)})

    streams = tuple(widened(stream) for stream in connection.streams)
    twin.store.connections.put(connection.model_copy(update={"streams": streams, "catalog_id": catalog.id}))


def change_outside(twin: Twin, order: OutsideDrift) -> None:
    """Change what a fresh discovery of a source will find."""
    source = known_actor(twin, str(order.source_id))
    before = outside_catalog(twin, source)
    if before is None:
        raise refused(f"source {source.id} has no streams", 404)
    catalog = twin.store.catalogs.put(with_column(before, order.stream, order.field, order.json_schema))
    twin.store.actors.put(source.model_copy(update={"catalog_id": catalog.id}))


def rotate_secret(twin: Twin, order: SecretDrift) -> None:
    """Store another value for one secret, under the next version of its coordinate."""
    actor = known_actor(twin, str(order.actor_id))
    vault, tree = twin.vault(actor.workspace_id), twin.secret_tree(actor.definition_id)
    changed = replaced(actor.configuration, tree, order.path, order.value)
    sealed = as_object(vault.sealed(changed, tree, actor.configuration))
    twin.store.actors.put(actor.model_copy(update={"configuration": sealed}))


def replaced(document: JsonValue, tree: SecretTree, path: tuple[str, ...], value: str) -> JsonValue:
    """The document with another value at a secret's path."""
    if not path:
        if not tree.secret or not is_node(document):
            raise refused("path: names no secret of the configuration")
        return value
    step, rest = path[0], path[1:]
    if isinstance(document, dict) and step in document and step in tree.children:
        return {**document, step: replaced(document[step], tree.children[step], rest, value)}
    if isinstance(document, list) and step.isdecimal() and int(step) < len(document) and "*" in tree.children:
        changed = list(document)
        changed[int(step)] = replaced(document[int(step)], tree.children["*"], rest, value)
        return changed
    raise refused(f"path: {step!r} leads to no secret of the configuration")


def set_temper(twin: Twin, order: TemperDrift) -> None:
    """Say how an actor's connector behaves from now on."""
    actor = known_actor(twin, str(order.actor_id))
    twin.store.tempers.put(
        Temper(
            id=actor.id,
            check_failure=order.check_failure,
            discover_failure=order.discover_failure,
            discover_seconds=order.discover_seconds,
            read_failure=order.read_failure,
            read_failure_after=order.read_failure_after,
        )
    )
