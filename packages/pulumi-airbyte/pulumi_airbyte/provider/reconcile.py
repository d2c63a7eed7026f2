"""Compare code, state and server as canonical trees. Pure: independent of the engine and of HTTP.

A canonical tree has no defaults and no nulls, and a fixed order. Each resource brings code and server answers into this
form, so that two trees differ exactly where their meaning differs.
"""

from collections.abc import Iterator
from typing import Final

from pulumi_airbyte.provider.properties import (
    UNKNOWN,
    Properties,
    Property,
    Secret,
    Unknown,
    has_secret,
    secret,
    unwrap,
)
from pulumi_airbyte.values import MASK, JsonValue, Path, canonical_json

ABSENT: Final = None
Rewrites = dict[Path, Property]
"""Values that the server stored in place of those that were sent, by path; ABSENT if it dropped the value."""


def changes(old: Property, new: Property, path: Path = ()) -> Iterator[tuple[Path, Property, Property]]:
    """Every difference of two trees: path, old value, new value. A missing value is None.

    A mask on the old side equals any value: it stands for a secret that an import could not read.
    """
    was, now = unwrap(old), unwrap(new)
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            yield from changes(was.get(key), now.get(key), (*path, key))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for index, (before, after) in enumerate(zip(was, now, strict=True)):
            yield from changes(before, after, (*path, index))
    elif (
        isinstance(now, Unknown)
        or isinstance(was, Unknown)
        or (not same(was, now) and not (was == MASK and now is not None))
    ):
        yield path, old, new


def same(left: Property, right: Property) -> bool:
    """Whether two values are equal as JSON, secret marks aside (`1` is `1.0`, but `true` is not `1`)."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return False
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    return canonical_json(_plain(left)) == canonical_json(_plain(right))


def _plain(value: Property) -> JsonValue:
    match value:
        case Secret():
            return _plain(value.value)
        case Unknown():
            return repr(UNKNOWN)
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def rewrites(sent: Properties, answered: Properties) -> Rewrites:
    """The differences between a write and the server's answer. Masked secrets are none."""
    return {path: there for path, there, _ in changes(answered, sent)}


def merged(live: Property, sent: Property, known: Rewrites, path: Path = ()) -> Property:
    """The live tree as a program would write it.

    The sent value is kept if the live one is its recorded rewrite, or a mask for it.

    Args:
        live: the server's answer in canonical form.
        sent: the tree that was applied last; None for an import.
        known: the rewrites recorded when it was applied.
        path: path of this node; empty for the root.
    """
    if path in known and same(live, known[path]):
        return sent
    if live == MASK:
        return sent if sent is not None and _hides(sent) else Secret(MASK)
    if isinstance(sent, Secret) and same(live, sent):
        return sent
    here = unwrap(sent)
    if isinstance(live, dict) and (isinstance(here, dict) or here is None):
        return _merged_object(live, here or {}, known, path)
    if isinstance(live, list) and isinstance(here, list) and len(live) == len(here):
        pairs = zip(live, here, strict=True)
        return [merged(now, was, known, (*path, index)) for index, (now, was) in enumerate(pairs)]
    return sent if same(live, sent) else secrecy_kept(live, sent)


def _merged_object(live: Properties, sent: Properties, known: Rewrites, path: Path) -> Properties:
    result: Properties = {}
    for key in sorted(live.keys() | sent.keys()):
        value = merged(live.get(key), sent.get(key), known, (*path, key))
        if value is not None and not (value == {} and key not in sent and live.get(key) != {}):
            result[key] = value
    return result


def secrecy_kept(new: Property, old: Property) -> Property:
    """Mark every leaf as secret whose path holds a secret in the old tree.

    Items of a changed list may have moved, so each becomes secret if any item was.
    """
    was, now = unwrap(old), unwrap(new)
    if isinstance(now, dict) and isinstance(was, dict):
        kept: Property = {key: secrecy_kept(item, was.get(key)) for key, item in now.items()}
    elif isinstance(now, list) and isinstance(was, list):
        kept = _items_kept(now, was)
    else:
        return all_secret(now) if isinstance(new, Secret) or has_secret(old) else new
    return all_secret(kept) if isinstance(new, Secret) or isinstance(old, Secret) else kept


def _items_kept(now: list[Property], was: list[Property]) -> Property:
    if same(now, was):
        return [secrecy_kept(item, before) for item, before in zip(now, was, strict=True)]
    kept = now
    for before in was:
        kept = [secrecy_kept(item, before) for item in kept]
    return list(kept)


def all_secret(value: Property) -> Property:
    """Mark every leaf as secret instead of the whole, so that leaves can be compared and hidden one by one."""
    if isinstance(value, dict) and value:
        return {key: all_secret(item) for key, item in value.items()}
    if isinstance(value, list) and value:
        return [all_secret(item) for item in value]
    return secret(value) if value is not None else None


def _hides(sent: Property) -> bool:
    return not isinstance(unwrap(sent), dict | list)
