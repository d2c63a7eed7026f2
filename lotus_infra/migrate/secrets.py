"""Secrets of configurations become references, so that no value of one ever gets into a file.

What is secret says the connector's specification where it is pinned, or the server by a mask. Where neither says
anything, what is named or looks like a secret is taken for one: a value too many in the stack does no harm, one too
many in a file does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from airbyte_model.secrets import MASK, is_stored
from airbyte_model.specifications import Specification
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.streams.problems import JsonPath, field_name
from lotus_infra.streams.references import SECRET, walk

_NAMED: Final = re.compile(
    r"pass(word|wd|phrase|code)?($|_)|secret|token|key($|_|s$)|credential|private|bearer|cookie|signature"
    r"|connection_string|dsn|pem$|cert|auth(orization)?$|webhook|jwt|service_account",
    re.IGNORECASE,
)
_PUBLIC: Final = re.compile(
    r"(_type|_method|_mode|_path|_url|_header|_name|_field|_fields)$|^primary_key|^public", re.IGNORECASE
)
_LOOKS: Final = re.compile(
    r"-----BEGIN|://[^/\s:@]+:[^/\s@]+@|\bprivate_key\b|^eyJ[A-Za-z0-9_-]{8}|^(AKIA|ghp_|shpat_|xox|sk_|pk_)"
)


@dataclass(frozen=True, slots=True)
class SecretUse:
    """A secret that a stack must have a value for.

    Attributes:
        name: The stack's name of it.
        file: The file that refers to it, in the lake.
        place: Where in the file.
    """

    name: str
    file: str
    place: str


@dataclass
class SecretNames:
    """Gives each secret of a lake a name of its own."""

    taken: set[str] = field(default_factory=set)

    def name(self, owner: str, path: JsonPath) -> str:
        """The shortest name that is free, made of the end of the path, or else numbered."""
        ends = [naming.secret(owner, path[-length:]) for length in range(1, len(path) + 1)]
        numbered = (f"{ends[-1]}_{number}" for number in range(2, len(self.taken) + 3))
        chosen = next(name for name in (*ends, *numbered) if name not in self.taken)
        self.taken.add(chosen)
        return chosen


@dataclass(frozen=True, slots=True)
class Holder:
    """What has a configuration: its name, which names of its secrets start with, and its file."""

    name: str
    file: str


@dataclass(frozen=True, slots=True)
class Referenced:
    """A configuration without secrets, and those that it refers to."""

    configuration: dict[str, JsonValue]
    secrets: tuple[SecretUse, ...]


def referenced(
    configuration: Mapping[str, JsonValue],
    holder: Holder,
    names: SecretNames,
    spec: Specification | None,
    *,
    masked: bool,
) -> Referenced:
    """Put references in the places of secrets.

    Args:
        configuration: As it is.
        holder: What it is the configuration of.
        names: Names that are taken.
        spec: The connector's specification, where it is pinned.
        masked: Whether the server has put masks in the places of all that it knows to be secret.
    """
    uses: dict[JsonPath, SecretUse] = {}
    unknown = {path for path, _ in spec.unknown_keys(dict(configuration))} if spec is not None else {()}
    for path, leaf in walk(dict(configuration)):
        untold = any(path[:length] in unknown for length in range(len(path) + 1))
        if _is_secret(path, leaf, spec, guessed=untold and not masked):
            place = field_name(("configuration", *path))
            uses[path] = SecretUse(names.name(holder.name, path), holder.file, place)
    made = _replaced(dict(configuration), uses, ())
    return Referenced(made if isinstance(made, dict) else {}, tuple(uses.values()))


def _is_secret(path: JsonPath, leaf: JsonValue, spec: Specification | None, *, guessed: bool) -> bool:
    if leaf is None or isinstance(leaf, bool) or leaf in ({}, []):
        return False
    if leaf == MASK:
        return True
    if is_stored(leaf):
        return False
    if spec is not None and spec.is_secret(path):
        return True
    return guessed and isinstance(leaf, str) and bool(leaf) and _seems_secret(path, leaf)


def _seems_secret(path: JsonPath, leaf: str) -> bool:
    name = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    named = _NAMED.search(name) is not None and _PUBLIC.search(name) is None
    return named or _LOOKS.search(leaf) is not None


def _replaced(value: JsonValue, uses: Mapping[JsonPath, SecretUse], path: JsonPath) -> JsonValue:
    if path in uses:
        return {SECRET: uses[path].name}
    if isinstance(value, dict):
        return {key: _replaced(inner, uses, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, uses, (*path, index)) for index, inner in enumerate(value)]
    return value
