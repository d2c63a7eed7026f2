"""Everything that Dagster loads, from the stream files and dbt's manifest; no network, no variable but `LOTUS_STACK`.

`dagster dev -m lotus_dagster.code_location`. Where the manifest is missing or older than the dbt project, as on a
developer's machine, dbt parses the project first; an image brings the manifest along.
"""

import fcntl
import logging
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg

from lotus_dagster.assets import POOL, job_asset, mart_assets, raw_asset, stream_assets, table_assets
from lotus_dagster.automation import automation_sensor, empty_model_condition
from lotus_dagster.dbt_command import dbt_of
from lotus_dagster.environment import STACK
from lotus_dagster.ingestion.assets import dlt_asset, dlt_jobs
from lotus_dagster.jobs.connections import NOTHING, ByJobs, JobConnection
from lotus_dagster.jobs.sensor import jobs_sensor
from lotus_dagster.lake import Stream, streams_in_stack
from lotus_dagster.location_build import Build
from lotus_dagster.manifest import Manifest, ManifestError
from lotus_dagster.quarantine import quarantine_check
from lotus_dagster.retries import mart_retry_sensor
from lotus_dagster.sensors import stream_sensor
from lotus_infra import dagster_fingerprint, naming
from lotus_infra.errors import ProjectError

_DBT_FILE = dagster_fingerprint.DBT_PROJECT / "dbt_project.yml"
_OWN = Path(__file__).resolve().parents[2]


def project_folder(start: Path, own: Path = _OWN) -> Path:
    """The folder of the lake: the nearest one at or above `start` that has a dbt project and `streams/`.

    Args:
        start: The current folder.
        own: The repository of this module, which is a lake too. An installed package is in none.

    Raises:
        ProjectError: There is no such folder.
    """
    for folder in (start, *start.parents, own):
        if (folder / _DBT_FILE).is_file() and (folder / "streams").is_dir():
            return folder
    raise ProjectError(f"no {_DBT_FILE} with streams/ at or above {start}", "start Dagster in the lake's folder")


REPOSITORY = project_folder(Path.cwd())
STREAMS = REPOSITORY / "streams"
DBT_PROJECT = REPOSITORY / dagster_fingerprint.DBT_PROJECT


def definitions_of(  # noqa: PLR0913, PLR0917, what a lake has
    streams: tuple[Stream, ...],
    manifest: Manifest,
    project: Path,
    build: Build | None = None,
    left_out: tuple[Stream, ...] = (),
    by_jobs: ByJobs = NOTHING,
) -> dg.Definitions:
    """The definitions of a lake.

    Args:
        streams: Of the stream files; those that land as files.
        manifest: Of the dbt project.
        project: The dbt project's folder, where runs call dbt.
        build: Shown as the resource `build`; none by default.
        left_out: Streams of sources that the stack leaves out: their models exist without rows, for the marts that
            read them.
        by_jobs: What arrives by jobs.
    """
    lake = project.resolve().parents[1]
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = [
        raw_asset(stream) if stream.ingestion is None else dlt_asset(stream, lake) for stream in streams
    ]
    jobs = list(dlt_jobs(streams))
    models = _file_models(streams, manifest)
    assets += models.values()
    checks = [
        quarantine_check(dg.AssetKey(naming.asset_key(stream.source, stream.name)), POOL, stream.prefix)
        for stream in models
    ]
    sensors = [stream_sensor(stream, made) for stream, made in models.items()]
    for connection in by_jobs.connections:
        tables = _table_models(connection, manifest)
        assets += [*map(job_asset, connection.streams), *tables.values()]
        sensors.append(jobs_sensor(connection, tables))
    automatic = _automatic_models(streams, left_out, by_jobs, manifest)
    if automatic:
        assets += automatic
        sensors += [automation_sensor(*automatic), mart_retry_sensor(*automatic)]
    resources = {"dbt": dbt_of(project), **({} if build is None else {"build": build})}
    # A run has one or two steps that share what dbt has parsed: a process for each would import and parse again.
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        jobs=[job for job, _ in jobs],
        schedules=[schedule for _, schedule in jobs if schedule is not None],
        sensors=sensors,
        resources=resources,
        executor=dg.in_process_executor,
    )


def _file_models(streams: tuple[Stream, ...], manifest: Manifest) -> dict[Stream, dg.AssetsDefinition]:
    """The models of streams that land as files; a stream without one lands and nothing reads it."""
    models: dict[Stream, dg.AssetsDefinition] = {}
    for stream in streams:
        part = manifest.tagged(stream.tag)
        if part is not None:
            models[stream] = stream_assets(stream, part)
        else:
            log = logging.getLogger(__name__)
            log.warning("No dbt model has the tag %s: the stream lands and nothing reads it.", stream.tag)
    return models


def _automatic_models(
    streams: tuple[Stream, ...], left_out: tuple[Stream, ...], by_jobs: ByJobs, manifest: Manifest
) -> list[dg.AssetsDefinition]:
    """The models that materialize by themselves: of streams that are left out, and marts."""
    parts = [(stream, manifest.tagged(stream.tag)) for stream in left_out]
    automatic = [stream_assets(stream, part, empty_model_condition()) for stream, part in parts if part is not None]
    tags = [
        *(stream.tag for stream in (*streams, *left_out)),
        *(each.tag for each in by_jobs.with_models),
        *by_jobs.left_out,
    ]
    marts = manifest.untagged(tags)
    return automatic if marts is None else [*automatic, mart_assets(marts, tags)]


def _table_models(connection: JobConnection, manifest: Manifest) -> dict[str, dg.AssetsDefinition]:
    """The models of a connection's streams, by the name of the stream's file."""
    models: dict[str, dg.AssetsDefinition] = {}
    for stream in connection.streams:
        part = manifest.tagged(stream.tag) if stream.has_models else None
        if part is not None:
            models[stream.name] = table_assets(stream, part)
        elif stream.has_models:
            log = logging.getLogger(__name__)
            log.warning("No dbt model has the tag %s: the stream arrives and nothing reads it.", stream.tag)
    return models


def current_manifest(project: Path) -> Path:
    """The project's manifest, made by `dbt parse` when it is missing or older than the project.

    Raises:
        ManifestError: dbt can't parse the project.
    """
    file = project / "target" / "manifest.json"
    try:
        file.parent.mkdir(exist_ok=True)
        opened = (file.parent / ".lock").open("w")
    except OSError:
        # A read-only folder, as in an image, has no writer to wait for: its manifest is used as it is.
        return file
    # Dagster loads definitions in several processes at once, and dbt writes its manifest in place.
    with opened as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        newest = max(
            path.stat().st_mtime for pattern in dagster_fingerprint.DBT_FILES for path in project.glob(pattern)
        )
        if not file.is_file() or file.stat().st_mtime < newest:
            _parse(project)
    return file


def _parse(project: Path) -> None:
    command = [sys.executable, "-m", "dbt.cli.main", "parse", "--quiet"]
    parsed = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)  # noqa: S603
    if parsed.returncode:
        raise ManifestError(f"dbt can't parse {project}: {parsed.stdout.strip()}", "repair the project")


def load() -> dg.Definitions:
    """The definitions of the lake in this folder."""
    manifest = Manifest.read(current_manifest(DBT_PROJECT))
    streams = streams_in_stack(STREAMS, os.environ.get(STACK, ""))
    return definitions_of(
        streams.deployed,
        manifest,
        DBT_PROJECT,
        Build.of(REPOSITORY),
        streams.left_out,
        streams.by_jobs,
    )
