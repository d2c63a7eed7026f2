"""The whole stack on one screen: settings, lake, checks, components, exports."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pulumi

from lotus_infra import catalog, naming, settings
from lotus_infra.components.connection import ConnectionSettings
from lotus_infra.components.destination import Destination, DestinationSettings
from lotus_infra.components.pipeline import Pipeline, PipelineSettings
from lotus_infra.components.source import SourceSettings
from lotus_infra.errors import LakeError, LotusError
from lotus_infra.settings import Settings
from lotus_infra.streams.lake import Lake, SourceFolder
from lotus_infra.streams.model import Configuration, DestinationConfig, SourceConfig
from lotus_infra.streams.references import substitute
from lotus_infra.streams.report import check_lake, render


def run() -> None:
    """Declare the stack that the current configuration describes; a mistake anywhere declares nothing.

    Raises:
        pulumi.RunError: with the whole list of mistakes.
    """
    try:
        stack = settings.load(Path.cwd())
        declare(checked(stack), stack)
    except LotusError as error:
        raise pulumi.RunError(str(error)) from None


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


def declare(lake: Lake, stack: Settings) -> None:
    """Declare the destinations that are used, then a pipeline for each source, and export what there is."""
    used = sorted({_config(source).destination for source in lake.sources})
    destinations = {name: _destination(lake, stack, name) for name in used}
    exports: dict[str, Any] = {}
    for source in lake.sources:
        destination = _config(source).destination
        pipeline = Pipeline(
            naming.source_resource(source.name), _pipeline(lake, stack, source), destinations[destination]
        )
        exports[source.name] = {"connectionId": pipeline.connection_id, "streams": _landing(lake, source)}
    pulumi.export("sources", exports)


def _destination(lake: Lake, stack: Settings, name: str) -> Destination:
    config = cast("DestinationConfig", lake.destinations[name])
    return Destination(
        naming.destination_resource(name),
        DestinationSettings(
            label=lake.destination_label(name),
            definition_id=_definition_id(lake, config.connector),
            workspace_id=stack.workspace_id,
            configuration=_configuration(config.configuration, stack),
        ),
    )


def _pipeline(lake: Lake, stack: Settings, source: SourceFolder) -> PipelineSettings:
    config = _config(source)
    return PipelineSettings(
        source=SourceSettings(
            label=source.label,
            definition_id=_definition_id(lake, config.connector),
            workspace_id=stack.workspace_id,
            configuration=_configuration(config.configuration, stack),
        ),
        connection=ConnectionSettings(
            label=naming.connection_label(source.label, lake.destination_label(config.destination)),
            streams=catalog.catalog(source),
            schedule=config.schedule,
            namespace=source.namespace,
            prefix=config.prefix,
            non_breaking_changes=config.non_breaking_changes,
        ),
        protect=stack.protect_sources,
    )


def _definition_id(lake: Lake, connector: str) -> str:
    """The connector's definition: pinned, or (checked before) given as an id."""
    pinned = lake.pinned(connector)
    return pinned.definition_id if pinned is not None else connector


def _configuration(configuration: Configuration, stack: Settings) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", substitute(configuration, stack.value))


def _config(source: SourceFolder) -> SourceConfig:
    return cast("SourceConfig", source.config)


def _landing(lake: Lake, source: SourceFolder) -> dict[str, str]:
    """The streams of a source by name, each with the S3 prefix under which its files are."""
    config = _config(source)
    destination = lake.destination_of(source)
    path = destination.configuration.get("s3_bucket_path", "") if destination is not None else ""
    return {
        stream.name: naming.s3_prefix(source.namespace, stream.name, prefix=config.prefix, path=str(path))
        for stream in catalog.catalog(source)
    }
