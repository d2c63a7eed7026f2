"""References in a configuration: `{"$secret": name}`, `{"$config": name}` and `{"$landing": part}`.

A file names a value and the stack has it: a value that differs by stack or must stay secret is never in the lake. A
value of the landing zone is named by its part, so that no bucket and no credential is written twice. A secret with
`"rotates": true` is written when its object is created and never again: Airbyte rotates it afterwards, as it does with
OAuth's single-use refresh tokens. This module finds references and substitutes values; it never sees a stack.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeGuard, TypeVar, get_args

from airbyte_model.suggestions import suggestion
from pydantic import JsonValue

from lotus_infra.lake.diagnostics import JsonPath
from lotus_infra.naming import is_identifier

SECRET, CONFIG, LANDING, AS, ROTATES = "$secret", "$config", "$landing", "as", "rotates"
LANDING_ZONE = "landingZone"
"""The key of the stack's configuration that declares the landing zone."""

ReferenceType = Literal["string", "integer", "number", "boolean", "json"]
LandingPart = Literal["bucket", "prefix", "region", "endpoint", "access_key_id", "secret_access_key"]
SECRET_PARTS = frozenset({"access_key_id", "secret_access_key"})


Value = TypeVar("Value")
_PYTHON: Final[dict[ReferenceType, type | tuple[type, ...]]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "json": (dict, list, str, int, float),
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to a value of the stack, or to a part of its landing zone.

    Attributes:
        name: The stack's key of the value, `lotus:<name>`; for a part of the landing zone, the key of the whole zone.
        secret: Whether the value must stay secret.
        type: The type that the stack's text is parsed as.
        part: The part of the landing zone; None for a value of the stack.
        rotates: Whether Airbyte replaces the value after the first write.
    """

    name: str
    secret: bool
    type: ReferenceType = "string"
    part: LandingPart | None = None
    rotates: bool = False

    @property
    def text(self) -> dict[str, JsonValue]:
        """The reference as a file has it."""
        if self.part is not None:
            return {LANDING: self.part}
        kind: dict[str, JsonValue] = {} if self.type == "string" else {AS: self.type}
        rotates: dict[str, JsonValue] = {ROTATES: True} if self.rotates else {}
        return {SECRET if self.secret else CONFIG: self.name, **kind, **rotates}


LakeNames: TypeAlias = Mapping[str, frozenset[Reference]]
"""The names of the stack's values that a lake refers to, each with the references to it."""


@dataclass(frozen=True, slots=True)
class StackValues:
    """The names of a stack's values, without the values.

    Attributes:
        stack: The stack's name.
        names: Keys without the project, `shopify_store`.
        encrypted: Those whose value is encrypted in the stack.
    """

    stack: str
    names: frozenset[str]
    encrypted: frozenset[str] = frozenset()


def is_reference(value: object) -> TypeGuard[dict[str, JsonValue]]:
    """Whether a value of a configuration is a reference, well-formed or not: an object with a key that starts with `$`.

    Malformed ones count, so that a misspelt `$secrt` is reported and never sent to Airbyte as a value.
    """
    return isinstance(value, dict) and any(isinstance(key, str) and key.startswith("$") for key in value)


def parse_reference(value: dict[str, JsonValue]) -> Reference | tuple[str, str]:
    """Parse a reference; return what is wrong and what to do if it is malformed."""
    mark = next(key for key in value if key.startswith("$"))
    if mark not in {SECRET, CONFIG, LANDING}:
        known = (SECRET, CONFIG, LANDING)
        return f"{mark} is not a kind of reference", suggestion(mark, known, f"use {SECRET}, {CONFIG} or {LANDING}")
    options = {CONFIG: {AS}, SECRET: {AS, ROTATES}}.get(mark, set())
    extra = sorted(value.keys() - options - {mark})
    if extra:
        remedy = suggestion(extra[0], options, f'write {{"{mark}": "name"}} and no more')
        return f"a {mark} reference can't also have {', '.join(extra)}", remedy
    if mark == LANDING:
        return _parse_landing(value[mark])
    return _parse_stack_value(mark, value)


def _parse_stack_value(mark: str, value: dict[str, JsonValue]) -> Reference | tuple[str, str]:
    name, kind, rotates = value[mark], value.get(AS, "string"), value.get(ROTATES, False)
    if not isinstance(name, str) or not is_identifier(name):
        return f"{mark} does not name a value", "use lower-case letters, digits and underscores, a letter first"
    if not isinstance(rotates, bool):
        return f'"{ROTATES}" is not true or false', f'write "{ROTATES}": true where Airbyte rotates the secret'
    for known in get_args(ReferenceType):
        if kind == known:
            return Reference(name, mark == SECRET, known, rotates=rotates)
    return f'"{AS}" is not a known type', f"write one of {', '.join(get_args(ReferenceType))}"


def _parse_landing(part: JsonValue) -> Reference | tuple[str, str]:
    for known in get_args(LandingPart):
        if part == known:
            return Reference(LANDING_ZONE, known in SECRET_PARTS, part=known)
    parts = get_args(LandingPart)
    return "the landing zone has no such part", suggestion(str(part), parts, f"name one of {', '.join(parts)}")


def walk_leaves(value: JsonValue, path: JsonPath = ()) -> Iterator[tuple[JsonPath, JsonValue]]:
    """Yield every leaf of a configuration with its path; a reference is a leaf."""
    if isinstance(value, dict) and not is_reference(value):
        for key, inner in value.items():
            yield from walk_leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk_leaves(inner, (*path, index))
    else:
        yield path, value


def references(configuration: JsonValue) -> Iterator[tuple[JsonPath, Reference]]:
    """Yield every well-formed reference of a configuration with its path."""
    for path, leaf in walk_leaves(configuration):
        if is_reference(leaf):
            reference = parse_reference(leaf)
            if isinstance(reference, Reference):
                yield path, reference


def named_values(configurations: Iterable[JsonValue]) -> LakeNames | None:
    """The names of the stack's values that configurations refer to, with the references.

    None if they are unknown, because a reference is malformed.
    """
    found: dict[str, frozenset[Reference]] = {}
    for configuration in configurations:
        for _, leaf in walk_leaves(configuration):
            reference = parse_reference(leaf) if is_reference(leaf) else None
            if isinstance(reference, tuple):
                return None
            if reference is not None and reference.part is None:
                found[reference.name] = found.get(reference.name, frozenset()) | {reference}
    return found


def parse_text(kind: ReferenceType, text: str) -> JsonValue:
    """Parse the text of a stack's value as the type of a reference.

    Raises:
        ValueError: It has another type.
    """
    value: JsonValue = text if kind == "string" else json.loads(text)
    if not isinstance(value, _PYTHON[kind]) or (kind != "boolean" and isinstance(value, bool)):
        raise ValueError(kind)
    return value


def rotating_paths(configuration: JsonValue) -> Iterator[JsonPath]:
    """Yield the path of every secret that Airbyte rotates."""
    return (path for path, reference in references(configuration) if reference.rotates)


def substitute(configuration: JsonValue, resolve: Callable[[Reference], Value]) -> object:
    """Copy a configuration with each reference replaced by its value.

    Args:
        configuration: A checked configuration, without malformed references.
        resolve: Returns the value of a reference, such as a Pulumi output.
    """
    if is_reference(configuration):
        reference = parse_reference(configuration)
        return resolve(reference) if isinstance(reference, Reference) else configuration
    if isinstance(configuration, dict):
        return {key: substitute(inner, resolve) for key, inner in configuration.items()}
    if isinstance(configuration, list):
        return [substitute(inner, resolve) for inner in configuration]
    return configuration


def property_path(path: JsonPath) -> str | None:
    """A path in the engine's syntax, `credentials["refresh.token"]`; None if it can't be written.

    The syntax can escape only a quote (pulumi, property_path.go): a key that ends in a backslash can't be written, and
    `*` would mean every key.
    """
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif key.isascii() and key.replace("_", "a").isalnum():
            text += f".{key}" if text else key
        elif key == "*" or key.endswith("\\"):
            return None
        else:
            text += '["' + key.replace('"', '\\"') + '"]'
    return text
