"""Look-ups of connectors: by what people call them, and by their definitions."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final, cast

from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.client.models import ActorKind, ConnectorDefinition, Definition, DefinitionKind
from pulumi_airbyte.provider.functions.function import (
    WORKSPACE,
    Arguments,
    Directory,
    Function,
    Keys,
    answered,
    in_list,
    the_workspace,
    token,
)
from pulumi_airbyte.provider.inventory import EVERYWHERE
from pulumi_airbyte.provider.properties import Properties
from pulumi_airbyte.provider.tables import Field, ObjectType

_PARENTHESES: Final = re.compile(r"\(([^)]*)\)")
_ID: Final = Field("definitionId", "string", "Its id.", required=True)
_NAME: Final = Field("name", "string", "Its display name.", required=True)
_WORKSPACE_ID: Final = Field("workspaceId", "string", "The workspace in which it was looked up.", required=True)
_IMAGE: Final = ObjectType(
    "DefinitionProperties",
    "A connector with an image.",
    (
        _ID,
        _NAME,
        _WORKSPACE_ID,
        Field("dockerRepository", "string", "The image, without its tag.", required=True),
        Field("dockerImageTag", "string", "The image's tag: the connector's version.", required=True),
        Field("documentationUrl", "string", "Where it is documented; absent where Airbyte has no page."),
    ),
)
_MANIFEST: Final = ObjectType(
    "DeclarativeDefinitionProperties",
    "A connector of the connector builder.",
    (
        _ID,
        _NAME,
        _WORKSPACE_ID,
        Field("manifest", "object", "Its manifest.", required=True),
        Field("version", "integer", "The manifest's version, which grows with each change.", required=True),
    ),
)
_BY_NAME: Final = {"name": lambda found: found.name}
_BY_IMAGE: Final = {"dockerRepository": lambda found: found.docker_repository or ""}


def _functions(kind: DefinitionKind) -> Iterator[tuple[str, Function]]:
    words, shape, keys = kind.replace("_", " "), _shape(kind), _keys(kind)
    name = "".join(part.capitalize() for part in f"{kind}_definition".split("_"))
    image = Field("dockerRepository", "string", f"The image, such as `airbyte/{kind}-faker`.")
    by_image = [image] if kind != "declarative_source" else []
    yield (
        token(f"get{name}"),
        Function(
            f"A {words} definition, by id{', name or image' if by_image else ' or by name'}.",
            (
                Field("definitionId", "string", "The definition's id."),
                Field("name", "string", "The connector's display name."),
                *by_image,
                WORKSPACE,
            ),
            shape.fields,
            partial(_one, kind),
            keys.failures,
        ),
    )
    own = " Airbyte's own connectors are among them." if by_image else ""
    yield (
        token(f"get{name}s"),
        Function(
            f"All {words} definitions of a workspace, by name.{own}",
            (WORKSPACE, *by_image),
            (Field("definitions", "objects", "The definitions, by name.", required=True, of=shape),),
            partial(_all, kind),
        ),
    )


def _shape(kind: DefinitionKind) -> ObjectType:
    return _MANIFEST if kind == "declarative_source" else _IMAGE


def _keys(kind: DefinitionKind) -> Keys[Definition]:
    others = _BY_NAME if kind == "declarative_source" else {**_BY_NAME, **_BY_IMAGE}
    words = f"{kind.replace('_', ' ')} definition"
    return Keys(words, "definitionId", lambda found: found.definition_id, lambda found: found.name, others)


def _one(kind: DefinitionKind, directory: Directory, arguments: Arguments) -> Properties:
    workspace_id = arguments.text("workspaceId") or the_workspace(directory)
    # Airbyte's own connectors are in every workspace's list, so the list decides, and not where one was seen before.
    return _shown(in_list(directory.inventory.definitions(kind), _keys(kind), workspace_id, arguments))


def _all(kind: DefinitionKind, directory: Directory, arguments: Arguments) -> Properties:
    workspace_id = arguments.text("workspaceId") or the_workspace(directory)
    image = arguments.text("dockerRepository")
    found = [
        each
        for each in directory.inventory.definitions(kind).all(workspace_id)
        if image in {"", each.docker_repository}
    ]
    return {"definitions": [_shown(each) for each in sorted(found, key=lambda each: (each.name, each.definition_id))]}


def _shown(found: Definition) -> Properties:
    return answered(
        {
            "definitionId": found.definition_id,
            "name": found.name,
            "workspaceId": found.workspace_id,
            "dockerRepository": found.docker_repository,
            "dockerImageTag": found.docker_image_tag,
            "documentationUrl": found.documentation_url,
            "manifest": found.manifest,
            "version": found.version,
        }
    )


def _connector(directory: Directory, arguments: Arguments) -> Properties:
    name = arguments.text("name")
    prefix, _, bare = name.partition("-")
    kind = arguments.text("type") or prefix
    if kind not in {"source", "destination"}:
        raise AirbyteError(
            f"{name!r} is no connector name.", 'Write it like "source-faker" or "destination-s3", or give type.'
        )
    wanted = _letters(bare if kind == prefix else name)
    workspace_id = arguments.text("workspaceId") or _any_workspace(directory)
    definitions = directory.connectors((cast("ActorKind", kind), workspace_id))
    found = [definition for definition in definitions if wanted in _spellings(definition.name)]
    if len(found) != 1:
        raise AirbyteError(f"The server has {len(found)} {kind} connectors called {name!r}.", _choices(definitions))
    [definition] = found
    answer = {"definitionId": definition.definition_id, "displayName": definition.name, "version": definition.version}
    return {**answer, "type": definition.kind}


def _any_workspace(directory: Directory) -> str:
    """The id of any visible workspace: all of them list the public connectors.

    Raises:
        AirbyteError: no workspace is visible.
    """
    found = min((workspace.workspace_id for workspace in directory.inventory.workspaces.all(EVERYWHERE)), default="")
    if not found:
        raise AirbyteError("Airbyte lists connectors by workspace, and there is none to ask for.", "Give workspaceId.")
    return found


def _choices(definitions: list[ConnectorDefinition]) -> str:
    names = sorted(definition.name for definition in definitions)
    more = ", …" if len(names) > 40 else ""
    return f"Known are: {', '.join(names[:40])}{more}. Or give the definition's id to the resource."


def _spellings(display_name: str) -> set[str]:
    """Accepted names of a connector. The API has only a display name, such as "Sample Data (Faker)"."""
    return {_letters(name) for name in (display_name, *_PARENTHESES.findall(display_name))}


def _letters(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


FUNCTIONS: Final = {
    token("getConnectorDefinition"): Function(
        "The definition id of a connector by its name, such as `source-faker`.",
        (
            Field("name", "string", "The connector's name, with its kind in front.", required=True),
            Field(
                "type",
                "string",
                "The kind, where the name doesn't have it.",
                values=("source", "destination"),
                enum="ConnectorKind",
            ),
            Field(
                "workspaceId",
                "string",
                "Look among the connectors of this workspace, custom ones included. Default: any workspace there is.",
            ),
        ),
        (
            Field("definitionId", "string", "The definition's id.", required=True),
            Field("displayName", "string", "The name that the server shows.", required=True),
            Field("type", "string", "source or destination.", required=True),
            Field("version", "string", "The connector's version (its image tag).", required=True),
        ),
        _connector,
    ),
    **dict(_functions("source")),
    **dict(_functions("destination")),
    **dict(_functions("declarative_source")),
}
