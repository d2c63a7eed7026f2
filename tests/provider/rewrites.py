"""Streams that the server rewrites, row by row of its rules (airbyte-platform, AirbyteCatalogHelper).

Each row is a stream as a program says it, and a change that somebody makes to it on the server.
"""

from typing import Any

from tests.provider.lake import stream

Row = tuple[dict[str, Any], dict[str, Any]]
HASHING = {
    "type": "hashing",
    "mapperConfiguration": {"method": "SHA-256", "targetField": "name", "fieldNameSuffix": "_hashed"},
}
RENAMING = {"type": "field-renaming", "mapperConfiguration": {"originalFieldName": "note", "newFieldName": "label"}}
AES_KEY = "000102030405060708090a0b0c0d0e0f"
ENCRYPTION = {
    "type": "encryption",
    "mapperConfiguration": {
        "algorithm": "AES",
        "mode": "CBC",
        "padding": "PKCS5Padding",
        "key": AES_KEY,
        "targetField": "name",
        "fieldNameSuffix": "_encrypted",
    },
}
UPDATED: dict[str, Any] = {"cursorField": ["updated_at"]}
KEYED: dict[str, Any] = {"primaryKey": [["id"]]}
TO_ID: dict[str, Any] = {"cursorField": ["id"]}
LESS: dict[str, Any] = {"selectedFields": [{"fieldPath": ["id"]}]}
APPEND: dict[str, Any] = {"syncMode": "full_refresh_append"}


def incremental(name: str, **changes: Any) -> dict[str, Any]:
    return stream(name, **({"syncMode": "incremental_append"} | changes))


def deduped(name: str, **changes: Any) -> dict[str, Any]:
    return incremental(name, **({"syncMode": "incremental_deduped_history"} | changes))


def mode(name: str, sync_mode: str, **changes: Any) -> dict[str, Any]:
    return stream(name, syncMode=sync_mode, **changes)


CURSORS: dict[str, Row] = {
    "the source's own cursor, given": (incremental("cursor_defined", **UPDATED), APPEND),
    "the source's own cursor, not given": (incremental("cursor_defined"), {"selectedFields": ...}),
    "the user's cursor": (incremental("bare", cursorField=["name"]), TO_ID),
    "the user's cursor over the source's default": (incremental("cursor_default", cursorField=["name"]), TO_ID),
    "the user's nested cursor": (
        incremental("bare", cursorField=["meta", "seen_at"], selectedFields=["id", "meta"]),
        TO_ID,
    ),
    "the source's default cursor": (incremental("cursor_default"), TO_ID),
    "a cursor in a mode without one": (mode("bare", "full_refresh_append", **UPDATED), LESS),
    "a cursor in a mode without one, and a default": (
        mode("cursor_default", "full_refresh_overwrite", **TO_ID),
        APPEND,
    ),
}
KEYS: dict[str, Row] = {
    "append: the source's key over the user's": (incremental("key_defined", primaryKey=[["name"]]), APPEND),
    "append: the source's key, not given": (incremental("key_defined"), APPEND),
    "append: the user's key": (incremental("bare", primaryKey=[["id"], ["name"]], **UPDATED), KEYED),
    "deduped: the source's key, given": (deduped("key_defined", **KEYED), {"syncMode": "incremental_append"}),
    "deduped: the source's key, not given": (deduped("key_defined"), {"syncMode": "incremental_append"}),
    "deduped: the user's key": (deduped("bare", **KEYED, **UPDATED), {"primaryKey": [["id"], ["name"]]}),
    "update: the user's key": (
        mode("bare", "incremental_update", **KEYED, **UPDATED),
        {"primaryKey": [["name"]]},
    ),
    "full update: the user's key": (mode("bare", "full_refresh_update", **KEYED), {"primaryKey": [["name"]]}),
    "overwrite: a key in a mode without one": (mode("bare", "full_refresh_overwrite", **KEYED), APPEND),
    "full append: a key in a mode without one": (mode("bare", "full_refresh_append", **KEYED), LESS),
    "overwrite: the source's key": (mode("key_defined", "full_refresh_overwrite"), APPEND),
    "overwrite by omission": (stream(syncMode=..., **KEYED), APPEND),
    "deduped overwrite: the user's key": (
        mode("bare", "full_refresh_overwrite_deduped", **KEYED),
        {"primaryKey": [["name"]]},
    ),
    "deduped overwrite: the source's key": (
        mode("key_defined", "full_refresh_overwrite_deduped", primaryKey=[["name"]]),
        APPEND,
    ),
    "soft delete: the user's key": (mode("bare", "full_refresh_soft_delete", **KEYED), {"primaryKey": [["name"]]}),
    "incremental soft delete: the user's key": (
        mode("bare", "incremental_soft_delete", **KEYED, **UPDATED),
        {"primaryKey": [["name"]]},
    ),
}
FIELDS: dict[str, Row] = {
    "all fields": (stream(selectedFields=...), LESS),
    "fields in another order": (stream(selectedFields=["updated_at", "name", "id"]), LESS),
    "fields as paths": (stream(selectedFields=[{"fieldPath": ["note"]}, {"fieldPath": ["id"]}]), LESS),
    "one field": (stream(selectedFields=["id"]), {"selectedFields": ...}),
    "every field by name": (
        stream(selectedFields=["meta", "note", "name", "updated_at", "id"]),
        {"selectedFields": ...},
    ),
}
OTHERS: dict[str, Row] = {
    "a namespace among two": (stream("twice", namespace="left"), LESS),
    "a namespace that the source has": (stream("spaced", namespace="left"), LESS),
    "a namespace that the server fills in": (stream("spaced"), LESS),
    "a namespace that the server corrects": (stream("spaced", namespace="right"), LESS),
    "a mapper, which gets an id": (stream(mappers=[HASHING]), {"mappers": [RENAMING]}),
    "two mappers": (stream(mappers=[RENAMING, {**HASHING}]), {"mappers": [HASHING]}),
    "two mappers, whose order counts": (stream(mappers=[RENAMING, HASHING]), {"mappers": [HASHING, RENAMING]}),
    "a mapper that goes": (stream(mappers=[HASHING]), {"mappers": ...}),
    "a mapper that comes": (stream(), {"mappers": [HASHING]}),
    "an encrypting mapper that comes": (stream(), {"mappers": [ENCRYPTION]}),
    "a mapper's key, which is masked": (stream(mappers=[ENCRYPTION]), {"mappers": [HASHING]}),
    "an object in the destination": (stream(destinationObjectName="o"), {"destinationObjectName": "p"}),
}
ROWS = CURSORS | KEYS | FIELDS | OTHERS
