"""Airbyte's sync modes: which pairs exist, what the public API calls them, and what each makes of a cursor and a key.

Source: airbyte-platform, public API, AirbyteCatalogHelper and ConnectionReadMapper.
"""

from lotus_infra.streams.values import DestinationSyncMode, SyncMode

MODES: dict[tuple[SyncMode, DestinationSyncMode], str] = {
    ("full_refresh", "overwrite"): "full_refresh_overwrite",
    ("full_refresh", "append"): "full_refresh_append",
    ("full_refresh", "overwrite_dedup"): "full_refresh_overwrite_deduped",
    ("full_refresh", "update"): "full_refresh_update",
    ("full_refresh", "soft_delete"): "full_refresh_soft_delete",
    ("incremental", "append"): "incremental_append",
    ("incremental", "append_dedup"): "incremental_deduped_history",
    ("incremental", "update"): "incremental_update",
    ("incremental", "soft_delete"): "incremental_soft_delete",
}

UNCHECKED_MODE = "full_refresh_overwrite"
"""The one mode that the server takes without asking whether source and destination support it."""

KEYLESS_MODES = frozenset({"full_refresh_overwrite", "full_refresh_append"})
"""Modes in which the server drops the key that it is sent."""

KEYED_MODES = frozenset({"incremental_deduped_history", "incremental_update", "full_refresh_update"})
"""Modes that the server refuses without a key, and whose key must be among the selected fields."""
