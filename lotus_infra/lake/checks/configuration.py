"""Connector configurations: references, secrets, and the connector's own specification where it is pinned."""

from collections.abc import Iterable, Iterator

from lotus_infra.lake.checks.rule import Rule
from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.lake import CONNECTORS_FOLDER, DESTINATIONS_FOLDER, Lake
from lotus_infra.lake.models import Configuration
from lotus_infra.lake.references import (
    LANDING_ZONE,
    MASK,
    ROTATES,
    Reference,
    StackValues,
    engine_path,
    is_reference,
    parse,
    references,
    walk,
)
from lotus_infra.streams.spec import Spec

_EXTERNAL_SECRET = "secret_coordinate::"
"""Starts the name of a secret that a store outside Airbyte holds (airbyte-platform, SecretsHelpers)."""
_PATH: JsonPath = ("configuration",)


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
    specs: dict[str, Spec] = {}
    for name, connector in lake.connectors.items():
        if connector is not None:
            specs[name] = Spec(connector)
    for file, kind, connector_name, configuration in _configurations(lake):
        pinned = lake.pinned(connector_name)
        spec = specs.get(pinned.connector) if pinned is not None else None
        if spec is not None and spec.fault is None and spec.kind == kind:
            yield from _fit(file, spec, configuration)
    for name, spec in specs.items():
        if spec.fault is not None:
            yield Diagnostic(f"{CONNECTORS_FOLDER}/{name}.json", ("spec",), spec.fault, "pin the connector's own again")


def _fit(file: str, spec: Spec, configuration: Configuration) -> Iterator[Diagnostic]:
    for path, what, remedy in spec.misfits(configuration):
        yield Diagnostic(file, (*_PATH, *path), what, remedy)
    for path, leaf in walk(configuration):
        if spec.is_secret(path):
            yield from _secret(file, (*_PATH, *path), leaf)
    for path, meant in spec.unknown_keys(configuration):
        if meant is not None:
            yield Diagnostic(file, (*_PATH, *path), "is no key that the connector has", f'did you mean "{meant}"?')
        else:
            what = "is no key of the connector's specification, and is sent all the same"
            yield Diagnostic(file, (*_PATH, *path), what, "delete it if the connector doesn't need it", harmless=True)


def _secret(file: str, path: JsonPath, leaf: object) -> Iterator[Diagnostic]:
    if is_reference(leaf):
        reference = parse(leaf)
        if isinstance(reference, Reference) and not reference.secret:
            name = reference.name if reference.part is None else "name"
            yield Diagnostic(file, path, "is a secret that is not kept as one", f'write {{"$secret": "{name}"}}')
    elif leaf != MASK and not (isinstance(leaf, str) and leaf.startswith(_EXTERNAL_SECRET)):
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
