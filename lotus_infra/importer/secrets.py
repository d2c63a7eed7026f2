"""References in place of secrets: which values of an existing configuration a file may hold.

A specification decides where it describes a value. Where none does, only what is plainly harmless stays a value
(`lake.secrecy`): an unneeded secret in the stack costs a command, a secret in a file can't be taken back.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from airbyte_model.json_values import JsonObject
from airbyte_model.secrets import MASK
from airbyte_model.specifications import Specification
from pydantic import JsonValue

from lotus_infra import naming
from lotus_infra.importer.files import Reason, UnsupportedError
from lotus_infra.importer.model import ExistingMapper
from lotus_infra.lake.diagnostics import JsonPath, format_path
from lotus_infra.lake.references import AS, SECRET, ReferenceType, walk_leaves
from lotus_infra.lake.secrecy import Secrecy, SecretReason, holds_credential, is_plain_key

_TEXT: Final[JsonObject] = {"type": "string"}
_SECRET: Final[JsonObject] = {"type": "string", "airbyte_secret": True}
KNOWN_SPECIFICATIONS: Final[Mapping[str, JsonObject]] = {
    "4816b78f-1489-44c1-9060-4b19d5fa9362": {
        "type": "object",
        "properties": {
            **dict.fromkeys(("s3_bucket_name", "s3_bucket_path", "s3_bucket_region", "s3_endpoint"), _TEXT),
            **dict.fromkeys(("s3_path_format", "file_name_pattern", "role_arn"), _TEXT),
            **dict.fromkeys(("access_key_id", "secret_access_key"), _SECRET),
        },
    }
}
"""By definition id: what destination-s3 calls secret. The lake's names contain its path, which must be readable."""
_MAPPER_KEYS: Final = frozenset(
    {"targetField", "method", "fieldNameSuffix", "originalFieldName", "newFieldName", "type", "fieldName"}
    | {"comparisonValue", "algorithm", "mode", "padding", "publicKey"}
)
"""The keys of mappers that the public API describes, but for that of a key; Airbyte shows their values."""
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
    replacement = _Replacement(owner, names, Secrecy.of(configuration, spec))
    if not all(replacement.secrecy.shows_key((key,)) for key in configuration):
        what = "its configuration has a key that may be a secret, and a file would show it"
        raise UnsupportedError(Reason(what, "pin the connector in _connectors/, or rename the key in Airbyte"))
    replaced = {key: replacement.of((key,), value) for key, value in configuration.items()}
    return ReferencedConfiguration(replaced, tuple(replacement.uses))


def replace_mapper_secrets(
    mapper: ExistingMapper, index: int, owner: ConfigurationOwner, names: SecretNames
) -> tuple[dict[str, JsonValue], tuple[SecretUse, ...]]:
    """A mapper as a stream's file has it, with references in place of its secrets.

    Airbyte hides the key of an encryption. Other values are public there, and may still be credentials.

    Args:
        mapper: The existing mapper.
        index: Its place among the stream's mappers.
        owner: Its stream.
        names: The taken names.
    """
    uses: list[SecretUse] = []
    column = mapper.configuration.get("targetField")
    named = "_".join([owner.name, *([naming.identifier(column, "field")] if isinstance(column, str) else [])])

    def replaced(path: JsonPath, value: JsonValue) -> JsonValue:
        if isinstance(value, dict):
            return {key: replaced((*path, key), inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [replaced((*path, position), inner) for position, inner in enumerate(value)]
        if not isinstance(value, str):
            return value
        reason = _mapper_secret(mapper, path, value)
        if reason is None:
            return value
        place = format_path(("mappers", index, "configuration", *path))
        uses.append(SecretUse(names.name(named, path), owner.file, place, reason))
        return {SECRET: uses[-1].name}

    configuration = replaced((), dict(mapper.configuration))
    return {"type": mapper.type, "configuration": configuration}, tuple(uses)


def mapper_secrets(mapper: ExistingMapper) -> Iterator[str]:
    """The secret texts of a mapper; a mask is none."""
    for path, leaf in walk_leaves(dict(mapper.configuration)):
        if isinstance(leaf, str) and leaf != MASK and _mapper_secret(mapper, path, leaf) is not None:
            yield leaf


def _mapper_secret(mapper: ExistingMapper, path: JsonPath, value: str) -> SecretReason | None:
    """Why a text of a mapper is a secret; None if it is none."""
    if mapper.type == "encryption" and path == ("key",):
        return "specified"
    if value == MASK:
        return "masked"
    if path[-1] not in _MAPPER_KEYS:
        return "undescribed"
    return "credential" if holds_credential(value) else None


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
    secrecy: Secrecy
    uses: list[SecretUse] = field(default_factory=list)

    def of(self, path: JsonPath, value: JsonValue) -> JsonValue:
        """A value with references in place of its secrets."""
        if isinstance(value, dict) and value:
            if not all(self.secrecy.shows_key((*path, key)) for key in value):
                return self._reference(path, "undescribed", "json")
            return {key: self.of((*path, key), inner) for key, inner in value.items()}
        if isinstance(value, list) and value:
            return [self.of((*path, index), inner) for index, inner in enumerate(value)]
        reason = self.secrecy.reason(path, value)
        return value if reason is None else self._reference(path, reason, _type_of(value))

    def _reference(self, path: JsonPath, reason: SecretReason, kind: ReferenceType) -> JsonValue:
        name = self.names.name(self.owner.name, path)
        place = format_path(("configuration", *path))
        self.uses.append(SecretUse(name, self.owner.file, place, reason, kind))
        return {SECRET: name} if kind == "string" else {SECRET: name, AS: kind}


def _type_of(leaf: JsonValue) -> ReferenceType:
    if isinstance(leaf, str):
        return "string"
    return "integer" if isinstance(leaf, int) else "number"
