"""Configurations by their connector's specification: validated, and with their secrets marked."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from airbyte_model.json_values import UNKNOWN

from pulumi_airbyte.client import AirbyteError
from pulumi_airbyte.client.models import Actor, ActorKind
from pulumi_airbyte.provider.granted import consents
from pulumi_airbyte.provider.properties import Properties, Property, Secret, Unknown, is_known, unwrap
from pulumi_airbyte.provider.reconcile import all_secret, same, secrecy_kept
from pulumi_airbyte.provider.resource import Checked, Checking, Failure
from pulumi_airbyte.provider.secrecy import (
    Specifications,
    masks,
    secrets_at_leaves,
    with_new_secret,
    with_secrets_marked,
)
from pulumi_airbyte.values import JsonObject, Path, render_path

if TYPE_CHECKING:
    from airbyte_model.specifications import Specification

UNREADABLE: Final = (
    "can't be checked: which of its values are secret is in the connector's specification, and the server is failing. "
    "Run the command again."
)


class Specified:
    """Checks configurations of one kind."""

    def __init__(self, kind: ActorKind, specifications: Specifications) -> None:
        self._kind = kind
        self._specifications = specifications
        self._prepared: dict[int, tuple[JsonObject, Specification | None]] = {}

    def check(self, inputs: Properties, checking: Checking, tree: Callable[[Properties], Properties]) -> Checked:
        """Mark secrets, and list invalid values. An unchanged configuration is not checked again and needs no call.

        Args:
            inputs: with the configuration as an object.
            checking: the inputs in the state, and whether they come from an import.
            tree: returns inputs in the canonical form that the server validates.
        """
        configuration, before = secrets_at_leaves(inputs.get("configuration")), checking.old.get("configuration")
        same_definition = same(inputs.get("definitionId"), checking.old.get("definitionId"))
        if is_known(configuration) and same(configuration, before) and same_definition:
            return Checked({**inputs, "configuration": secrecy_kept(configuration, before)}, [])
        try:
            schema = self._schema(inputs, failing_matters=not checking.importing)
        except AirbyteError as error:
            return Checked(inputs, [Failure("configuration", f"{UNREADABLE} {error}")])
        if schema is None:
            # In an imported configuration, the server has masked every secret, so no other value is secret.
            marked = configuration if checking.importing else with_new_secret(configuration, before, self._type_keys)
            return Checked({**inputs, "configuration": secrecy_kept(marked, before)}, [])
        marked = secrets_at_leaves(with_secrets_marked(configuration, schema))
        changing = self._specifications.changing(self._kind, str(unwrap(inputs.get("definitionId"))))
        if changing:
            # The configuration is for the new specification, which the server does not have yet.
            marked = with_new_secret(marked, before, self._type_keys)
        checked = {**inputs, "configuration": secrecy_kept(marked, before)}
        known = not (checking.importing or changing)
        given = tree(checked).get("configuration")
        failures = self._misfits(given, schema, consented=consents(inputs)) if known else []
        return Checked(checked, failures)

    def _misfits(self, configuration: Property, schema: JsonObject, *, consented: bool) -> list[Failure]:
        """Where the server would refuse a configuration; nothing where the specification can't be used.

        Args:
            configuration: of the program.
            schema: the specification.
            consented: whether Airbyte fills in secrets that are missing.
        """
        from airbyte_model.specifications import SpecificationError  # noqa: PLC0415 - as in _prepare

        specification = self._prepare(schema)
        if specification is None:
            return []
        try:
            found = specification.misfits(opened(configuration))
        except SpecificationError:
            return []
        return [
            Failure(render_path(("configuration", *misfit.path)), str(misfit.flaw))
            for misfit in found
            if not (consented and specification.is_secret(misfit.path) and _lacks(configuration, misfit.path))
        ]

    def _prepare(self, schema: JsonObject) -> "Specification | None":
        """The specification, prepared once; None where it can't be used."""
        from airbyte_model.specifications import Specification  # noqa: PLC0415 - only what is new pays for what it loads

        if id(schema) not in self._prepared:
            # The schema is kept beside it, so that no other can get its id.
            self._prepared[id(schema)] = (schema, Specification.usable(schema))
        return self._prepared[id(schema)][1]

    def refused_masks(self, actor: Actor, configuration: Properties) -> list[Path]:
        """The masks in a configuration that its specification refuses; none where there is no specification.

        The server validates a configuration before it replaces masks by the stored secrets.
        """
        hidden = list(masks(configuration))
        if not hidden:
            return []
        inputs: Properties = {"definitionId": actor.definition_id, "workspaceId": actor.workspace_id}
        schema = self._schema(inputs, failing_matters=False)
        specification = self._prepare(schema) if schema is not None else None
        if specification is None:
            return []
        from airbyte_model.specifications import SpecificationError  # noqa: PLC0415 - as in _prepare

        try:
            return specification.refused_masks(opened(configuration), hidden)
        except SpecificationError:
            return []

    def _schema(self, inputs: Properties, *, failing_matters: bool) -> JsonObject | None:
        """The specification, or None where there is none to be had.

        Raises:
            AirbyteError: the server is failing, and that matters.
        """
        definition_id, workspace_id = unwrap(inputs.get("definitionId")), unwrap(inputs.get("workspaceId"))
        if not isinstance(definition_id, str) or not isinstance(workspace_id, str):
            return None
        try:
            return self._specifications.get(self._kind, definition_id, workspace_id)
        except AirbyteError:
            if failing_matters:
                raise
            return None

    @property
    def _type_keys(self) -> frozenset[str]:
        return frozenset({f"{self._kind}Type"})

    def misspelt(self, tree: Properties) -> list[str]:
        """A line for each misspelt key, by a specification that a check in this run has fetched."""
        definition_id = unwrap(tree.get("definitionId"))
        schema = self._specifications.fetched(self._kind, definition_id) if isinstance(definition_id, str) else None
        specification = self._prepare(schema) if schema is not None else None
        if specification is None:
            return []
        return [
            f"{render_path(('configuration', *path))} is not in the connector's specification, so that the connector "
            f"ignores it: did you mean {meant}?"
            for path, meant in specification.unknown_keys(opened(tree.get("configuration")))
            if meant is not None
        ]


def _lacks(configuration: Property, path: Path) -> bool:
    """Whether a configuration has nothing at a path."""
    here: Property = configuration
    for step in path:
        inner = unwrap(here)
        here = inner.get(str(step)) if isinstance(inner, dict) else None
    return unwrap(here) is None


def opened(value: Property) -> object:
    """A configuration as the validator reads it: without secret marks, and with its own sign for what is unknown."""
    match value:
        case Secret():
            return opened(value.value)
        case Unknown():
            return UNKNOWN
        case list():
            return [opened(item) for item in value]
        case dict():
            return {key: opened(item) for key, item in value.items()}
        case _:
            return value


def as_object(configuration: Property) -> Property:
    """The configuration as an object; it may come as JSON text, as the bridged provider has it."""
    inner = unwrap(configuration)
    if not isinstance(inner, str):
        return configuration
    try:
        parsed = json.loads(inner)
    except json.JSONDecodeError as error:
        raise ValueError(f"is text that is not valid JSON (line {error.lineno}, column {error.colno})") from None
    if not isinstance(parsed, dict):
        raise ValueError("must be an object")  # noqa: TRY004, it is the user's text that is wrong
    return all_secret(parsed) if isinstance(configuration, Secret) else parsed
