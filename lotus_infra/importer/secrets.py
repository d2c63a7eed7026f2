"""References in place of secrets: which values of an existing configuration a file may hold.

A specification decides where it describes a value. Where none does, only what is plainly harmless stays a value
(`lake.plain_values`): an unneeded secret in the stack costs a command, a secret in a file can't be taken back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from airbyte_model import secrets
from airbyte_model.secrets import MASK, is_stored
from airbyte_model.specifications import Specification
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.importer.files import Reason, UnsupportedError
from lotus_infra.lake.diagnostics import JsonPath, format_path
from lotus_infra.lake.plain_values import holds_credential, is_harmless, is_plain_key
from lotus_infra.lake.references import AS, SECRET, ReferenceType

SecretReason = Literal["specified", "masked", "undescribed", "credential"]
"""`specified`: the connector's specification calls it secret. `masked`: Airbyte hides it. `undescribed`: no
specification describes it, and it is not plainly harmless. `credential`: it is a credential, and the specification does
not call it secret."""
_DATA_KEY: Final = "…"
"""Stands for a key that may be data."""


@dataclass(frozen=True, slots=True)
class SecretUse:
    """A reference to a secret in a new file, for which the stack needs a value.

    Attributes:
        name: The secret's name in the stack.
        file: The file with the reference, in the lake.
        place: The reference's field in the file.
        reason: Why it is a secret.
        type: The type that the stack's text is parsed as.
    """

    name: str
    file: str
    place: str
    reason: SecretReason = "specified"
    type: ReferenceType = "string"


@dataclass
class SecretNames:
    """The names of a lake's secrets; each new secret gets a free one."""

    taken: set[str] = field(default_factory=set)

    def name(self, owner: str, path: JsonPath) -> str:
        """The shortest free name that the end of a field's path makes, or else a numbered one."""
        # An index alone names nothing.
        last_key = max(index for index, step in enumerate(path) if isinstance(step, str))
        ends = [naming.secret(owner, path[first:]) for first in range(last_key, -1, -1)]
        numbered = (f"{ends[-1]}_{number}" for number in range(2, len(self.taken) + 3))
        chosen = next(name for name in (*ends, *numbered) if name not in self.taken)
        self.taken.add(chosen)
        return chosen


@dataclass(frozen=True, slots=True)
class ConfigurationOwner:
    """The source or destination of a configuration: its name, the prefix of its secrets' names, and its file."""

    name: str
    file: str


@dataclass(frozen=True, slots=True)
class ReferencedConfiguration:
    """A configuration with references in place of secrets, and these references."""

    configuration: dict[str, JsonValue]
    secrets: tuple[SecretUse, ...]


def replace_secrets(
    configuration: Mapping[str, JsonValue], owner: ConfigurationOwner, names: SecretNames, spec: Specification | None
) -> ReferencedConfiguration:
    """Replace the secrets of a configuration by references.

    Args:
        configuration: The existing configuration.
        owner: Its source or destination.
        names: The taken names.
        spec: The connector's specification; None if unknown.

    Raises:
        UnsupportedError: A key of the configuration may be a secret.
    """
    described = secrets.described(spec.schema, configuration) if spec is not None else frozenset()
    replacement = _Replacement(owner, names, spec, described)
    if not all(replacement.has_readable_key((key,)) for key in configuration):
        what = "its configuration has a key that may be a secret, and a file would show it"
        raise UnsupportedError(Reason(what, "pin the connector in _connectors/, or rename the key in Airbyte"))
    replaced = {key: replacement.of((key,), value) for key, value in configuration.items()}
    return ReferencedConfiguration(replaced, tuple(replacement.uses))


def readable_path(path: JsonPath) -> str:
    """A path in a configuration as text, up to the first key that may be data."""
    end = next(
        (index for index, step in enumerate(path) if isinstance(step, str) and not is_plain_key(step)), len(path)
    )
    return format_path((*path[:end], *[_DATA_KEY][: len(path) - end]))


@dataclass
class _Replacement:
    """Replaces the secrets of one configuration, and collects the references."""

    owner: ConfigurationOwner
    names: SecretNames
    spec: Specification | None
    described: frozenset[JsonPath]
    uses: list[SecretUse] = field(default_factory=list)

    def has_readable_key(self, path: JsonPath) -> bool:
        """Whether a file may show the last key of a path, and can: `$` begins the key of a reference."""
        key = str(path[-1])
        known = self.spec is not None and bool(secrets.schemas_at(self.spec.schema, path))
        return not key.startswith("$") and (known or is_plain_key(key))

    def of(self, path: JsonPath, value: JsonValue) -> JsonValue:
        """A value with references in place of its secrets."""
        if isinstance(value, dict) and value:
            if not all(self.has_readable_key((*path, key)) for key in value):
                return self._reference(path, "undescribed", "json")
            return {key: self.of((*path, key), inner) for key, inner in value.items()}
        if isinstance(value, list) and value:
            return [self.of((*path, index), inner) for index, inner in enumerate(value)]
        reason = self._reason(path, value)
        return value if reason is None else self._reference(path, reason, _type_of(value))

    def _reason(self, path: JsonPath, leaf: JsonValue) -> SecretReason | None:
        """Why a leaf is a secret; None if it is none."""
        # The coordinate of a stored secret is no secret itself.
        if leaf is None or isinstance(leaf, bool) or leaf in ({}, []) or is_stored(leaf):
            return None
        if isinstance(leaf, str) and MASK in leaf:
            return "masked"
        if self.spec is not None and self.spec.is_secret(path):
            return "specified"
        if path in self.described:
            return "credential" if isinstance(leaf, str) and holds_credential(leaf) else None
        key = next(step for step in reversed(path) if isinstance(step, str))
        return None if is_harmless(key, leaf) else "undescribed"

    def _reference(self, path: JsonPath, reason: SecretReason, kind: ReferenceType) -> JsonValue:
        name = self.names.name(self.owner.name, path)
        place = format_path(("configuration", *path))
        self.uses.append(SecretUse(name, self.owner.file, place, reason, kind))
        return {SECRET: name} if kind == "string" else {SECRET: name, AS: kind}


def _type_of(leaf: JsonValue) -> ReferenceType:
    if isinstance(leaf, str):
        return "string"
    return "integer" if isinstance(leaf, int) else "number"
