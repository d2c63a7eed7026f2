"""Secrets that were changed outside the program, seen by their versions.

A server shows secrets as masks. Asked for coordinates (self-managed, 1.7 and later), it names the stored object and its
version, which grows with every write of a value (airbyte-platform, SecretsHelpers). What the last write left is
recorded; another version later is a change by somebody else. Knows neither the engine nor HTTP.
"""

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, cast

from airbyte_model.secrets import MASK, REFERENCE, is_stored

from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.client.models import Actor, ActorKind
from pulumi_airbyte.provider.properties import Properties, Property, Secret, unwrap
from pulumi_airbyte.provider.secrecy import masks
from pulumi_airbyte.values import JsonValue, Path, canonical_json, leaves, render_path

CHANGED: Final = f"{MASK} (changed outside the program)"
"""Stands in the state for a secret that is not the program's; no value of a program is like it."""
VERSIONED: Final = re.compile(r"(?P<base>.*)_v(?P<number>\d+)")
HASHED: Final = 8

Versions = dict[str, str]
"""What stands behind each secret of a configuration, by property path: `<version>` and a short hash of the object's
name, which distinguishes objects of the same version without showing the name."""


class Coordinates:
    """Actors with coordinates in the places of their secrets, as long as the server gives any. Thread-safe."""

    def __init__(self, airbyte: Airbyte) -> None:
        self._airbyte = airbyte
        self._lock = threading.Lock()
        self._given = True

    @property
    def given(self) -> bool:
        """Whether the server gives coordinates, as far as this run knows."""
        return self._given

    def get(self, kind: ActorKind, actor_id: str) -> Actor:
        """One actor; a server that answers masks is not asked for coordinates again.

        Raises:
            AirbyteError: as a plain GET.
        """
        found = self._airbyte.get_actor(kind, actor_id, coordinates=True)
        if not versions(found) and has_masks(found):
            with self._lock:
                self._given = False
        return found

    def read(self, kind: ActorKind, actor_id: str) -> Actor:
        """One actor as it is now, with coordinates as long as the server gives any.

        Raises:
            AirbyteError: as a plain GET.
        """
        return self.get(kind, actor_id) if self._given else self._airbyte.get_actor(kind, actor_id)

    def recorded(
        self, kind: ActorKind, written: Actor, earlier: Versions | None = None, left: Iterable[Path] = ()
    ) -> Properties:
        """The output that records a write's secrets; empty where there is nothing to record.

        A write is done when this is asked: what can't be recorded now must not look like a failure of the write, and
        the next refresh records it.

        Args:
            kind: what was written.
            written: the server's answer to the write.
            earlier: the record before it.
            left: the secrets that the write left as they were. They keep their record: where somebody has changed
                one, the next refresh is to show it.
        """
        record = earlier or {}
        kept = {path: record[path] for path in map(render_path, left) if path in record}
        return as_output(self._after(kind, written) | kept)

    def _after(self, kind: ActorKind, written: Actor) -> Versions:
        if not self._given or not has_masks(written):
            return {}
        try:
            return versions(self.get(kind, written.actor_id))
        except AirbyteError:
            return {}


def has_masks(actor: Actor) -> bool:
    """Whether the server hides anything of the configuration."""
    return next(masks(actor.configuration), None) is not None


def versions(actor: Actor) -> Versions:
    """The versions of an actor that was read with coordinates."""
    return {render_path(path): _version(name) for path, name in _coordinates(actor)}


def masked(actor: Actor) -> Actor:
    """The actor as a plain GET would show it."""
    return actor.model_copy(update={"configuration": _replaced(actor.configuration, is_stored)})


def as_output(found: Versions) -> Properties:
    """The record for the state."""
    return {"secretVersions": canonical_json(found)} if found else {}


def from_outputs(outputs: Properties) -> Versions:
    """The record of the last write."""
    text = unwrap(outputs.get("secretVersions"))
    return cast("Versions", json.loads(text)) if isinstance(text, str) else {}


def changed_outside(actor: Actor, recorded: Versions) -> list[Path]:
    """The paths in the configuration whose secret is not the recorded one any more."""
    return [
        path for path, name in _coordinates(actor) if recorded.get(render_path(path), _version(name)) != _version(name)
    ]


def with_changes(configuration: Property, paths: list[Path]) -> Property:
    """The configuration with the sign for a changed secret at these paths."""
    return with_values(configuration, dict.fromkeys(paths, Secret(CHANGED)))


def with_values(configuration: Property, values: Mapping[Path, Property]) -> Property:
    """The configuration with these values at their paths, which it has."""
    if () in values:
        return values[()]
    here = unwrap(configuration)
    if values and isinstance(here, dict):
        return {key: with_values(item, _below(values, key)) for key, item in here.items()}
    if values and isinstance(here, list):
        return [with_values(item, _below(values, index)) for index, item in enumerate(here)]
    return configuration


def unreadable(value: Property, path: Path = ()) -> Iterator[Path]:
    """Every path at which a sign stands for a secret that only the server knows."""
    inner = unwrap(value)
    if isinstance(inner, dict):
        for key, item in inner.items():
            yield from unreadable(item, (*path, key))
    elif isinstance(inner, list):
        for index, item in enumerate(inner):
            yield from unreadable(item, (*path, index))
    elif inner in (MASK, CHANGED):
        yield path


def _below(values: Mapping[Path, Property], key: str | int) -> dict[Path, Property]:
    return {path[1:]: value for path, value in values.items() if path[:1] == (key,)}


def _coordinates(actor: Actor) -> list[tuple[Path, str]]:
    found = leaves(cast("JsonValue", actor.configuration))
    return [(path, value.removeprefix(REFERENCE)) for path, value in found if is_stored(value)]


def _version(name: str) -> str:
    known = VERSIONED.fullmatch(name)
    base, number = (known["base"], known["number"]) if known else (name, "")
    digest = hashlib.sha256(base.encode()).hexdigest()[:HASHED]
    return f"{number}:{digest}"


def _replaced(value: JsonValue, hides: Callable[[str], bool]) -> JsonValue:
    if isinstance(value, Mapping):
        return {key: _replaced(item, hides) for key, item in value.items()}
    if isinstance(value, str):
        return MASK if hides(value) else value
    return [_replaced(item, hides) for item in value] if isinstance(value, Sequence) else value
