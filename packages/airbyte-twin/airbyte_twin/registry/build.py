"""Build the registry's files from a folder of connector specs, catalogs and discovered schemas.

Run as `python -m airbyte_twin.registry.build DATA_FOLDER [TARGET_FOLDER]`; the running twin must not import it.

Source of ids, tags and suggested streams: the connectors' public `metadata.yaml`.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, as_object, parse_json
from airbyte_twin.records import ActorKind, DestinationSyncMode, DiscoveredStream
from airbyte_twin.registry import Connector

CONSTRAINTS = (
    "type", "format", "airbyte_type", "airbyte_secret", "const", "enum", "default", "pattern", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "required",
)  # fmt: skip
BRANCHES = ("oneOf", "anyOf", "allOf")


def schema_constraints(schema: JsonValue) -> JsonValue:
    """Keep keywords for validation and secrets; drop titles, descriptions, examples and display hints."""
    if not isinstance(schema, dict):
        return schema
    kept: JsonObject = {key: schema[key] for key in CONSTRAINTS if key in schema}
    if isinstance(schema.get("properties"), dict):
        kept["properties"] = {key: schema_constraints(value) for key, value in as_object(schema["properties"]).items()}
    if "items" in schema:
        kept["items"] = schema_constraints(schema["items"])
    if "additionalProperties" in schema:
        kept["additionalProperties"] = schema_constraints(schema["additionalProperties"])
    for key in BRANCHES:
        branches = schema.get(key)
        if isinstance(branches, list):
            kept[key] = [schema_constraints(branch) for branch in branches]
    return kept


def lake_field(field: JsonValue) -> JsonValue:
    """A field of a discovered-schema file of the lake, as JSON Schema.

    Two quirks of those files: `items` may be a bare map of fields, and the type `unknown` stands for none.
    """
    if not isinstance(field, dict):
        return {}
    kept = as_object(schema_constraints(field))
    if kept.get("type") == "unknown":
        del kept["type"]
    if isinstance(field.get("properties"), dict):
        kept["properties"] = lake_fields(as_object(field["properties"]))
    items = field.get("items")
    if isinstance(items, dict):
        is_schema = isinstance(items.get("type"), str | list)
        kept["items"] = lake_field(items) if is_schema else {"type": "object", "properties": lake_fields(items)}
    return kept


def lake_fields(fields: JsonObject) -> JsonObject:
    """A map of such fields."""
    return {name: lake_field(field) for name, field in fields.items()}


TARGET = Path(__file__).parent / "data"
MODELS = "airbyte/airbyte-connector-schemas-from-api_sdk.json"
SHOPIFY_SUGGESTED = (
    "customers", "customer_journey_summary", "order_agreements", "order_refunds", "transactions_graphql",
    "product_variants", "abandoned_checkouts", "discount_codes", "inventory_items", "locations", "shop", "price_rules",
    "inventory_levels", "custom_collections", "fulfillments", "product_images", "collects", "tender_transactions",
    "smart_collections", "draft_orders", "metafield_customers", "metafield_products", "metafield_orders",
    "customer_address", "fulfillment_orders", "metafield_shops", "countries", "metafield_product_variants",
    "metafield_smart_collections", "metafield_product_images", "metafield_draft_orders", "metafield_locations",
)  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """Source files of one connector, relative to the data folder."""

    kind: ActorKind
    type: str
    name: str
    definition_id: str
    tag: str
    spec: str | None = None
    catalog: str | None = None
    lake: str | None = None
    suggested: tuple[str, ...] = ()
    modes: tuple[DestinationSyncMode, ...] = ()

    @property
    def image(self) -> str:
        """Docker image without its registry's user, which is also the file's name."""
        return f"{self.kind}-{self.type}"


RECIPES = (
    Recipe(
        ActorKind.SOURCE, "shopify", "Shopify", "9da77001-af33-4bcd-be46-6252bf9342b9", "4.3.0",
        spec="airbyte/specs/source-shopify-4.3.0.json", lake="lotus-lake/sources/shopify", suggested=SHOPIFY_SUGGESTED,
    ),
    Recipe(
        ActorKind.SOURCE, "klaviyo", "Klaviyo", "95e8cffd-b8c4-4039-968e-d32fb4a69bde", "2.13.1",
        spec="airbyte/specs/source-klaviyo-2.13.1.json", catalog="airbyte/catalogs/klaviyo-2.13.1.json",
        suggested=("events", "campaigns", "lists", "metrics", "flows"),
    ),
    Recipe(
        ActorKind.SOURCE, "faker", "Sample Data (Faker)", "dfd88b22-b603-4c3d-aad7-3701784586b1", "7.2.1",
        spec="airbyte/specs/source-faker-7.2.1.json", catalog="airbyte/catalogs/faker-7.2.1.json",
        suggested=("users", "products", "purchases"),
    ),
    Recipe(
        ActorKind.DESTINATION, "s3", "S3", "4816b78f-1489-44c1-9060-4b19d5fa9362", "1.8.0",
        spec="airbyte/specs/destination-s3-oss.json", modes=("overwrite", "append"),
    ),
    Recipe(
        ActorKind.DESTINATION, "dev-null", "End-to-End Testing (/dev/null)", "a7bcc9d8-13b3-4e49-b80d-d020b90045e3",
        "0.8.0", modes=("overwrite", "append", "append_dedup"),
    ),
)  # fmt: skip
BY_HAND = frozenset({"destination-postgres"})
"""Images whose files no recipe makes, because the data folder has no document of theirs.

Source: destination-postgres 3.0's published spec and `metadata.yaml`; docs/integrations/destinations/postgres.md.
"""


def read(path: Path) -> JsonObject:
    """One JSON object of the data folder."""
    return as_object(parse_json(path.read_bytes()))


def spec_of(recipe: Recipe, data: Path) -> JsonObject:
    """The connector's own spec, or the API's model of its configuration without the type that the API adds to it."""
    if recipe.spec:
        return as_object(schema_constraints(read(data / recipe.spec)["connectionSpecification"]))
    kept = as_object(schema_constraints(read(data / MODELS)[recipe.image]))
    added = f"{recipe.kind}Type"
    as_object(kept["properties"]).pop(added)
    required = kept["required"]
    kept["required"] = [key for key in required if key != added] if isinstance(required, list) else []
    return kept


def discovered_stream(path: Path) -> DiscoveredStream:
    """A stream of the lake's discovered schemas; incremental ones have a cursor that the source defines."""
    document = read(path)
    options, defaults = as_object(document["options"]), as_object(document["defaults"])
    return DiscoveredStream.model_validate(
        {
            "name": document["stream"],
            "json_schema": {"type": "object", "properties": lake_fields(as_object(document["fields"]))},
            "supported_sync_modes": options["sync_modes"],
            "source_defined_cursor": bool(defaults["cursor_field"]),
            "default_cursor_field": defaults["cursor_field"],
            "source_defined_primary_key": defaults["primary_key"],
            "is_resumable": bool(defaults["cursor_field"]),
        }
    )


def streams_of(recipe: Recipe, data: Path) -> tuple[DiscoveredStream, ...] | None:
    """The result of `discover`; None for destinations."""
    if recipe.lake:
        return tuple(discovered_stream(path) for path in sorted((data / recipe.lake).glob("*.json")))
    if not recipe.catalog:
        return None
    found = read(data / recipe.catalog)["streams"]
    streams = [as_object(stream) for stream in found] if isinstance(found, list) else []
    return tuple(
        DiscoveredStream.model_validate({**stream, "json_schema": schema_constraints(stream["json_schema"])})
        for stream in streams
    )


def build(recipe: Recipe, data: Path) -> Connector:
    """Build one connector."""
    return Connector(
        definition_id=recipe.definition_id,
        kind=recipe.kind,
        type=recipe.type,
        name=recipe.name,
        docker_repository=f"airbyte/{recipe.image}",
        docker_image_tag=recipe.tag,
        spec=spec_of(recipe, data),
        supported_destination_sync_modes=recipe.modes,
        suggested_streams=recipe.suggested,
        supports_refreshes=recipe.kind is ActorKind.DESTINATION,
        streams=streams_of(recipe, data),
    )


def render(connector: Connector) -> str:
    """The file's text: indented, without default values."""
    return json.dumps(connector.model_dump(mode="json", exclude_defaults=True), indent=1) + "\n"


def main(arguments: list[str]) -> int:
    """Write every connector file; arguments are the data folder and, optionally, the target folder."""
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write("usage: python -m airbyte_twin.registry.build DATA_FOLDER [TARGET_FOLDER]\n")
        return 1
    data, target = Path(arguments[0]), Path(arguments[1]) if arguments[1:] else TARGET
    for recipe in RECIPES:
        (target / f"{recipe.image}.json").write_text(render(build(recipe, data)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
