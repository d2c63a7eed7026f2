"""The Pulumi program: read the configuration, load and check the lake, declare the components, export the outputs.

Everything is validated before the first resource is declared.
"""

import asyncio
import os
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

# Pydantic would look for plugins in the metadata of every installed package.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import pulumi
import pulumi_airbyte as airbyte

from lotus_infra import naming
from lotus_infra.components.airbyte import (
    ActorArgs,
    ConnectionArgs,
    Definition,
    Destination,
    Pipeline,
    PipelineArgs,
    define,
    stream_args,
)
from lotus_infra.config import production, pulumi_config
from lotus_infra.config.job_access import JobAccess, job_access
from lotus_infra.config.pulumi_config import DagsterStack, Settings
from lotus_infra.errors import LakeError, LotusError
from lotus_infra.lake.catalog import catalog
from lotus_infra.lake.discovered import Connector
from lotus_infra.lake.disk import UnreadableError, read_file
from lotus_infra.lake.lake import BUCKET_PATH, CONNECTORS_FOLDER, STACKS_FOLDER, Connection, Lake, SourceFolder
from lotus_infra.lake.models import Configuration, DestinationConfig, SourceConfig
from lotus_infra.lake.overlays import for_stack
from lotus_infra.lake.postgres_address import KEYS, connection_string
from lotus_infra.lake.references import Reference, property_path, rotating_paths, substitute
from lotus_infra.lake.report import check_lake, render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lotus_infra.components.dagster import Dagster, ObjectName
    from lotus_infra.components.dlt import DltSourceArgs
    from lotus_infra.components.landing_zone import LandingZone
    from lotus_infra.helm.values import ChartValues


async def run() -> None:
    """Declare the stack that the current configuration describes; declare nothing if there is a mistake anywhere.

    Raises:
        pulumi.RunError: with all mistakes.
    """
    try:
        project = Path.cwd()
        settings = pulumi_config.settings(project)
        production.check(pulumi_config.run_in(project, settings))
        pulumi_config.refuse_shared_workspace(project, settings)
        stack = pulumi_config.load(project, settings)
        lake = load_checked_lake(stack)
        refuse_without_dagster(lake, stack)
        access = access_of_dagster(lake, stack)
        declare(lake, stack, dagster_values(stack, lake, access), access)
    except LotusError as error:
        raise pulumi.RunError(str(error)) from None
    # Let every registration start before the SDK waits for them. It would wait for all the remaining ones each time one
    # is done, which is quadratic (`wait_for_rpcs` in pulumi, sdk/python/lib/pulumi/runtime/stack.py).
    await asyncio.sleep(0)


def load_checked_lake(stack: Settings) -> Lake:
    """Load the stack's lake and check it by every rule.

    Raises:
        LakeError: with all diagnostics, as `lotus check` lists them.
    """
    report = check_lake(stack.streams, [stack.values])
    for notice in report.notices:
        pulumi.log.info(str(notice))
    if report.problems:
        raise LakeError(render(report))
    return for_stack(report.lake, stack.values.stack)


def refuse_without_dagster(lake: Lake, stack: Settings) -> None:
    """Refuse sources that dlt reads in a stack without Dagster, which would run them.

    Raises:
        LotusError: the lake has such sources.
    """
    names = [source.name for source in lake.dlt.sources]
    if not names or stack.dagster_elsewhere or (stack.dagster is not None and stack.landing_zone is not None):
        return
    which = "the source" if len(names) == 1 else "the sources"
    raise LotusError(
        f"dlt reads {which} {', '.join(names)} in runs of Dagster, and this stack deploys no Dagster",
        f"set deploy: true in lotus:dagster, or lotus:dagsterElsewhere if Dagster runs outside of the stack, or leave "
        f'{which} out of this stack: "deployed": false in {STACKS_FOLDER}/{stack.values.stack}.json',
    )


def access_of_dagster(lake: Lake, stack: Settings) -> JobAccess | None:
    """What Dagster needs to follow Airbyte's jobs and to read tables; None if it is not deployed or needs none.

    Raises:
        LotusError: the stack does not say all of it.
    """
    if stack.dagster is None or stack.landing_zone is None:
        return None
    return job_access(lake, stack.airbyte, stack.dagster.settings, os.environ)


def dagster_values(stack: Settings, lake: Lake, access: JobAccess | None = None) -> "ChartValues":
    """The values of Dagster's Helm release; empty if the stack does not deploy Dagster.

    Dagster gets the name of its stack only if the lake differs in it, so that all other releases stay as they are.

    Raises:
        LotusError: the chart does not accept them, or this folder is not the whole project.
    """
    if stack.dagster is None or stack.landing_zone is None:
        pulumi.log.info("No Dagster is deployed: lotus:dagster of the stack does not have deploy: true.")
        return {}
    # A stack without Dagster starts without the chart's schema, the cluster's client and so on.
    from lotus_infra.dagster_fingerprint import definitions_fingerprint  # noqa: PLC0415
    from lotus_infra.helm.values import LakeBucket, release_values  # noqa: PLC0415

    zone = stack.landing_zone
    own = lake.stack if lake.stack in lake.overlays else ""
    bucket = LakeBucket(zone.landing, zone.region, zone.endpoint, zone.expire_raw_days)
    definitions = definitions_fingerprint(Path.cwd())
    return release_values(stack.dagster.settings, bucket, definitions, own, warehouses=access is not None)


def declare(lake: Lake, stack: Settings, values: "ChartValues", access: JobAccess | None = None) -> None:
    """Declare the landing zone, what the lake's connections use, a pipeline per source, and Dagster; export outputs."""
    zone = _landing_zone(stack, lake)
    builder = ArgsBuilder(lake, stack, zone)
    used = sorted({connection.config.destination for connection in lake.airbyte.connections})
    destinations = {name: Destination(naming.destination_resource(name), builder.destination(name)) for name in used}
    exports: dict[str, Any] = {}
    ids: dict[str, pulumi.Output[str]] = {}
    for source in lake.airbyte.sources:
        pipeline = Pipeline(naming.source_resource(source.name), builder.pipeline(source), destinations)
        exported = {
            each.name: {"connectionId": pipeline.connection_ids[each.resource], "streams": _prefixes(lake, each)}
            for each in source.connections
        }
        ids |= pipeline.connection_ids
        # The outputs of a source with one connection are those of before there could be several.
        exports[source.name] = exported[source.name] if [*exported] == [source.name] else {"connections": exported}
    for source in lake.dlt.sources:
        exports[source.name] = {"streams": _prefixes(lake, source.connections[0])}
    if stack.dagster is None and lake.dlt.sources:
        from lotus_infra.components.dlt import DltSource  # noqa: PLC0415, Kubernetes' SDK is slow

        for source in lake.dlt.sources:
            DltSource(source.name, builder.dlt_source(source), pulumi.ResourceOptions())
    pulumi.export("sources", exports)
    if zone is not None:
        pulumi.export("landing", zone.exports())
        if stack.dagster is not None:
            warehouses = builder.warehouses(access, ids) if access is not None else {}
            dagster = _dagster(builder, stack.dagster, zone, values, warehouses)
            pulumi.export("dagster", dagster.exports())


def _landing_zone(stack: Settings, lake: Lake) -> "LandingZone | None":
    if stack.landing_zone is None:
        return None
    # AWS' SDK takes a third of the program's start, which a lake without a landing zone saves.
    from lotus_infra.components.landing_zone import LandingZone, Uses  # noqa: PLC0415

    backups = stack.dagster is not None and stack.dagster.settings.has_backups
    uses = Uses(backups=backups, ingestion=bool(lake.dlt.sources))
    return LandingZone(naming.LANDING_ZONE, stack.landing_zone, stack.identities, uses=uses)


def _dagster(
    builder: "ArgsBuilder",
    dagster: DagsterStack,
    zone: "LandingZone",
    values: "ChartValues",
    warehouses: "Mapping[str, pulumi.Input[str]]",
) -> "Dagster":
    from lotus_infra.clients.databases import explain_failed_database  # noqa: PLC0415
    from lotus_infra.clients.kubernetes import missing_secrets  # noqa: PLC0415
    from lotus_infra.clients.pod_problems import explain_failed_pods  # noqa: PLC0415
    from lotus_infra.components.dagster import Dagster, DagsterArgs  # noqa: PLC0415, Kubernetes' SDK is as slow

    settings = dagster.settings
    kubeconfig, context, namespace = settings.cluster.kubeconfig, settings.cluster.context, settings.namespace.name
    args = DagsterArgs(
        settings=settings,
        values=values,
        database_password=dagster.database_password,
        catalog_password=dagster.catalog_password,
        registry_password=dagster.registry_password,
        reader=zone.reader,
        backups=zone.backups(),
        acknowledged=builder.stack.acknowledged,
        explain_pods=partial(explain_failed_pods, namespace, kubeconfig=kubeconfig, context=context),
        explain_database=partial(explain_failed_database, namespace, kubeconfig=kubeconfig, context=context),
        missing_secrets=partial(missing_secrets, namespace, kubeconfig=kubeconfig, context=context),
        managers=partial(_managers, kubeconfig=kubeconfig, context=context),
        sources={source.name: builder.dlt_source(source, namespace) for source in builder.lake.dlt.sources},
        warehouses=warehouses,
    )
    return Dagster(naming.DAGSTER, args)


@dataclass(frozen=True)
class ArgsBuilder:
    """Builds the components' arguments from the lake's files, the stack's values and the landing zone.

    It relies on the checks before: every reference has a value, and every connector a definition.
    """

    lake: Lake
    stack: Settings
    zone: "LandingZone | None"

    @cached_property
    def definitions(self) -> "Mapping[str, Definition]":
        """The definitions of the connectors of one's own in use, by connector; declared on first use."""
        workspace = self.stack.workspace_id
        return {
            name: define(naming.definition_resource(name), each, _manifest(self.lake, each), workspace)
            for name, each in self.lake.own_connectors.items()
        }

    @cached_property
    def tags(self) -> "Mapping[str, airbyte.Tag]":
        """The tags of all connections, by name; declared on first use."""
        names = sorted({tag for connection in self.lake.connections for tag in connection.config.tags})
        workspace = self.stack.workspace_id
        return {name: airbyte.Tag(naming.tag_resource(name), name=name, workspace_id=workspace) for name in names}

    def destination(self, name: str) -> ActorArgs:
        """The arguments of the destination of a file."""
        config = cast("DestinationConfig", self.lake.destinations[name])
        return self._actor(self.lake.destination_label(name), config)

    def pipeline(self, source: SourceFolder) -> PipelineArgs:
        """The arguments of the source and of the connections of a folder."""
        return PipelineArgs(
            source=self._actor(source.label, cast("SourceConfig", source.config)),
            connections={each.resource: self._connection(source, each) for each in source.connections},
            protect=self.stack.protect_sources,
        )

    def dlt_source(self, source: SourceFolder, secret_namespace: str = "") -> "DltSourceArgs":
        """The arguments of a source that dlt reads.

        Args:
            source: its folder.
            secret_namespace: the Kubernetes namespace of Dagster; empty if the stack does not deploy it.
        """
        from lotus_infra.components.dlt import DltSourceArgs  # noqa: PLC0415, Kubernetes' SDK is slow

        given, [connection] = cast("SourceConfig", source.config), source.connections
        config, destination = connection.config, cast("DestinationConfig", self.lake.destination_of(connection))
        path = destination.configuration.get(BUCKET_PATH, naming.LANDING_PATH)
        return DltSourceArgs(
            module=source.module,
            shown=cast("Mapping[str, Any]", substitute(given.configuration, self._shown)),
            configuration=cast("Mapping[str, Any]", substitute(given.configuration, self._value)),
            streams=tuple(stream_args(each, self._shown) for each in catalog(connection)),
            destination=config.destination,
            path=path if isinstance(path, str) else naming.LANDING_PATH,
            schedule=config.schedule,
            namespace_definition=config.namespace_definition,
            namespace=connection.namespace_format,
            prefix=config.prefix,
            status=config.status,
            resources=given.resource_allocation.default if given.resource_allocation is not None else None,
            writer=cast("LandingZone", self.zone).writer if secret_namespace else None,
            secret_namespace=secret_namespace,
        )

    def warehouses(
        self, access: JobAccess, ids: "Mapping[str, pulumi.Output[str]]"
    ) -> "Mapping[str, pulumi.Input[str]]":
        """The variables by which Dagster follows jobs of Airbyte and reads tables.

        Args:
            access: what they are made of.
            ids: the ids of all connections, by Pulumi name.
        """
        variables: dict[str, pulumi.Input[str]] = {
            naming.AIRBYTE_VARIABLE: pulumi.Output.json_dumps({"url": access.url, **access.credentials}),
            naming.CONNECTIONS_VARIABLE: pulumi.Output.json_dumps({name: ids[name] for name in access.connections}),
        }
        for name in access.databases:
            given = cast("DestinationConfig", self.lake.destinations[name]).configuration
            parts = substitute({key: given[key] for key in KEYS if key in given}, self._value)
            address = pulumi.Output.from_input(cast("Mapping[str, Any]", parts)).apply(connection_string)
            variables[naming.warehouse_variable(name)] = pulumi.Output.secret(address)
        return variables

    def _shown(self, reference: Reference) -> Any:
        """The value of a reference; of a secret the reference itself, as a preview shows it."""
        return reference.text if reference.secret else self._value(reference)

    def _connection(self, source: SourceFolder, connection: Connection) -> ConnectionArgs:
        config, streams = connection.config, catalog(connection)
        names = [name for stream in streams for name in source.names_of((stream.namespace, stream.name))]
        losses = {naming.acknowledged_stream(source.name, name) for name in names}
        acknowledged = naming.acknowledged_connection(connection.resource) in self.stack.acknowledged
        return ConnectionArgs(
            label=self.lake.connection_label(source, connection),
            destination=config.destination,
            streams=tuple(stream_args(each, self._value) for each in streams),
            schedule=config.schedule,
            namespace_definition=config.namespace_definition,
            namespace=connection.namespace_format,
            prefix=config.prefix,
            non_breaking_changes=config.non_breaking_changes,
            notify_schema_changes=config.notify_schema_changes,
            tags=tuple(self.tags[name] for name in config.tags),
            status=config.status,
            resource_requirements=config.resource_requirements,
            allow_cursor_loss=True if losses & self.stack.acknowledged else None,
            # The engine refuses to replace what is protected, unless the same update ends the protection.
            protect=self.stack.protect_sources and not acknowledged,
        )

    def _actor(self, label: str, config: SourceConfig | DestinationConfig) -> ActorArgs:
        return ActorArgs(
            name=label,
            definition_id=self._definition_id(config.connector),
            workspace_id=self.stack.workspace_id,
            configuration=cast("Mapping[str, Any]", substitute(config.configuration, self._value)),
            rotating=_rotating(config.configuration),
            allocation=config.resource_allocation,
        )

    def _definition_id(self, connector: str | None) -> pulumi.Input[str]:
        """The id of the connector's definition: pinned for a name, or the stack's; else the connector is an id."""
        pinned = self.lake.pinned(connector)
        if pinned is None:
            return connector or ""
        if pinned.is_own:
            return self.definitions[pinned.connector].definition_id
        reference = pinned.id_reference
        # A plain value of the stack is no output.
        return str(self.stack.value(reference)) if reference is not None else pinned.known_id or ""

    def _value(self, reference: Reference) -> pulumi.Input[Any]:
        """The value of a reference: a value of the stack, or a part of its landing zone."""
        if reference.part is None:
            return self.stack.value(reference)
        return cast("LandingZone", self.zone).part(reference.part)


def _rotating(configuration: Configuration) -> tuple[str, ...]:
    """The paths of rotating secrets, in the engine's syntax; a path that it can't express is left out."""
    paths = (property_path(("configuration", *path)) for path in rotating_paths(configuration))
    return tuple(path for path in paths if path is not None)


def _manifest(lake: Lake, connector: Connector) -> str:
    """The text of the manifest of a connector of one's own; empty if it is an image."""
    if connector.manifest is None:
        return ""
    try:
        return read_file(str(lake.directory / CONNECTORS_FOLDER / connector.manifest)).decode()
    except (UnreadableError, UnicodeDecodeError):
        raise LotusError(f"{CONNECTORS_FOLDER}/{connector.manifest} can't be read", "save it as UTF-8") from None


def _prefixes(lake: Lake, connection: Connection) -> dict[str, str]:
    """The prefix in the bucket of each stream of a connection, by the name of the stream's file."""
    if not lake.writes_files(connection):
        return {}
    return {stream.name: lake.place_of(connection, stream) for stream in connection.streams}


def _managers(named: "ObjectName", *, kubeconfig: str | None, context: str | None) -> frozenset[str] | None:
    """Who has set fields of an object on the cluster; None if there is none."""
    from lotus_infra.clients.kubernetes import Kind, field_managers  # noqa: PLC0415

    group, _, version = named.api_version.rpartition("/")
    # All kinds that the stack declares have this plural.
    kind = Kind(f"{named.kind.lower()}s", group, version)
    return field_managers(kind, named.name, named.namespace, kubeconfig=kubeconfig, context=context)
