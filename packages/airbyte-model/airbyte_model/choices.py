"""What a connection's settings may be: the names that the API knows.

Source: airbyte-platform, public API: NamespaceDefinitionEnum, NonBreakingSchemaUpdatesBehaviorEnum,
ConnectionStatusEnum; Config API: ResourceRequirements.
"""

from typing import Final, Literal, get_args

NamespaceDefinition = Literal["source", "destination", "custom_format"]
NonBreakingChanges = Literal["ignore", "disable_connection", "propagate_columns", "propagate_fully"]
ConnectionStatus = Literal["active", "inactive"]
Resource = Literal[
    "cpu_request",
    "cpu_limit",
    "memory_request",
    "memory_limit",
    "ephemeral_storage_request",
    "ephemeral_storage_limit",
]
RESOURCES: Final[tuple[str, ...]] = get_args(Resource)
