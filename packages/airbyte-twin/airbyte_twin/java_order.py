"""Iteration orders of Java's hash tables and of Postgres' jsonb, which the server's lists and messages show."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

WORD = 0xFFFFFFFF


@lru_cache(maxsize=10_000)  # catalogs repeat the same field names in every request
def string_hash(text: str) -> int:
    """Java's `String.hashCode`, as an unsigned number; counts UTF-16 units."""
    result = 0
    units = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(units[::2], units[1::2], strict=True):
        result = (result * 31 + (high << 8 | low)) & WORD
    return result


def hash_map_order(keys: Iterable[str]) -> list[str]:
    """The keys as a `HashMap` iterates them: by bucket, and within one by insertion."""
    found = list(dict.fromkeys(keys))
    buckets = 16
    while len(found) > buckets * 3 // 4:
        buckets *= 2

    def bucket(key: str) -> int:
        spread = string_hash(key)
        return (spread ^ (spread >> 16)) & (buckets - 1)

    return sorted(found, key=bucket)


def enum_order(names: Sequence[str]) -> list[str]:
    """The names as Jackson's look-up table of an enum lists them: primary slots, then secondary ones, then the rest."""
    size = _table_size(len(names))
    slots: dict[int, str] = {}
    spilled = size + size // 2
    for name in names:
        slot = string_hash(name) & (size - 1)
        if slot in slots:
            slot = size + slot // 2
        if slot in slots:
            slot, spilled = spilled, spilled + 1
        slots[slot] = name
    return [slots[slot] for slot in sorted(slots)]


def _table_size(count: int) -> int:
    if count <= 5:
        return 8
    if count <= 12:
        return 16
    size = 32
    while size < count + count // 4:
        size *= 2
    return size


def jsonb_order(keys: Iterable[str]) -> list[str]:
    """The keys as Postgres keeps them in a jsonb object: by length in bytes, then by bytes."""
    return sorted(keys, key=lambda key: (len(key.encode()), key.encode()))
