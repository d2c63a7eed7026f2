"""Sync modes: which pairs exist, what the public API calls them, and which of them honour a cursor and a primary key.

Source: airbyte-platform, public API, AirbyteCatalogHelper and ConnectionReadMapper.
"""

from typing import Final, Literal, get_args

SourceMode = Literal["full_refresh", "incremental"]
DestinationMode = Literal["overwrite", "append", "append_dedup", "overwrite_dedup", "update", "soft_delete"]
SyncMode = Literal[
    "full_refresh_overwrite",
    "full_refresh_append",
    "full_refresh_overwrite_deduped",
    "full_refresh_update",
    "full_refresh_soft_delete",
    "incremental_append",
    "incremental_deduped_history",
    "incremental_update",
    "incremental_soft_delete",
]
SYNC_MODES: Final[tuple[str, ...]] = get_args(SyncMode)

MODES: Final[dict[tuple[SourceMode, DestinationMode], str]] = {
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

PAIRS: Final[dict[str, tuple[SourceMode, DestinationMode]]] = {mode: pair for pair, mode in MODES.items()}
"""How a mode reads and how it writes."""

DEFAULT_MODE: Final[SyncMode] = "full_refresh_overwrite"
"""What a stream without a mode has; the server takes it without asking whether source and destination support it."""

KEYLESS_MODES: Final[frozenset[str]] = frozenset({"full_refresh_overwrite", "full_refresh_append"})
"""Modes in which the server drops the key that it is sent."""

KEYED_MODES: Final[frozenset[str]] = frozenset(
    {"incremental_deduped_history", "incremental_update", "full_refresh_update"}
)
"""Modes that the server refuses without a key; it compares the key with the source's own and with the fields."""

KEY_SELECTING_MODES: Final[frozenset[str]] = KEYED_MODES | {"full_refresh_overwrite_deduped"}
"""Modes whose key must be among the selected fields."""


def is_incremental(mode: str) -> bool:
    """Whether a mode continues from a cursor; only such a mode honours one."""
    return mode.startswith("incremental")
