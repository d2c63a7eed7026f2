"""The whole stack on one screen: settings, lake, checks, components, exports."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pulumi
from airbyte_model.streams import key_of, shown

from lotus_infra import naming
from lotus_infra.clients import kubernetes
from lotus_infra.components.airbyte import ActorSettings, ConnectionSettings, Destination, Pipeline, PipelineSettings
from lotus_infra.config import production, pulumi_config
from lotus_infra.config.dagster import Values
from lotus_infra.config.pulumi_config import DagsterStack, Settings
from lotus_infra.dagster_fingerprint import fingerprint
from lotus_infra.errors import LakeError, LotusError
from lotus_infra.helm.values import LakeBucket, planned
from lotus_infra.lake.lake import Lake, SourceFolder, catalog
from lotus_infra.lake.models import Configuration, DestinationConfig, SourceConfig
from lotus_infra.lake.references import Reference, engine_path, rotating, substitute
from lotus_infra.lake.report import check_lake, render

if TYPE_CHECKING:
    from lotus_infra.components.dagster import Dagster
    from lotus_infra.components.landing_zone import LandingZone


async def run() -> None:
    """Declare the stack that the current configuration describes; a mistake anywhere declares nothing.

    It yields once at its end. The SDK then finds every registration under way and waits for each in turn; without that
    it waits again for all that are left whenever one is done, which costs the square of their number (`wait_for_rpcs`
    in pulumi, sdk/python/lib/pulumi/runtime/stack.py).

    Raises:
        pulumi.RunError: with the whole list of mistakes.
    """
    try:
        production.check(pulumi_config.run_in(Path.cwd()))
        pulumi_config.refuse_shared_workspace(Path.cwd())
        stack = pulumi_config.load(Path.cwd())
        declare(checked(stack), stack, dagster_values(stack))
    except LotusError as error:
        raise pulumi.RunError(str(error)) from None
    await asyncio.sleep(0)


def checked(stack: Settings) -> Lake:
    """The lake, held against every rule before the first resource is declared.

    Raises:
        LakeError: with every problem, as `lotus check` lists them.
    """
    report = check_lake(stack.streams, [stack.values])
    for notice in report.notices:
        pulumi.log.info(str(notice))
    if report.problems:
        raise LakeError(render(report))
    return report.lake


def dagster_values(stack: Settings) -> Values:
    """The values of Dagster's release, checked before the first resource is declared; none where there is no Dagster.

    Raises:
        LotusError: they are not as the chart wants them, or this folder is not the whole project.
    """
    if stack.dagster is None or stack.landing_zone is None:
        pulumi.log.info("No Dagster is deployed: the stack's lotus:dagster does not say deploy: true.")
        return {}
    zone = stack.landing_zone
    place = LakeBucket(zone.landing, zone.region, zone.endpoint)
    return planned(stack.dagster.settings, place, fingerprint(Path.cwd()))


def declare(lake: Lake, stack: Settings, values: Values) -> None:
    """Declare where data lands, the destinations in use, a pipeline for each source, and Dagster; export all that."""
    parts = Parts(lake, stack, _landing_zone(stack))
    used = sorted({_config(source).destination for source in lake.sources})
    destinations = {name: parts.destination(name) for name in used}
    exports: dict[str, Any] = {}
    for source in lake.sources:
        destination = _config(source).destination
        pipeline = Pipeline(naming.source_resource(source.name), parts.pipeline(source), destinations[destination])
        exports[source.name] = {"connectionId": pipeline.connection_id, "streams": _prefixes(lake, source)}
    pulumi.export("sources", exports)
    if parts.zone is not None:
        pulumi.export("landing", parts.zone.exports())
        if stack.dagster is not None:
            pulumi.export("dagster", _dagster(stack.dagster, parts.zone, values).exports())


def _landing_zone(stack: Settings) -> "LandingZone | None":
    if stack.landing_zone is None:
        return None
    # A third of the program's start, which a lake in somebody else's bucket does without.
    from lotus_infra.components.landing_zone import LandingZone  # noqa: PLC0415

    backups = stack.dagster is not None and stack.dagster.settings.backs_up
    return LandingZone(naming.LANDING_ZONE, stack.landing_zone, stack.identities, backups=backups)


def _dagster(dagster: DagsterStack, zone: "LandingZone", values: Values) -> "Dagster":
    from lotus_infra.components.dagster import Dagster, DagsterPlan  # noqa: PLC0415, Kubernetes' SDK takes as long

    settings = dagster.settings
    plan = DagsterPlan(
        settings=settings,
        values=values,
        database_password=dagster.database_password,
        catalog_password=dagster.catalog_password,
        reader=zone.reader,
        backups=zone.backups(),
        why=partial(kubernetes.explain_failed_pods, settings.namespace.name, **dict(settings.cluster)),
    )
    return Dagster(naming.DAGSTER, plan)


@dataclass(frozen=True)
class Parts:
    """Makes the settings of components from the lake's files, the stack's values and the landing zone."""

    lake: Lake
    stack: Settings
    zone: "LandingZone | None"

    def destination(self, name: str) -> Destination:
        """The destination of a file."""
        config = cast("DestinationConfig", self.lake.destinations[name])
        return Destination(naming.destination_resource(name), self._actor(self.lake.destination_label(name), config))

    def pipeline(self, source: SourceFolder) -> PipelineSettings:
        """The source and the connection of a folder."""
        config = _config(source)
        streams = catalog(source)
        names = [name for stream in streams for name in (stream.name, shown(key_of((stream.namespace, stream.name))))]
        lost = {naming.acknowledged_stream(source.name, name) for name in names}
        return PipelineSettings(
            source=self._actor(source.label, config),
            connection=ConnectionSettings(
                label=naming.connection_label(source.label, self.lake.destination_label(config.destination)),
                streams=streams,
                schedule=config.schedule,
                namespace=source.namespace,
                prefix=config.prefix,
                non_breaking_changes=config.non_breaking_changes,
                notify_schema_changes=config.notify_schema_changes,
                allow_cursor_loss=True if lost & self.stack.acknowledged else None,
            ),
            protect=self.stack.protect_sources,
        )

    def _actor(self, label: str, config: SourceConfig | DestinationConfig) -> ActorSettings:
        return ActorSettings(
            name=label,
            definition_id=self._definition_id(config.connector),
            workspace_id=self.stack.workspace_id,
            configuration=self._configuration(config.configuration),
            rotating=_rotating(config.configuration),
        )

    def _definition_id(self, connector: str) -> str:
        """The connector's definition: pinned, or (checked before) given as an id."""
        pinned = self.lake.pinned(connector)
        return pinned.definition_id if pinned is not None else connector

    def _configuration(self, configuration: Configuration) -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", substitute(configuration, self._value))

    def _value(self, reference: Reference) -> pulumi.Input[Any]:
        """A value of the stack, or a part of its landing zone, which (checked before) it then has."""
        if reference.part is None:
            return self.stack.value(reference)
        return cast("LandingZone", self.zone).part(reference.part)


def _rotating(configuration: Configuration) -> tuple[str, ...]:
    paths = (engine_path(("configuration", *path)) for path in rotating(configuration))
    return tuple(path for path in paths if path is not None)


def _config(source: SourceFolder) -> SourceConfig:
    return cast("SourceConfig", source.config)


def _prefixes(lake: Lake, source: SourceFolder) -> dict[str, str]:
    """The streams of a source by name, each with the S3 prefix under which its files are."""
    return {stream.name: lake.prefix_of(source, stream.name) for stream in catalog(source)}
