"""The sources that dlt reads, in Dagster: an asset for each stream's files, a job for each source, and its schedule.

The secret of a source is in the pods of its job alone, by the job's tags.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import JsonValue, TypeAdapter, ValidationError

from lotus_dagster.environment import EnvironmentVariableError, required
from lotus_dagster.ingestion.land import land
from lotus_dagster.lake import Ingestion, Stream
from lotus_dagster.translator import raw_key
from lotus_infra import naming
from lotus_infra.clients.ducklake import LANDING
from lotus_infra.errors import LotusError
from lotus_infra.lake.dagster_schedule import cron_of
from lotus_infra.lake.models import Resources

_CONFIGURATION = TypeAdapter(dict[str, JsonValue])


def dlt_asset(stream: Stream, project: Path) -> dg.AssetsDefinition:
    """The files that a run of dlt lands for a stream: `["raw", "erp", "orders"]`, by the operation `erp_orders_dlt`.

    Args:
        stream: One that dlt reads.
        project: The folder of the lake.
    """
    name = naming.dlt_asset(stream.source, stream.name)
    spec = dg.AssetSpec(
        raw_key(stream.source, stream.name),
        group_name=stream.source,
        description=f"Parquet files below {stream.prefix}, landed by dlt.",
        kinds={"dlt", "parquet"},
    )

    @dg.multi_asset(name=name, specs=[spec], pool=name)
    def files(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        try:
            (landing,) = required(os.environ, LANDING)
            landed = land(stream, project, landing, configuration(stream.source), context.log)
        except LotusError as error:
            raise dg.Failure(str(error)) from error
        metadata = {naming.LANDED_ROWS: landed.rows, "generation": landed.generation}
        if landed.resumed_rows:
            metadata["rows of an earlier run"] = landed.resumed_rows
        return dg.MaterializeResult(metadata=metadata)

    return files


def configuration(source: str, environment: Mapping[str, str] = os.environ) -> dict[str, JsonValue]:
    """The configuration of a source, from the environment of a run.

    Raises:
        EnvironmentVariableError: It is missing, or is no JSON object.
    """
    name = naming.source_variable(source)
    text = environment.get(name)
    if not text:
        raise EnvironmentVariableError(
            f"the environment lacks {name} (the configuration of {source}, as JSON)",
            f"run the job {naming.dlt_job(source)}, whose runs have it; elsewhere, set it",
        )
    try:
        return _CONFIGURATION.validate_json(text)
    except ValidationError:
        # pydantic's message has the value, which may be a secret.
        raise EnvironmentVariableError(f"{name} is no JSON object", "set it to the source's configuration") from None


def dlt_jobs(streams: Sequence[Stream]) -> "Iterator[tuple[Any, dg.ScheduleDefinition | None]]":
    """The job of each source that dlt reads, and its schedule; None for one that runs on request.

    Args:
        streams: Of the lake; those that Airbyte brings have no job.

    Raises:
        UnscheduledError: A schedule that Dagster can't express, which the checks refuse.
    """
    read = sorted((stream for stream in streams if stream.ingestion is not None), key=lambda stream: stream.source)
    for source, each in groupby(read, key=lambda stream: stream.source):
        group = list(each)
        (first, *_) = (stream.ingestion for stream in group if stream.ingestion is not None)
        keys = [raw_key(stream.source, stream.name) for stream in group]
        job = dg.define_asset_job(
            naming.dlt_job(source),
            selection=dg.AssetSelection.assets(*keys),
            description=f"Lands the streams of {source} with dlt.",
            tags={"lotus/source": source, "dagster/max_retries": "2", "dagster-k8s/config": _pod(source, first)},
        )
        yield job, _schedule(source, first, job)


def _schedule(source: str, ingestion: Ingestion, job: Any) -> dg.ScheduleDefinition | None:
    cron = cron_of(ingestion.schedule)
    if cron is None:
        return None
    status = dg.DefaultScheduleStatus.STOPPED if ingestion.is_paused else dg.DefaultScheduleStatus.RUNNING
    return dg.ScheduleDefinition(
        name=naming.dlt_schedule(source),
        job=job,
        cron_schedule=cron.expression,
        execution_timezone=cron.time_zone,
        default_status=status,
    )


def _pod(source: str, ingestion: Ingestion) -> str:
    """The pod of a run, in the words of dagster-k8s: it has the source's secret, and the source's resources.

    The secret comes after those of all runs, so that its keys of the landing bucket, which may write, count.
    """
    container: dict[str, Any] = {"env_from": [{"secret_ref": {"name": naming.source_secret(source)}}]}
    resources = _resources(ingestion.resources) if ingestion.resources is not None else {}
    return json.dumps({"container_config": container | ({"resources": resources} if resources else {})})


def _resources(of: Resources) -> dict[str, dict[str, str]]:
    """Requests and limits as Kubernetes names them."""
    given = {
        "requests": {
            "cpu": of.cpu_request,
            "memory": of.memory_request,
            "ephemeral-storage": of.ephemeral_storage_request,
        },
        "limits": {"cpu": of.cpu_limit, "memory": of.memory_limit, "ephemeral-storage": of.ephemeral_storage_limit},
    }
    found = {kind: {name: value for name, value in each.items() if value} for kind, each in given.items()}
    return {kind: each for kind, each in found.items() if each}
