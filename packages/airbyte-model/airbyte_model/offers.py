"""What the server refuses in a stream, given what its source and its destination offer.

Source: airbyte-platform, public API, AirbyteCatalogHelper.
"""

import json
from collections.abc import Callable, Collection, Iterator
from typing import Final, NamedTuple, TypeAlias

from airbyte_model.flaws import Flaw
from airbyte_model.modes import (
    DEFAULT_MODE,
    KEY_SELECTING_MODES,
    KEYED_MODES,
    KEYLESS_MODES,
    PAIRS,
    is_incremental,
)
from airbyte_model.suggestions import suggestion

FieldPath: TypeAlias = tuple[str, ...]
KeyPaths: TypeAlias = tuple[FieldPath, ...]
_NO_FIELD: Final = "is not a field that the source has"


class Offer(NamedTuple):
    """A stream as its source offers it.

    Attributes:
        sync_modes: how it can be read: `full_refresh`, `incremental`.
        cursor: the cursor that the source suggests, or keeps to.
        defines_cursor: whether the source keeps to its cursor.
        primary_key: the key that the source keeps to; empty where any key may be chosen.
        names: top-level fields.
        has_field: whether a path leads to a field, top-level or nested.
    """

    sync_modes: Collection[str]
    cursor: FieldPath
    defines_cursor: bool
    primary_key: KeyPaths
    names: Collection[str]
    has_field: Callable[[FieldPath], bool]


def source_mode_flaw(mode: str, offer: Offer) -> Flaw | None:
    """Why a stream can't be read in a mode; the server takes its default mode without asking the source."""
    half = PAIRS[mode][0]
    if mode == DEFAULT_MODE or half in offer.sync_modes:
        return None
    remedy = f"write {' or '.join(offer.sync_modes) or 'another stream'}"
    return Flaw(f"{half} is not supported by the source for this stream", remedy)


def destination_mode_flaw(mode: str, destination: str, supported: Collection[str]) -> Flaw | None:
    """Why a destination can't write in a mode; the server takes its default mode without asking the destination."""
    half = PAIRS[mode][1]
    if mode == DEFAULT_MODE or half in supported:
        return None
    return Flaw(f"{half} is not supported by {destination}", f"write {' or '.join(supported)}")


def cursor_flaw(mode: str, cursor: FieldPath, selected: Collection[str], offer: Offer | None) -> Flaw | None:
    """What is wrong with the cursor of a stream: it exists, is the source's own where it has one, and is selected.

    Args:
        mode: of the stream; a mode that is not incremental honours no cursor.
        cursor: as it is asked for; empty for the source's.
        selected: names of top-level fields; empty for all of them.
        offer: of the source; None where it is not known.
    """
    if not is_incremental(mode):
        return None
    if offer is not None:
        flaw = _offered_cursor_flaw(cursor, offer)
        if flaw is not None:
            return flaw
        # The server looks for the source's own cursor among the fields, whatever was sent.
        cursor = offer.cursor if offer.defines_cursor or not cursor else cursor
    return _unselected(cursor, selected)


def _offered_cursor_flaw(cursor: FieldPath, offer: Offer) -> Flaw | None:
    if offer.defines_cursor:
        if cursor and set(cursor) != set(offer.cursor):
            what = f"differs from the source's own cursor, {'.'.join(offer.cursor)}"
            return Flaw(what, f"write {json.dumps(offer.cursor, ensure_ascii=False)}")
    elif not (cursor or offer.cursor):
        return Flaw("is missing: the source suggests no cursor", "name the field by which new rows are detected")
    elif cursor and not offer.has_field(cursor):
        return _no_field(cursor, offer)
    return None


def key_flaws(
    mode: str, key: KeyPaths, selected: Collection[str], offer: Offer | None
) -> Iterator[tuple[tuple[int, ...], Flaw]]:
    """What is wrong with the primary key of a stream, with the index of the path that is wrong where one is.

    A key that the mode needs exists, and is the source's own where it has one. A key by which rows are matched is
    selected.

    Args:
        mode: of the stream.
        key: as it is asked for; empty for the source's.
        selected: names of top-level fields; empty for all of them.
        offer: of the source; None where it is not known.
    """
    if mode in KEYLESS_MODES:
        return
    own = offer.primary_key if offer is not None else ()
    if mode in KEYED_MODES:
        if own and key and key != own:
            yield (), Flaw("differs from the source's own key", f"write {json.dumps(own, ensure_ascii=False)}")
            return
        if not (key or own):
            yield (), Flaw(f"is missing: {PAIRS[mode][1]} matches rows by it", 'name the key, such as [["id"]]')
            return
        for index, path in enumerate(key if offer is not None else ()):
            if offer is not None and not offer.has_field(path):
                yield (index,), _no_field(path, offer)
                return
    if mode in KEY_SELECTING_MODES:
        # Where the source has a key of its own, the server puts it in the place of the one that was sent.
        for path in own or key:
            flaw = _unselected(path, selected)
            if flaw is not None:
                yield (), flaw


def replaced_key_flaw(mode: str, key: KeyPaths, offer: Offer) -> Flaw | None:
    """Why a key has no effect: in modes that don't need one, the server replaces it by the source's own in silence."""
    own = offer.primary_key
    if own and key and key != own and mode not in KEYED_MODES | KEYLESS_MODES:
        what = "is not the source's own key, which Airbyte uses in its place"
        return Flaw(what, f"write {json.dumps(own, ensure_ascii=False)}")
    return None


def looked_up(mode: str, cursor: FieldPath, key: KeyPaths) -> list[FieldPath]:
    """The fields that the server looks up in the source for a cursor and a key, each once."""
    found = [cursor] if cursor and is_incremental(mode) else []
    return list(dict.fromkeys([*found, *(key if mode in KEYED_MODES else ())]))


def _no_field(path: FieldPath, offer: Offer) -> Flaw:
    remedy = suggestion(path[0] if path else "", offer.names, "name a field that the source has")
    return Flaw(f'"{".".join(path)}" {_NO_FIELD}', remedy)


def _unselected(path: FieldPath, selected: Collection[str]) -> Flaw | None:
    if not path or not selected or path[0] in selected:
        return None
    return Flaw(f'"{path[0]}" is not among the selected fields', "add it to fields")
