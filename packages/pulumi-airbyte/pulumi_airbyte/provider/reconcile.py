"""Code, state and server compared as canonical trees. Pure: knows neither the engine nor HTTP.

A tree is what a resource means: defaults left out, order made regular, nulls dropped. Code and answers of the server
are brought into this form by the resource that they belong to, so that two trees differ exactly where something is
different.
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
"""What the server made of what was sent, by path, where that is something else; ABSENT where it dropped the value."""


def changes(old: Property, new: Property, path: Path = ()) -> Iterator[tuple[Path, Property, Property]]:
    """Every place where two trees differ: path, old value, new value. A place that one tree lacks is None there.

    A mask on the old side equals any value: it is what an import knows of a secret.
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
    """Where the server's answer to a write is not what was sent. Masked secrets are not rewrites."""
    return {path: there for path, there, _ in changes(answered, sent)}


def merged(live: Property, sent: Property, known: Rewrites, path: Path = ()) -> Property:
    """The tree as code would write it to get what is live now.

    Where the live value is what the server is known to make of the sent one, or hides it behind a mask, the sent
    value stands.

    Args:
        live: the server's answer in canonical form.
        sent: the tree that was applied last; None where there is none (an import).
        known: the rewrites recorded when it was applied.
        path: of this node; the root's is empty.
    """
    if path in known and same(live, known[path]):
        return sent
    if live == MASK:
        return sent if sent is not None and _hides(sent) else Secret(MASK)
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
    """A tree in which every leaf is secret whose place has a secret in the old tree.

    Items of a list that has changed may have moved: each is as secret as any item was.
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
    """Secrecy of the whole pushed down to the leaves, so that each leaf can be compared and hidden on its own."""
    if isinstance(value, dict) and value:
        return {key: all_secret(item) for key, item in value.items()}
    if isinstance(value, list) and value:
        return [all_secret(item) for item in value]
    return secret(value) if value is not None else None


def _hides(sent: Property) -> bool:
    return not isinstance(unwrap(sent), dict | list)
