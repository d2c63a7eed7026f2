"""Airbyte as code: the SDK of the native Airbyte provider for Pulumi.

Resources take the properties of Airbyte's public API in Python spelling; `configurations` of a connection is typed
here and travels as one JSON text.
"""

from pulumi_airbyte.arguments import (
    ConnectionConfigurationsArgs,
    ConnectionConfigurationsStreamArgs,
    ConnectionScheduleArgs,
    TagArgs,
)
from pulumi_airbyte.connection import Connection
from pulumi_airbyte.destination import Destination
from pulumi_airbyte.lookups import (
    ConnectorDefinition,
    StreamProperties,
    WorkspaceProperties,
    get_connector_definition,
    get_streams,
    get_workspace,
)
from pulumi_airbyte.settings import Provider
from pulumi_airbyte.source import Source
from pulumi_airbyte.workspace import Workspace

__all__ = [
    "Connection",
    "ConnectionConfigurationsArgs",
    "ConnectionConfigurationsStreamArgs",
    "ConnectionScheduleArgs",
    "ConnectorDefinition",
    "Destination",
    "Provider",
    "Source",
    "StreamProperties",
    "TagArgs",
    "Workspace",
    "WorkspaceProperties",
    "get_connector_definition",
    "get_streams",
    "get_workspace",
]
