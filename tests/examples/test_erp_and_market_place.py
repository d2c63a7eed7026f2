"""The example of an ERP and a market place: its modules by dlt against stand-ins of the APIs, and its whole lake."""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import duckdb
import pytest
from airbyte_model.modes import DestinationMode
from lotus_dagster.ingestion.land import Landed, land
from lotus_dagster.lake import streams_of

from lotus_infra import naming
from lotus_infra.clients.ducklake import LakeAddress, attach
from tests.engine.harness import REPOSITORY
from tests.examples.faire import PATH, TOKEN, Faire, item
from tests.examples.odoo import DATABASE, PASSWORD, USER, Odoo

EXAMPLE = REPOSITORY / "docs/examples/erp-and-market-place"


@dataclass
class Project:
    """The example in a lake, with the APIs that it reads.

    Attributes:
        folder: The lake's repository.
        landing: Where files land.
        configurations: By source.
    """

    folder: Path
    landing: Path
    odoo: Odoo = field(default_factory=Odoo)
    faire: Faire = field(default_factory=Faire)
    configurations: dict[str, dict[str, Any]] = field(default_factory=dict)

    def land(self, source: str, stream: str) -> Landed:
        """A run of dlt for a stream."""
        found = next(one for one in streams_of(self.folder / "streams") if (one.source, one.name) == (source, stream))
        return land(found, self.folder, str(self.landing), self.configurations[source], logging.getLogger("example"))

    def landed(self, source: str, stream: str, *columns: str) -> list[tuple[Any, ...]]:
        """The rows that have landed, in the order of their ids and cursors."""
        files = f"{self.landing}/raw/{source}/{stream}/*/*/*/*.parquet"
        query = f"select {', '.join(columns)} from read_parquet(?, union_by_name = true) order by all"
        return duckdb.execute(query, [files]).fetchall()


def copy_of_example(folder: Path) -> Path:
    """A lake with the example in it, and its stack's file."""
    shutil.copytree(EXAMPLE, folder)
    for name in ("_destinations", "_connectors"):
        shutil.copytree(REPOSITORY / "streams" / name, folder / "streams" / name)
    for name in ("macros", "dbt_project.yml", "profiles.yml"):
        copy = shutil.copytree if (REPOSITORY / "dagster/dbt" / name).is_dir() else shutil.copy
        copy(REPOSITORY / "dagster/dbt" / name, folder / "dagster/dbt" / name)
    for name in ("Pulumi.yaml", "uv.lock"):
        shutil.copy(REPOSITORY / name, folder / name)
    zone = {"server": "s3", "region": "us-west-1", "landing": "landing", "state": "state", "backup": "backup"}
    values = {"odoo_url": "http://127.0.0.1", "odoo_database": DATABASE, "odoo_user": USER}
    keys = {"s3_access_key_id": "key", "s3_secret_access_key": "key"}
    secrets = {"odoo_password": PASSWORD, "faire_access_token": TOKEN, **keys}
    config = {f"lotus:{name}": value for name, value in {"landingZone": zone, **values, **secrets}.items()}
    (folder / "Pulumi.dev.yaml").write_text(json.dumps({"config": config}), encoding="utf-8")
    return folder


def lotus(folder: Path, *arguments: str, exit_code: int = 0) -> str:
    """What `lotus` prints in a lake."""
    command = [str(Path(sys.executable).with_name("lotus")), *arguments]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == exit_code, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    landing = tmp_path / "landing"
    landing.mkdir()
    project = Project(copy_of_example(tmp_path / "lake"), landing)
    with project.odoo.served() as odoo, project.faire.served() as faire:
        project.configurations["odoo"] = {"url": odoo, "database": DATABASE, "user": USER, "password": PASSWORD}
        project.configurations["faire"] = {"url": faire, "access_token": TOKEN}
        yield project


def test_all_pages_of_a_run_have_the_time_at_which_it_began(project: Project) -> None:
    for number in range(1, 351):
        project.odoo.order(number)
        project.odoo.passes(minutes=1)
    project.odoo.passes(hours=1)

    assert project.land("odoo", "orders").rows == 350

    queries = project.odoo.queries("/api/sales")
    assert [query["offset"] for query in queries] == ["0", "100", "200", "300"]
    assert {query["last_sync_date"] for query in queries} == {"2020-01-01 00:00:00"}
    assert [number for (number,) in project.landed("odoo", "orders", "id")] == list(range(1, 351))


def test_a_run_reads_what_was_written_since_the_run_before(project: Project) -> None:
    for number in (1, 2, 3):
        project.odoo.line(number, 1)
        project.odoo.passes(minutes=1)
    project.odoo.passes(hours=1)
    project.land("odoo", "order_lines")
    project.odoo.line(2, 1, quantity=5.0)
    project.odoo.passes(hours=1)

    assert project.land("odoo", "order_lines").rows == 1

    assert project.odoo.queries("/api/sale_order_lines")[-1]["start_date"] == "2026-02-01 09:02:00"
    assert project.landed("odoo", "order_lines", "id", "quantity") == [(1, 2.0), (2, 2.0), (2, 5.0), (3, 2.0)]
    assert project.land("odoo", "order_lines").rows == 0


def test_a_row_that_changes_behind_the_page_that_is_read_comes_with_the_next_run(project: Project) -> None:
    for number in range(1, 151):
        project.odoo.order(number)
    project.odoo.passes(hours=1)

    def change(request: Any) -> None:
        if request.parameters["offset"] == "100":
            project.odoo.passes(seconds=1)
            project.odoo.order(7, status="cancel")
            project.odoo.passes(seconds=1)
            project.odoo.order(140, status="done")

    project.odoo.before_page = change
    project.land("odoo", "orders")
    project.odoo.before_page = None
    project.odoo.passes(hours=1)
    project.land("odoo", "orders")

    landed = project.landed("odoo", "orders", "id", "write_date", "status")
    assert {number: status for number, _, status in sorted(landed)} == {
        number: {7: "cancel", 140: "done"}.get(number, "sale") for number in range(1, 151)
    }


def test_an_item_lands_with_what_its_order_says(project: Project) -> None:
    project.faire.order(1, item(1), item(2, price=None, quantity=1))
    project.faire.passes(hours=1)

    project.land("faire", "order_lines")

    columns = ("id", "order_id", "quantity", "price_amount_minor", "price_currency", "order_state", "retailer_city")
    assert project.landed("faire", "order_lines", *columns) == [
        ("oi_000001", "bo_000001", 6, 1250, "USD", "NEW", "Portland"),
        ("oi_000002", "bo_000001", 1, None, None, "NEW", "Portland"),
    ]


def test_the_items_of_a_changed_order_land_again_and_no_others(project: Project) -> None:
    for number in range(1, 121):
        project.faire.order(number, item(number))
        project.faire.passes(minutes=1)
    project.faire.passes(hours=1)
    assert project.land("faire", "order_lines").rows == 120
    project.faire.order(3, state="CANCELED")
    project.faire.passes(hours=1)

    assert project.land("faire", "order_lines").rows == 1

    assert [query["page"] for query in project.faire.queries(PATH)] == ["1", "2", "3", "1"]
    assert ("oi_000003", "CANCELED") in project.landed("faire", "order_lines", "id", "order_state")


def test_the_fields_of_the_file_land_and_no_others(project: Project) -> None:
    project.odoo.order(1, tags=["new", "EU"])
    project.odoo.passes(hours=1)

    project.land("odoo", "orders")

    files = f"{project.landing}/raw/odoo/orders/*/*/*/*.parquet"
    described = duckdb.execute("describe from read_parquet(?, hive_partitioning = false)", [files]).fetchall()
    columns = {name for name, *_ in described}
    assert "internal_note" not in columns
    assert {"_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_generation_id", "_airbyte_meta"} <= columns
    assert project.landed("odoo", "orders", "tags") == [('["new","EU"]',)]


@pytest.mark.parametrize(
    ("source", "stream", "setting"), [("odoo", "orders", "password"), ("faire", "order_lines", "access_token")]
)
def test_a_wrong_credential_fails_the_run_and_is_not_shown(
    project: Project, source: str, stream: str, setting: str
) -> None:
    project.configurations[source][setting] = "another-credential"

    with pytest.raises(Exception, match=r"refuses the login|401") as failed:
        project.land(source, stream)

    assert "another-credential" not in str(failed.value)


def test_the_example_is_a_lake_without_a_problem(tmp_path: Path) -> None:
    folder = copy_of_example(tmp_path / "lake")

    assert lotus(folder, "check").endswith("3 streams in 2 sources and 5 models: no problems\n")
    assert "raw/faire/order_lines/" in lotus(folder, "graph")


def test_rows_of_both_sources_reach_the_marts(project: Project) -> None:
    for number in range(1, 121):
        project.odoo.order(number, tags=["new", "EU"] if number % 2 else [])
        project.odoo.line(number, number, quantity=1.0, subtotal=2.5)
        project.faire.order(number, item(number, quantity=4))
    project.odoo.order(120, status="cancel")
    project.faire.order(120, state="CANCELED")
    for api in (project.odoo, project.faire):
        api.passes(hours=1)
    tables, catalog = project.folder.parent / "tables", project.folder.parent / "catalog.ducklake"
    tables.mkdir()
    variables = {
        "LOTUS_LANDING": str(project.landing),
        "LOTUS_CATALOG": str(catalog),
        "LOTUS_LAKE_DATA": str(tables),
        "DAGSTER_HOME": str(project.folder.parent / "dagster"),
        **{naming.source_variable(name): json.dumps(given) for name, given in project.configurations.items()},
    }

    command = [sys.executable, "-m", "sandbox.dagster_runs"]
    ran = subprocess.run(
        command, cwd=project.folder, env=os.environ | variables, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    with duckdb.connect() as connection:
        attach(connection, LakeAddress(str(project.landing), str(catalog), str(tables)), read_only=True)
        sales = connection.execute("from lake.main.fct_channel_sales order by all").fetchall()
        assert sales == [
            ("direct", "TEA-1", 119.0, Decimal("297.50")),
            ("market place", "TEA-1", 119.0 * 4, Decimal("5950.00")),
        ]
        tags = connection.execute("select tag, count(*) from lake.main.dim_order_tags group by 1 order by 1").fetchall()
        assert tags == [("EU", 60), ("new", 60)]


def test_a_streams_file_of_the_old_lake_is_refused_with_what_to_write(tmp_path: Path) -> None:
    folder = copy_of_example(tmp_path / "lake")
    file = folder / "streams/faire/order_lines.json"
    known = json.loads(file.read_text(encoding="utf-8"))
    old = {"connector": "dlt", "schedule": "0 * * * *", "initial_value": "2020-01-01T00:00:00.000Z"}
    file.write_text(json.dumps(known | old | {"destination_sync_mode": "merge"}, indent=2), encoding="utf-8")

    said = lotus(folder, "check", exit_code=1)

    found = [line.partition(": ")[2] for line in said.splitlines() if line.startswith("streams/faire/order_lines.json")]
    source = "is not a known key: write it in the source's _source.json: it holds for all of the source's streams"
    assert found == [
        f'destination_sync_mode: "merge" is not a valid value: write one of {", ".join(get_args(DestinationMode))}',
        f"connector: {source}",
        f"schedule: {source}",
        "initial_value: is not a known key: delete it: the source's module says where the first run begins",
    ]
