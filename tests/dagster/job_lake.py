"""A lake with a source in each kind of place, and an Airbyte with its connections: jobs as a test puts them there."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airbyte_twin.records import Connection, Job, JobStatus
from airbyte_twin.testing import RunningTwin
from lotus_dagster.definitions import DBT_PROJECT, STREAMS, current_manifest

from lotus_infra import naming

CRM = "11111111-1111-4111-8111-111111111111"
ADS = "22222222-2222-4222-8222-222222222222"
HOUR = 3600
BEGAN = 1_768_867_200  # 2026-01-20
_STREAM = {
    "sync_mode": "incremental",
    "destination_sync_mode": "append",
    "primary_key": [["id"]],
    "cursor_field": ["updated_at"],
    "fields": {"id": {"type": "integer"}, "updated_at": {"type": "string", "format": "date-time"}},
}
_DESTINATIONS: dict[str, Any] = {
    "crm_db": {"connector": "destination-postgres", "configuration": {"database": "crm", "schema": "public"}},
    "dwh": {"connector": "destination-snowflake", "configuration": {"database": "raw"}},
    "archive": {
        "connector": "destination-s3",
        "configuration": {"s3_bucket_name": "archive", "s3_bucket_path": "old"},
    },
    "sheets": {"connector": "destination-google-sheets", "configuration": {}},
}
_SOURCES: dict[str, Any] = {
    "crm": {"streams": ("contacts", "deals"), "destination": "crm_db"},
    "ads": {"streams": ("clicks",), "destination": "dwh"},
    "logs": {"streams": ("lines",), "destination": "archive"},
    "forms": {"streams": ("answers",), "destination": "sheets"},
}


def write_streams(folder: Path) -> Path:
    """The repository's stream files, and a source for each kind of place that is not the landing zone."""
    streams = folder / "streams"
    shutil.copytree(STREAMS, streams)
    for name, destination in _DESTINATIONS.items():
        _write(streams / f"_destinations/{name}.json", destination)
    for name, source in _SOURCES.items():
        _write(
            streams / name / "_source.json",
            {"connector": f"source-{name}", "configuration": {}, "destination": source["destination"]},
        )
        for stream in source["streams"]:
            _write(streams / name / f"{stream}.json", {"stream": stream, **_STREAM})
    return streams


def write_project(folder: Path) -> Path:
    """The dbt project, with models of the streams of `crm`."""
    project = folder / "dbt"
    current_manifest(DBT_PROJECT)
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("manifest.json", "logs"))
    models = project / naming.dbt_models_folder("crm")
    models.mkdir()
    names: tuple[str, ...] = _SOURCES["crm"]["streams"]
    tables = [{"name": name, "identifier": name} for name in names]
    sources = {"version": 2, "sources": [{"name": "crm", "database": "crm_db", "schema": "crm", "tables": tables}]}
    _write(models / "_crm__sources.yml", sources)  # JSON is YAML
    described = [{"name": naming.dbt_model("crm", name), "columns": [_KEY]} for name in names]
    _write(models / "_crm__models.yml", {"version": 2, "models": described})
    for name in names:
        (models / f"{naming.dbt_model('crm', name)}.sql").write_text(MODEL % {"name": name})
    return project


_KEY = {"name": "id", "data_tests": ["unique"]}
MODEL = (
    "{{ config(materialized='table', tags=['crm__%(name)s']) }}\n"
    "select id, count(*) as versions from {{ source('crm', '%(name)s') }} group by id\n"
)


def _write(file: Path, document: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=2))


@dataclass(frozen=True)
class Server:
    """An Airbyte with the lake's connections."""

    running: RunningTwin

    def __post_init__(self) -> None:
        for identity in (CRM, ADS):
            known = {"id": identity, "name": identity, "source_id": identity, "destination_id": identity}
            workspace = {"workspace_id": self.running.workspace_id, "catalog_id": identity}
            self.running.store.connections.put(Connection(**known, **workspace, streams=(), created_at=BEGAN))

    def job(
        self,
        number: int,
        status: JobStatus = "succeeded",
        *,
        created: int | None = None,
        ended: int | None = None,
        connection: str = CRM,
        kind: Any = "sync",
    ) -> None:
        """Put a job there, or another status of one; times in seconds since the lake began."""
        at = number * HOUR if created is None else created
        self.running.store.jobs.put(
            Job(
                id=str(number),
                connection_id=connection,
                type=kind,
                status=status,
                created_at=BEGAN + at,
                updated_at=BEGAN + (at + 60 if ended is None else ended),
                rows_synced=number * 10,
                bytes_synced=number * 1000,
            )
        )

    def environment(self, **credentials: str) -> dict[str, str]:
        """The variables of Dagster's code location."""
        return {
            naming.AIRBYTE_VARIABLE: json.dumps({"url": self.running.public_url, **credentials}),
            naming.CONNECTIONS_VARIABLE: json.dumps({"crm": CRM, "ads": ADS}),
        }
