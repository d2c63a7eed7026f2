"""The values of properties that take some texts alone; the texts themselves are accepted too.

Generated from the plugin's field tables: `make bless` updates it.
"""

from enum import StrEnum

__all__ = [
    "AesPadding",
    "ConnectionBackfillPreference",
    "ConnectionNamespaceDefinition",
    "ConnectionNonBreakingSchemaUpdatesBehavior",
    "ConnectionRefreshMode",
    "ConnectionStatus",
    "ConnectorKind",
    "EncryptionAlgorithm",
    "HashingMethod",
    "JobStatus",
    "JobType",
    "LiveConnectionStatus",
    "LiveObjectStanding",
    "MapperType",
    "ObjectKind",
    "PermissionType",
    "Role",
    "ScheduleType",
    "SyncMode",
]


class AesPadding(StrEnum):
    """Values of the type AesPadding."""

    NO_PADDING = "NoPadding"
    PKCS5_PADDING = "PKCS5Padding"


class ConnectionBackfillPreference(StrEnum):
    """Values of the type ConnectionBackfillPreference."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class ConnectionNamespaceDefinition(StrEnum):
    """Values of the type ConnectionNamespaceDefinition."""

    SOURCE = "source"
    DESTINATION = "destination"
    CUSTOM_FORMAT = "custom_format"


class ConnectionNonBreakingSchemaUpdatesBehavior(StrEnum):
    """Values of the type ConnectionNonBreakingSchemaUpdatesBehavior."""

    IGNORE = "ignore"
    DISABLE_CONNECTION = "disable_connection"
    PROPAGATE_COLUMNS = "propagate_columns"
    PROPAGATE_FULLY = "propagate_fully"


class ConnectionRefreshMode(StrEnum):
    """Values of the type ConnectionRefreshMode."""

    MERGE = "merge"
    TRUNCATE = "truncate"


class ConnectionStatus(StrEnum):
    """Values of the type ConnectionStatus."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class ConnectorKind(StrEnum):
    """Values of the type ConnectorKind."""

    SOURCE = "source"
    DESTINATION = "destination"


class EncryptionAlgorithm(StrEnum):
    """Values of the type EncryptionAlgorithm."""

    AES = "AES"
    RSA = "RSA"


class HashingMethod(StrEnum):
    """Values of the type HashingMethod."""

    MD2 = "MD2"
    MD5 = "MD5"
    SHA1 = "SHA-1"
    SHA224 = "SHA-224"
    SHA256 = "SHA-256"
    SHA384 = "SHA-384"
    SHA512 = "SHA-512"


class JobStatus(StrEnum):
    """Values of the type JobStatus."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"


class JobType(StrEnum):
    """Values of the type JobType."""

    SYNC = "sync"
    RESET = "reset"
    REFRESH = "refresh"


class LiveConnectionStatus(StrEnum):
    """Values of the type LiveConnectionStatus."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    LOCKED = "locked"


class LiveObjectStanding(StrEnum):
    """Values of the type LiveObjectStanding."""

    MANAGED = "managed"
    ADOPTABLE = "adoptable"
    DUPLICATE = "duplicate"
    ORPHAN = "orphan"


class MapperType(StrEnum):
    """Values of the type MapperType."""

    HASHING = "hashing"
    ENCRYPTION = "encryption"
    FIELD_RENAMING = "field-renaming"
    FIELD_FILTERING = "field-filtering"
    ROW_FILTERING = "row-filtering"


class ObjectKind(StrEnum):
    """Values of the type ObjectKind."""

    SOURCE = "source"
    DESTINATION = "destination"
    CONNECTION = "connection"
    SOURCE_DEFINITION = "source_definition"
    DESTINATION_DEFINITION = "destination_definition"
    DECLARATIVE_SOURCE_DEFINITION = "declarative_source_definition"
    TAG = "tag"


class PermissionType(StrEnum):
    """Values of the type PermissionType."""

    WORKSPACE_READER = "workspace_reader"
    WORKSPACE_RUNNER = "workspace_runner"
    WORKSPACE_EDITOR = "workspace_editor"
    WORKSPACE_ADMIN = "workspace_admin"
    ORGANIZATION_MEMBER = "organization_member"
    ORGANIZATION_READER = "organization_reader"
    ORGANIZATION_RUNNER = "organization_runner"
    ORGANIZATION_EDITOR = "organization_editor"
    ORGANIZATION_ADMIN = "organization_admin"


class Role(StrEnum):
    """Values of the type Role."""

    INSTANCE_ADMIN = "instance_admin"
    ORGANIZATION_ADMIN = "organization_admin"
    ORGANIZATION_EDITOR = "organization_editor"
    ORGANIZATION_RUNNER = "organization_runner"
    ORGANIZATION_READER = "organization_reader"
    ORGANIZATION_MEMBER = "organization_member"
    WORKSPACE_OWNER = "workspace_owner"
    WORKSPACE_ADMIN = "workspace_admin"
    WORKSPACE_EDITOR = "workspace_editor"
    WORKSPACE_RUNNER = "workspace_runner"
    WORKSPACE_READER = "workspace_reader"


class ScheduleType(StrEnum):
    """Values of the type ScheduleType."""

    MANUAL = "manual"
    CRON = "cron"
    BASIC = "basic"


class SyncMode(StrEnum):
    """Values of the type SyncMode."""

    FULL_REFRESH_OVERWRITE = "full_refresh_overwrite"
    FULL_REFRESH_APPEND = "full_refresh_append"
    FULL_REFRESH_OVERWRITE_DEDUPED = "full_refresh_overwrite_deduped"
    FULL_REFRESH_UPDATE = "full_refresh_update"
    FULL_REFRESH_SOFT_DELETE = "full_refresh_soft_delete"
    INCREMENTAL_APPEND = "incremental_append"
    INCREMENTAL_DEDUPED_HISTORY = "incremental_deduped_history"
    INCREMENTAL_UPDATE = "incremental_update"
    INCREMENTAL_SOFT_DELETE = "incremental_soft_delete"
