"""A configuration as its connector's specification has it: secrets marked at their places, and checked."""

import json
from collections.abc import Callable

from pulumi_airbyte.client.models import ActorKind
from pulumi_airbyte.provider.properties import Properties, Property, Secret, is_known, unwrap
from pulumi_airbyte.provider.reconcile import same
from pulumi_airbyte.provider.resource import Checked, Checking, Failure
from pulumi_airbyte.provider.secrecy import Specifications, all_secret, secrets_at_leaves, with_secrets_marked
from pulumi_airbyte.values import render_path


class Specified:
    """Checks configurations of one kind."""

    def __init__(self, kind: ActorKind, specifications: Specifications) -> None:
        self._kind = kind
        self._specifications = specifications

    def check(self, inputs: Properties, checking: Checking, tree: Callable[[Properties], Properties]) -> Checked:
        """Mark secrets and say what does not fit; an unchanged configuration is as the state has it, without a call.

        Args:
            inputs: with the configuration as an object.
            checking: the inputs in the state, and whether they come from an import.
            tree: brings inputs into the form in which the server checks them.
        """
        configuration, before = secrets_at_leaves(inputs.get("configuration")), checking.old.get("configuration")
        same_definition = same(inputs.get("definitionId"), checking.old.get("definitionId"))
        if is_known(configuration) and same(configuration, before) and same_definition:
            return Checked({**inputs, "configuration": _most_secret(configuration, before)}, [])
        definition_id, workspace_id = unwrap(inputs.get("definitionId")), unwrap(inputs.get("workspaceId"))
        schema = None
        if isinstance(definition_id, str) and isinstance(workspace_id, str):
            schema = self._specifications.get(self._kind, definition_id, workspace_id)
        if schema is None:
            return Checked({**inputs, "configuration": configuration}, [])
        checked = {**inputs, "configuration": secrets_at_leaves(with_secrets_marked(configuration, schema))}
        from pulumi_airbyte.provider.validation import misfits  # noqa: PLC0415 - only what is new pays for what it loads

        found = [] if checking.importing else misfits(tree(checked).get("configuration"), schema)
        return Checked(checked, [Failure(render_path(("configuration", *path)), wanted) for path, wanted in found])

    def misspelt(self, tree: Properties) -> list[str]:
        """A line for each key that was meant otherwise, by a specification that a check in this run has fetched."""
        definition_id = unwrap(tree.get("definitionId"))
        schema = self._specifications.fetched(self._kind, definition_id) if isinstance(definition_id, str) else None
        if schema is None:
            return []
        from pulumi_airbyte.provider.validation import misspelt  # noqa: PLC0415 - as above

        return [
            f"{render_path(('configuration', *path))} is not in the connector's specification, so that the connector "
            f"ignores it: did you mean {meant}?"
            for path, meant in misspelt(tree.get("configuration"), schema)
        ]


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


def _most_secret(new: Property, old: Property) -> Property:
    """Equal trees as one, in which a leaf is secret that either of them has as a secret."""
    was, now = unwrap(old), unwrap(new)
    if isinstance(now, dict) and isinstance(was, dict):
        return {key: _most_secret(item, was.get(key)) for key, item in now.items()}
    if isinstance(now, list) and isinstance(was, list):
        return [_most_secret(item, before) for item, before in zip(now, was, strict=True)]
    return Secret(now) if isinstance(old, Secret) or isinstance(new, Secret) else now
