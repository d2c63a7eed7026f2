"""Warehouses that no test connects to: their pinned connectors, and a destination of each.

The specifications are those that destination-snowflake and destination-bigquery publish, with what a check of a
configuration needs: keys, types, what is required, and which values are secrets.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from tests.support.lakes import Document

TEXT: Final[JsonValue] = {"type": "string"}
SECRET: Final[JsonValue] = {"type": "string", "airbyte_secret": True}
MODES: Final = ("overwrite", "append", "append_dedup", "overwrite_dedup")
DEFINITIONS: Final[Mapping[str, str]] = {
    "destination-snowflake": "424892c4-daac-4491-b35d-c6688ba547ba",
    "destination-bigquery": "22f6c74f-5699-40ff-833c-4a879ea40133",
}


def _one_of(key: str, *choices: tuple[str, Mapping[str, JsonValue], tuple[str, ...]]) -> JsonValue:
    """An object with a choice: its word, and the members that it has with those that it needs."""
    branches: list[JsonValue] = [
        {
            "type": "object",
            "required": [key, *required],
            "properties": {key: {"type": "string", "enum": [word], "default": word}, **members},
            "additionalProperties": True,
        }
        for word, members, required in choices
    ]
    return {"type": "object", "oneOf": branches}


def _spec(required: tuple[str, ...], **properties: JsonValue) -> JsonValue:
    own = {**dict.fromkeys(required, TEXT), **properties}
    return {"type": "object", "required": [*required], "properties": own, "additionalProperties": True}


_DELETION: Final[JsonValue] = {"type": "string", "enum": ["Hard delete", "Soft delete"], "default": "Hard delete"}
_KEY_PAIR: Final[Mapping[str, JsonValue]] = {"private_key": SECRET, "private_key_password": SECRET}
_HMAC: Final = _one_of(
    "credential_type",
    (
        "HMAC_KEY",
        {"hmac_key_access_id": SECRET, "hmac_key_secret": SECRET},
        ("hmac_key_access_id", "hmac_key_secret"),
    ),
)
SPECS: Final[Mapping[str, JsonValue]] = {
    "destination-snowflake": _spec(
        ("host", "role", "warehouse", "database", "schema", "username"),
        credentials=_one_of(
            "auth_type",
            ("Key Pair Authentication", _KEY_PAIR, ("private_key",)),
            ("Username and Password", {"password": SECRET}, ("password",)),
        ),
        cdc_deletion_mode=_DELETION,
        raw_data_schema=TEXT,
        jdbc_url_params=TEXT,
        retention_period_days={"type": "integer"},
    ),
    "destination-bigquery": _spec(
        ("project_id", "dataset_location", "dataset_id"),
        loading_method=_one_of(
            "method",
            ("Standard", {}, ()),
            (
                "GCS Staging",
                {"credential": _HMAC, "gcs_bucket_name": TEXT, "gcs_bucket_path": TEXT},
                ("credential", "gcs_bucket_name", "gcs_bucket_path"),
            ),
        ),
        credentials_json=SECRET,
        cdc_deletion_mode=_DELETION,
        raw_data_dataset=TEXT,
    ),
}
CONFIGURATIONS: Final[Mapping[str, Document]] = {
    "destination-snowflake": {
        "host": "lake.eu-west-1.aws.snowflakecomputing.com",
        "role": "LOADER",
        "warehouse": "SMALL",
        "database": "lake",
        "schema": "raw",
        "username": "LOADER",
        "credentials": {"auth_type": "Key Pair Authentication", "private_key": {"$secret": "snowflake_private_key"}},
    },
    "destination-bigquery": {
        "project_id": "lake",
        "dataset_location": "EU",
        "dataset_id": "raw",
        "loading_method": {"method": "Standard"},
        "credentials_json": {"$secret": "bigquery_credentials"},
    },
}


def pinned(connector: str) -> Document:
    """The pinned connector."""
    return {
        "connector": connector,
        "definition_id": DEFINITIONS[connector],
        "destination_sync_modes": [*MODES],
        "spec": SPECS[connector],
    }


def destination(connector: str, **overrides: object) -> Document:
    """The file of a destination, with some values of its configuration changed."""
    return {"connector": connector, "configuration": {**CONFIGURATIONS[connector], **overrides}}
