"""Keys of rows, and references to rows of other streams by the name of a field."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from airbyte_twin.sync.synthesize.conventions import RARE_PERCENT, RARE_STREAMS
from airbyte_twin.sync.synthesize.pseudorandom import chance, mixed, seed_of

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Of keys that are texts: Crockford's 32, which cannot be misread."""


@dataclass(frozen=True, slots=True)
class KeySpace:
    """The keys of one stream's rows; streams have disjoint keys."""

    seed: int

    def integer(self, index: int) -> int:
        """The key of a row, if keys are numbers."""
        return (self.seed % 9000 + 1000) * 1_000_000_000 + index + 1

    def index(self, integer: int) -> int:
        """The row of a key; negative for an invalid key."""
        return integer - self.integer(0)

    def text(self, index: int) -> str:
        """The key of a row, if keys are texts."""
        word = mixed(self.seed, index)
        return "".join(DIGITS[word >> 5 * place & 31] for place in range(13))

    def uuid(self, index: int) -> str:
        """The key of a row, if keys are UUIDs."""
        return str(UUID(int=mixed(self.seed, index) << 64 | mixed(self.seed, ~index), version=4))


@dataclass(frozen=True, slots=True)
class Siblings:
    """The streams of one source, which can refer to each other.

    Attributes:
        source: Seed of the source.
        names: Of all streams that it offers.
    """

    source: int
    names: frozenset[str]

    @classmethod
    def of(cls, source: int, names: Iterable[str]) -> "Siblings":
        """The streams of these names."""
        return cls(source, frozenset(names))

    def keys(self, stream: str) -> KeySpace:
        """The keys of a stream."""
        return KeySpace(seed_of(self.source, stream, "key"))

    def has(self, stream: str, index: int) -> bool:
        """Whether a stream has the row of an index; rare streams lack most rows, but never the first."""
        rare = RARE_STREAMS.search(stream) and index
        return not rare or chance(RARE_PERCENT, mixed(seed_of(self.source, stream, "rare"), index))

    def referred(self, own: str, stream: str, index: int) -> int:
        """The row of a stream that the row of an index refers to: an earlier one, or itself in its own stream.

        Rows of a rare stream refer to the last or the last but one, so that never more than two refer to the same.
        """
        if own == stream:
            return index
        draw = mixed(seed_of(self.source, own, stream), index)
        if RARE_STREAMS.search(own):
            return index - 1 - draw % 2 if index > 2 else index // 2
        row = draw % max(1, index)
        return next(each for each in range(row, -1, -1) if self.has(stream, each))

    def named(self, word: str) -> str | None:
        """The stream whose rows a word names: `order`, `orders` or `last_order`, and `refund` for `order_refunds`.

        Only a word alone may be such an end: a `line_item` is no row of `inventory_items`.
        """
        words = word.split("_")
        for start in range(len(words)):
            rest = "_".join(words[start:])
            if rest in self.names:
                return rest
            found = [name for name in sorted(self.names) if singular(name) == rest]
            if found:
                return found[0]
        ends = sorted(name for name in self.names if len(words) == 1 and singular(name).endswith(f"_{word}"))
        return ends[0] if ends else None

    def of_key_field(self, field: str) -> str | None:
        """The stream whose key a field like `order_id` holds."""
        stem = field.removesuffix("_id")
        return self.named(stem) if stem not in {field, ""} else None


def singular(plural: str) -> str:
    """The singular of an English plural, for names of tables."""
    for ending, one in (
        ("ies", "y"),
        ("sses", "ss"),
        ("xes", "x"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("ss", "ss"),
        ("s", ""),
    ):
        if plural.endswith(ending):
            return plural.removesuffix(ending) + one
    return plural
