"""Connector configurations: references, secrets, and the specification of a pinned connector."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from airbyte_model.flaws import Flaw
from airbyte_model.json_values import Unknown
from airbyte_model.mappers import specification_of
from airbyte_model.secrets import MASK, is_stored
from airbyte_model.specifications import (
    CHECKED_BY_AIRBYTE,
    UNMATCHED,
    Misfit,
    Specification,
    SpecificationError,
    UncheckedError,
)
from pydantic import JsonValue

from lotus_infra.lake.checks.rule import Rule
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import CONNECTORS_FOLDER, DESTINATIONS_FOLDER, Lake
from lotus_infra.lake.models import Configuration
from lotus_infra.lake.references import (
    AS,
    CONFIG,
    LANDING_ZONE,
    ROTATES,
    SECRET,
    Reference,
    StackValues,
    is_reference,
    parse_reference,
    property_path,
    references,
    walk_leaves,
)

_PATH: JsonPath = ("configuration",)
_MAPPER: Final = "mapper"
_MOST_UNKNOWN: Final = 1_000
"""Unknown keys of one configuration that are compared with the known ones."""
_READ_AS: Final = {
    "string": frozenset({"string"}),
    "integer": frozenset({"integer", "number"}),
    "number": frozenset({"number"}),
    "boolean": frozenset({"boolean"}),
    "json": frozenset({"object", "array", "string", "integer", "number", "boolean", "null"}),
}
"""The JSON types that accept a value, by the type of its reference."""


def references_are_well_formed(lake: Lake) -> Iterator[Diagnostic]:
    """References are well-formed, and no value is the mask that Airbyte shows for a secret."""
    for file, start, _, _, configuration in _configurations(lake):
        for path, leaf in walk_leaves(configuration, start):
            if leaf == MASK:
                remedy = 'name the secret instead: {"$secret": "name"}'
                yield Diagnostic(file, path, "is the mask that Airbyte shows for a secret", remedy)
            elif is_reference(leaf):
                reference = parse_reference(leaf)
                if not isinstance(reference, Reference):
                    yield Diagnostic(file, path, *reference)
                elif reference.rotates and property_path(path) is None:
                    what = (
                        f'can\'t be marked "{ROTATES}": the engine has no path for a key "*", or one that ends in "\\"'
                    )
                    yield Diagnostic(file, path, what, f'leave "{ROTATES}" out')


def configurations_fit(lake: Lake) -> Iterator[Diagnostic]:
    """A configuration fits its specification, that of a connector or of a mapper, and its secrets are references."""
    specifications: dict[str, Specification] = {}
    faults: dict[str, str] = {}
    # A broken specification is one diagnostic at its connector, not one at each configuration that uses it.
    for name, connector in lake.connectors.items():
        if connector is not None:
            try:
                specifications[name] = Specification(connector.spec)
            except SpecificationError as error:
                faults[name] = str(error)
    for file, start, kind, connector_name, configuration in _configurations(lake):
        if kind == _MAPPER:
            yield from _check_fit(file, start, specification_of(connector_name), configuration)
            continue
        pinned = lake.pinned(connector_name)
        name = pinned.connector if pinned is not None else ""
        if name.startswith(f"{kind}-") and name in specifications and name not in faults:
            try:
                yield from _check_fit(file, start, specifications[name], configuration)
            except UncheckedError as error:
                what = f"is not checked offline: the specification of {name} {error}"
                yield Diagnostic(file, _PATH, what, CHECKED_BY_AIRBYTE, harmless=True)
            except SpecificationError as error:
                faults[name] = str(error)
    for name, fault in faults.items():
        yield Diagnostic(
            f"{CONNECTORS_FOLDER}/{name}.json", ("spec",), fault, "pin the connector's own specification again"
        )


def _check_fit(
    file: str, start: JsonPath, specification: Specification, configuration: Configuration
) -> Iterator[Diagnostic]:
    values = _without_references(configuration)
    misfits, unchecked = specification.judge(values)
    leaves = dict(walk_leaves(configuration))
    undescribed = [path for path, _ in specification.unknown_keys(values)]
    for misfit in misfits:
        yield Diagnostic(file, (*start, *misfit.path), *_flaw_of(misfit, leaves.get(misfit.path)))
    for path in unchecked:
        yield Diagnostic(file, (*start, *path), *UNMATCHED, harmless=True)
    for path, leaf in leaves.items():
        if specification.is_secret(path):
            yield from _check_secret(file, (*start, *path), leaf)
        elif not any(path[: len(key)] == key for key in undescribed):
            # A key that the specification does not describe may be a secret: it has a notice of its own.
            yield from _check_readable(file, (*start, *path), leaf)
    refused = {misfit.path for misfit in misfits}
    for path, likely in islice(specification.unknown_keys(values), _MOST_UNKNOWN):
        if path in refused:
            continue
        if likely is not None:
            yield Diagnostic(file, (*start, *path), "is not a key of the connector", f'did you mean "{likely}"?')
        else:
            what = "is not in the connector's specification, but is sent to Airbyte"
            yield Diagnostic(file, (*start, *path), what, "delete it if the connector doesn't need it", harmless=True)


def _without_references(value: JsonValue) -> object:
    """A configuration for the validator: each reference becomes an unknown value of its type."""
    if is_reference(value):
        reference = parse_reference(value)
        return Unknown(_READ_AS[reference.type]) if isinstance(reference, Reference) else Unknown()
    if isinstance(value, dict):
        return {key: _without_references(inner) for key, inner in value.items()}
    return [_without_references(inner) for inner in value] if isinstance(value, list) else value


def _flaw_of(misfit: Misfit, leaf: JsonValue) -> Flaw:
    """A misfit's flaw; for a reference of the wrong type, the remedy is another `as`, not a value."""
    if not (misfit.types and is_reference(leaf)):
        return misfit.flaw
    types = " or ".join(misfit.types)
    return Flaw("is read as the wrong type", f'add "{AS}": "{types}" to the reference')


def _check_secret(file: str, path: JsonPath, leaf: object) -> Iterator[Diagnostic]:
    if is_reference(leaf):
        reference = parse_reference(leaf)
        if isinstance(reference, Reference) and not reference.secret:
            name = reference.name if reference.part is None else "name"
            yield Diagnostic(file, path, "is a secret, but the reference is not", f'write {{"$secret": "{name}"}}')
    elif leaf != MASK and not is_stored(leaf):
        remedy = 'keep the value in the stack and name it: {"$secret": "name"}'
        yield Diagnostic(file, path, "is a secret in plain text", remedy)


def _check_readable(file: str, path: JsonPath, leaf: object) -> Iterator[Diagnostic]:
    """Refuse a secret where Airbyte keeps none: it would show the value to everybody who may open the page."""
    reference = parse_reference(leaf) if is_reference(leaf) else None
    if isinstance(reference, Reference) and reference.secret:
        what = "is not a secret by the connector's specification, so Airbyte would show the value"
        remedy = "name a part of the landing zone that is no secret"
        if reference.part is None:
            plain = f"`pulumi config set --plaintext lotus:{reference.name} <value>`"
            public = f'write {{"{CONFIG}": "{reference.name}"}} and {plain}'
            remedy = f"move it to a key that is a secret; if the value is no secret, {public}"
        yield Diagnostic(file, path, what, remedy)


def values_are_set(stacks: Iterable[StackValues]) -> Rule:
    """Make the rule that each stack has a value for each reference, except those of unused destinations.

    A value that is encrypted in a stack is a secret there, so only a reference to a secret may name it.
    """
    known = tuple(stacks)

    def values_are_set_in_stacks(lake: Lake) -> Iterator[Diagnostic]:
        for file, start, value in _used_values(lake):
            for path, reference in references(value):
                for stack in known:
                    if reference.name not in stack.names:
                        yield _unset(file, (*start, *path), reference, stack.stack)
                    elif reference.name in stack.encrypted and not reference.secret and reference.part is None:
                        yield _encrypted(file, (*start, *path), reference, stack.stack)

    return values_are_set_in_stacks


def _used_values(lake: Lake) -> Iterator[tuple[str, JsonPath, JsonValue]]:
    """Yield file, path and content of all that may refer to values of a stack, but of what no source uses."""
    used = {f"{DESTINATIONS_FOLDER}/{connection.config.destination}.json" for connection in lake.connections}
    configs = (*(source.config for source in lake.sources), *map(lake.destination_of, lake.connections))
    connectors = {each.connector for each in configs if each is not None}
    for file, start, kind, _, configuration in _configurations(lake):
        if kind != "destination" or file in used:
            yield file, start, configuration
    for name, connector in lake.connectors.items():
        if name in connectors and connector is not None and isinstance(connector.definition_id, dict):
            yield f"{CONNECTORS_FOLDER}/{name}.json", ("definition_id",), dict(connector.definition_id)


def _unset(file: str, path: JsonPath, reference: Reference, stack: str) -> Diagnostic:
    if reference.part is not None:
        what = f"the stack {stack} has no landing zone to take the {reference.part} from"
        remedy = f"run `pulumi config set --stack {stack} --path lotus:{LANDING_ZONE}.server aws`, and give the buckets"
        return Diagnostic(file, path, what, remedy)
    kind, option = ("secret", "--secret ") if reference.secret else ("value", "")
    what = f'the {kind} "{reference.name}" is not set in the stack {stack}'
    return Diagnostic(file, path, what, f"run `pulumi config set {option}--stack {stack} lotus:{reference.name}`")


def _encrypted(file: str, path: JsonPath, reference: Reference, stack: str) -> Diagnostic:
    what = f'"{reference.name}" is encrypted in the stack {stack}, and would be readable in Airbyte'
    plain = f"run `pulumi config set --plaintext --stack {stack} lotus:{reference.name}`"
    remedy = f'write {{"{SECRET}": "{reference.name}"}} if the key is a secret; {plain} if the value is none'
    return Diagnostic(file, path, what, remedy)


def _configurations(lake: Lake) -> Iterator[tuple[str, JsonPath, str, str, Configuration]]:
    """Yield file, path, required kind of connector, connector, and configuration of all that has one.

    A mapper's kind is `mapper`, and its type stands for its connector. A source's module has none: it is empty.
    """
    for source in lake.sources:
        if source.config is not None:
            yield source.file, _PATH, "source", source.config.connector or "", source.config.configuration
        for stream in source.streams:
            for index, mapper in enumerate(stream.config.mappers):
                yield stream.file, ("mappers", index, "configuration"), _MAPPER, mapper.type, mapper.configuration
    for name, config in lake.destinations.items():
        if config is not None:
            file = f"{DESTINATIONS_FOLDER}/{name}.json"
            yield file, _PATH, "destination", config.connector, config.configuration
