"""The list of resource types. A new one takes one line here and one file."""

from typing import Final

from pulumi_airbyte.provider.actor import DestinationType, SourceType
from pulumi_airbyte.provider.available import Available
from pulumi_airbyte.provider.connection import ConnectionType
from pulumi_airbyte.provider.definition import (
    DeclarativeSourceDefinitionType,
    DestinationDefinitionType,
    SourceDefinitionType,
)
from pulumi_airbyte.provider.oauth import OauthCredentialsType
from pulumi_airbyte.provider.permission import PermissionType
from pulumi_airbyte.provider.resource import ResourceType, Server
from pulumi_airbyte.provider.secrecy import Specifications
from pulumi_airbyte.provider.tag import TagType
from pulumi_airbyte.provider.workspace import WorkspaceType

RESOURCES: Final[tuple[type[ResourceType], ...]] = (
    SourceType,
    DestinationType,
    ConnectionType,
    WorkspaceType,
    SourceDefinitionType,
    DestinationDefinitionType,
    DeclarativeSourceDefinitionType,
    TagType,
    PermissionType,
    OauthCredentialsType,
)


def registry(server: Server, specifications: Specifications) -> dict[str, ResourceType]:
    """The resource types by token, for this server."""
    available = Available(server.airbyte, specifications)
    made: tuple[ResourceType, ...] = (
        SourceType(server, specifications, available),
        DestinationType(server, specifications, available),
        ConnectionType(server),
        WorkspaceType(server),
        SourceDefinitionType(server, specifications),
        DestinationDefinitionType(server, specifications),
        DeclarativeSourceDefinitionType(server, specifications),
        TagType(server),
        PermissionType(server),
        OauthCredentialsType(server),
    )
    return {resource.token: resource for resource in made}
