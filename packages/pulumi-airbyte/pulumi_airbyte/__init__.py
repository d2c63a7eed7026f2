"""Airbyte as code: the SDK of the native Airbyte provider for Pulumi.

Resources take the properties of Airbyte's public API in Python spelling; `configurations` of a connection is typed
here and travels as one JSON text.

A name is imported, and Pulumi with it, when it is first asked for: `pulumi_airbyte.client` alone takes half the time.
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
    from pulumi_airbyte.connection import Connection
    from pulumi_airbyte.destination import Destination
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
    from pulumi_airbyte.settings import Provider
    from pulumi_airbyte.source import Source
    from pulumi_airbyte.workspace import Workspace

__all__ = [
    "Connection",
    "ConnectionConfigurationsArgs",
    "ConnectionConfigurationsStreamArgs",
    "ConnectionConfigurationsStreamMapperArgs",
    "ConnectionScheduleArgs",
    "ConnectorDefinition",
    "DeclaredObject",
    "Destination",
    "LiveObject",
    "Provider",
    "Source",
    "StreamProperties",
    "TagArgs",
    "Workspace",
    "WorkspaceProperties",
    "get_connector_definition",
    "get_inventory",
    "get_streams",
    "get_workspace",
]

_HOMES = ("arguments", "connection", "destination", "lookups", "settings", "source", "workspace")


if not TYPE_CHECKING:  # a type checker would take it for leave to ask for any name

    def __getattr__(name: str) -> object:
        """The SDK's names, each from the module that has it."""
        if name in __all__:
            for home in _HOMES:
                module = import_module(f"{__name__}.{home}")
                if hasattr(module, name):
                    return getattr(module, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
