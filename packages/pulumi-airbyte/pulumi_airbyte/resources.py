"""The resources of a program: `Source`, `Destination`, `Connection` and so on, and the `Provider` they talk to.

A generated SDK writes a getter for each output. Here an output is an annotated attribute, which a type checker reads
as it is, and `_with_outputs` turns each into the getter that Pulumi's runtime looks for.
"""

from collections.abc import Callable, Mapping, Sequence
from inspect import get_annotations
from typing import Any, ClassVar, Literal, Protocol, TypeVar, get_origin

import pulumi
from airbyte_model import choices

from pulumi_airbyte.arguments import ConnectionConfigurationsArgs, ConnectionScheduleArgs, TagArgs
from pulumi_airbyte.enums import (
    ConnectionBackfillPreference,
    ConnectionNamespaceDefinition,
    ConnectionNonBreakingSchemaUpdatesBehavior,
    ConnectionRefreshMode,
    ConnectionStatus,
)

PermissionRole = Literal[
    "workspace_reader",
    "workspace_runner",
    "workspace_editor",
    "workspace_admin",
    "organization_member",
    "organization_reader",
    "organization_runner",
    "organization_editor",
    "organization_admin",
]


SchemaPolicy = choices.NonBreakingChanges | ConnectionNonBreakingSchemaUpdatesBehavior


class _Argument(Protocol):
    """A typed argument that converts itself to the provider's properties."""

    def to_wire(self) -> Any:
        """The property's value in the API's spelling."""


ArgumentT = TypeVar("ArgumentT", bound=_Argument)
ResourceT = TypeVar("ResourceT", bound="Resource")


def _wire(value: pulumi.Input[ArgumentT] | None) -> Any:
    """The property's value for an argument."""
    return _applied(value, lambda argument: argument.to_wire())


def _streams(value: pulumi.Input[ConnectionConfigurationsArgs | str]) -> dict[str, Any]:
    """The properties for streams: their text, and the backfill tokens, which typed streams alone have.

    The plugin checks a text that the program wrote.
    """
    return {
        "configurations": _applied(value, lambda given: given if isinstance(given, str) else given.to_wire()),
        "backfills": _applied(value, lambda given: None if isinstance(given, str) else given.backfills()),
    }


def _wire_list(values: Sequence[pulumi.Input[ArgumentT]] | None) -> Any:
    """The property's value for a list of arguments."""
    return None if values is None else [_wire(value) for value in values]


def _applied(value: pulumi.Input[Any] | None, convert: Callable[[Any], Any]) -> Any:
    """The converted argument. A plain one is converted at once, so that a preview shows its value."""
    if value is None:
        return None
    if isinstance(value, pulumi.Output):
        return value.apply(convert)
    return convert(value)


def _getter(name: str, annotation: object) -> property:
    """An output's property, under the API's name: `workspace_id` is `workspaceId` there."""

    def get(self: pulumi.Resource) -> Any:
        return pulumi.get(self, name)

    first, *words = name.split("_")
    get.__name__ = name
    get.__annotations__ = {"return": annotation}
    return property(pulumi.getter(name=first + "".join(word.capitalize() for word in words))(get))


def _with_outputs(resource: type[ResourceT]) -> type[ResourceT]:
    """Replace a class's annotated outputs by getters, and record them for `Resource.__init__`.

    Pulumi reads the annotations of a class alone, not those of its bases. Getters are inherited, so `Source` has the
    outputs of `Actor`, and so has a class that a program derives from `Source`.
    """
    annotations: dict[str, object] = get_annotations(resource)
    made = {name: _getter(name, each) for name, each in annotations.items() if get_origin(each) is pulumi.Output}
    for name, each in made.items():
        setattr(resource, name, each)
        # Pulumi would read what stays annotated as a second output, named in snake_case.
        del resource.__annotations__[name]
    resource._outputs = {**resource._outputs, **made}  # noqa: SLF001 - the decorator is part of the class
    # Given an input type, Pulumi takes names from its getters. Without one, it would rename keys inside a connector's
    # configuration too.
    resource._properties = pulumi.input_type(type(f"{resource.__name__}Properties", (), dict(resource._outputs)))  # noqa: SLF001
    return resource


class Resource(pulumi.CustomResource):
    """A resource whose properties are its annotated outputs.

    The SDK turns `deleted_with` another of these resources into a dependency on it. With the option, the engine would
    not call the delete of this resource, and the other's delete, which refuses to remove objects outside the program,
    could not distinguish this one from such an object.
    """

    _outputs: ClassVar[Mapping[str, property]] = {}
    _properties: ClassVar[type[Any]]

    def __init__(
        self, token: str, resource_name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None
    ) -> None:
        # As generated SDKs do: the constructor of an input type would ask for every property.
        properties = object.__new__(self._properties)
        vars(properties).update({**dict.fromkeys(self._outputs), **inputs})
        super().__init__(token, resource_name, properties, opts)

    def _get_providers(
        self, t: str, pkg: str | None, opts: pulumi.ResourceOptions
    ) -> tuple[pulumi.ProviderResource | None, Mapping[str, pulumi.ProviderResource]]:
        """Extend Pulumi's own method, which gets a copy of the options after all transformations were applied.

        No public method of Pulumi's SDK has the options at that point.
        """
        _depend_instead_of_deleted_with(opts)
        return super()._get_providers(t, pkg, opts)


def _depend_instead_of_deleted_with(opts: pulumi.ResourceOptions) -> None:
    """Replace `deleted_with` one of our resources by a dependency on it, in place."""
    other = opts.deleted_with
    if isinstance(other, Resource):
        own, added = (pulumi.ResourceOptions(depends_on=each) for each in (opts.depends_on, [other]))
        opts.depends_on, opts.deleted_with = pulumi.ResourceOptions.merge(own, added).depends_on, None


@_with_outputs
class Actor(Resource):
    """A connector with its configuration: a source or a destination.

    Every argument is also an output. In a preview these are unknown: the plugin's outputs repeat no input, which keeps
    states small.

    Attributes:
        created_at: when Airbyte created it, in seconds since 1970.
        server_rewrites: values that the server rewrote, as JSON pairs of a path and a value.
        secret_versions: the version of each secret at the last write, as a JSON object by property path.
        unfinished: what the next update still has to do, as JSON.
    """

    configuration: pulumi.Output[Mapping[str, Any]]
    workspace_id: pulumi.Output[str]
    definition_id: pulumi.Output[str | None]
    name: pulumi.Output[str]
    resource_allocation: pulumi.Output[Mapping[str, Any] | None]
    check_connection: pulumi.Output[bool | None]
    force_destroy: pulumi.Output[bool | None]
    created_at: pulumi.Output[int]
    server_rewrites: pulumi.Output[str | None]
    secret_versions: pulumi.Output[str | None]
    unfinished: pulumi.Output[str | None]

    _token: ClassVar[str]

    def __init__(
        self,
        resource_name: str,
        *,
        configuration: pulumi.Input[Mapping[str, Any]],
        workspace_id: pulumi.Input[str],
        definition_id: pulumi.Input[str] | None = None,
        name: pulumi.Input[str] | None = None,
        resource_allocation: pulumi.Input[Mapping[str, Any]] | None = None,
        check_connection: pulumi.Input[bool] | None = None,
        force_destroy: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a source or a destination.

        Args:
            resource_name: its name in the program; another name declares another object.
            configuration: the connector's configuration, as its specification describes it. Pass each secret as a
                secret output at its own path, not the whole configuration as one: the rest stays readable in plans.
            workspace_id: the workspace that holds it; a change replaces the object.
            definition_id: the connector's definition; a change replaces the object. Optional where `configuration` has
                `sourceType` or `destinationType`.
            name: the display name; defaults to `resource_name`.
            resource_allocation: CPU and memory for its jobs (self-managed servers only).
            check_connection: run the connector's check after each write. An object whose check fails is kept, and the
                next update checks again. Needs the Config API.
            force_destroy: delete it even if Airbyte then also deletes connections that the program does not delete.
            opts: Pulumi's resource options.
        """
        inputs = {
            "configuration": configuration,
            "workspace_id": workspace_id,
            "definition_id": definition_id,
            "name": resource_name if name is None else name,
            "resource_allocation": resource_allocation,
            "check_connection": check_connection,
            "force_destroy": force_destroy,
        }
        super().__init__(self._token, resource_name, {**inputs, **self._own()}, opts)

    def _own(self) -> Mapping[str, Any]:
        """The inputs that only this kind has."""
        return {}


@_with_outputs
class Source(Actor):
    """A source: a connector that reads data, with its configuration (`airbyte:index/source:Source`).

    Attributes:
        source_id: the source's id.
        source_type: the connector's type name; empty for custom connectors.
    """

    secret_id: pulumi.Output[str | None]
    source_id: pulumi.Output[str]
    source_type: pulumi.Output[str]

    _token = "airbyte:index/source:Source"

    def __init__(
        self,
        resource_name: str,
        *,
        configuration: pulumi.Input[Mapping[str, Any]],
        workspace_id: pulumi.Input[str],
        definition_id: pulumi.Input[str] | None = None,
        name: pulumi.Input[str] | None = None,
        secret_id: pulumi.Input[str] | None = None,
        resource_allocation: pulumi.Input[Mapping[str, Any]] | None = None,
        check_connection: pulumi.Input[bool] | None = None,
        force_destroy: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a source.

        Args:
            resource_name: its name in the program; another name declares another object.
            configuration: the connector's configuration, as its specification describes it. Pass each secret as a
                secret output at its own path, not the whole configuration as one: the rest stays readable in plans.
            workspace_id: the workspace that holds it; a change replaces the object.
            definition_id: the connector's definition; a change replaces the object. Optional where `configuration` has
                `sourceType`.
            name: the display name; defaults to `resource_name`.
            secret_id: the id with which Airbyte's OAuth redirect ends (Cloud). Airbyte puts the tokens behind it into
                the configuration, so the program leaves them out. Another id replaces the tokens. Keep it in the
                program: writes then keep the tokens that Airbyte has.
            resource_allocation: CPU and memory for its jobs (self-managed servers only).
            check_connection: run the connector's check after each write. An object whose check fails is kept, and the
                next update checks again. Needs the Config API.
            force_destroy: delete it even if Airbyte then also deletes connections that the program does not delete.
            opts: Pulumi's resource options.
        """
        self._secret_id = secret_id
        super().__init__(
            resource_name,
            configuration=configuration,
            workspace_id=workspace_id,
            definition_id=definition_id,
            name=name,
            resource_allocation=resource_allocation,
            check_connection=check_connection,
            force_destroy=force_destroy,
            opts=opts,
        )

    def _own(self) -> Mapping[str, Any]:
        return {"secret_id": self._secret_id}


@_with_outputs
class Destination(Actor):
    """A destination: a connector that writes data, with its configuration (`airbyte:index/destination:Destination`).

    Attributes:
        destination_id: the destination's id.
        destination_type: the connector's type name; empty for custom connectors.
    """

    destination_id: pulumi.Output[str]
    destination_type: pulumi.Output[str]

    _token = "airbyte:index/destination:Destination"


@_with_outputs
class Connection(Resource):
    """Streams of a source that are synced into a destination (`airbyte:index/connection:Connection`).

    Every argument is also an output. In a preview these are unknown: the plugin's outputs repeat no input, which keeps
    states small.

    Attributes:
        configurations: the streams, as one JSON text.
        backfills: the streams' backfill tokens, by stream key.
        backfill_results: token, job id and status of each stream's last backfill, by stream key.
        connection_id: the connection's id.
        created_at: when Airbyte created it, in seconds since 1970.
        server_rewrites: values that the server rewrote, as JSON pairs of a path and a value.
        unfinished: what the next update still has to do, as JSON.
    """

    source_id: pulumi.Output[str]
    destination_id: pulumi.Output[str]
    configurations: pulumi.Output[str]
    name: pulumi.Output[str]
    schedule: pulumi.Output[dict[str, str] | None]
    namespace_definition: pulumi.Output[str | None]
    namespace_format: pulumi.Output[str | None]
    prefix: pulumi.Output[str | None]
    non_breaking_schema_updates_behavior: pulumi.Output[str | None]
    status: pulumi.Output[str | None]
    tags: pulumi.Output[list[dict[str, str]] | None]
    notify_schema_changes: pulumi.Output[bool | None]
    notify_schema_changes_by_email: pulumi.Output[bool | None]
    backfill_preference: pulumi.Output[str | None]
    resource_requirements: pulumi.Output[dict[str, str] | None]
    backfills: pulumi.Output[dict[str, str | bool] | None]
    refresh_mode: pulumi.Output[str | None]
    refresh_on_schema_change: pulumi.Output[bool | None]
    allow_cursor_loss: pulumi.Output[bool | None]
    backfill_results: pulumi.Output[dict[str, Any] | None]
    unfinished: pulumi.Output[str | None]
    connection_id: pulumi.Output[str]
    created_at: pulumi.Output[int]
    server_rewrites: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        *,
        source_id: pulumi.Input[str],
        destination_id: pulumi.Input[str],
        configurations: pulumi.Input[ConnectionConfigurationsArgs | str],
        name: pulumi.Input[str] | None = None,
        schedule: pulumi.Input[ConnectionScheduleArgs] | None = None,
        namespace_definition: pulumi.Input[choices.NamespaceDefinition | ConnectionNamespaceDefinition] | None = None,
        namespace_format: pulumi.Input[str] | None = None,
        prefix: pulumi.Input[str] | None = None,
        non_breaking_schema_updates_behavior: pulumi.Input[SchemaPolicy] | None = None,
        status: pulumi.Input[choices.ConnectionStatus | ConnectionStatus] | None = None,
        tags: "Sequence[pulumi.Input[TagArgs | Tag]] | None" = None,
        notify_schema_changes: pulumi.Input[bool] | None = None,
        notify_schema_changes_by_email: pulumi.Input[bool] | None = None,
        backfill_preference: pulumi.Input[Literal["enabled", "disabled"] | ConnectionBackfillPreference] | None = None,
        resource_requirements: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        refresh_mode: pulumi.Input[Literal["merge", "truncate"] | ConnectionRefreshMode] | None = None,
        refresh_on_schema_change: pulumi.Input[bool] | None = None,
        allow_cursor_loss: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a connection.

        Args:
            resource_name: its name in the program; another name declares another connection.
            source_id: the source to read; a change replaces the connection.
            destination_id: the destination to write to; a change replaces the connection.
            configurations: the streams to sync, or their JSON text.
            name: the display name; defaults to `resource_name`.
            schedule: when to sync; without it, syncs run only on request.
            namespace_definition: how the destination's namespace is chosen; default `destination`.
            namespace_format: the namespace for `custom_format`.
            prefix: put before every stream's name in the destination.
            non_breaking_schema_updates_behavior: how the server handles new and lost fields; default `ignore`.
            status: whether it runs; default `active`.
            tags: tags of the workspace, as `Tag` resources or as arguments.
            notify_schema_changes: notify the workspace's webhooks of schema changes. This setting and the following
                three need the Config API.
            notify_schema_changes_by_email: send an e-mail about schema changes.
            backfill_preference: whether the server re-reads a stream when it adds a column.
            resource_requirements: CPU and memory of its syncs, such as `{"memory_limit": "2Gi"}`.
            refresh_mode: whether a backfill keeps the destination's existing rows; default `merge`.
            refresh_on_schema_change: re-read incremental streams that change or gain fields.
            allow_cursor_loss: allow a replacement to lose cursors that can't be handed over.
            opts: Pulumi's resource options.
        """
        ends = {"source_id": source_id, "destination_id": destination_id}
        place = {"namespace_definition": namespace_definition, "namespace_format": namespace_format, "prefix": prefix}
        running = {"schedule": _wire(schedule), "status": status, "tags": _wire_list(tags)}
        refreshing = {"refresh_mode": refresh_mode, "refresh_on_schema_change": refresh_on_schema_change}
        inputs = {
            **(ends | _streams(configurations) | place | running | refreshing),
            "name": resource_name if name is None else name,
            "non_breaking_schema_updates_behavior": non_breaking_schema_updates_behavior,
            "notify_schema_changes": notify_schema_changes,
            "notify_schema_changes_by_email": notify_schema_changes_by_email,
            "backfill_preference": backfill_preference,
            "resource_requirements": resource_requirements,
            "allow_cursor_loss": allow_cursor_loss,
        }
        super().__init__("airbyte:index/connection:Connection", resource_name, inputs, opts)


@_with_outputs
class Workspace(Resource):
    """A workspace, which holds sources, destinations and connections (`airbyte:index/workspace:Workspace`).

    Every argument is also an output. In a preview these are unknown.

    Attributes:
        workspace_id: the workspace's id.
        data_residency: where its jobs run; `auto` on self-managed servers.
        server_rewrites: values that the server rewrote, as JSON pairs of a path and a value.
    """

    name: pulumi.Output[str]
    force_destroy: pulumi.Output[bool | None]
    organization_id: pulumi.Output[str | None]
    region_id: pulumi.Output[str | None]
    notifications: pulumi.Output[Mapping[str, Any] | None]
    workspace_id: pulumi.Output[str]
    data_residency: pulumi.Output[str]
    server_rewrites: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        *,
        name: pulumi.Input[str] | None = None,
        organization_id: pulumi.Input[str] | None = None,
        region_id: pulumi.Input[str] | None = None,
        notifications: pulumi.Input[Mapping[str, Any]] | None = None,
        force_destroy: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a workspace.

        Args:
            resource_name: its name in the program; another name declares another workspace.
            name: the display name; defaults to `resource_name`.
            organization_id: the organization that holds it (Cloud and Enterprise); a change replaces the workspace.
            region_id: the region that runs its jobs (servers of 1.7 and later).
            notifications: settings by kind of notification, in the public API's shape; the server fills in the rest.
            force_destroy: delete it even if it holds objects that the program does not delete.
            opts: Pulumi's resource options.
        """
        inputs = {
            "name": resource_name if name is None else name,
            "organization_id": organization_id,
            "region_id": region_id,
            "notifications": notifications,
            "force_destroy": force_destroy,
        }
        super().__init__("airbyte:index/workspace:Workspace", resource_name, inputs, opts)


@_with_outputs
class Tag(Resource):
    """A tag, which labels connections of its workspace (`airbyte:index/tag:Tag`).

    A connection takes it as it is: `tags=[tag]`.

    Attributes:
        tag_id: the tag's id.
        server_rewrites: values that the server rewrote, as JSON pairs of a path and a value.
    """

    name: pulumi.Output[str]
    workspace_id: pulumi.Output[str]
    color: pulumi.Output[str]
    tag_id: pulumi.Output[str]
    server_rewrites: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        *,
        workspace_id: pulumi.Input[str],
        name: pulumi.Input[str] | None = None,
        color: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a tag.

        Args:
            resource_name: its name in the program; another name declares another tag.
            workspace_id: the workspace that holds it; a change replaces the tag.
            name: the name that Airbyte shows, at most 30 characters; defaults to `resource_name`.
            color: six hexadecimal digits, without `#`. Without it, a new tag is `CAC7FF`, and others keep theirs.
            opts: Pulumi's resource options.
        """
        inputs = {
            "name": resource_name if name is None else name,
            "workspace_id": workspace_id,
            "color": color,
        }
        super().__init__("airbyte:index/tag:Tag", resource_name, inputs, opts)

    def to_wire(self) -> dict[str, pulumi.Output[str]]:
        """The tag as one of a connection's tags, in the API's spelling."""
        return {"tagId": self.tag_id, "name": self.name, "color": self.color, "workspaceId": self.workspace_id}


@_with_outputs
class Permission(Resource):
    """What a user may do in a workspace, or in an organization (`airbyte:index/permission:Permission`).

    Every argument is also an output. In a preview these are unknown.

    Attributes:
        permission_id: the permission's id.
        server_rewrites: values that the server rewrote, as JSON pairs of a path and a value.
    """

    user_id: pulumi.Output[str]
    permission_type: pulumi.Output[str]
    workspace_id: pulumi.Output[str | None]
    organization_id: pulumi.Output[str | None]
    permission_id: pulumi.Output[str]
    server_rewrites: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        *,
        user_id: pulumi.Input[str],
        permission_type: pulumi.Input[PermissionRole],
        workspace_id: pulumi.Input[str] | None = None,
        organization_id: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a permission. A user has at most one in each workspace, and one in each organization itself.

        Args:
            resource_name: its name in the program.
            user_id: the user; a change replaces the permission.
            permission_type: what the user may do, such as `workspace_editor`.
            workspace_id: the workspace that it is for; a change replaces the permission. Give this or
                `organization_id`.
            organization_id: the organization that it is for; a change replaces the permission.
            opts: Pulumi's resource options.
        """
        inputs = {
            "user_id": user_id,
            "permission_type": permission_type,
            "workspace_id": workspace_id,
            "organization_id": organization_id,
        }
        super().__init__("airbyte:index/permission:Permission", resource_name, inputs, opts)


@_with_outputs
class OauthCredentials(Resource):
    """The OAuth application that users consent to for one connector.

    Its token is `airbyte:index/oauthCredentials:OauthCredentials`. Airbyte never shows them: a create overwrites what
    is there, and an edit made in Airbyte is not seen. Every argument is also an output. In a preview these are unknown.

    Attributes:
        credentials_id: their place in the API, which is their id.
    """

    workspace_id: pulumi.Output[str | None]
    organization_id: pulumi.Output[str | None]
    actor_type: pulumi.Output[str]
    name: pulumi.Output[str]
    configuration: pulumi.Output[Mapping[str, Any]]
    credentials_id: pulumi.Output[str]

    def __init__(
        self,
        resource_name: str,
        *,
        actor_type: pulumi.Input[Literal["source", "destination"]],
        name: pulumi.Input[str],
        configuration: pulumi.Input[Mapping[str, Any]],
        workspace_id: pulumi.Input[str] | None = None,
        organization_id: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare credentials. All arguments but the configuration identify them: a change replaces them.

        Args:
            resource_name: their name in the program.
            actor_type: whether the connector is a source or a destination.
            name: the connector's type name, such as `google-ads`.
            configuration: the application's values, in the shape of the connector's specification. They are encrypted
                in the state.
            workspace_id: the workspace that has them (Cloud). Give this or `organization_id`.
            organization_id: the organization that has them.
            opts: Pulumi's resource options.
        """
        inputs = {
            "actor_type": actor_type,
            "name": name,
            "configuration": configuration,
            "workspace_id": workspace_id,
            "organization_id": organization_id,
        }
        super().__init__("airbyte:index/oauthCredentials:OauthCredentials", resource_name, inputs, opts)


@_with_outputs
class ImageDefinition(Resource):
    """A connector of one's own that is an image: the base of `SourceDefinition` and `DestinationDefinition`.

    Every argument is also an output. In a preview these are unknown.

    Attributes:
        definition_id: the definition's id, for the `definition_id` of sources or destinations. It is known in a
            preview once the definition exists.
        server_rewrites: values that the server rewrote, as JSON pairs of a path and a value.
    """

    name: pulumi.Output[str]
    workspace_id: pulumi.Output[str]
    docker_repository: pulumi.Output[str]
    docker_image_tag: pulumi.Output[str]
    documentation_url: pulumi.Output[str | None]
    force_destroy: pulumi.Output[bool | None]
    definition_id: pulumi.Output[str]
    server_rewrites: pulumi.Output[str | None]

    _token: ClassVar[str]

    def __init__(
        self,
        resource_name: str,
        *,
        workspace_id: pulumi.Input[str],
        docker_repository: pulumi.Input[str],
        docker_image_tag: pulumi.Input[str],
        name: pulumi.Input[str] | None = None,
        documentation_url: pulumi.Input[str] | None = None,
        force_destroy: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a connector of one's own. The server runs its image for the specification.

        Args:
            resource_name: its name in the program; another name declares another definition.
            workspace_id: the workspace that may use it; a change replaces the definition.
            docker_repository: the image without its tag; a change replaces the definition.
            docker_image_tag: the image's tag. A change updates all of its sources or destinations.
            name: the display name; defaults to `resource_name`.
            documentation_url: where it is documented; a change replaces the definition, leaving it out does not.
            force_destroy: delete it even if Airbyte then also deletes objects that the program does not delete.
            opts: Pulumi's resource options.
        """
        inputs = {
            "name": resource_name if name is None else name,
            "workspace_id": workspace_id,
            "docker_repository": docker_repository,
            "docker_image_tag": docker_image_tag,
            "documentation_url": documentation_url,
            "force_destroy": force_destroy,
        }
        super().__init__(self._token, resource_name, inputs, opts)


class SourceDefinition(ImageDefinition):
    """A source connector of one's own: an image (`airbyte:index/sourceDefinition:SourceDefinition`)."""

    _token = "airbyte:index/sourceDefinition:SourceDefinition"


class DestinationDefinition(ImageDefinition):
    """A destination connector of one's own: an image (`airbyte:index/destinationDefinition:DestinationDefinition`)."""

    _token = "airbyte:index/destinationDefinition:DestinationDefinition"


@_with_outputs
class DeclarativeSourceDefinition(Resource):
    """A source connector of one's own: a manifest.

    Its token is `airbyte:index/declarativeSourceDefinition:DeclarativeSourceDefinition`. Every argument is also an
    output. In a preview these are unknown.

    Attributes:
        definition_id: the definition's id, for the `definition_id` of sources. It is known in a preview once the
            definition exists.
        server_rewrites: values that the server rewrote, as JSON pairs of a path and a value.
    """

    name: pulumi.Output[str]
    workspace_id: pulumi.Output[str]
    manifest: pulumi.Output[Mapping[str, Any]]
    force_destroy: pulumi.Output[bool | None]
    definition_id: pulumi.Output[str]
    server_rewrites: pulumi.Output[str | None]

    def __init__(
        self,
        resource_name: str,
        *,
        workspace_id: pulumi.Input[str],
        manifest: pulumi.Input[Mapping[str, Any] | str],
        name: pulumi.Input[str] | None = None,
        force_destroy: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a connector of one's own.

        Args:
            resource_name: its name in the program; another name declares another definition.
            workspace_id: the workspace whose sources may use it; a change replaces the definition.
            manifest: the connector's manifest, or its YAML or JSON text. A change updates all of its sources.
            name: the display name; defaults to `resource_name`. A change replaces the definition.
            force_destroy: delete it even if Airbyte then also deletes sources that the program does not delete.
            opts: Pulumi's resource options.
        """
        inputs = {
            "name": resource_name if name is None else name,
            "workspace_id": workspace_id,
            "manifest": manifest,
            "force_destroy": force_destroy,
        }
        token = "airbyte:index/declarativeSourceDefinition:DeclarativeSourceDefinition"
        super().__init__(token, resource_name, inputs, opts)


class Provider(pulumi.ProviderResource):
    """One Airbyte server. For a single server, the stack's `airbyte:*` configuration is enough."""

    def __init__(
        self,
        resource_name: str,
        *,
        server_url: pulumi.Input[str] | None = None,
        config_url: pulumi.Input[str] | None = None,
        client_id: pulumi.Input[str] | None = None,
        client_secret: pulumi.Input[str] | None = None,
        token_url: pulumi.Input[str] | None = None,
        username: pulumi.Input[str] | None = None,
        password: pulumi.Input[str] | None = None,
        bearer_auth: pulumi.Input[str] | None = None,
        adopt_existing: pulumi.Input[Literal["never", "identical"]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a provider. Pass one way to authenticate, or none for a server without authentication.

        Args:
            resource_name: its name in the program.
            server_url: root of the public API; default $AIRBYTE_SERVER_URL, else Airbyte Cloud.
            config_url: root of the Config API; default: derived from a `server_url` that ends in `/api/public/v1`.
            client_id: an application's id, with `client_secret`; default $AIRBYTE_CLIENT_ID.
            client_secret: default $AIRBYTE_CLIENT_SECRET.
            token_url: where tokens are issued; default `<server_url>/applications/token`.
            username: for HTTP Basic, with `password`; default $AIRBYTE_USERNAME.
            password: default $AIRBYTE_PASSWORD.
            bearer_auth: a ready token; default $AIRBYTE_BEARER_AUTH.
            adopt_existing: what a create does if an identical object exists: `never` refuses, `identical` adopts it;
                default $AIRBYTE_ADOPT_EXISTING, else `never`.
            opts: Pulumi's resource options.
        """
        inputs = {
            "serverUrl": server_url,
            "configUrl": config_url,
            "clientId": client_id,
            "clientSecret": _secret(client_secret),
            "tokenUrl": token_url,
            "username": username,
            "password": _secret(password),
            "bearerAuth": _secret(bearer_auth),
            "adoptExisting": adopt_existing,
        }
        super().__init__("airbyte", resource_name, inputs, opts)


def _secret(value: pulumi.Input[str] | None) -> pulumi.Output[str] | None:
    return None if value is None else pulumi.Output.secret(value)
