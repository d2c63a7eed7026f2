"""Secrets of configurations: find by spec, store under versioned coordinates, mask, merge.

Source of behaviour: airbyte-platform JsonSecretsProcessor, SecretsHelpers and ConfigurationUpdate.
"""

import re
from collections.abc import Callable, Iterator
from itertools import count
from uuid import uuid4

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, as_object, dump_json
from airbyte_twin.records import Secret
from airbyte_twin.store import Table

MASK = "**********"
NODE = "_secret"
REFERENCE = "secret_coordinate::"
VERSIONED = re.compile(r"(?P<base>.+_v)(?P<number>\d+)")

Path = tuple[str, ...]
Change = Callable[[JsonValue, JsonValue], JsonValue]


def secret_paths(spec: JsonValue, at: Path = ()) -> Iterator[Path]:
    """Paths of all secret leaves of a spec, over all branches of `oneOf` and the like; `*` is any array item."""
    if not isinstance(spec, dict):
        return
    if spec.get("airbyte_secret") is True:
        yield at
        return
    for name, member in as_object(spec.get("properties")).items():
        yield from secret_paths(member, (*at, name))
    yield from secret_paths(spec.get("items"), (*at, "*"))
    for keyword in ("oneOf", "anyOf", "allOf"):
        branches = spec.get(keyword)
        for branch in branches if isinstance(branches, list) else ():
            yield from secret_paths(branch, at)


class SecretTree:
    """The secret paths of a spec as a tree, for one walk over a configuration."""

    def __init__(self, spec: JsonObject) -> None:
        self.children: dict[str, SecretTree] = {}
        self.secret = False
        for path in secret_paths(spec):
            node = self
            for step in path:
                node = node.children.setdefault(step, SecretTree({}))
            node.secret = True


def secret_values(document: JsonValue, tree: SecretTree) -> tuple[str, ...]:
    """The secrets that a document shows."""
    found: list[str] = []

    def note(value: JsonValue, _before: JsonValue) -> JsonValue:
        found.extend([value] if isinstance(value, str) and value else [])
        return value

    _mapped(document, None, tree, note)
    return tuple(found)


class Vault:
    """Reads and writes secrets of one workspace's configurations."""

    def __init__(self, table: Table[Secret], workspace_id: str) -> None:
        self._table = table
        self._workspace_id = workspace_id

    def masked(self, document: JsonValue, tree: SecretTree) -> JsonValue:
        """The document with ten asterisks for every secret, whatever its length."""
        return _mapped(document, None, tree, lambda value, _: _masked(value))

    def referenced(self, document: JsonValue, tree: SecretTree) -> JsonValue:
        """The document with `secret_coordinate::<name>` for every secret."""
        return _mapped(document, None, tree, lambda value, _: _reference(value))

    def referenced_elsewhere(self, document: JsonValue, tree: SecretTree) -> JsonValue:
        """The same with a mask for every secret that the server itself stores."""
        return _mapped(
            document,
            None,
            tree,
            lambda value, _: _masked(value) if self._table.get(_coordinate(value)) else _reference(value),
        )

    def revealed(self, document: JsonValue, tree: SecretTree, before: JsonValue) -> JsonValue:
        """The document with the values of the secrets that it shares with the sealed one before."""
        return _mapped(document, before, tree, lambda value, old: self._value(value) if _is_kept(value, old) else value)

    def kept(self, document: JsonValue, tree: SecretTree, before: JsonValue) -> JsonValue:
        """The document with each mask replaced by the secret of the previous document, if it had one."""
        return _mapped(document, before, tree, lambda value, old: old if value == MASK and is_node(old) else value)

    def sealed(self, document: JsonValue, tree: SecretTree, before: JsonValue) -> JsonValue:
        """Store every plain secret of a document.

        Args:
            document: As sent, or already sealed in parts.
            tree: Where its secrets are.
            before: The sealed document that this one replaces, None for a new one.

        Returns:
            The document with a secret node at each secret; a raw value gets the next version of the coordinate
            before it, even if the value is the same.
        """
        return _mapped(document, before, tree, self._sealed_leaf)

    def forget(self, document: JsonValue, tree: SecretTree) -> None:
        """Delete the secrets of a document."""
        _mapped(document, None, tree, self._dropped)

    def _sealed_leaf(self, value: JsonValue, before: JsonValue) -> JsonValue:
        if value is None or _is_kept(value, before):
            return value
        text = value if isinstance(value, str) else dump_json(value).decode()
        if text.startswith(REFERENCE):
            return {NODE: text.removeprefix(REFERENCE)}
        coordinate = self._next_coordinate(before)
        self._table.put(Secret(id=coordinate, value=text))
        return {NODE: coordinate}

    def _next_coordinate(self, before: JsonValue) -> str:
        known = VERSIONED.fullmatch(_coordinate(before))
        if known and self._table.get(known[0]):
            later = (f"{known['base']}{number}" for number in count(int(known["number"]) + 1))
            return next(coordinate for coordinate in later if self._table.get(coordinate) is None)
        return f"airbyte_workspace_{self._workspace_id}_secret_{uuid4()}_v1"

    def _value(self, node: JsonValue) -> JsonValue:
        secret = self._table.get(_coordinate(node))
        return secret.value if secret else REFERENCE + _coordinate(node)

    def _dropped(self, value: JsonValue, _before: JsonValue) -> JsonValue:
        self._table.drop(_coordinate(value))
        return None


def is_node(document: JsonValue) -> bool:
    """Whether it is the reference to a stored secret."""
    return isinstance(document, dict) and set(document) == {NODE}


def _masked(value: JsonValue) -> JsonValue:
    return None if value is None else MASK


def _reference(value: JsonValue) -> JsonValue:
    return REFERENCE + _coordinate(value) if is_node(value) else _masked(value)


def _is_kept(value: JsonValue, before: JsonValue) -> bool:
    """Whether it is the same secret as before; a caller's own `{"_secret": …}` is a plain value."""
    return is_node(value) and value == before


def _coordinate(node: JsonValue) -> str:
    return str(as_object(node).get(NODE))


def merged(before: JsonValue, patch: JsonValue) -> JsonValue:
    """A deep merge: objects merge, everything else is replaced, nothing can be removed."""
    if isinstance(before, dict) and isinstance(patch, dict) and not is_node(before):
        return {**before, **{key: merged(before.get(key), value) for key, value in patch.items()}}
    return patch


def _mapped(document: JsonValue, before: JsonValue, tree: SecretTree, change: Change) -> JsonValue:
    """The document with a change applied to the value at each secret path, given the previous value at that path."""
    if tree.secret:
        return change(document, before)
    if isinstance(document, dict):
        old = as_object(before)
        return {
            key: _mapped(value, old.get(key), tree.children[key], change) if key in tree.children else value
            for key, value in document.items()
        }
    if isinstance(document, list) and "*" in tree.children:
        items = [*before, *[None] * len(document)] if isinstance(before, list) else [None] * len(document)
        return [_mapped(value, old, tree.children["*"], change) for value, old in zip(document, items, strict=False)]
    return document
