"""A lake whose source has several connections: into a bucket, into a database, and one that is paused."""

from pathlib import Path
from typing import Any

from tests.commands.lab import USERS, Lab
from tests.support.lakes import Document, clean_files, source, stream, write

DEV_NULL = "a7bcc9d8-13b3-4e49-b80d-d020b90045e3"
SILENT: Document = {"test_destination": {"test_destination_type": "SILENT"}}
WAREHOUSE: Document = {"connector": DEV_NULL, "name": "Warehouse", "configuration": SILENT}
CONNECTIONS: Document = {
    "shop": {"destination": "s3", "streams": ["users", "orders"], "tags": ["core"]},
    "daily": {"destination": "warehouse", "streams": ["users", "products"], "tags": ["core", "finance"]},
    "nightly": {"name": "Shop by night", "destination": "warehouse", "streams": ["people"], "status": "inactive"},
}
IMAGE = "registry.example.com/source-mine"
MINE: Document = {
    "connector": "source-mine",
    "name": "Mine",
    "image": {"repository": IMAGE, "tag": "1.0.0"},
    "spec": {"type": "object", "properties": {}},
}
LABELS = {"shop": "Shop → S3", "daily": "Shop Daily → Warehouse", "nightly": "Shop by night"}


def write_several(folder: Path) -> Path:
    """The lake: `people` has the stream `Our People` of a namespace."""
    files = clean_files() | {
        "_destinations/warehouse.json": WAREHOUSE,
        "shop/_source.json": {key: value for key, value in source().items() if key != "destination"}
        | {"connections": CONNECTIONS},
        "shop/_discovered/orders.json": None,
        "shop/users.json": USERS,
        "shop/products.json": USERS | {"stream": "products"},
        "shop/people.json": USERS | {"stream": "Our People", "namespace": "hr"},
        "store/_source.json": source(name="Store", connector="source-mine"),
        "_connectors/source-mine.json": MINE,
        "store/users.json": USERS,
        "shop/orders.json": stream(),
    }
    return write(folder, files)


def deploy_several(lab: Lab) -> dict[str, str]:
    """What `pulumi up` makes of the lake; returns the ids of the connections by the names of their resources."""
    s3 = lab.destination()
    warehouse = lab.airbyte.create_actor("destination", lab.body("Warehouse", SILENT) | {"definitionId": DEV_NULL})
    shop = lab.airbyte.create_actor("source", lab.body("Shop", {"sourceType": "faker", "count": 10}))
    ids = {"store": lab.deploy("Store", s3)}
    for key, label in LABELS.items():
        body: Any = {"sourceId": shop.actor_id, "name": label}
        body["destinationId"] = s3 if key == "shop" else warehouse.actor_id
        body["status"] = "inactive" if key == "nightly" else "active"
        ids["shop" if key == "shop" else f"shop/{key}"] = lab.airbyte.create_connection(body).connection_id
    lab.twin.clear_calls()
    return ids
