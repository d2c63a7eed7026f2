"""The lake of `scale.py`: its connectors, and the same connections as a program and as Terraform's configuration."""

from typing import Any, Final

from airbyte_twin.settings import DEFAULT_WORKSPACE_ID

SOURCE: Final = "5a1c0f1e-0000-4000-8000-000000000021"
DESTINATION: Final = "5a1c0f1e-0000-4000-8000-000000000022"
STREAMS: Final = ("orders", "customers", "line_items", "refunds", "inventory_levels")
FIELDS: Final = (
    "id", "created_at", "updated_at", "customer_id", "email", "currency", "total_price", "subtotal_price",
    "total_discounts", "financial_status", "fulfillment_status", "shipping_address", "billing_address", "tags", "note",
)  # fmt: skip
OFFERED: Final = (*FIELDS, "admin_graphql_api_id", "browser_ip", "checkout_token", "device_id", "referring_site")
SOURCES: Final = 10
FIRST_PREFIX: Final = "region_0000_"
CHANGED_PREFIX: Final = "changed_"
"""The prefix of the first connection before and after the one change."""

PROGRAM: Final = """
import asyncio, json
from functools import partial
from pathlib import Path

import pulumi
import pulumi_airbyte as airbyte

lake = json.loads(Path("lake.json").read_text())
place = {"workspace_id": lake["workspace"]}
raw = {"path": "raw"}
destination = airbyte.Destination("warehouse", definition_id=lake["destination"], configuration=raw, **place)
hosts = [{"host": f"shop-{n:02d}.example"} for n in range(lake["sources"])]
sources = [
    airbyte.Source(f"shop_{n:02d}", definition_id=lake["source"], configuration=host, **place)
    for n, host in enumerate(hosts)
]
for n in range(lake["n"]):
    airbyte.Connection(
        f"shop_{n % len(sources):02d}_to_warehouse_{n:04d}",
        source_id=sources[n % len(sources)].source_id,
        destination_id=destination.destination_id,
        prefix=f"region_{n:04d}_" if n != 0 else lake["prefix"],
        configurations=airbyte.ConnectionConfigurationsArgs(
            [
                airbyte.ConnectionConfigurationsStreamArgs(name, "incremental_append", selected_fields=lake["fields"])
                for name in lake["streams"]
            ]
        ),
    )
pulumi.run(partial(asyncio.sleep, 0))
"""
TERRAFORM: Final = """
terraform {
  required_providers {
    airbyte = { source = "airbytehq/airbyte" }
  }
}
provider "airbyte" {
  server_url = "%(url)s/"
}
resource "airbyte_destination" "warehouse" {
  name          = "warehouse"
  workspace_id  = "%(workspace)s"
  definition_id = "%(destination)s"
  configuration = jsonencode({ path = "raw" })
}
resource "airbyte_source" "shop" {
  count         = %(sources)d
  name          = "shop_${count.index}"
  workspace_id  = "%(workspace)s"
  definition_id = "%(source)s"
  configuration = jsonencode({ host = "shop-${count.index}.example" })
}
resource "airbyte_connection" "shop" {
  count          = %(n)d
  name           = "shop_to_warehouse_${count.index}"
  source_id      = airbyte_source.shop[count.index %% %(sources)d].source_id
  destination_id = airbyte_destination.warehouse.destination_id
  prefix         = count.index == 0 ? "%(prefix)s" : format("region_%%04d_", count.index)
  configurations = {
    streams = [for name in %(streams)s : { name = name, sync_mode = "incremental_append" }]
  }
}
"""


def connectors() -> list[dict[str, Any]]:
    """A source that offers the streams, and a destination, as files of a twin's data folder."""
    fields: dict[str, Any] = {name: {"type": "string"} for name in OFFERED}
    offered = [
        {
            "name": name,
            "json_schema": {"type": "object", "properties": fields},
            "supported_sync_modes": ["full_refresh", "incremental"],
            "source_defined_cursor": True,
            "default_cursor_field": ["updated_at"],
            "source_defined_primary_key": [["id"]],
        }
        for name in STREAMS
    ]
    facts: dict[str, Any] = {"type": "scale", "name": "Scale", "docker_image_tag": "1.0.0"}
    source: dict[str, Any] = {
        "definition_id": SOURCE,
        "kind": "source",
        "docker_repository": "example/source-scale",
        **facts,
    }
    destination: dict[str, Any] = {"definition_id": DESTINATION, "kind": "destination", **facts}
    destination |= {"docker_repository": "example/destination-scale", "supported_destination_sync_modes": ["append"]}
    texts = {"type": "string"}
    return [
        {**source, "spec": {"type": "object", "properties": {"host": texts}}, "streams": offered},
        {**destination, "spec": {"type": "object", "properties": {"path": texts}}},
    ]


def lake(n: int, **changes: Any) -> dict[str, Any]:
    """The lake as the programs read it."""
    ids = {"workspace": DEFAULT_WORKSPACE_ID, "source": SOURCE, "destination": DESTINATION}
    parts = {"n": n, "sources": min(n, SOURCES), "streams": STREAMS, "fields": FIELDS, "prefix": FIRST_PREFIX}
    return {**ids, **parts, **changes}
