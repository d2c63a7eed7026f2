"""Connector configurations: references, secrets, and the connector's own specification where it is pinned."""

from collections.abc import Iterable, Iterator
from typing import Final

from airbyte_model.flaws import Flaw
from airbyte_model.json_values import Unknown
from airbyte_model.secrets import MASK, is_stored
from airbyte_model.specifications import Misfit, Specification, SpecificationError
from pydantic import JsonValue

from lotus_infra.lake.checks.rule import Rule
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import CONNECTORS_FOLDER, DESTINATIONS_FOLDER, Lake
from lotus_infra.lake.models import Configuration
from lotus_infra.lake.references import (
    AS,
    LANDING_ZONE,
    ROTATES,
    Reference,
    StackValues,
    engine_path,
    is_reference,
    parse,
    references,
    walk,
)

_PATH: JsonPath = ("configuration",)
_READ_AS: Final = {
    "string": frozenset({"string"}),
    "integer": frozenset({"integer", "number"}),
    "number": frozenset({"number"}),
    "boolean": frozenset({"boolean"}),
    "json": frozenset({"object", "array", "string", "integer", "number", "boolean", "null"}),
}
"""The JSON types that fit a value which a reference reads as one of its types."""


def references_are_well_formed(lake: Lake) -> Iterator[Diagnostic]:
    """A reference names a value; a mask, which is what Airbyte shows for a secret, never stands for one."""
    for file, _, _, configuration in _configurations(lake):
        for path, leaf in walk(configuration, _PATH):
            if leaf == MASK:
                remedy = 'name the secret instead: {"$secret": "name"}'
                yield Diagnostic(file, path, "is the mask that Airbyte shows for a secret", remedy)
            elif is_reference(leaf):
                reference = parse(leaf)
                if not isinstance(reference, Reference):
                    yield Diagnostic(file, path, *reference)
                elif reference.rotates and engine_path(path) is None:
                    what = (
                        f'can\'t be marked "{ROTATES}": the engine has no path for a key "*", or one that ends in "\\"'
                    )
                    yield Diagnostic(file, path, what, f'leave "{ROTATES}" out')


def configurations_fit(lake: Lake) -> Iterator[Diagnostic]:
    """A configuration has what its connector asks for, and its secrets are references."""
    specifications: dict[str, Specification] = {}
    faults: dict[str, str] = {}
    for name, connector in lake.connectors.items():
        if connector is not None:
            try:
                specifications[name] = Specification(connector.spec)
            except SpecificationError as error:
                faults[name] = str(error)
    for file, kind, connector_name, configuration in _configurations(lake):
        pinned = lake.pinned(connector_name)
        name = pinned.connector if pinned is not None else ""
        if name.startswith(f"{kind}-") and name in specifications and name not in faults:
            try:
                yield from _fit(file, specifications[name], configuration)
            except SpecificationError as error:
                faults[name] = str(error)
    for name, fault in faults.items():
        yield Diagnostic(f"{CONNECTORS_FOLDER}/{name}.json", ("spec",), fault, "pin the connector's own again")


def _fit(file: str, specification: Specification, configuration: Configuration) -> Iterator[Diagnostic]:
    opened = _opened(configuration)
    misfits = specification.misfits(opened)
    leaves = dict(walk(configuration))
    for misfit in misfits:
        yield Diagnostic(file, (*_PATH, *misfit.path), *_flaw(misfit, leaves.get(misfit.path)))
    for path, leaf in leaves.items():
        if specification.is_secret(path):
            yield from _secret(file, (*_PATH, *path), leaf)
    refused = {misfit.path for misfit in misfits}
    for path, meant in specification.unknown_keys(opened):
        if path in refused:
            continue
        if meant is not None:
            yield Diagnostic(file, (*_PATH, *path), "is no key that the connector has", f'did you mean "{meant}"?')
        else:
            what = "is no key of the connector's specification, and is sent all the same"
            yield Diagnostic(file, (*_PATH, *path), what, "delete it if the connector doesn't need it", harmless=True)


def _opened(value: JsonValue) -> object:
    """A configuration as the validator reads it: a reference is a leaf whose value is not known yet."""
    if is_reference(value):
        reference = parse(value)
        return Unknown(_READ_AS[reference.type]) if isinstance(reference, Reference) else Unknown()
    if isinstance(value, dict):
        return {key: _opened(inner) for key, inner in value.items()}
    return [_opened(inner) for inner in value] if isinstance(value, list) else value


def _flaw(misfit: Misfit, leaf: JsonValue) -> Flaw:
    """What is wrong; a reference of the wrong type is read as another one rather than replaced by a value."""
    if not (misfit.types and is_reference(leaf)):
        return misfit.flaw
    types = " or ".join(misfit.types)
    return Flaw("is read as the wrong type", f'add "{AS}": "{types}" to the reference')


def _secret(file: str, path: JsonPath, leaf: object) -> Iterator[Diagnostic]:
    if is_reference(leaf):
        reference = parse(leaf)
        if isinstance(reference, Reference) and not reference.secret:
            name = reference.name if reference.part is None else "name"
            yield Diagnostic(file, path, "is a secret that is not kept as one", f'write {{"$secret": "{name}"}}')
    elif leaf != MASK and not is_stored(leaf):
        remedy = 'keep the value in the stack and name it: {"$secret": "name"}'
        yield Diagnostic(file, path, "is a secret, written out", remedy)


def values_are_set(stacks: Iterable[StackValues]) -> Rule:
    """Make the rule that each stack has a value for each reference; a destination that is not used needs none."""
    known = tuple(stacks)

    def values_are_set_in_stacks(lake: Lake) -> Iterator[Diagnostic]:
        used = {f"{DESTINATIONS_FOLDER}/{source.config.destination}.json" for source in lake.sources if source.config}
        for file, kind, _, configuration in _configurations(lake):
            if kind == "destination" and file not in used:
                continue
            for path, reference in references(configuration):
                for stack in known:
                    if reference.name not in stack.names:
                        yield _unset(file, (*_PATH, *path), reference, stack.stack)

    return values_are_set_in_stacks


def _unset(file: str, path: JsonPath, reference: Reference, stack: str) -> Diagnostic:
    if reference.part is not None:
        what = f"the stack {stack} has no landing zone to take the {reference.part} from"
        remedy = f"run `pulumi config set --stack {stack} --path lotus:{LANDING_ZONE}.server aws`, and give the buckets"
        return Diagnostic(file, path, what, remedy)
    kind, option = ("secret", "--secret ") if reference.secret else ("value", "")
    what = f'the {kind} "{reference.name}" is not set in the stack {stack}'
    return Diagnostic(file, path, what, f"run `pulumi config set {option}--stack {stack} lotus:{reference.name}`")


def _configurations(lake: Lake) -> Iterator[tuple[str, str, str, Configuration]]:
    """Every configuration with its file, the kind that its connector must be of, and the connector."""
    for source in lake.sources:
        if source.config is not None:
            yield source.file, "source", source.config.connector, source.config.configuration
    for name, destination in lake.destinations.items():
        if destination is not None:
            yield f"{DESTINATIONS_FOLDER}/{name}.json", "destination", destination.connector, destination.configuration
