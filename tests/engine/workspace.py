"""A workspace that people made by hand in Airbyte's own pages: connections of every shape that a lake can express."""

from typing import Any

from airbyte_twin.records import Catalog, DiscoveredStream

from lotus_infra.naming import PATH_FORMAT
from tests.engine.lake import Document, Lake, config_call

FAKER = "dfd88b22-b603-4c3d-aad7-3701784586b1"
S3 = "4816b78f-1489-44c1-9060-4b19d5fa9362"
SILENT = "a7bcc9d8-13b3-4e49-b80d-d020b90045e3"
KEY = "6b65792d6f662d61657332353600000a"
OTHER_KEY = "616e6f746865722d6b65792d6f6661650a"
API_KEY = "value-of-the-api-key"
VALUES = {"access_key_id": "value-of-the-key-id", "secret_access_key": "value-of-the-access-key"}
HIDDEN = (KEY, OTHER_KEY, API_KEY, *VALUES.values())
"""What no file may show."""
TIME: Document = {"type": "string", "format": "date-time"}
COLUMNS: Document = {"id": {"type": "integer"}, "E-Mail": {"type": "string"}, "updated_at": TIME}


def offered(name: str, namespace: str | None = None, columns: Document | None = None) -> DiscoveredStream:
    """A table as its source offers it, with a cursor that can be chosen."""
    return DiscoveredStream(
        name=name,
        namespace=namespace,
        json_schema={"type": "object", "properties": columns or COLUMNS},
        supported_sync_modes=("full_refresh", "incremental"),
    )


TABLES = (
    offered("users", "public"),
    offered("users", "App"),
    offered("Order Items", "App"),
    offered("ab-tests", "App"),
    offered("AB tests", "App"),
    offered("表", None),
)


def stream(name: str, namespace: str | None, **settings: Any) -> Document:
    """A stream that is read by its cursor, with all fields."""
    clean: Document = {"name": name, "syncMode": "incremental_append", "cursorField": ["updated_at"]}
    return clean | ({"namespace": namespace} if namespace else {}) | settings


def chosen(*fields: str) -> list[Document]:
    """Selected fields."""
    return [{"fieldPath": [field]} for field in fields]


def mapped(kind: str, **configuration: Any) -> Document:
    """A mapper."""
    return {"type": kind, "mapperConfiguration": configuration}


def encrypted(key: str, column: str = "E-Mail") -> Document:
    """A mapper with a secret key."""
    aes = {"algorithm": "AES", "mode": "CBC", "padding": "PKCS5Padding", "fieldNameSuffix": "_encrypted"}
    return mapped("encryption", targetField=column, key=key, **aes)


class Workspace:
    """What is made, with the ids that it got."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.id = lake.twin.workspace_id

    def make(self) -> None:
        """Make everything."""
        s3, archive, silent = self._destinations()
        tags = [self._tag(name, color) for name, color in (("nightly", "00AAFF"), ("PII: yes", "CAC7FF"))]
        self._database(s3, archive, silent, tags)
        self._replica(s3)
        self._named(s3)
        self._own_connectors(s3)

    def secret(self, name: str) -> str:
        """The value behind a secret, which a person enters."""
        known = {**VALUES, "nightly_e_mail_key": OTHER_KEY, "id_key": KEY, "api_key": API_KEY}
        [found] = [value for end, value in known.items() if name.endswith(f"_{end}")][:1]
        return found

    def _destinations(self) -> tuple[str, str, str]:
        resources = {"default": {"memory_limit": "2Gi", "cpu_request": "1"}}
        jobs = [{"jobType": "sync", "resourceRequirements": {"memory_limit": "4Gi"}}]
        s3 = self.actor("destination", "S3", S3, _bucket("landing"))
        archive = self.actor(
            "destination", "The Archive", S3, _bucket("archive"), resourceAllocation=resources | {"jobSpecific": jobs}
        )
        quiet = {"test_destination": {"test_destination_type": "SILENT"}}
        return s3, archive, self.actor("destination", "Nowhere", SILENT, quiet)

    def _database(self, s3: str, archive: str, silent: str, tags: list[Document]) -> None:
        """A source with three connections: several schemas, destinations, schedules and settings of one table."""
        shop = self.actor("source", "Shop DB", FAKER, {"count": 10}, resourceAllocation={"default": {"cpu_limit": "1"}})
        self.offer(shop, TABLES)
        hashed = mapped("hashing", targetField="E-Mail", method="SHA-256", fieldNameSuffix="_hashed")
        condition = {"type": "EQUAL", "fieldName": "id", "comparisonValue": "1"}
        kept = mapped("row-filtering", conditions={"type": "NOT", "conditions": [condition]})
        self.connection(
            "Shop DB → S3",
            shop,
            s3,
            stream("users", "public", mappers=[hashed, kept, encrypted(KEY, "id")]),
            stream("users", "App", selectedFields=chosen("id", "updated_at")),
            stream("Order Items", "App", primaryKey=[["id"]]),
            stream("ab-tests", "App", syncMode="full_refresh_overwrite"),
            stream("AB tests", "App"),
            namespaceDefinition="custom_format",
            namespaceFormat="Sales-${SOURCE_NAMESPACE}",
            prefix="Raw-",
            tags=tags,
            schedule={"scheduleType": "cron", "cronExpression": "0 0 3 * * ?"},
        )
        self._others_of_database(shop, archive, silent, tags[:1])

    def _others_of_database(self, shop: str, archive: str, silent: str, tags: list[Document]) -> None:
        nightly = self.connection(
            "Shop DB nightly → The Archive",
            shop,
            archive,
            stream("users", "public", mappers=[encrypted(OTHER_KEY)]),
            stream("Order Items", "App", primaryKey=[["id"]]),
            stream("表", None, mappers=[mapped("field-renaming", originalFieldName="id", newFieldName="Id")]),
            namespaceDefinition="source",
            status="inactive",
            tags=tags,
        )
        basic = {"scheduleType": "basic", "scheduleData": {"basicSchedule": {"timeUnit": "hours", "units": 6}}}
        requirements = {"memory_limit": "1Gi", "cpu_limit": "2"}
        settings = {"resourceRequirements": requirements, "notifySchemaChanges": True, **basic}
        config_call(self.lake.twin, "/connections/update", {"connectionId": nightly, **settings})
        self.connection(
            "copy of a copy",
            shop,
            silent,
            stream("Order Items", "App", syncMode="full_refresh_append"),
            namespaceDefinition="destination",
            prefix="x.",
        )

    def _replica(self, s3: str) -> None:
        """A second source of the same system, whose connection takes everything and is paused."""
        replica = self.actor("source", "Shop DB (replica)", FAKER, {"count": 10})
        self.offer(replica, TABLES[:2])
        both = [stream("users", each, syncMode="full_refresh_overwrite") for each in ("public", "App")]
        self.connection(
            "Shop DB (replica) → S3",
            replica,
            s3,
            *both,
            namespaceDefinition="custom_format",
            namespaceFormat="replica/${SOURCE_NAMESPACE}",
            status="inactive",
        )

    def _named(self, s3: str) -> None:
        """A source whose one connection has a name of its own, and the source's namespace."""
        sheet = self.actor("source", "Google Sheets (EU)", FAKER, {"count": 10})
        self.offer(sheet, (offered("Sheet 1"), offered('Kosten "2025" 🎉'), offered("sheet-1")))
        names = ("Sheet 1", 'Kosten "2025" 🎉', "sheet-1")
        self.connection(
            "finance",
            sheet,
            s3,
            *(stream(name, None, syncMode="full_refresh_overwrite") for name in names),
            namespaceDefinition="custom_format",
            namespaceFormat="sheets",
        )

    def _own_connectors(self, s3: str) -> None:
        """Sources of a manifest and of an image of the workspace's own."""
        root = f"/workspaces/{self.id}/definitions"
        manifest = {
            "version": "6.0.0",
            "type": "DeclarativeSource",
            "spec": {
                "type": "Spec",
                "connection_specification": {
                    "type": "object",
                    "required": ["api_key"],
                    "properties": {"api_key": {"type": "string", "airbyte_secret": True}, "since": {"type": "string"}},
                },
            },
            "streams": [],
        }
        api = self.lake.api("POST", f"{root}/declarative_sources", {"name": "Orders API", "manifest": manifest})
        image = {"name": "Acme", "dockerRepository": "acme/source-orders", "dockerImageTag": "1.2.0"}
        own = self.lake.api("POST", f"{root}/sources", image)
        for label, definition, configuration in (
            ("Orders", api["id"], {"api_key": API_KEY, "since": "2025-01-01"}),
            ("Acme Orders", own["id"], {}),
        ):
            source = self.actor("source", label, definition, configuration)
            self.offer(source, (offered("orders"),))
            self.connection(
                f"{label} → S3",
                source,
                s3,
                stream("orders", None),
                namespaceDefinition="custom_format",
                namespaceFormat=label.lower().replace(" ", "_"),
            )

    def actor(self, kind: str, label: str, definition: str, configuration: Document, **more: Any) -> str:
        """A source or a destination."""
        body = {"name": label, "workspaceId": self.id, "definitionId": definition, "configuration": configuration}
        return str(self.lake.api("POST", f"/{kind}s", body | more)[f"{kind}Id"])

    def offer(self, source: str, streams: tuple[DiscoveredStream, ...]) -> None:
        """Let the system behind a source have these streams."""
        store = self.lake.twin.store
        catalog = store.catalogs.put(Catalog(id=f"of-{source}", streams=streams))
        [actor] = [each for each in store.actors if each.id == source]
        store.actors.put(actor.model_copy(update={"catalog_id": catalog.id}))

    def connection(self, label: str, source: str, destination: str, *streams: Document, **settings: Any) -> str:
        """A connection."""
        body = {"name": label, "sourceId": source, "destinationId": destination}
        configurations = {"configurations": {"streams": list(streams)}}
        return str(self.lake.api("POST", "/connections", body | configurations | settings)["connectionId"])

    def _tag(self, name: str, color: str) -> Document:
        return self.lake.api("POST", "/tags", {"name": name, "color": color, "workspaceId": self.id})


def _bucket(name: str) -> Document:
    return {
        "s3_bucket_name": name,
        "s3_bucket_path": "raw",
        "s3_bucket_region": "us-west-1",
        "format": {"format_type": "Parquet"},
        "s3_path_format": PATH_FORMAT,
        **VALUES,
    }
