"""Which stream is meant: keys of earlier states and of programs, and one stream in two lists of streams. Pure.

Two lists name the same stream by the same pair of namespace and name. A program may leave the namespace to the source,
and the server fills it in: such a stream is found by what the server has made of it, or by being the only one left.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from pulumi_airbyte.configurations import key_of, name_of

Filled = Mapping[str, str | None]
"""Namespaces that the server gives streams in place of what was sent, by the stream's key."""
Value = TypeVar("Value")


def key_in(key: str, streams: Collection[str]) -> str:
    """The key that a key of a state has today.

    Earlier states have a stream under its name, or under `namespace.name` where the name came twice.

    Args:
        key: as the state has it.
        streams: the keys of the same state's streams.
    """
    if key in streams:
        return key
    found = [own for own, before in _keys_before(streams) if before == key] or keys_meant(key, streams)
    return found[0] if len(found) == 1 else key


def keys_meant(key: str, streams: Collection[str]) -> list[str]:
    """The streams that a person may mean by a key: by their own, by `namespace.name`, or by the name alone."""
    if key in streams:
        return [key]
    names = ((own, *name_of(own)) for own in streams)
    return [own for own, namespace, name in names if key in {name, f"{namespace or ''}.{name}"}]


def _keys_before(streams: Collection[str]) -> list[tuple[str, str]]:
    """Each key with the one that earlier versions gave the stream among these."""
    count = Counter(name_of(own)[1] for own in streams)
    names = ((own, *name_of(own)) for own in streams)
    return [(own, name if count[name] == 1 else f"{namespace or ''}.{name}") for own, namespace, name in names]


def aligned(left: Iterable[str], right: Iterable[str], filled: Filled, *, answered: bool = False) -> dict[str, str]:
    """The streams of one list that another one has too.

    Args:
        left: keys of the one, such as what was sent.
        right: keys of the other, such as what is live.
        filled: what the server is known to have made of namespaces on the left.
        answered: the right is the answer to the left: where one stream of a name is left on both sides, the server
            has corrected its namespace.

    Returns:
        Keys of the right by those of the left.
    """
    there, sent = dict.fromkeys(right), dict.fromkeys(left)
    found = {key: key for key in sent if key in there}
    taken = set(found)
    for key in (key for key in sent if key in filled and key not in found):
        made = key_of((filled[key], name_of(key)[1]))
        if made in there and made not in taken:
            found[key] = made
            taken.add(made)
    rights = _by_name(key for key in there if key not in taken)
    for name, keys in _by_name(key for key in sent if key not in found).items():
        others = rights.get(name, [])
        if len(others) == 1:
            found |= dict.fromkeys(_fitting(keys, others[0], answered=answered), others[0])
    return found


def _fitting(keys: list[str], other: str, *, answered: bool) -> list[str]:
    """Of streams of one name, the one that is the only stream left of that name on the other side."""
    bare = [key for key in keys if name_of(key)[0] is None]
    if bare or len(keys) > 1:
        return bare
    return keys if answered or name_of(other)[0] is None else []


def _by_name(keys: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(name_of(key)[1], []).append(key)
    return found


def renamed(values: Mapping[str, Value], keys: Mapping[str, str]) -> dict[str, Value]:
    """The values under other keys; one whose key stays unnamed keeps it."""
    return {keys.get(key, key): value for key, value in values.items()}
