"""States of Terraform for tests, written by hand as the two providers of Airbyte write them; no secret is real."""

import json
from typing import Any

from lotus_infra.naming import PATH_FORMAT

Document = dict[str, Any]
OSS = 'provider["registry.terraform.io/aballiet/airbyte-oss"]'
PUBLIC = 'provider["registry.opentofu.org/airbytehq/airbyte"]'
SHOPIFY = "9da77001-af33-4bcd-be46-6252bf9342b9"
S3 = "4816b78f-1489-44c1-9060-4b19d5fa9362"
WORKSPACE = "7c2e9a54-1f0b-4f7e-9a41-6f3a5d1c8b20"
SOURCE_ID = "11111111-0000-4000-8000-000000000001"
DESTINATION_ID = "22222222-0000-4000-8000-000000000002"
CONNECTION_ID = "33333333-0000-4000-8000-000000000003"
HIDDEN = ("value-of-the-password", "value-of-the-key-id", "value-of-the-access-key")
SHOP: Document = {
    "shop": "a-store",
    "start_date": "2025-12-25",
    "credentials": {"auth_method": "api_password", "api_password": HIDDEN[0]},
}
BUCKET: Document = {
    "s3_bucket_name": "landing",
    "s3_bucket_path": "raw",
    "s3_bucket_region": "us-west-1",
    "access_key_id": HIDDEN[1],
    "secret_access_key": HIDDEN[2],
    "format": {"format_type": "Parquet"},
    "s3_path_format": PATH_FORMAT,
}


def state(*resources: Document) -> str:
    """A state's file, version 4."""
    return json.dumps({"version": 4, "terraform_version": "1.9.8", "serial": 3, "resources": list(resources)})


def resource(type_name: str, attributes: Document, provider: str = OSS, **overrides: Any) -> Document:
    """A resource with one instance."""
    instance = {"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}
    named = {"mode": "managed", "type": type_name, "name": "main", "provider": provider, "instances": [instance]}
    return {**named, **overrides}


def source(**overrides: Any) -> Document:
    """A source of the provider for the Config API."""
    clean = {
        "source_id": SOURCE_ID,
        "name": "Shopify",
        "source_name": "Shopify",
        "icon": None,
        "secret_id": None,
        "workspace_id": WORKSPACE,
        "source_definition_id": SHOPIFY,
        "connection_configuration": json.dumps(SHOP),
    }
    return clean | overrides


def destination(**overrides: Any) -> Document:
    """A destination of the provider for the Config API."""
    clean = {
        "destination_id": DESTINATION_ID,
        "name": "S3",
        "workspace_id": WORKSPACE,
        "destination_definition_id": S3,
        "connection_configuration": json.dumps(BUCKET),
    }
    return clean | overrides


def stream(**config: Any) -> Document:
    """A stream of a catalog of the provider for the Config API: the key and the cursor are the source's own."""
    schema = {
        "type": '["null", "object"]',
        "properties": json.dumps(
            {
                "id": {"type": ["null", "integer"]},
                "email": {"type": ["null", "string"]},
                "updated_at": {"type": ["null", "string"], "format": "date-time"},
            }
        ),
    }
    described = {
        "name": "orders",
        "namespace": None,
        "json_schema": schema,
        "supported_sync_modes": ["full_refresh", "incremental"],
        "default_cursor_field": ["updated_at"],
        "source_defined_cursor": True,
        "source_defined_primary_key": [["id"]],
    }
    clean = {
        "sync_mode": "incremental",
        "destination_sync_mode": "append",
        "cursor_field": ["updated_at"],
        "primary_key": [["id"]],
        "alias_name": "orders",
        "selected": True,
        "suggested": False,
        "field_selection_enabled": True,
        "selected_fields": [{"field_path": ["id"]}, {"field_path": ["updated_at"]}],
    }
    return {"stream": described, "config": clean | config}


def connection(*streams: Document, **overrides: Any) -> Document:
    """A connection of the provider for the Config API, every hour."""
    clean = {
        "connection_id": CONNECTION_ID,
        "source_id": SOURCE_ID,
        "destination_id": DESTINATION_ID,
        "workspace_id": WORKSPACE,
        "name": "Shopify → S3",
        "status": "active",
        "namespace_definition": "customformat",
        "namespace_format": "shopify",
        "prefix": "",
        "non_breaking_changes_preference": "propagate_columns",
        "notify_schema_changes": True,
        "notify_schema_changes_by_email": False,
        "operation_ids": [],
        "resource_requirements": None,
        "schedule": None,
        "schedule_type": "basic",
        "schedule_data": {"basic_schedule": {"time_unit": "hours", "units": 1}, "cron": None},
        "sync_catalog": {"streams": list(streams or (stream(),))},
    }
    return clean | overrides


def whole(**of_connection: Any) -> str:
    """A source, a destination and a connection of the provider for the Config API."""
    return state(
        resource("airbyte_source", source(), name="shopify"),
        resource("airbyte_destination", destination(), name="s3"),
        resource("airbyte_connection", connection(**of_connection), name="shopify_to_s3"),
    )


TYPED_SHOP: Document = {
    "additional_properties": None,
    "shop": "a-store",
    "start_date": "2025-12-25",
    "bulk_window_in_days": None,
    "credentials": {"api_password": {"api_password": HIDDEN[0]}, "o_auth20": None},
}
"""Of a typed resource: a choice has a level of its own, and no constant that tells its branches apart."""
SHOWN_STREAM: Document = {
    "name": "orders",
    "namespace": None,
    "sync_mode": "incremental_append",
    "cursor_field": ["updated_at"],
    "primary_key": [["id"]],
    "selected_fields": [{"field_path": ["id"]}, {"field_path": ["updated_at"]}],
    "mappers": [],
    "include_files": False,
}


def shown() -> str:
    """The same as `show -json` prints it, of the provider for the public API: a typed source, in a module."""
    ends = {"source_id": SOURCE_ID, "destination_id": DESTINATION_ID, "connection_id": CONNECTION_ID}
    actor = {"workspace_id": WORKSPACE, "created_at": 1735689600, "resource_allocation": None}
    connected = {
        "name": "Shopify → S3",
        "status": "active",
        "schedule": {"schedule_type": "cron", "cron_expression": "0 0 * * * ? UTC", "basic_timing": None},
        "configurations": {"streams": [SHOWN_STREAM]},
        "namespace_definition": "custom_format",
        "namespace_format": "shopify",
        "prefix": "",
        "non_breaking_schema_updates_behavior": "propagate_columns",
        "tags": [],
    }
    shop = {"name": "Shopify", "definition_id": SHOPIFY, "source_id": SOURCE_ID, "configuration": TYPED_SHOP}
    bucket = {"name": "S3", "definition_id": S3, "destination_id": DESTINATION_ID}
    bucket["configuration"] = json.dumps(BUCKET)
    inside = [
        _shown("module.lake.airbyte_source_shopify.main", actor | shop),
        _shown('module.lake.airbyte_connection.to_s3["shopify"]', ends | connected),
    ]
    root = {
        "resources": [_shown("airbyte_destination.s3[0]", actor | bucket)],
        "child_modules": [{"address": "module.lake", "resources": inside}],
    }
    return json.dumps({"format_version": "1.0", "terraform_version": "1.9.8", "values": {"root_module": root}})


def _shown(address: str, values: Document) -> Document:
    return {
        "address": address,
        "mode": "managed",
        "type": address.split("[", maxsplit=1)[0].split(".")[-2],
        "name": "main",
        "provider_name": "registry.opentofu.org/airbytehq/airbyte",
        "schema_version": 1,
        "values": values,
        "sensitive_values": {},
    }
