"""Texts that the server's database refuses: names that are too long, and NUL characters anywhere.

The server answers both with a 500 that shows its SQL. Source: recorded answers; the columns are `varchar(256)` and
`jsonb` of a Postgres, which counts characters (code points), and has none for NUL.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from airbyte_model.flaws import Flaw

LONGEST_NAME: Final = 256
LONGEST_TAG: Final = 30
NUL: Final = "\0"
Place: TypeAlias = tuple[str | int, ...]

HOLDS_NUL: Final = Flaw(
    "has a NUL character (\\u0000), which Airbyte can't store", "remove it: it often comes from a file that is not text"
)


def name_flaw(name: str) -> Flaw | None:
    """Why the server refuses the name of a source, a destination, a connection or a workspace."""
    if len(name) > LONGEST_NAME:
        return Flaw(f"has {len(name)} characters, and Airbyte takes at most {LONGEST_NAME} in a name", "shorten it")
    return HOLDS_NUL if NUL in name else None


def tag_flaw(name: str) -> Flaw | None:
    """Why the server refuses the name of a tag. It counts UTF-16 code units: an emoji is two (TagHandler)."""
    units = len(name.encode("utf-16-le", "surrogatepass")) // 2
    if units > LONGEST_TAG:
        return Flaw(f"has {units} characters, and Airbyte takes at most {LONGEST_TAG} in a tag's name", "shorten it")
    return HOLDS_NUL if NUL in name else None


def nul_places(document: object, place: Place = ()) -> Iterator[Place]:
    """Where a JSON document has a NUL: each text that has one, and each object that has one in a key."""
    if isinstance(document, str):
        if NUL in document:
            yield place
    elif isinstance(document, Mapping):
        if any(NUL in str(key) for key in document):
            yield place
        for key, value in document.items():
            if NUL not in str(key):
                yield from nul_places(value, (*place, str(key)))
    elif isinstance(document, Sequence) and not isinstance(document, bytes):
        for index, item in enumerate(document):
            yield from nul_places(item, (*place, index))
