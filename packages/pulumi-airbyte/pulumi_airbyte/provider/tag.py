"""Tags: labels of a workspace's connections. A workspace has each name once."""

import re
from typing import Final

from airbyte_model.texts import HOLDS_NUL, tag_flaw

from pulumi_airbyte.client.models import Tag
from pulumi_airbyte.provider.gone import Listed
from pulumi_airbyte.provider.inventory import Shelf
from pulumi_airbyte.provider.plain import PlainType
from pulumi_airbyte.provider.properties import Properties, unwrap
from pulumi_airbyte.provider.resource import Checked, Checking, Failure
from pulumi_airbyte.provider.tables import TAG_INPUTS, TAG_OUTPUTS
from pulumi_airbyte.provider.target import Known
from pulumi_airbyte.values import JsonObject

COLOR: Final = "CAC7FF"
"""The color of a new tag if the program leaves it out."""
_HEX: Final = re.compile(r"[0-9A-Fa-f]{6}")


class TagType(PlainType[Tag]):
    """`airbyte:index/tag:Tag`."""

    token = "airbyte:index/tag:Tag"
    kind = "tag"
    id_output = "tagId"
    left_alone = frozenset({"color"})
    unique = True
    summary = "A tag: a label of connections. Deleting it takes it off every connection."
    identity = ("workspaceId", "name")
    inputs = TAG_INPUTS
    outputs = TAG_OUTPUTS

    def check(self, inputs: Properties, checking: Checking) -> Checked:
        """Refuse a name or color that the server refuses."""
        checked = super().check(inputs, checking)
        name, color = (unwrap(checked.inputs.get(key)) for key in ("name", "color"))
        failures = [*checked.failures]
        flaw = tag_flaw(name) if isinstance(name, str) else None
        if flaw is not None and flaw != HOLDS_NUL:
            failures.append(Failure("name", str(flaw)))
        if isinstance(color, str) and not _HEX.fullmatch(color):
            failures.append(Failure("color", "must be six hexadecimal digits without `#`, such as FF00AA"))
        return Checked(checked.inputs, failures)

    @property
    def shelf(self) -> Shelf[Tag]:
        """The live tags."""
        return self.server.inventory.tags

    def listed(self, object_id: str, workspace_id: str) -> Listed:
        """The list of a workspace's tags."""
        return "tags", "tagId", object_id, workspace_id

    def post(self, body: JsonObject) -> Tag:
        """POST."""
        return self.airbyte.create_tag({"color": COLOR, **body})

    def write(self, known: Known, body: JsonObject) -> Tag:
        """PATCH, which needs the color too."""
        return self.airbyte.patch_tag(known.id, body if "color" in body else self._with_color(known, body))

    def _with_color(self, known: Known, body: JsonObject) -> JsonObject:
        return {**body, "color": self.airbyte.get_tag(known.id).color}

    def erase(self, object_id: str, workspace_id: str) -> None:
        """DELETE."""
        self.airbyte.delete_tag(object_id)

    def outputs_of(self, found: Tag) -> Properties:
        """The id and the color: a connection's tags need both, and the server may have chosen the color."""
        return {"tagId": found.tag_id, "color": found.color}

    def from_server(self, found: Tag) -> Properties:
        """All properties."""
        return {"name": found.name, "color": found.color, "workspaceId": found.workspace_id}
