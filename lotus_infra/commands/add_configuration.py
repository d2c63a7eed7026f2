"""The configuration of a new source or destination, by its connector's specification.

The user gives settings as `key=value`, as a file, or at a terminal's prompts. A secret becomes a reference to a secret
of the stack. Its value is never taken from the command line, where the shell's history and other users see it.
"""

import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, cast

import click
from airbyte_model.secrets import choices_of, marks_secret, properties_of, schemas_at, schemas_of
from airbyte_model.specifications import Specification
from pydantic import JsonValue

from lotus_infra.errors import LotusError
from lotus_infra.importer.secrets import SecretNames
from lotus_infra.lake.diagnostics import JsonPath, format_path
from lotus_infra.lake.disk import UnreadableError, read_file
from lotus_infra.lake.references import AS, CONFIG, SECRET, ReferenceType, is_reference, walk_leaves
from lotus_infra.lake.secrecy import Secrecy, holds_credential

Schema = Mapping[str, JsonValue]
_SIMPLE: Final = frozenset({"string", "integer", "number", "boolean"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings as the user gives them.

    Attributes:
        texts: `key=value`, with dots between the keys of a path.
        file: A JSON file with the configuration.
        secrets: Paths that become references to secrets of the stack.
        by_stack: Paths that become references to plain values of the stack.
        defaults: The configuration that the others are added to.
        prompts: Whether to ask for what is missing.
    """

    texts: Sequence[str] = ()
    file: Path | None = None
    secrets: Sequence[str] = ()
    by_stack: Sequence[str] = ()
    defaults: Schema = field(default_factory=dict)
    prompts: bool = False


class Configured(NamedTuple):
    """A configuration with references, and the values of those that the user's file had in plain text, by name."""

    document: dict[str, JsonValue]
    texts: dict[str, str]


def is_terminal() -> bool:
    """Whether the user can be asked."""
    return sys.stdin.isatty()


def configure(owner: str, spec: Specification, settings: Settings, names: SecretNames) -> Configured:
    """Make the configuration of a source or a destination.

    Args:
        owner: The name of the source's folder or the destination's file.
        spec: The connector's specification.
        settings: What the user gives.
        names: The names of the stack's values that are taken.

    Raises:
        LotusError: Settings are missing, can't be read, or are secrets in plain text.
    """
    configuration = _Configuration(owner, spec, names)
    if settings.file is not None:
        configuration.take(document_of(settings.file))
    for key, value in settings.defaults.items():
        configuration.document.setdefault(key, deepcopy(value))
    for text in settings.texts:
        configuration.set_text(text)
    for kind, paths in ((SECRET, settings.secrets), (CONFIG, settings.by_stack)):
        for path in paths:
            steps = tuple(path.split("."))
            configuration.put(steps, configuration.reference(steps, kind))
    filling = _Filling(configuration, settings.prompts)
    filling.fill(cast("Schema", spec.schema), configuration.document, ())
    filling.refuse_missing()
    return Configured(configuration.document, configuration.texts)


def document_of(file: Path) -> dict[str, JsonValue]:
    """The configuration in a file.

    Raises:
        LotusError: It can't be read, or is not one JSON object.
    """
    try:
        document = json.loads(read_file(str(file)))
    except UnreadableError as error:
        raise LotusError(f"{file} {error.what}", error.remedy) from None
    except (ValueError, RecursionError):
        raise LotusError(f"{file} is not JSON", "write the configuration as one JSON object") from None
    if not isinstance(document, dict):
        raise LotusError(f"{file} is not one JSON object", "write the configuration between { and }")
    return document


@dataclass
class _Configuration:
    """A configuration that grows."""

    owner: str
    spec: Specification
    names: SecretNames
    document: dict[str, JsonValue] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def take(self, document: dict[str, JsonValue]) -> None:
        """Take a whole configuration; its secrets become references, and their values are kept aside."""
        self.document = document
        plain = _without_references(document)
        secrecy = Secrecy.of(plain, self.spec)
        for path, leaf in walk_leaves(dict(document)):
            if not is_reference(leaf) and secrecy.reason(path, leaf) is not None:
                reference = self.reference(path, SECRET)
                self.texts[str(reference[SECRET])] = leaf if isinstance(leaf, str) else json.dumps(leaf)
                self.put(path, reference)

    def set_text(self, text: str) -> None:
        """Take a setting of the command line.

        Raises:
            LotusError: It is no setting, or a secret in plain text.
        """
        key, equals, value = text.partition("=")
        path = tuple(key.split("."))
        if not equals or not all(path):
            raise LotusError(f"the setting {key} has no value", "write key=value, with dots between the keys of a path")
        parsed = _parsed(value, {kind for each in schemas_at(self.spec.schema, path) for kind in _types(each)})
        for inner, leaf in walk_leaves(parsed, path):
            secret = self.spec.is_secret(inner) and leaf is not None and not isinstance(leaf, bool)
            if secret and not is_reference(leaf):
                what = f"{format_path(inner)} is a secret, and the shell's history would show it"
                remedy = f"pass --secret {key}, and set its value in the stack"
                raise LotusError(what, remedy)
            if isinstance(leaf, str) and holds_credential(leaf):
                what = f"{format_path(inner)} has a credential inside, and the file would show it"
                raise LotusError(what, f"leave the credential out, or pass --secret {key} and set it in the stack")
        self.put(path, parsed)

    def put(self, path: JsonPath, value: JsonValue) -> None:
        """Set the value at a path; objects on the way are made.

        Raises:
            LotusError: The path leads through a value that is no object.
        """
        here: JsonValue = self.document
        for step, following in zip(path, (*path[1:], None), strict=True):
            if isinstance(here, dict) and not is_reference(here):
                place: JsonValue = here.setdefault(str(step), {})
                if following is None:
                    here[str(step)] = value
            elif isinstance(here, list) and isinstance(step, int):
                place = here[step]
                if following is None:
                    here[step] = value
            else:
                raise LotusError(f"{format_path(path)} leads through a value that is no object", "correct the path")
            here = place

    def reference(self, path: JsonPath, kind: str) -> dict[str, JsonValue]:
        """A reference to a value of the stack, with a name that is free."""
        types = {each for schema in schemas_at(self.spec.schema, path) for each in _types(schema)} - {"null"}
        name = self.names.name(self.owner, path)
        return {kind: name} if not types or "string" in types else {kind: name, AS: _read_as(types)}


def _read_as(types: set[str]) -> ReferenceType:
    for known in ("integer", "number", "boolean"):
        if types == {known}:
            return known
    return "number" if types == {"integer", "number"} else "json"


def _without_references(value: JsonValue) -> dict[str, JsonValue]:
    """A configuration with null in place of references, so that secrecy judges only its own values."""

    def without(inner: JsonValue) -> JsonValue:
        if is_reference(inner):
            return None
        if isinstance(inner, dict):
            return {key: without(each) for key, each in inner.items()}
        return [without(each) for each in inner] if isinstance(inner, list) else inner

    return cast("dict[str, JsonValue]", without(value))


def _types(schema: object) -> Iterator[str]:
    given = schema.get("type") if isinstance(schema, Mapping) else None
    yield from [given] if isinstance(given, str) else map(str, given) if isinstance(given, list) else ()


def _parsed(text: str, types: set[str]) -> JsonValue:
    """A setting's value: JSON where the specification takes no text, or where it is a reference."""
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if is_reference(value) or (types and "string" not in types):
        return value
    return text


class _Missing(NamedTuple):
    """A required setting that is not given, and how to give it."""

    path: JsonPath
    how: str


@dataclass
class _Filling:
    """Adds what a specification requires: constants, defaults, references to secrets, and the user's answers."""

    configuration: _Configuration
    prompts: bool
    missing: list[_Missing] = field(default_factory=list)

    def refuse_missing(self) -> None:
        """Refuse a configuration that lacks settings.

        Raises:
            LotusError: It does; with each of them.
        """
        if self.missing:
            named = ", ".join(format_path(each.path) for each in self.missing)
            raise LotusError(f"required settings are missing: {named}", "; ".join(each.how for each in self.missing))

    def fill(self, schema: Schema, value: dict[str, JsonValue], path: JsonPath) -> None:
        """Fill an object by its schema, in place."""
        for combinator in ("oneOf", "anyOf"):
            options = [each for each in _objects(schema.get(combinator)) if _fits(each, value)]
            if options:
                self._fill_option(options, value, path)
        for branch in _objects(schema.get("allOf")):
            self.fill(branch, value, path)
        required = schema.get("required")
        for name, inner in _properties(schema).items():
            place = (*path, name)
            given = value.get(name)
            if name not in value and isinstance(required, list) and name in required:
                self._add(value, name, inner, place)
            elif isinstance(given, dict) and not is_reference(given):
                self.fill(inner, given, place)

    def _fill_option(self, options: list[Schema], value: dict[str, JsonValue], path: JsonPath) -> None:
        key, choices = _discriminator(options)
        option = options[0] if len(options) == 1 else None
        if option is None and key:
            chosen = self._choose((*path, key), choices)
            option = options[choices.index(chosen)] if chosen is not None else None
        if option is not None:
            if key and len(options) > 1:
                value[key] = choices[options.index(option)]
            self.fill(option, value, path)

    def _add(self, value: dict[str, JsonValue], name: str, schema: Schema, path: JsonPath) -> None:
        """Add a required setting."""
        choices = [choice for each in schemas_of(schema) for choice in choices_of(each)]
        if marks_secret(schemas_of(schema)):
            value[name] = self.configuration.reference(path, SECRET)
        elif len(choices) == 1:
            value[name] = cast("JsonValue", choices[0])
        elif "default" in schema:
            value[name] = deepcopy(schema["default"])
        elif _is_object(schema):
            inner: dict[str, JsonValue] = {}
            value[name] = inner
            self.fill(schema, inner, path)
        elif choices:
            value[name] = self._choose(path, cast("list[JsonValue]", choices))
        else:
            value[name] = self._ask(path, {kind for each in schemas_of(schema) for kind in _types(each)})

    def _choose(self, path: JsonPath, choices: list[JsonValue]) -> JsonValue:
        """The user's choice; None if the user can't be asked."""
        shown = [choice if isinstance(choice, str) else json.dumps(choice) for choice in choices]
        if not self.prompts:
            first, *others = shown
            other = f" (or {', '.join(others)})" if others else ""
            self.missing.append(_Missing(path, f"--config {shlex.quote(f'{_key(path)}={first}')}{other}"))
            return None
        answer: str = click.prompt(_key(path), type=click.Choice(shown), err=True)
        return choices[shown.index(answer)]

    def _ask(self, path: JsonPath, types: set[str]) -> JsonValue:
        kind = " or ".join(sorted(types - {"null"})) or "value"
        simple = bool(types & _SIMPLE)
        if not self.prompts:
            self.missing.append(_Missing(path, f"--config {_key(path)}=<{kind}{'' if simple else ' as JSON'}>"))
            return None
        return _parsed(click.prompt(_key(path) if simple else f"{_key(path)} (as JSON)", err=True), types)


def _key(path: JsonPath) -> str:
    return ".".join(map(str, path))


def _objects(value: JsonValue) -> list[Schema]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _properties(schema: Schema) -> dict[str, Schema]:
    found = properties_of(schema)
    return {str(name): cast("Schema", inner) for name, inner in found.items() if isinstance(inner, Mapping)}


def _is_object(schema: Schema) -> bool:
    return any(properties_of(each) for each in schemas_of(schema))


def _fits(option: Schema, value: Mapping[str, JsonValue]) -> bool:
    """Whether a value may be of an option of a choice: it has none of another's constants, and none of other keys."""
    known = _properties(option)
    for key, given in value.items():
        if known and key not in known:
            return False
        choices = choices_of(known.get(key, {}))
        if len(choices) == 1 and given not in choices:
            return False
    return True


def _discriminator(options: Sequence[Schema]) -> tuple[str, list[JsonValue]]:
    """The key by whose constant the options differ, and these constants; an empty key if there is none."""
    for key in _properties(options[0]):
        constants = [choices_of(_properties(each).get(key, {})) for each in options]
        values = [cast("JsonValue", each[0]) for each in constants if len(each) == 1]
        if len(values) == len(options) == len({json.dumps(each) for each in values}):
            return key, values
    return "", []
