"""The SDK of the native Airbyte provider for Pulumi.

Resources take the properties of Airbyte's public API in snake_case. A connection's `configurations` is typed here, and
is sent as one JSON text.

Names are imported on first use, and Pulumi with them: importing `pulumi_airbyte.client` then takes half the time.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pulumi_airbyte.arguments import (
        ConnectionConfigurationsArgs,
        ConnectionConfigurationsStreamArgs,
        ConnectionConfigurationsStreamMapperArgs,
        ConnectionScheduleArgs,
        TagArgs,
    )
    from pulumi_airbyte.lookups import (
        ConnectorDefinition,
        DeclaredObject,
        LiveObject,
        StreamProperties,
        WorkspaceProperties,
        get_connector_definition,
        get_inventory,
        get_streams,
        get_workspace,
    )
    from pulumi_airbyte.resources import (
        Connection,
        DeclarativeSourceDefinition,
        Destination,
        DestinationDefinition,
        Permission,
        Provider,
        Source,
        SourceDefinition,
        Tag,
        Workspace,
    )

__all__ = [
    "Connection",
    "ConnectionConfigurationsArgs",
    "ConnectionConfigurationsStreamArgs",
    "ConnectionConfigurationsStreamMapperArgs",
    "ConnectionScheduleArgs",
    "ConnectorDefinition",
    "DeclarativeSourceDefinition",
    "DeclaredObject",
    "Destination",
    "DestinationDefinition",
    "LiveObject",
    "Permission",
    "Provider",
    "Source",
    "SourceDefinition",
    "StreamProperties",
    "Tag",
    "TagArgs",
    "Workspace",
    "WorkspaceProperties",
    "get_connector_definition",
    "get_inventory",
    "get_streams",
    "get_workspace",
]

_MODULES = ("arguments", "lookups", "resources")


if not TYPE_CHECKING:  # a type checker would accept any name of a module with __getattr__

    def __getattr__(name: str) -> object:
        """Import one of the SDK's names from its module."""
        if name in __all__:
            for home in _MODULES:
                module = import_module(f"{__name__}.{home}")
                if hasattr(module, name):
                    return getattr(module, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
