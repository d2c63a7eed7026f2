"""Field tables: the inputs and outputs of each resource. Schema, checks and diffs are generated from them."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from airbyte_model.choices import ConnectionStatus, NamespaceDefinition, NonBreakingChanges
from airbyte_model.mapper_types import HASHING_METHODS, MAPPER_TYPES
from airbyte_model.modes import SYNC_MODES

FieldType = Literal["string", "integer", "boolean", "object", "texts", "paths", "objects"]


@dataclass(frozen=True)
class ObjectType:
    """A named object type of the schema. It becomes a class in each language's SDK.

    Attributes:
        name: its name, in upper camel case; unique in the schema.
        doc: its description.
        fields: its properties. `replace` and `local` have no meaning in them.
    """

    name: str
    doc: str
    fields: tuple["Field", ...]


@dataclass(frozen=True)
class Field:
    """One property.

    Attributes:
        name: the public API's camelCase name.
        type: its type in the schema. `texts` is a list of texts, `paths` a list of those, `objects` a list of objects.
        doc: its description, one or two sentences, with `Default: ….` at the end if it has one.
        required: whether the program must set it.
        replace: whether a change replaces the object, because the API can't change it.
        secret: whether the engine encrypts it as a whole.
        values: the allowed texts; empty for any. The schema has an enumeration of them.
        local: whether it is the provider's own; the server has no such property.
        unshown: whether the server takes it and never shows it. It is compared with the state, and not with the server.
        of: the type of an `object`, or of each item of `objects`; None for free-form JSON.
        text: whether its JSON text may stand for an `object`.
        enum: the name of the enumeration of `values`. Default: the owner's name and the property's.
    """

    name: str
    type: FieldType
    doc: str
    required: bool = False
    replace: bool = False
    secret: bool = False
    values: tuple[str, ...] = ()
    local: bool = False
    unshown: bool = False
    of: ObjectType | None = None
    text: bool = False
    enum: str = ""

    @property
    def kept(self) -> bool:
        """Whether a read keeps the state's value."""
        return self.local or self.unshown


REWRITES: Final = Field(
    "serverRewrites",
    "string",
    "What the server made of values that it rewrote: JSON pairs of a path and a value. Absent where it rewrote none.",
)
UNFINISHED: Final = Field(
    "unfinished",
    "string",
    "What is still to be done about an object that was made or changed, but not to the end; the next update does it.",
)
VERSIONS: Final = Field(
    "secretVersions",
    "string",
    "What stands behind each secret since the last write: JSON of property path to version. Absent where the server "
    "shows no versions.",
)
CREATED_AT: Final = Field("createdAt", "integer", "When the object was made, in seconds since 1970.", required=True)


_CONSENT: Final = Field(
    "secretId",
    "string",
    "The id with which Airbyte's OAuth redirect ends (Cloud): Airbyte puts the tokens behind it into the "
    "configuration. Another id replaces the tokens. To leave it out later changes nothing.",
    secret=True,
    unshown=True,
)


def actor_inputs(kind: str) -> tuple[Field, ...]:
    """The inputs of a source or destination."""
    return (
        Field("name", "string", f"The {kind}'s display name. Default: the resource's name in the program."),
        Field("workspaceId", "string", f"The workspace that holds the {kind}.", required=True, replace=True),
        Field(
            "definitionId",
            "string",
            f"The connector's definition id. May be left out where the configuration has `{kind}Type`.",
            replace=True,
        ),
        Field(
            "configuration",
            "object",
            "The connector's configuration, as its specification asks for. What the specification calls secret is "
            "encrypted in the state; the rest stays readable. The server's mask is refused as a value.",
            required=True,
        ),
        *([_CONSENT] if kind == "source" else []),
        Field("resourceAllocation", "object", "CPU and memory for the connector's jobs (self-managed servers only)."),
        Field(
            "checkConnection",
            "boolean",
            f"Let the connector try its configuration after each write; where it fails, the {kind} is kept and the "
            "next update tries again. Needs the Config API. Default: false.",
            local=True,
        ),
        Field(
            "forceDestroy",
            "boolean",
            f"Delete the {kind} even where connections that the program does not delete would go with it. "
            "Default: false.",
            local=True,
        ),
    )


def actor_outputs(kind: str) -> tuple[Field, ...]:
    """The outputs of a source or destination."""
    return (
        Field(f"{kind}Id", "string", f"The {kind}'s id.", required=True),
        Field(f"{kind}Type", "string", "The connector's type name; empty for custom connectors."),
        CREATED_AT,
        REWRITES,
        VERSIONS,
        UNFINISHED,
    )


_SCHEDULE: Final = ObjectType(
    "ConnectionSchedule",
    "When a connection syncs.",
    (
        Field(
            "scheduleType",
            "string",
            "manual, cron or basic.",
            required=True,
            values=("manual", "cron", "basic"),
            enum="ScheduleType",
        ),
        Field(
            "cronExpression",
            "string",
            "Quartz cron: seconds, minutes, hours, day of month, month, day of week, and maybe a year.",
        ),
        Field(
            "cronTimeZone",
            "string",
            "The zone of a cron expression, such as `Europe/Berlin` (by the Config API). Default: UTC.",
        ),
        Field("basicTiming", "string", "How often a basic schedule runs, such as `Every 1 HOURS` (by the Config API)."),
    ),
)
_TAG: Final = ObjectType(
    "ConnectionTag",
    "A tag of a connection.",
    (
        Field("tagId", "string", "The tag's id.", required=True),
        Field("name", "string", "The tag's name.", required=True),
        Field("color", "string", "Six hexadecimal digits.", required=True),
        Field("workspaceId", "string", "The workspace that holds the tag.", required=True),
    ),
)
_MAPPER_CONFIGURATION: Final = ObjectType(
    "ConnectionConfigurationsStreamMapperConfiguration",
    "A mapper's settings: each type of mapper takes some of them.",
    (
        Field("targetField", "string", "The field that `hashing`, `encryption` or `field-filtering` changes."),
        Field("fieldNameSuffix", "string", "What `hashing` and `encryption` append to the field's name."),
        Field("method", "string", "How `hashing` hashes.", values=HASHING_METHODS, enum="HashingMethod"),
        Field("algorithm", "string", "How `encryption` encrypts.", values=("AES", "RSA"), enum="EncryptionAlgorithm"),
        Field("key", "string", "The key of AES, in hexadecimal digits.", secret=True),
        Field("mode", "string", "The mode of AES, such as `CBC`."),
        Field("padding", "string", "The padding of AES.", values=("NoPadding", "PKCS5Padding"), enum="AesPadding"),
        Field("publicKey", "string", "The public key of RSA, in hexadecimal digits."),
        Field("originalFieldName", "string", "The field that `field-renaming` renames."),
        Field("newFieldName", "string", "Its new name."),
        Field("conditions", "object", "The rows that `row-filtering` keeps: a condition with a type, EQUAL or NOT."),
    ),
)
_MAPPER: Final = ObjectType(
    "ConnectionConfigurationsStreamMapper",
    "A transformation of a stream's records.",
    (
        Field("type", "string", "Its type.", required=True, values=MAPPER_TYPES, enum="MapperType"),
        Field("mapperConfiguration", "object", "Its settings.", required=True, of=_MAPPER_CONFIGURATION),
    ),
)
_STREAM: Final = ObjectType(
    "ConnectionConfigurationsStream",
    "A stream to sync.",
    (
        Field("name", "string", "The stream's name in the source.", required=True),
        Field("namespace", "string", "The source's namespace, part of the stream's identity."),
        Field(
            "syncMode",
            "string",
            "How it is read and written. Default: full_refresh_overwrite.",
            values=SYNC_MODES,
            enum="SyncMode",
        ),
        Field("cursorField", "texts", "Path of the field that marks new records; used in incremental modes."),
        Field("primaryKey", "paths", "One path per part of the key."),
        Field("selectedFields", "texts", "Names of top-level fields. Default: all of them."),
        Field("mappers", "objects", "Transformations, in the order in which they run.", of=_MAPPER),
        Field("includeFiles", "boolean", "Whether files that records refer to are copied too. Default: false."),
        Field("destinationObjectName", "string", "For destinations that write into named objects (1.8 and later)."),
    ),
)
_CONFIGURATIONS: Final = ObjectType(
    "ConnectionConfigurations",
    "The streams of a connection.",
    (
        Field(
            "streams",
            "objects",
            "The streams, at least one: without a list the server would select streams by itself.",
            required=True,
            of=_STREAM,
        ),
    ),
)
CONNECTION_INPUTS: Final = (
    Field("name", "string", "The connection's display name. Default: the resource's name in the program."),
    Field("sourceId", "string", "The source to read.", required=True, replace=True),
    Field("destinationId", "string", "The destination to write.", required=True, replace=True),
    Field(
        "configurations",
        "object",
        'The streams to sync, or their JSON text `{"streams":[…]}`. The state has them as one canonical text, which is '
        "secret as a whole where a mapper holds a key.",
        required=True,
        of=_CONFIGURATIONS,
        text=True,
    ),
    Field("schedule", "object", "When to sync; without it only on request.", of=_SCHEDULE),
    Field(
        "namespaceDefinition",
        "string",
        "Where the namespace of the written data comes from. Default: destination.",
        values=get_args(NamespaceDefinition),
    ),
    Field(
        "namespaceFormat",
        "string",
        "The namespace for `custom_format`; `${SOURCE_NAMESPACE}` stands for the source's own.",
    ),
    Field("prefix", "string", "Put before every stream's name in the destination."),
    Field(
        "nonBreakingSchemaUpdatesBehavior",
        "string",
        "What the server does when the source gains or loses fields. Default: ignore.",
        values=get_args(NonBreakingChanges),
    ),
    Field("status", "string", "Whether it runs. Default: active.", values=get_args(ConnectionStatus)),
    Field("tags", "objects", "Tags of the workspace, each with tagId, name, color and workspaceId.", of=_TAG),
    Field(
        "notifySchemaChanges",
        "boolean",
        "Whether Airbyte notifies the workspace's webhooks of changes of the source's schema (by the Config API).",
    ),
    Field(
        "notifySchemaChangesByEmail",
        "boolean",
        "Whether Airbyte sends mail about changes of the source's schema (by the Config API).",
    ),
    Field(
        "backfillPreference",
        "string",
        "Whether a stream is re-read when the server adds a column to it (by the Config API).",
        values=("enabled", "disabled"),
    ),
    Field(
        "resourceRequirements",
        "object",
        "CPU and memory of its syncs on self-managed servers, as texts of Kubernetes: cpu_request, cpu_limit, "
        "memory_request, memory_limit, ephemeral_storage_request, ephemeral_storage_limit (by the Config API).",
    ),
    Field(
        "backfills",
        "object",
        "A token for each stream with a requested backfill, by the stream's key: its name, or the JSON text "
        '`["namespace","name"]` where it has a namespace. The name alone, or `namespace.name`, is enough where only '
        "one stream matches. A new text reads the stream from the beginning, once; so does `true` where it was "
        "`false`.",
        local=True,
    ),
    Field(
        "refreshMode",
        "string",
        "Whether a backfill keeps the rows that the destination has, or deletes them once it has succeeded. "
        "Default: merge.",
        values=("merge", "truncate"),
        local=True,
    ),
    Field(
        "refreshOnSchemaChange",
        "boolean",
        "Whether an incremental stream gets a backfill (by merge) when it gains fields, or its cursor, key or mode "
        "changes.",
        local=True,
    ),
    Field(
        "allowCursorLoss",
        "boolean",
        "Whether a new connection may replace this one where cursors can't go over to it.",
        local=True,
    ),
)
CONNECTION_OUTPUTS: Final = (
    Field("connectionId", "string", "The connection's id.", required=True),
    CREATED_AT,
    REWRITES,
    Field(
        "backfillResults",
        "object",
        "How the last backfill of each stream went, by the stream's key: its token, its jobId, and the job's status or "
        "`running`.",
    ),
    UNFINISHED,
)

WORKSPACE_INPUTS: Final = (
    Field("name", "string", "The workspace's name. Default: the resource's name in the program."),
    Field(
        "organizationId",
        "string",
        "The organization that holds it (Cloud and Enterprise). To leave it out later changes nothing.",
        replace=True,
        unshown=True,
    ),
    Field(
        "regionId",
        "string",
        "The region that runs its jobs: where data is processed (servers of 1.7 and later). To leave it out later "
        "changes nothing.",
        unshown=True,
    ),
    Field("notifications", "object", "Recipients by kind of notification; omitted keys get the server's defaults."),
    Field(
        "forceDestroy",
        "boolean",
        "Delete the workspace even where it holds objects that the program does not delete. Default: false.",
        local=True,
    ),
)
WORKSPACE_OUTPUTS: Final = (
    Field("workspaceId", "string", "The workspace's id.", required=True),
    Field("dataResidency", "string", "Where its jobs run; `auto` on self-managed servers."),
    REWRITES,
)

TAG_INPUTS: Final = (
    Field("name", "string", "The tag's name, at most 30 characters. Default: the resource's name in the program."),
    Field("workspaceId", "string", "The workspace that holds the tag.", required=True, replace=True),
    Field(
        "color",
        "string",
        "Six hexadecimal digits, without `#`. Left out, the tag keeps the color that it has. Default: CAC7FF.",
    ),
)
TAG_OUTPUTS: Final = (
    Field("tagId", "string", "The tag's id.", required=True),
    Field("color", "string", "The tag's color.", required=True),
    REWRITES,
)
_FORCE_DEFINITION: Final = Field(
    "forceDestroy",
    "boolean",
    "Delete the definition even where sources or destinations of it, which the program does not delete, would go with "
    "it. Default: false.",
    local=True,
)


def image_inputs(kind: str) -> tuple[Field, ...]:
    """The inputs of a definition with an image."""
    return (
        Field("name", "string", "The connector's display name. Default: the resource's name in the program."),
        Field("workspaceId", "string", f"The workspace whose {kind}s may use it.", required=True, replace=True),
        Field("dockerRepository", "string", "The image, without its tag.", required=True, replace=True),
        Field("dockerImageTag", "string", "The image's tag: the connector's version.", required=True),
        Field(
            "documentationUrl",
            "string",
            "Where the connector is documented. To leave it out later changes nothing.",
            replace=True,
        ),
        _FORCE_DEFINITION,
    )


ROLES: Final = (
    "instance_admin",
    "organization_admin",
    "organization_editor",
    "organization_runner",
    "organization_reader",
    "organization_member",
    "workspace_owner",
    "workspace_admin",
    "workspace_editor",
    "workspace_runner",
    "workspace_reader",
)
"""The types of live permissions."""
PERMISSION_TYPES: Final = tuple(role for role in reversed(ROLES) if role not in {"instance_admin", "workspace_owner"})
"""Those that the public API grants, the least first."""
PERMISSION_INPUTS: Final = (
    Field("userId", "string", "The user.", required=True, replace=True),
    Field("workspaceId", "string", "The workspace that it is for. Either this or organizationId.", replace=True),
    Field("organizationId", "string", "The organization that it is for.", replace=True),
    Field(
        "permissionType",
        "string",
        "What the user may do there.",
        required=True,
        values=PERMISSION_TYPES,
        enum="PermissionType",
    ),
)
PERMISSION_OUTPUTS: Final = (Field("permissionId", "string", "The permission's id.", required=True), REWRITES)

OAUTH_INPUTS: Final = (
    Field("workspaceId", "string", "The workspace that has them (Cloud). Either this or organizationId.", replace=True),
    Field("organizationId", "string", "The organization that has them.", replace=True),
    Field(
        "actorType",
        "string",
        "Whether the connector is a source or a destination.",
        required=True,
        replace=True,
        values=("source", "destination"),
        enum="ConnectorKind",
    ),
    Field("name", "string", "The connector's type name, such as `google-ads`.", required=True, replace=True),
    Field(
        "configuration",
        "object",
        "The application's values, as the connector's specification asks for them, such as "
        "`{credentials: {client_id, client_secret}}`.",
        required=True,
        secret=True,
        unshown=True,
    ),
)
OAUTH_OUTPUTS: Final = (Field("credentialsId", "string", "Their place in the API, which is their id.", required=True),)

MANIFEST_INPUTS: Final = (
    Field("name", "string", "The connector's display name. Default: the resource's name in the program.", replace=True),
    Field("workspaceId", "string", "The workspace whose sources may use it.", required=True, replace=True),
    Field(
        "manifest",
        "object",
        "The connector's manifest, or its YAML or JSON text. It is compared as data: order, comments and nulls don't "
        "count.",
        required=True,
        text=True,
    ),
    _FORCE_DEFINITION,
)
DEFINITION_OUTPUTS: Final = (Field("definitionId", "string", "The definition's id.", required=True), REWRITES)

PROVIDER_CONFIG: Final = (
    Field(
        "serverUrl",
        "string",
        "Root of the public API, e.g. `https://airbyte.example.com/api/public/v1`. "
        "Default: $AIRBYTE_SERVER_URL, else Airbyte Cloud.",
    ),
    Field("configUrl", "string", "Root of the Config API. Derived from serverUrl where that ends in `/api/public/v1`."),
    Field("clientId", "string", "An application's id. Default: $AIRBYTE_CLIENT_ID."),
    Field("clientSecret", "string", "The application's secret. Default: $AIRBYTE_CLIENT_SECRET.", secret=True),
    Field("tokenUrl", "string", "Where tokens are issued. Default: `<serverUrl>/applications/token`."),
    Field("username", "string", "For HTTP Basic. Default: $AIRBYTE_USERNAME."),
    Field("password", "string", "For HTTP Basic. Default: $AIRBYTE_PASSWORD.", secret=True),
    Field("bearerAuth", "string", "A ready bearer token. Default: $AIRBYTE_BEARER_AUTH.", secret=True),
    Field(
        "adoptExisting",
        "string",
        "What a create does where an identical object exists already: `never` refuses and prints the import command, "
        "`identical` adopts the object. One that differs is always refused. Default: $AIRBYTE_ADOPT_EXISTING, else "
        "never.",
        values=("never", "identical"),
    ),
)
