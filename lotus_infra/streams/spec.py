"""A pinned connector's specification, made ready to hold configurations against."""

from collections.abc import Iterator

from jsonschema import FormatChecker, SchemaError
from pydantic import JsonValue
from referencing import Registry
from referencing.exceptions import Unresolvable

from lotus_infra.lake.diagnostics import JsonPath, nearest
from lotus_infra.lake.discovered import Connector
from lotus_infra.lake.references import is_reference
from lotus_infra.streams.lenient import LenientValidator, Misfit, misfits

_ANY_ITEM = -1


class Spec:
    """What a connector asks for.

    Attributes:
        kind: "source" or "destination".
        fault: Why the specification can't be used; None when it can.
    """

    def __init__(self, connector: Connector) -> None:
        self.kind = connector.connector.partition("-")[0]
        self._secrets: set[JsonPath] = set()
        self._keys: dict[JsonPath, set[str]] = {}
        self.fault: str | None = None
        try:
            LenientValidator.check_schema(connector.spec, format_checker=FormatChecker(formats=()))
        except SchemaError as error:
            self.fault = f"is no JSON Schema ({error.message})"
            return
        self._validator = LenientValidator(connector.spec, registry=Registry())
        self._visit(connector.spec, ())

    def is_secret(self, path: JsonPath) -> bool:
        """Whether a leaf is marked secret in any branch of the specification."""
        return _normal(path) in self._secrets

    def misfits(self, configuration: JsonValue) -> Iterator[Misfit]:
        """Yield where a configuration doesn't fit, each place once."""
        told: set[JsonPath] = set()
        try:
            for error in self._validator.iter_errors(configuration):
                for path, what, remedy in misfits(error):
                    if path not in told:
                        told.add(path)
                        yield path, what, remedy
        except Unresolvable as error:
            self.fault = f"points to what it doesn't have ({error.ref})"

    def unknown_keys(self, value: JsonValue, path: JsonPath = ()) -> Iterator[tuple[JsonPath, str | None]]:
        """Yield each key that the specification doesn't have, with the known one that is nearest and not yet there."""
        if isinstance(value, dict) and not is_reference(value):
            known = self._keys.get(_normal(path), set())
            for key, inner in value.items():
                if known and key not in known:
                    yield (*path, key), nearest(key, known - value.keys())
                yield from self.unknown_keys(inner, (*path, key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from self.unknown_keys(inner, (*path, index))

    def _visit(self, schema: JsonValue, path: JsonPath) -> None:
        if not isinstance(schema, dict):
            return
        if schema.get("airbyte_secret") is True:
            self._secrets.add(path)
        properties = schema.get("properties")
        if isinstance(properties, dict):
            self._keys.setdefault(path, set()).update(properties)
            for key, inner in properties.items():
                self._visit(inner, (*path, key))
        self._visit(schema.get("items"), (*path, _ANY_ITEM))
        for choice in ("oneOf", "anyOf", "allOf"):
            branches = schema.get(choice)
            for branch in branches if isinstance(branches, list) else ():
                self._visit(branch, path)


def _normal(path: JsonPath) -> JsonPath:
    return tuple(_ANY_ITEM if isinstance(step, int) else step for step in path)
