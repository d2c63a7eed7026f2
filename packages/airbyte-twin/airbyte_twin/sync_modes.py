"""The names of combined sync modes.

Source: airbyte-platform PublicApi ConnectionReadMapper.syncModesToConnectionSyncModeEnum.
"""

from collections.abc import Iterable
from typing import Literal, get_args

from airbyte_twin.records import DestinationSyncMode, SyncMode

CombinedMode = Literal[
    "full_refresh_overwrite", "full_refresh_overwrite_deduped", "full_refresh_append", "full_refresh_update",
    "full_refresh_soft_delete", "incremental_append", "incremental_deduped_history", "incremental_update",
    "incremental_soft_delete",
]  # fmt: skip

PAIRS: dict[CombinedMode, tuple[SyncMode, DestinationSyncMode]] = {
    "full_refresh_overwrite": ("full_refresh", "overwrite"),
    "full_refresh_append": ("full_refresh", "append"),
    "full_refresh_overwrite_deduped": ("full_refresh", "overwrite_dedup"),
    "full_refresh_update": ("full_refresh", "update"),
    "full_refresh_soft_delete": ("full_refresh", "soft_delete"),
    "incremental_append": ("incremental", "append"),
    "incremental_deduped_history": ("incremental", "append_dedup"),
    "incremental_update": ("incremental", "update"),
    "incremental_soft_delete": ("incremental", "soft_delete"),
}
NAMES = {pair: name for name, pair in PAIRS.items()}


def combined_mode(source: SyncMode, destination: DestinationSyncMode) -> CombinedMode | None:
    """The public name of a pair; None for pairs that have none, which only the Config API can store."""
    return NAMES.get((source, destination))


def combined_modes(sources: Iterable[SyncMode], destinations: Iterable[DestinationSyncMode]) -> list[CombinedMode]:
    """All named modes of a stream into a destination, in the enum's order."""
    allowed = {(source, destination) for destination in list(destinations) for source in sources}
    return [name for name in get_args(CombinedMode) if PAIRS[name] in allowed]


def listed_modes(sources: Iterable[SyncMode], destinations: Iterable[DestinationSyncMode]) -> list[CombinedMode]:
    """What `GET /streams` lists: never `full_refresh_overwrite_deduped` (PublicApi StreamsController)."""
    return [mode for mode in combined_modes(sources, destinations) if mode != "full_refresh_overwrite_deduped"]
