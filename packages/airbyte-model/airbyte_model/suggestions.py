"""`did you mean …?`: the known name that a misspelt one most likely stands for."""

import difflib
from collections.abc import Iterable
from typing import Final

CLOSE: Final = 0.6
"""How alike two names are for one to be suggested for the other."""

_LONGEST: Final = 100
"""Characters of a name that a suggestion is sought for: the comparison takes the product of both lengths."""
_MOST_CANDIDATES: Final = 2_000


def nearest(name: str, known: Iterable[str], cutoff: float = CLOSE) -> str | None:
    """The known name that is closest, whatever its case; None where none is close, or too many are known."""
    candidates = sorted(candidate for candidate in known if len(candidate) <= _LONGEST)
    if len(name) > _LONGEST or len(candidates) > _MOST_CANDIDATES:
        return None
    folded = {candidate.casefold(): candidate for candidate in reversed(candidates)}
    matches = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=cutoff)
    return folded[matches[0]] if matches else None


def suggestion(name: str, known: Iterable[str], otherwise: str) -> str:
    """`did you mean "orders"?` where a known name is close, else what to do otherwise."""
    match = nearest(name, known)
    return f'did you mean "{match}"?' if match is not None else otherwise
