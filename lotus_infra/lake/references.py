"""References in a configuration: `{"$secret": name}`, `{"$config": name, "as": type}` and `{"$landing": part}`.

A secret with `"rotates": true` is written with the object and never again: Airbyte rotates it afterwards, as it does
with OAuth's single-use refresh tokens.

A file names a value, a stack holds it: what differs by stack or must stay secret is never in the lake. What the landing
zone has is named by its part, so that no bucket and no credential is written twice. This module finds references and
puts values in their places; it never sees a stack.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeGuard, TypeVar, get_args

from airbyte_model.suggestions import suggestion
from pydantic import JsonValue

from lotus_infra.lake.diagnostics import JsonPath
from lotus_infra.naming import is_identifier

ReferenceType = Literal["string", "integer", "number", "boolean", "json"]
LandingPart = Literal["bucket", "prefix", "region", "endpoint", "access_key_id", "secret_access_key"]
SECRET, CONFIG, LANDING, AS, ROTATES = "$secret", "$config", "$landing", "as", "rotates"
SECRET_PARTS = frozenset({"access_key_id", "secret_access_key"})
LANDING_ZONE = "landingZone"
"""The stack's name of what it says about the landing zone, as an object."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that the stack holds, or that its landing zone has.

    Attributes:
        name: The stack's name of the value, `lotus:<name>` in its configuration.
        secret: Whether the value must stay secret.
        type: What the value is once it is read.
        part: The part of the landing zone that it is instead; the name is then that of the whole zone.
        rotates: Whether Airbyte puts other values in its place after the first write.
    """

    name: str
    secret: bool
    type: ReferenceType = "string"
    part: LandingPart | None = None
    rotates: bool = False


@dataclass(frozen=True, slots=True)
class StackValues:
    """The names, and only the names, that a stack has values for.

    Attributes:
        stack: The stack's name.
        names: Names without the project, `shopify_store`.
    """

    stack: str
    names: frozenset[str]


def is_reference(value: object) -> TypeGuard[dict[str, JsonValue]]:
    """Whether a part of a configuration is meant as a reference, well-formed or not: an object with a `$` key."""
    return isinstance(value, dict) and any(isinstance(key, str) and key.startswith("$") for key in value)


def parse(value: dict[str, JsonValue]) -> Reference | tuple[str, str]:
    """Read a reference, or tell what is wrong with it and what to do."""
    marks = [key for key in value if key.startswith("$")]
    mark = marks[0]
    if mark not in {SECRET, CONFIG, LANDING}:
        known = (SECRET, CONFIG, LANDING)
        return f"{mark} is no kind of reference", suggestion(mark, known, f"use {SECRET}, {CONFIG} or {LANDING}")
    options = {CONFIG: {AS}, SECRET: {ROTATES}}.get(mark, set())
    extra = sorted(value.keys() - options - {mark})
    if extra:
        remedy = suggestion(extra[0], options, f'write {{"{mark}": "name"}} and no more')
        return f"a {mark} reference can't also have {', '.join(extra)}", remedy
    if mark == LANDING:
        return _landing(value[mark])
    return _named(mark, value)


def _named(mark: str, value: dict[str, JsonValue]) -> Reference | tuple[str, str]:
    name, kind, rotates = value[mark], value.get(AS, "string"), value.get(ROTATES, False)
    if not isinstance(name, str) or not is_identifier(name):
        return f"{mark} does not name a value", "use lower-case letters, digits and underscores, a letter first"
    if not isinstance(rotates, bool):
        return f'"{ROTATES}" is not true or false', f'write "{ROTATES}": true where Airbyte rotates the secret'
    for known in get_args(ReferenceType):
        if kind == known:
            return Reference(name, mark == SECRET, known, rotates=rotates)
    return "can't be read as that", f'"as" is one of {", ".join(get_args(ReferenceType))}'


def _landing(part: JsonValue) -> Reference | tuple[str, str]:
    for known in get_args(LandingPart):
        if part == known:
            return Reference(LANDING_ZONE, known in SECRET_PARTS, part=known)
    parts = get_args(LandingPart)
    return "the landing zone has no such part", suggestion(str(part), parts, f"name one of {', '.join(parts)}")


def walk(value: JsonValue, path: JsonPath = ()) -> Iterator[tuple[JsonPath, JsonValue]]:
    """Yield every leaf of a configuration with its path; a reference is a leaf."""
    if isinstance(value, dict) and not is_reference(value):
        for key, inner in value.items():
            yield from walk(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, (*path, index))
    else:
        yield path, value


def references(configuration: JsonValue) -> Iterator[tuple[JsonPath, Reference]]:
    """Yield every well-formed reference of a configuration with its path."""
    for path, leaf in walk(configuration):
        if is_reference(leaf):
            reference = parse(leaf)
            if isinstance(reference, Reference):
                yield path, reference


def rotating(configuration: JsonValue) -> Iterator[JsonPath]:
    """Yield the path of every secret that Airbyte rotates."""
    return (path for path, reference in references(configuration) if reference.rotates)


def engine_path(path: JsonPath) -> str | None:
    """A path as the engine reads it, `credentials["refresh.token"]`; None for one that it can't be given.

    Its only escape is that of a quote (pulumi, property_path.go): a key that ends in a backslash has no form, and `*`
    would mean every key.
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


def substitute(configuration: JsonValue, resolve: Callable[[Reference], Value]) -> object:
    """A copy of a configuration with each reference replaced by what `resolve` makes of it.

    Args:
        configuration: A checked configuration, without malformed references.
        resolve: Makes a value, such as a Pulumi output, of a reference.
    """
    if is_reference(configuration):
        reference = parse(configuration)
        return resolve(reference) if isinstance(reference, Reference) else configuration
    if isinstance(configuration, dict):
        return {key: substitute(inner, resolve) for key, inner in configuration.items()}
    if isinstance(configuration, list):
        return [substitute(inner, resolve) for inner in configuration]
    return configuration
