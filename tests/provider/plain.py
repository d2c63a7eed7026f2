"""Connectors of one's own and tags, as a program declares them and as Airbyte's own pages change them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from airbyte_twin.records import OAuthCredentials
from airbyte_twin.store import Store

from tests.provider.lake import GUEST, Document, Lake
from tests.provider.ways import IMAGES, MANIFEST

TAG: Final = "tag"
PERMISSION: Final = "permission"
SPECIFICATION: Final = {
    "type": "object",
    "required": ["api_key"],
    "properties": {
        "api_key": {"type": "string", "airbyte_secret": True},
        "region": {"type": "string", "enum": ["eu", "us"]},
    },
}


def manifest(**changes: Any) -> Document:
    """A manifest as the connector builder exports it, with one stream."""
    schema = {"type": "object", "properties": {"id": {"type": "integer"}, "updated_at": {"type": "string"}}}
    given: Document = {
        "version": "6.44.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["tickets"]},
        "definitions": {
            "streams": {
                "tickets": {
                    "type": "DeclarativeStream",
                    "name": "tickets",
                    "primary_key": ["id"],
                    "retriever": {
                        "type": "SimpleRetriever",
                        "requester": {
                            "type": "HttpRequester",
                            "url_base": "https://desk.example.com",
                            "path": "/tickets",
                            "http_method": "GET",
                            "request_headers": {"X-Key": "{{ config['api_key'] }}"},
                        },
                        "record_selector": {"type": "RecordSelector", "extractor": {"field_path": []}},
                    },
                    "schema_loader": {"type": "InlineSchemaLoader", "schema": schema},
                    "incremental_sync": {
                        "type": "DatetimeBasedCursor",
                        "cursor_field": "updated_at",
                        "datetime_format": "%Y-%m-%d",
                        "start_datetime": "2026-01-01",
                    },
                },
            },
        },
        "streams": [{"$ref": "#/definitions/streams/tickets"}],
        "spec": {"type": "Spec", "connection_specification": SPECIFICATION},
    }
    return given | changes


@dataclass(frozen=True)
class Plain:
    """One kind of these resources.

    Attributes:
        kind: as in its token.
        root: its collection in the public API.
        said: what a program says of it, beside its name and workspace.
        updates: changes in place, by property.
        replaces: changes that need a new object, by property.
        verb: how Airbyte's own pages change it.
    """

    kind: str
    root: str
    said: Document = field(default_factory=dict)
    updates: Mapping[str, Any] = field(default_factory=dict)
    replaces: Mapping[str, Any] = field(default_factory=dict)
    verb: str = "PUT"
    id_key: str = "id"

    def look(self, lake: Lake) -> str:
        """The call by which a create looks for one that exists."""
        return "POST /permissions/list_by_user" if self.kind == PERMISSION else f"GET {self.path(lake)}"

    def label(self, lake: Lake, name: str) -> str:
        """How messages call it, by the name that the program gives others."""
        return f"{GUEST} in workspace {lake.twin.workspace_id}" if self.kind == PERMISSION else name

    def given(self, lake: Lake, **changes: Any) -> Document:
        """What a program says of it; `...` leaves a property out."""
        said = {"workspaceId": lake.twin.workspace_id} | self.said | changes
        return {key: value for key, value in said.items() if value is not ...}

    def path(self, lake: Lake, object_id: str = "") -> str:
        """Of the collection, or of one object."""
        root = self.root.format(workspace=lake.twin.workspace_id)
        return f"{root}/{object_id}" if object_id else root

    def live(self, lake: Lake, object_id: str) -> Document:
        """The object as Airbyte shows it."""
        return lake.api("GET", self.path(lake, object_id))

    def named(self, lake: Lake, name: str) -> list[str]:
        """Ids of the live objects of a name; of what has none, all that the program could mean."""
        if self.kind == PERMISSION:
            return [each.id for each in lake.twin.store.permissions if each.user_id == GUEST]
        listed = lake.api("GET", self.path(lake))["data"]
        return [str(each[self.id_key]) for each in listed if each["name"] == name]

    def edit(self, lake: Lake, object_id: str, **changes: Any) -> None:
        """A change by somebody else."""
        lake.api(self.verb, self.path(lake, object_id), self.live(lake, object_id) | changes)


ALL: Final[Mapping[str, Plain]] = {
    each.kind: each
    for each in (
        *(
            Plain(
                kind,
                f"/workspaces/{{workspace}}/definitions/{kind.removesuffix('Definition')}s",
                {"dockerRepository": "registry.example.com/desk", "dockerImageTag": "1.0.0"},
                {"name": "Another name", "dockerImageTag": "1.1.0"},
                {"dockerRepository": "registry.example.com/other", "documentationUrl": "https://desk.example.com/docs"},
            )
            for kind in IMAGES
        ),
        Plain(
            MANIFEST,
            "/workspaces/{workspace}/definitions/declarative_sources",
            {"manifest": manifest()},
            {"manifest": manifest(version="6.45.0")},
            {"name": "Another name"},
        ),
        Plain(TAG, "/tags", {}, {"name": "another name", "color": "00FF00"}, {}, verb="PATCH", id_key="tagId"),
        Plain(
            PERMISSION,
            "/permissions",
            {"userId": GUEST, "permissionType": "workspace_editor"},
            {"permissionType": "workspace_reader"},
            {"userId": "5a1c0f1e-0000-4000-8000-000000000022"},
            verb="PATCH",
            id_key="permissionId",
        ),
    )
}


def live_ids(store: Store) -> dict[str, set[str]]:
    """The ids of everything that an Airbyte has, by kind of resource."""
    actors = [one for one in store.actors if not one.deleted]
    own = [one for one in store.definitions if not one.deleted and one.workspace_id]
    return {
        "workspace": {one.id for one in store.workspaces if not one.deleted},
        "tag": {one.id for one in store.tags},
        "oauthCredentials": {_place_of(store, one) for one in store.oauth_credentials},
        "permission": {one.id for one in store.permissions if one.user_id == GUEST},
        "sourceDefinition": {one.id for one in own if one.kind == "source" and not one.declarative},
        "destinationDefinition": {one.id for one in own if one.kind == "destination"},
        MANIFEST: {one.id for one in own if one.declarative},
        "source": {one.id for one in actors if one.kind == "source"},
        "destination": {one.id for one in actors if one.kind == "destination"},
        "connection": {one.id for one in store.connections if one.status != "deprecated"},
    }


def _place_of(store: Store, credentials: OAuthCredentials) -> str:
    """The id of credentials, which says where they are."""
    owner = f"workspaces/{credentials.workspace_id}"
    if credentials.workspace_id is None:
        owner = f"organizations/{credentials.organization_id}"
    definition = store.definitions.get(credentials.definition_id)
    assert definition is not None
    kind = credentials.kind.value
    return f"{owner}/{kind}/{definition.docker_repository.rpartition(f'{kind}-')[2]}"
