"""Look-ups of tags."""

from typing import Final

from pulumi_airbyte.client.models import Tag
from pulumi_airbyte.provider.functions.function import (
    WORKSPACE,
    WORKSPACE_FILTER,
    Arguments,
    Directory,
    Function,
    Keys,
    shelved,
    token,
)
from pulumi_airbyte.provider.properties import Properties
from pulumi_airbyte.provider.tables import Field, ObjectType

TAG: Final = ObjectType(
    "TagProperties",
    "A tag: a label of connections.",
    (
        Field("tagId", "string", "Its id.", required=True),
        Field("name", "string", "Its name.", required=True),
        Field("color", "string", "Six hexadecimal digits.", required=True),
        Field("workspaceId", "string", "The workspace that holds it.", required=True),
    ),
)
_KEYS: Final = Keys[Tag](
    "tag", "tagId", lambda found: found.tag_id, lambda found: found.name, {"name": lambda found: found.name}
)


def tag_shown(tag: Tag) -> Properties:
    """A tag as an answer."""
    return {"tagId": tag.tag_id, "name": tag.name, "color": tag.color, "workspaceId": tag.workspace_id}


def _one(directory: Directory, arguments: Arguments) -> Properties:
    return tag_shown(shelved(directory, directory.inventory.tags, _KEYS, arguments))


def _all(directory: Directory, arguments: Arguments) -> Properties:
    found = directory.inventory.tags.all(arguments.text("workspaceId"))
    return {"tags": [tag_shown(tag) for tag in sorted(found, key=lambda tag: (tag.name, tag.tag_id))]}


FUNCTIONS: Final = {
    token("getTag"): Function(
        "A tag, by id or by name.",
        (Field("tagId", "string", "The tag's id."), Field("name", "string", "The tag's name."), WORKSPACE),
        TAG.fields,
        _one,
        _KEYS.failures,
    ),
    token("getTags"): Function(
        "All tags, by name.",
        (WORKSPACE_FILTER,),
        (Field("tags", "objects", "The tags, by name.", required=True, of=TAG),),
        _all,
    ),
}
