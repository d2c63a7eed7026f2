"""Lakes of other companies, from their descriptions to a clean stack, and every command over them."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from airbyte_twin.testing import running_twin

from lotus_infra import naming
from sandbox.twin import CONNECTORS
from tests.engine.harness import REPOSITORY, Pulumi
from tests.engine.lake import PROGRAM, Document, Lake

TEXT: Document = {"type": ["null", "string"]}
TIME: Document = TEXT | {"format": "date-time"}
S3: Document = {
    "connector": "destination-s3",
    "configuration": {
        "s3_bucket_name": {"$config": "landing_bucket"},
        "s3_bucket_path": "raw",
        "s3_bucket_region": "us-west-1",
        "access_key_id": {"$secret": "access_key"},
        "secret_access_key": {"$secret": "secret_key"},
        "format": {"format_type": "Parquet"},
        "s3_path_format": naming.PATH_FORMAT,
    },
}
HOURLY: Document = {"type": "cron", "cron": "0 0 * * * ?"}
DAILY: Document = {"type": "cron", "cron": "0 30 4 * * ?", "time_zone": "Europe/Berlin"}


@dataclass
class Description:
    """A lake.

    Attributes:
        offers: the streams of connectors in place of the usual ones, by the connector's name.
        files: the files that people write.
        secrets: the stack's secrets, by name.
        connectors: those that `lotus connector add` pins.
        connections: the names of the connections that there must be in Airbyte.
    """

    files: dict[str, Document | str]
    connections: Sequence[str]
    offers: dict[str, list[Document]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    connectors: Sequence[str] = ()


def offered(name: str, fields: Mapping[str, Document], **others: object) -> Document:
    """A stream as a connector offers it."""
    schema = {"type": "object", "properties": dict(fields)}
    return {"name": name, "json_schema": schema, "supported_sync_modes": ["full_refresh", "incremental"], **others}


def whole(name: str, **others: object) -> Document:
    """A stream that is read whole, with all of its fields."""
    return {"stream": name, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite", **others}


def changes_of(name: str, **others: object) -> Document:
    """A stream that is read by its cursor, with all of its fields."""
    return {"stream": name, "sync_mode": "incremental", "destination_sync_mode": "append", **others}


def salesforce() -> Description:
    names = ["Account", "Contact", "Opportunity", "Lead", "Case", "Task", "User", "Product2", "Quote", "Order"]
    names += ["Custom_Object__c", "OpportunityLineItem"]
    fields = {"Id": TEXT, "Name": TEXT, "SystemModstamp": TIME, "IsDeleted": {"type": ["null", "boolean"]}}
    own = {"source_defined_cursor": True, "default_cursor_field": ["SystemModstamp"]}
    key = {"source_defined_primary_key": [["Id"]]}
    settings = {"client_id": "an-app", "client_secret": {"$secret": "app"}, "refresh_token": {"$secret": "token"}}
    identity = {"primary_key": [["Id"]], "cursor_field": ["SystemModstamp"]}
    files: dict[str, Document | str] = {
        f"salesforce/{naming.stream_file(name)}.json": changes_of(name, **identity) for name in names
    }
    files["salesforce/_source.json"] = {
        "connector": "source-salesforce",
        "configuration": settings,
        "schedule": HOURLY,
        "tags": ["sales"],
    }
    return Description(
        files | {"_destinations/s3.json": S3},
        ["Salesforce → S3"],
        {"source-salesforce": [offered(name, fields, **own, **key) for name in names]},
        {"app": "the-secret-of-the-app", "token": "the-token"},
    )


def two_schemas() -> Description:
    fields = {"id": {"type": "integer"}, "email": TEXT, "_ab_cdc_lsn": {"type": "number"}}
    fields |= {"_ab_cdc_deleted_at": TIME, "_ab_cdc_updated_at": TIME}
    cdc = {"source_defined_cursor": True, "default_cursor_field": ["_ab_cdc_lsn"]}
    key = {"source_defined_primary_key": [["id"]]}
    configuration = {
        "host": "db.example.com",
        "port": 5432,
        "database": "app",
        "username": "lotus",
        "password": {"$secret": "database_password"},
        "schemas": ["public", "app"],
        "replication_method": {"method": "CDC", "replication_slot": "lotus", "publication": "lotus"},
    }
    identity = {"primary_key": [["id"]], "cursor_field": ["_ab_cdc_lsn"]}
    hourly = {"schedule": HOURLY, "namespace": "${SOURCE_NAMESPACE}", "streams": ["users", "orders"]}
    nightly = {"destination": "archive", "schedule": DAILY, "namespace_definition": "source", "streams": ["app_users"]}
    return Description(
        {
            "_destinations/s3.json": S3,
            "_destinations/archive.json": S3 | {"configuration": S3["configuration"] | {"s3_bucket_path": "archive"}},
            "shop/_source.json": {
                "connector": "source-postgres",
                "configuration": configuration,
                "connections": {"shop": hourly, "nightly": nightly},
            },
            "shop/users.json": changes_of("users", namespace="public", **identity),
            "shop/orders.json": changes_of("orders", namespace="public", **identity),
            "shop/app_users.json": changes_of("users", namespace="app", **identity),
        },
        ["Shop Nightly → Archive", "Shop → S3"],
        {
            "source-postgres": [
                offered(name, fields, namespace=schema, **cdc, **key)
                for schema, name in (("public", "users"), ("public", "orders"), ("app", "users"), ("app", "logs"))
            ]
        },
        {"database_password": "the-password-of-the-database"},
    )


def sheets() -> Description:
    names = ["Sheet 1", 'it\'s "final"', "🎉 party", "Städte", "表", "2026"]
    configuration = {
        "spreadsheet_id": "https://docs.google.com/spreadsheets/d/1",
        "credentials": {"auth_type": "Service", "service_account_info": {"$secret": "service_account"}},
    }
    files: dict[str, Document | str] = {f"sheets/sheet_{n}.json": whole(name) for n, name in enumerate(names)}
    files["sheets/_source.json"] = {
        "connector": "source-google-sheets",
        "configuration": configuration,
        "namespace": "Google-Sheets",
        "prefix": "budget ",
    }
    return Description(
        files | {"_destinations/s3.json": S3},
        ["Sheets → S3"],
        {
            "source-google-sheets": [
                offered(name, {"Name": TEXT, "Amount €": TEXT}, supported_sync_modes=["full_refresh"]) for name in names
            ]
        },
        {"service_account": '{"a": "key"}'},
    )


MANIFEST = """\
version: 6.0.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [items]}
streams:
  - type: DeclarativeStream
    name: items
    retriever:
      type: SimpleRetriever
      requester: {type: HttpRequester, url_base: 'https://api.example.com', path: /items}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: [items]}}
    schema_loader:
      type: InlineSchemaLoader
      schema: {type: object, properties: {id: {type: integer}, name: {type: string}}}
spec:
  type: Spec
  connection_specification:
    type: object
    required: [api_key]
    properties: {api_key: {type: string, airbyte_secret: true}}
"""


def a_connector_of_ones_own() -> Description:
    spec = {
        "type": "object",
        "required": ["api_key"],
        "properties": {"api_key": {"type": "string", "airbyte_secret": True}},
    }
    return Description(
        {
            "_connectors/source-mine.json": {"connector": "source-mine", "manifest": "source-mine.yaml", "spec": spec},
            "_connectors/source-mine.yaml": MANIFEST,
            "_destinations/s3.json": S3,
            "mine/_source.json": {"connector": "source-mine", "configuration": {"api_key": {"$secret": "mine_key"}}},
            "mine/items.json": whole("items"),
        },
        ["Mine → S3"],
        secrets={"mine_key": "the-key-of-mine"},
    )


def a_hashed_column() -> Description:
    hashing = {"targetField": "email", "method": "SHA-256", "fieldNameSuffix": "_hashed"}
    encryption = {
        "algorithm": "AES",
        "targetField": "telephone",
        "fieldNameSuffix": "_encrypted",
        "mode": "CBC",
        "padding": "PKCS5Padding",
        "key": {"$secret": "mapper_key"},
    }
    mappers = [
        {"type": "hashing", "configuration": hashing},
        {"type": "encryption", "configuration": encryption},
    ]
    return Description(
        {
            "_destinations/s3.json": S3,
            "faker/_source.json": {"connector": "source-faker", "configuration": {"count": 10}, "status": "inactive"},
            "faker/users.json": whole("users", mappers=mappers),
        },
        ["Faker → S3"],
        secrets={"mapper_key": "00112233445566778899aabbccddeeff"},
    )


def forty_three_connections() -> Description:
    files: dict[str, Document | str] = {
        "_destinations/s3.json": S3,
        "_destinations/archive.json": S3 | {"configuration": S3["configuration"] | {"s3_bucket_path": "archive"}},
        "_destinations/none.json": {
            "connector": "destination-dev-null",
            "name": "Nowhere",
            "configuration": {"test_destination": {"test_destination_type": "SILENT"}},
        },
    }
    names: list[str] = []
    for number in range(11):
        source = f"team_{number:02}"
        count = 4 if number < 10 else 3
        keys = [source, "archive", "none", "hourly"][:count]
        connections = {
            key: {
                "destination": {"archive": "archive", "none": "none"}.get(key, "s3"),
                "namespace": f"{source}_{key}",
                "tags": ["team"],
                **({"schedule": HOURLY} if key == "hourly" else {}),
            }
            for key in keys
        }
        files[f"{source}/_source.json"] = {
            "connector": "source-faker",
            "configuration": {"count": 10},
            "connections": connections,
        }
        files |= {f"{source}/{name}.json": whole(name) for name in ("users", "purchases")}
        labels = {"archive": "Archive", "none": "Nowhere"}
        names += [
            f"{naming.label(source)}{'' if key == source else ' ' + naming.label(key)} → {labels.get(key, 'S3')}"
            for key in keys
        ]
    return Description(files, names, connectors=["destination-dev-null"])


@dataclass(frozen=True)
class Company:
    """A company that has a lake: its project, its Airbyte, and its commands."""

    lake: Lake

    def lotus(self, *arguments: str) -> str:
        """What a command prints, which must not fail."""
        environment = self.lake.pulumi.environment
        command = [sys.executable, "-m", "lotus_infra.commands.cli", *arguments]
        done = subprocess.run(
            command, cwd=self.lake.pulumi.project, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start_dbt(self) -> None:
        """Give it a dbt project without models."""
        own, dbt = REPOSITORY / "dagster" / "dbt", self.lake.pulumi.project / "dagster" / "dbt"
        shutil.copytree(own / "macros", dbt / "macros")
        shutil.copy(own / "dbt_project.yml", dbt)

    def is_clean(self) -> None:
        """Neither a preview nor a refresh finds anything to change."""
        assert self.lake.changes() == []
        self.lake.pulumi.refresh("--expect-no-changes").ok()


@pytest.fixture
def stand_up(tmp_path: Path, pulumi: Pulumi) -> Iterator[Callable[[Description], Company]]:
    """Writes a company's lake as described, and brings it up."""
    with ExitStack() as stack:

        def build(description: Description) -> Company:
            data = tmp_path / "airbyte"
            shutil.copytree(CONNECTORS, data / "connectors")
            for connector, streams in description.offers.items():
                file = data / "connectors" / f"{connector}.json"
                file.write_text(json.dumps(json.loads(file.read_text()) | {"streams": streams}))
            twin = stack.enter_context(running_twin(data_dir=data, saves=False))
            return company(pulumi, Lake.over(pulumi, twin), description)

        yield build


def company(pulumi: Pulumi, lake: Lake, description: Description) -> Company:
    """A company with its project, before the first `up`."""
    pulumi.program(PROGRAM)
    streams = pulumi.project / "streams"
    (streams / "_connectors").mkdir(parents=True)
    for name in ("source-faker", "destination-s3"):
        shutil.copy(REPOSITORY / "streams" / "_connectors" / f"{name}.json", streams / "_connectors")
    for name, content in description.files.items():
        file = streams / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content, indent=2, ensure_ascii=False))
    plain = {"workspaceId": lake.twin.workspace_id, "landing_bucket": "landing"}
    secrets = {"access_key": "the-id", "secret_key": "the-secret", **description.secrets}
    given = [f"--plaintext=lotus:{key}={value}" for key, value in plain.items()]
    pulumi.run("config", "set-all", *given, *(f"--secret=lotus:{key}={value}" for key, value in secrets.items())).ok()
    pulumi.environment["PULUMI_STACK"] = pulumi.stack
    pulumi.environment["AIRBYTE_WORKSPACE_ID"] = lake.twin.workspace_id
    found = Company(lake)
    for connector in (*description.offers, *description.connectors):
        found.lotus("connector", "add", connector, "--yes")
    return found


LAKES: dict[str, Callable[[], Description]] = {
    "salesforce with twelve objects": salesforce,
    "postgres with two schemas into two destinations": two_schemas,
    "google sheets with odd names": sheets,
    "a declarative connector of one's own": a_connector_of_ones_own,
    "a hashed column, and one that is encrypted": a_hashed_column,
    "forty-three connections to three destinations": forty_three_connections,
}


@pytest.mark.parametrize("name", LAKES)
def test_a_described_lake_stands_up_clean_and_has_every_command(
    name: str, stand_up: Callable[[Description], Company]
) -> None:
    description = LAKES[name]()
    found = stand_up(description)
    lake = found.lake

    found.lotus("check")
    lake.pulumi.up().ok()

    assert [each["name"] for each in lake.live("connections")] == sorted(description.connections)
    found.is_clean()
    found.lotus("discover", "--all")
    found.lotus("check")
    found.is_clean()
    assert all(secret not in lake.pulumi.preview("--diff").ok().output for secret in description.secrets.values())
    found.start_dbt()
    found.lotus("scaffold", "--all")
    found.lotus("check")
    graph, status = found.lotus("graph"), json.loads(found.lotus("status", "--json"))
    for source in {name.partition("/")[0] for name in description.files if not name.startswith("_")}:
        assert source in graph
        assert source in json.dumps(status)


def told_streams(connection: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    """Namespace and name of each stream of a connection in Airbyte."""
    return sorted((each.get("namespace"), each["name"]) for each in connection["configurations"]["streams"])


def test_two_tables_of_one_name_go_their_own_ways(stand_up: Callable[[Description], Company]) -> None:
    lake = stand_up(two_schemas()).lake

    lake.pulumi.up().ok()

    assert told_streams(lake.one("connections", "Shop → S3")) == [("public", "orders"), ("public", "users")]
    assert told_streams(lake.one("connections", "Shop Nightly → Archive")) == [("app", "users")]
    exported = lake.pulumi.outputs()["sources"]["shop"]["connections"]
    assert exported["shop"]["streams"] == {"orders": "raw/public/orders/", "users": "raw/public/users/"}
    assert exported["nightly"]["streams"] == {"app_users": "archive/app/users/"}
