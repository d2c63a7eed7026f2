"""What `lotus doctor` says of sources that dlt reads, and of databases that Dagster reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from lotus_infra import naming
from lotus_infra.commands.doctor import examine
from lotus_infra.commands.doctor.context import StackContext
from lotus_infra.commands.doctor.sources import sources
from sandbox.process import free_port
from tests.support.commands import stand_in_engine, write_stack
from tests.support.dlt_lake import write_source
from tests.support.lakes import clean_files, source, stream, write
from tests.support.postgres import Postgres
from tests.support.postgres_lake import Database, destination, new_database, pin

BUCKETS = {"landing": "landing", "backup": "backup", "state": "state"}
ZONE = {"server": "s3", "region": "us-west-1", "endpoint": "http://127.0.0.1:1", **BUCKETS}
DAGSTER = {"deploy": True, "chart": {"version": "1.13.27"}, "image": "ghcr.io/example/lake:1.0.0"}
VALUES = {"lotus:erp_url": "https://erp.example.com", "lotus:erp_api_key": {"secure": "v1:abc"}}
DEPLOYED: dict[str, Any] = {"lotus:dagster": DAGSTER, "lotus:landingZone": ZONE}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose lake has one source, which dlt reads."""
    (tmp_path / "Pulumi.yaml").write_text(json.dumps({"name": "lotus", "runtime": "python"}))
    files = {name: content for name, content in clean_files().items() if not name.startswith("shop/")}
    write(tmp_path / "streams", files)
    write_source(tmp_path)
    return tmp_path


def told(project: Path, values: dict[str, Any], **environment: str) -> list[tuple[str, str]]:
    write_stack(project, "dev", values)
    found = list(sources(StackContext.of(project / "streams", "dev", environment)))
    assert all(each.remedy or each.state == "ok" for each in found)
    return [(each.state, each.what) for each in found]


def test_a_source_with_its_module_its_values_and_a_dagster_is_well(project: Path) -> None:
    assert told(project, VALUES | DEPLOYED) == [
        ("ok", "1 source that dlt reads: each has its module"),
        ("ok", "the stack has every value that they refer to"),
    ]


def test_a_missing_module_a_missing_value_and_a_missing_dagster_are_broken(project: Path) -> None:
    (project / "dagster" / "sources" / "erp.py").unlink()

    module, dagster, value = told(project, {"lotus:erp_url": "https://erp.example.com"})

    assert module == ("broken", "dlt reads erp, and dagster/sources/erp.py is missing")
    assert dagster == ("broken", "dlt reads erp in runs of Dagster, and the stack deploys no Dagster")
    assert value[0] == "broken"
    assert value[1].startswith("erp/_source.json: configuration.api_key: ")


def test_a_lake_without_such_sources_has_no_result(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(json.dumps({"name": "lotus", "runtime": "python"}))
    write(tmp_path / "streams", clean_files())
    assert told(tmp_path, {}) == []


def crm(project: Path, database: Database) -> None:
    files = {
        "_connectors/destination-postgres.json": pin(),
        "_destinations/crm_db.json": destination(database),
        "crm/_source.json": source(name="CRM", destination="crm_db"),
        "crm/contacts.json": stream(stream="users"),
    }
    write(project / "streams", files)


def test_a_database_that_models_read_answers_or_is_not_checked(project: Path, postgres: Postgres) -> None:
    database, variable = new_database(postgres), naming.warehouse_variable("crm_db")
    crm(project, database)
    values = VALUES | DEPLOYED | {"lotus:warehouse_password": {"secure": "v1:abc"}}

    assert told(project, values)[-1] == (
        "warning",
        "the database of crm_db is not checked: LOTUS_WAREHOUSE_CRM_DB is not set",
    )
    state, what = told(project, values, **{variable: database.libpq})[-1]
    assert state == "ok"
    assert what.startswith("the database of crm_db answers: Postgres ")
    away = f"dbname=crm host=127.0.0.1 port={free_port()} user=lake password=first"
    state, what = told(project, values, **{variable: away})[-1]
    assert state == "broken"
    assert what.startswith("the database of crm_db: it can't be reached: ")


def test_a_lake_that_airbyte_reads_nothing_of_needs_no_airbyte(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_stack(project, "dev", VALUES)
    stand_in_engine(project, monkeypatch, "exit 1")
    case = StackContext.of(project / "streams", "dev", {"PATH": str(project / "bin")})

    assert [each for each in examine(case).findings if each.area == "airbyte"] == []
    write(project / "streams", {"shop/_source.json": source(), "shop/orders.json": stream()})
    case = StackContext.of(project / "streams", "dev", {"PATH": str(project / "bin")})
    assert [each.state for each in examine(case).findings if each.area == "airbyte"] == ["broken"]
