"""The names of combined sync modes.

Source: airbyte-platform PublicApi ConnectionReadMapper.syncModesToConnectionSyncModeEnum.
"""

from collections.abc import Iterable
from typing import Literal

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
SOURCE_ORDER: tuple[SyncMode, ...] = ("full_refresh", "incremental")
DESTINATION_ORDER: tuple[DestinationSyncMode, ...] = (
    "append", "overwrite", "overwrite_dedup", "append_dedup", "update", "soft_delete",
)  # fmt: skip
"""The recorded order; the last two are not recorded, because no destination supported them."""
NAMES = {pair: name for name, pair in PAIRS.items()}


def combined_mode(source: SyncMode, destination: DestinationSyncMode) -> CombinedMode | None:
    """The public name of a pair; None for pairs without one, which only the Config API can store."""
    return NAMES.get((source, destination))


def combined_modes(sources: Iterable[SyncMode], destinations: Iterable[DestinationSyncMode]) -> list[CombinedMode]:
    """All named modes of a stream into a destination, sorted by destination mode, as in error messages."""
    known, offered = {*sources}, {*destinations}
    return [
        NAMES[pair]
        for destination in DESTINATION_ORDER
        for pair in ((source, destination) for source in SOURCE_ORDER)
        if pair in NAMES and pair[0] in known and destination in offered
    ]


def listed_modes(sources: Iterable[SyncMode], destinations: Iterable[DestinationSyncMode]) -> list[CombinedMode]:
    """The modes in `GET /streams`, sorted by source mode, without `full_refresh_overwrite_deduped`."""
    modes = (mode for mode in combined_modes(sources, destinations) if mode != "full_refresh_overwrite_deduped")
    return sorted(modes, key=lambda mode: SOURCE_ORDER.index(PAIRS[mode][0]))
