"""Connectors of a workspace's own, and its tags. Their lists have no pages: one statement answers the whole list."""

from pulumi_airbyte.client.errors import Forbidden, NotFound
from pulumi_airbyte.client.models import Definition, DefinitionKind, Tag, parse
from pulumi_airbyte.client.whole_lists import WholeLists, within_workspace
from pulumi_airbyte.values import JsonObject, JsonValue


def definitions_of(kind: DefinitionKind, workspace_id: str) -> str:
    """The collection of a workspace's definitions, as a path."""
    return f"workspaces/{workspace_id}/definitions/{kind}s"


class Definitions(WholeLists):
    """Calls for definitions and tags. Every method raises AirbyteError."""

    def create_definition(self, kind: DefinitionKind, workspace_id: str, body: JsonObject) -> Definition:
        """POST a definition. The server runs a new image for its specification, which may take minutes."""
        what = f'create {_words(kind)} "{body.get("name")}"'
        answer = self._public("POST", f"/{definitions_of(kind, workspace_id)}", what, body=body)
        return _definition(answer, workspace_id, what)

    def get_definition(self, kind: DefinitionKind, definition_id: str, workspace_id: str) -> Definition:
        """GET a definition of a workspace."""
        what = f"read {_words(kind)} {definition_id}"
        answer = self._public("GET", f"/{definitions_of(kind, workspace_id)}/{definition_id}", what)
        return _definition(answer, workspace_id, what)

    def find_definition(self, kind: DefinitionKind, definition_id: str) -> Definition:
        """GET a definition of any visible workspace: the API finds one only under its workspace.

        Raises:
            NotFound: no visible workspace has it.
        """
        for workspace in self.every_workspace():
            try:
                return self.get_definition(kind, definition_id, workspace.workspace_id)
            except (NotFound, Forbidden):
                continue
        raise NotFound(f"No visible workspace has the {_words(kind)} {definition_id}.")

    def put_definition(
        self, kind: DefinitionKind, definition_id: str, workspace_id: str, body: JsonObject
    ) -> Definition:
        """PUT a definition: the name and tag of an image, or a manifest."""
        what = f"update {_words(kind)} {definition_id}"
        answer = self._public("PUT", f"/{definitions_of(kind, workspace_id)}/{definition_id}", what, body=body)
        return _definition(answer, workspace_id, what)

    def delete_definition(self, kind: DefinitionKind, definition_id: str, workspace_id: str) -> None:
        """DELETE a definition. The server also deletes its sources or destinations, and their connections."""
        path = f"/{definitions_of(kind, workspace_id)}/{definition_id}"
        self._public("DELETE", path, f"delete {_words(kind)} {definition_id}")

    def every_definition(self, kind: DefinitionKind, workspace_id: str) -> list[Definition]:
        """All definitions of a kind that a workspace has. Those of images include the server's own connectors."""
        what = f"list {_words(kind)}s of workspace {workspace_id}"
        found = self._items(f"/{definitions_of(kind, workspace_id)}", what, [])
        return [_definition(item, workspace_id, what) for item in found]

    def create_tag(self, body: JsonObject) -> Tag:
        """POST /tags. A workspace has each name once, and at most a hundred tags."""
        what = f'create tag "{body.get("name")}"'
        return parse(Tag, self._public("POST", "/tags", what, body=body), what)

    def get_tag(self, tag_id: str) -> Tag:
        """GET a tag."""
        what = f"read tag {tag_id}"
        return parse(Tag, self._public("GET", f"/tags/{tag_id}", what), what)

    def patch_tag(self, tag_id: str, body: JsonObject) -> Tag:
        """PATCH a tag, which needs its name and its color."""
        what = f"update tag {tag_id}"
        return parse(Tag, self._public("PATCH", f"/tags/{tag_id}", what, body=body), what)

    def delete_tag(self, tag_id: str) -> None:
        """DELETE a tag. Connections lose it."""
        self._public("DELETE", f"/tags/{tag_id}", f"delete tag {tag_id}")

    def tags(self, workspace_id: str) -> list[Tag]:
        """GET /tags: all tags of a workspace."""
        what = f"list the tags of workspace {workspace_id}"
        return [parse(Tag, item, what) for item in self._items("/tags", what, within_workspace(workspace_id))]


def _words(kind: DefinitionKind) -> str:
    return f"{kind.replace('_', ' ')} definition"


def _definition(answer: JsonValue, workspace_id: str, what: str) -> Definition:
    """Parse a definition; the answer lacks its workspace."""
    return parse(Definition, {**answer, "workspaceId": workspace_id} if isinstance(answer, dict) else answer, what)
