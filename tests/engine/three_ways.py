"""One lake that rows reach in three ways, in a checkout of its own for the sandbox.

- `faker`: Airbyte's connector, into the landing bucket;
- `erp`: an API that Airbyte has no connector for, by dlt, into the landing bucket;
- `crm`: Airbyte's connector, into tables of a Postgres database.

The models of the last two are not written: that is for `lotus scaffold`. A mart joins all three.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import yaml

from lotus_infra import naming
from lotus_infra.clients.ducklake import LakeAddress, attach
from sandbox import lakehouse, s3
from sandbox.layout import Layout
from tests.engine.harness import REPOSITORY
from tests.support.lakes import Document, stream, write
from tests.support.postgres_lake import Database, write_postgres_lake
from tests.support.rest_api import MODULE, RestApi

TIME: Final = {"type": "string", "format": "date-time"}
ERP: Final[Document] = {
    "engine": "dlt",
    "name": "ERP",
    "configuration": {"url": {"$config": "erp_url"}, "api_key": {"$secret": "erp_api_key"}, "page_size": 20},
    "destination": "s3",
    "schedule": {"type": "cron", "cron": "0 0 * * * ?"},
}
ORDERS: Final = stream(
    fields={
        "id": {"type": "integer"},
        "user_id": {"type": "integer"},
        "total": {"type": "number"},
        "lines": {"type": "array", "items": {"sku": {"type": "string"}}},
        "updated_at": TIME,
    }
)
CUSTOMERS: Final[Document] = {
    "stream": "customers",
    "sync_mode": "full_refresh",
    "destination_sync_mode": "append",
    "primary_key": [["id"]],
    "cursor_field": ["updated_at"],
    "fields": {"id": {"type": "integer"}, "name": {"type": "string"}, "updated_at": TIME},
}
MART: Final = "fct_customers"
MART_SQL: Final = """with

bought as (
    select user_id, count(*) as purchases
    from {{ ref('int_faker__purchases') }}
    group by user_id
),

ordered as (
    select user_id, sum(total)::decimal(18, 2) as total
    from {{ ref('int_erp__orders') }}
    group by user_id
)

select
    users.id as user_id,
    users.email,
    customers.name,
    coalesce(bought.purchases, 0) as purchases,
    ordered.total
from {{ ref('int_crm__users') }} as users
inner join ordered on ordered.user_id = users.id
left join {{ ref('int_erp__customers') }} as customers on customers.id = users.id
left join bought on bought.user_id = users.id
"""
USERS: Final = 150
LINKED: Final = ("__main__.py", "toolchain", ".venv")
LEFT_OUT: Final = ("target", "logs", "klaviyo", "shopify", "fct_sales.sql", "dim_customers.sql", "_marts.yml", "tests")


@dataclass(frozen=True)
class ThreeWays:
    """The lake.

    Attributes:
        place: Its sandbox.
        api: The ERP.
        database: Where `crm` lands.
        query: The rows of a statement in that database, as texts.
    """

    place: Layout
    api: RestApi
    database: Database
    query: Callable[[str], list[list[str]]]

    @property
    def project(self) -> Path:
        """The lake's repository."""
        return self.place.project

    def lotus(self, *arguments: str, exit_code: int = 0, shell: bool = False) -> str:
        """What `lotus` prints: in the project's folder, or in a shell that uses the sandbox."""
        command = [str(Path(sys.executable).with_name("lotus")), *arguments]
        if shell:
            command = ["sh", "-c", f'. {self.place.environment_file} && "$@"', "sh", *command]
        ran = subprocess.run(command, cwd=self.project, capture_output=True, text=True, check=False)
        assert ran.returncode == exit_code, f"{arguments}\n{ran.stdout}{ran.stderr}"
        return ran.stdout + ran.stderr

    def pulumi(self, command: str) -> str:
        """What a command of the engine prints, in a shell that uses the sandbox."""
        shell = f". {self.place.environment_file} && pulumi {command}"
        ran = subprocess.run(["sh", "-c", shell], cwd=self.project, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, f"{command}\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def edit(self, file: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Change a file of the lake."""
        path = self.project / "streams" / file
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query in the lake."""
        with self._attached() as connection:
            return connection.execute(query).fetchall()

    def landed(self, source: str, stream: str) -> list[dict[str, Any]]:
        """The rows of a stream's files in the landing bucket, all versions."""
        with self._attached() as connection:
            files = f"s3://landing/raw/{source}/{stream}/*/*/*/*.parquet"
            found = connection.execute("from read_parquet(?, union_by_name = true)", [files])
            names = [name for name, *_ in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def _attached(self) -> duckdb.DuckDBPyConnection:
        server = s3.found(self.place)
        assert server is not None
        given = lakehouse.variables(self.place, server)
        address = LakeAddress(given["LOTUS_LANDING"], given["LOTUS_CATALOG"], given["LOTUS_LAKE_DATA"])
        connection = duckdb.connect()
        attach(connection, address, read_only=True, environment=given)
        connection.execute("use lake.main")
        return connection


def write_three_ways(folder: Path, api: RestApi, database: Database) -> None:
    """Write the lake's repository.

    Args:
        folder: An empty folder.
        api: The ERP, which is served.
        database: Where `crm` lands.
    """
    for name in LINKED:
        (folder / name).symlink_to(REPOSITORY / name)
    for name in ("Pulumi.yaml", "uv.lock"):
        shutil.copy(REPOSITORY / name, folder)
    streams = write_postgres_lake(folder / "streams", database, "faker")
    for source in ("faker", "crm"):
        file = streams / source / "_source.json"
        document = json.loads(file.read_text(encoding="utf-8"))
        document["configuration"] |= {"count": USERS, "records_per_slice": USERS}
        file.write_text(json.dumps(document), encoding="utf-8")
    write(streams, {"erp/_source.json": ERP, "erp/orders.json": ORDERS, "erp/customers.json": CUSTOMERS})
    own = REPOSITORY / "dagster/dbt"
    shutil.copytree(own, folder / "dagster/dbt", ignore=shutil.ignore_patterns(*LEFT_OUT))
    (folder / "dagster/dbt/models/marts" / f"{MART}.sql").write_text(MART_SQL, encoding="utf-8")
    module = folder / naming.source_module_file("erp")
    module.parent.mkdir()
    module.write_text(MODULE, encoding="utf-8")
    _write_stack(folder / "Pulumi.sandbox.yaml", api)


def _write_stack(file: Path, api: RestApi) -> None:
    """The sandbox's stack, with the values of this lake's sources."""
    stack = yaml.safe_load((REPOSITORY / file.name).read_text(encoding="utf-8"))
    kept = {key: value for key, value in stack["config"].items() if "shopify" not in key and "klaviyo" not in key}
    own = {"lotus:erp_url": api.url, "lotus:erp_api_key": api.token, "lotus:warehouse_password": "any"}
    file.write_text(json.dumps({**stack, "config": kept | own}, indent=2), encoding="utf-8")


def fill(api: RestApi) -> None:
    """Give the ERP customers, and orders of each of them over several pages."""
    for number in range(1, 31):
        api.put("customers", number, name=f"Customer {number}")
    for number in range(1, 91):
        api.put("orders", number, user_id=number % 30 + 1, total=number / 4, lines=[{"sku": f"S{number}"}])


def expected(api: RestApi, query: Callable[[str], list[list[str]]], schema: str) -> dict[int, tuple[Any, ...]]:
    """The rows of the mart by its key, from what the ERP and the database have."""
    totals: dict[int, float] = {}
    for row in api.rows("orders"):
        totals[row["user_id"]] = totals.get(row["user_id"], 0) + row["total"]
    names = {row["id"]: row["name"] for row in api.rows("customers")}
    emails = {int(number): email for number, email in query(f"select id, email from {schema}.users")}
    return {
        number: (emails[number], names.get(number), round(total, 2))
        for number, total in totals.items()
        if number in emails
    }


def without_measuring(environment: dict[str, str] | None = None) -> list[str]:
    """The variables by which a test's own processes would be measured, as in `harness.py`."""
    return [name for name in environment or os.environ if name.startswith("COVERAGE_")]
