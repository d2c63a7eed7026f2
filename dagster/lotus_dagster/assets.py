"""The lake's assets: the files that land, the models of each stream, and the marts behind them."""

import json
from collections.abc import Iterator
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import dbt_assets
from pydantic import Field, field_validator

from lotus_dagster import automation, bookkeeping
from lotus_dagster.arrivals.partitions import is_unit
from lotus_dagster.dbt_command import LotusDbt, attached_lake
from lotus_dagster.environment import Warehouse
from lotus_dagster.jobs.connections import JobStream
from lotus_dagster.lake import Stream
from lotus_dagster.manifest import Json
from lotus_dagster.model_builds import Builder
from lotus_dagster.quarantine import below
from lotus_dagster.translator import LotusTranslator, raw_key
from lotus_infra import naming
from lotus_infra.errors import LotusError

POOL = "lotus_warehouse"
MARTS = "marts_dbt"


class StreamRun(dg.Config):
    """What a run of a stream reads; by default all files that were not read yet."""

    partitions: list[str] = Field(default=[])
    """Days and months to look at, such as "2026-01-05" and "2025-11"."""

    rebuild: bool = False
    """Rebuild the models from all files."""

    release: list[str] = Field(default=[])
    """Files to take out of quarantine first, by their keys below the landing zone; `*` for all of the stream."""

    @field_validator("partitions")
    @classmethod
    def _check_partitions(cls, partitions: list[str]) -> list[str]:
        """Anyone who may start a run writes them, and they become parts of paths."""
        wrong = [unit for unit in partitions if not is_unit(unit)]
        if wrong:
            raise ValueError(
                f"{json.dumps(wrong[0])} is no day and no month: write days and months, such as 2026-01-05 or 2025-11"
            )
        return partitions


def raw_asset(stream: Stream) -> dg.AssetSpec:
    """The files that Airbyte lands for a stream; Dagster watches them and makes none."""
    return dg.AssetSpec(
        raw_key(stream.source, stream.name),
        group_name=stream.source,
        description=f"Parquet files below {stream.prefix}, landed by Airbyte.",
        kinds={"airbyte", "parquet"},
    )


def job_asset(stream: JobStream) -> dg.AssetSpec:
    """What Airbyte writes for a stream that does not land as files; Dagster watches it and makes none."""
    return dg.AssetSpec(
        raw_key(stream.source, stream.name),
        group_name=stream.source,
        description=f"{stream.place[0].upper()}{stream.place[1:]}, written by Airbyte.",
        kinds=set(stream.kinds),
        metadata={"dagster/table_name": stream.table} if stream.table else {},
    )


def stream_assets(
    stream: Stream, manifest: Json, when: "dg.AutomationCondition[Any] | None" = None
) -> dg.AssetsDefinition:
    """The dbt models of a stream, `shopify_orders_dbt`; `when`, if given, is when they materialize by themselves."""

    @dbt_assets(
        manifest=manifest,
        select=f"tag:{stream.tag}",
        name=naming.dbt_assets(stream.source, stream.name),
        dagster_dbt_translator=LotusTranslator(stream.source, when),
        pool=POOL,
    )
    def models(context: dg.AssetExecutionContext, dbt: LotusDbt, config: StreamRun) -> Iterator[Any]:
        warehouse = Warehouse.read()
        _release(stream, config.release, warehouse)
        builder = Builder(dbt, context, config.partitions, full_refresh=config.rebuild)
        yield from builder.events(builder.build_without_bad_files(stream, warehouse))

    return models


def _release(stream: Stream, files: list[str], warehouse: Warehouse) -> None:
    if files:
        with attached_lake(warehouse) as connection:
            try:
                _release_of_models(connection, stream, files)
            except LotusError as error:
                raise dg.Failure(str(error)) from error


def _release_of_models(connection: duckdb.DuckDBPyConnection, stream: Stream, files: list[str]) -> None:
    inside = below(connection, stream.prefix)
    # Without any, the error names the stream's own model.
    for model in sorted({one.model for one in inside}) or [naming.dbt_model(stream.source, stream.name)]:
        others = {one.file for one in inside if one.model != model} - {one.file for one in inside if one.model == model}
        bookkeeping.release(connection, model, [file for file in files if file not in others])


def table_assets(stream: JobStream, manifest: Json) -> dg.AssetsDefinition:
    """The dbt models of a stream that Airbyte writes into a table, `crm_contacts_dbt`: they read the whole table."""

    @dbt_assets(
        manifest=manifest,
        select=f"tag:{stream.tag}",
        name=naming.dbt_assets(stream.source, stream.name),
        dagster_dbt_translator=LotusTranslator(stream.source),
        pool=POOL,
    )
    def models(context: dg.AssetExecutionContext, dbt: LotusDbt) -> Iterator[Any]:
        Warehouse.read()
        builder = Builder(dbt, context)
        yield from builder.events(builder.build())

    return models


def mart_assets(manifest: Json, tags: list[str]) -> dg.AssetsDefinition:
    """The models of no stream: they materialize as soon as one of their upstreams has."""

    @dbt_assets(
        manifest=manifest,
        exclude=" ".join(f"tag:{tag}" for tag in tags) or None,
        name=MARTS,
        dagster_dbt_translator=LotusTranslator(automation.GROUP, automation.mart_condition()),
        pool=POOL,
    )
    def marts(context: dg.AssetExecutionContext, dbt: LotusDbt) -> Iterator[Any]:
        Warehouse.read()
        builder = Builder(dbt, context)
        yield from builder.events(builder.build())

    return marts
