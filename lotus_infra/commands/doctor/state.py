"""Checks of the content of a stack's state."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Final, Literal

from airbyte_model.json_values import JsonObject
from airbyte_model.secrets import MASK, Schemas, marks_secret, schemas_inside, schemas_of
from pulumi_airbyte.client import Airbyte, AirbyteError
from pulumi_airbyte.provider.properties import SECRET_SIGNATURE, SIGNATURE
from pydantic import JsonValue

from lotus_infra.clients.airbyte import AirbyteWorkspace
from lotus_infra.clients.state import TYPES, PendingOperation, Resource, State
from lotus_infra.commands.doctor.context import CI_PAGE, StackContext
from lotus_infra.commands.doctor.results import CheckResult, broken, ok, warning
from lotus_infra.config.stack import PROJECT_FILE
from lotus_infra.errors import LotusError
from lotus_infra.urns import Urn

ACTOR_KINDS: Final[dict[str, Literal["source", "destination"]]] = {
    TYPES["source"]: "source",
    TYPES["destination"]: "destination",
}
"""The kinds of resources whose configuration may have secrets, by the resource's type."""
Specification = Callable[[Literal["source", "destination"], str, str], JsonObject | None]
"""A connector's JSON Schema by kind, definition id and workspace id; None if the server does not provide it."""


def state(case: StackContext, reached: AirbyteWorkspace | None) -> Iterator[CheckResult]:
    """Check the content of the state, with its secrets decrypted in memory if the key is available."""
    export = case.engine.run("stack", "export", "--show-secrets")
    if export.exit_code != 0:
        encrypted = case.exported
        if encrypted.exit_code != 0:
            why, remedy = encrypted.cause or (encrypted.reason, "`pulumi stack ls` lists the stacks")
            yield broken("state", f"the state can't be read: {why}", remedy)
            return
        remedy = f"set PULUMI_CONFIG_PASSPHRASE, or log in to the key's provider ({CI_PAGE}#the-key)"
        why, remedy = export.cause or (export.reason.splitlines()[-1], remedy)
        yield warning("state", f"secrets can't be decrypted: {why}", remedy)
        export = encrypted
    project = case.run.project
    if reached is None:
        yield from check_state(export.stdout, project, case.stack, lambda *_: None)
        return
    with closing(Airbyte(reached.settings)) as server:
        yield from check_state(export.stdout, project, case.stack, _specifications(server))


def _specifications(server: Airbyte) -> Specification:
    def specification(
        kind: Literal["source", "destination"], definition_id: str, workspace_id: str
    ) -> JsonObject | None:
        try:
            return server.specification(kind, definition_id, workspace_id)
        except AirbyteError:
            return None

    return specification


def check_state(exported: str, project: str, stack: str, specification: Specification) -> Iterator[CheckResult]:
    """Check an exported state.

    Args:
        exported: The output of `pulumi stack export`, with or without `--show-secrets`.
        project: The project that it should belong to.
        stack: The stack that it should belong to.
        specification: Provides connectors' specifications.
    """
    try:
        parsed = State.parse(exported, stack)
    except LotusError:
        yield broken("state", "the state is not an export of pulumi", "`pulumi stack export` shows it")
        return
    resources = parsed.resources
    found = [
        *(_pending(each) for each in parsed.pending_operations),
        *_foreign(resources, f"urn:pulumi:{stack}::{project}::"),
        *_masked(resources),
        *_in_plain_text(resources, specification),
    ]
    yield from found
    if not found:
        yield ok("state", f"{len(resources)} resources, no pending operation, no mask, no secret in plain text")


def _pending(each: PendingOperation) -> CheckResult:
    remedy = "`pulumi up` resumes it; if it stays, run `pulumi refresh --clear-pending-creates`"
    return warning("state", f"{each.type} {Urn.parse(each.resource.urn).shown} is a pending operation", remedy)


def _foreign(resources: Sequence[Resource], start: str) -> Iterator[CheckResult]:
    others = sorted({Urn.parse(each.urn).project for each in resources if not each.urn.startswith(start)})
    if others:
        what = f"the state has resources of another project or stack: {', '.join(others)}"
        yield broken("state", what, f"backend.url of {PROJECT_FILE} names the wrong state: apply nothing to it")


def _masked(resources: Sequence[Resource]) -> Iterator[CheckResult]:
    for each in resources:
        paths = sorted(set(_masks(each.inputs)) | set(_masks(each.outputs)))
        if paths:
            what = f"{Urn.parse(each.urn).shown} has Airbyte's mask instead of a value at {', '.join(paths)}"
            yield broken("state", what, "set the secret itself in the stack, then `pulumi up`")


def _in_plain_text(resources: Sequence[Resource], specification: Specification) -> Iterator[CheckResult]:
    for each in resources:
        kind = ACTOR_KINDS.get(each.type)
        if kind is None:
            continue
        shown = Urn.parse(each.urn).shown
        definition_id, workspace_id = (str(each.inputs.get(key, "")) for key in ("definitionId", "workspaceId"))
        schema = specification(kind, definition_id, workspace_id)
        if schema is None:
            what = f"the secret fields of {shown} are unknown: no connector specification"
            yield warning("state", what, "make Airbyte's Config API reachable")
            continue
        parts = (each.inputs.get("configuration"), each.outputs.get("configuration"))
        paths = sorted({path for part in parts for path in _plain_secrets(part, schemas_of(schema))})
        if paths:
            what = f"{shown} has plain-text values that its connector calls secret: {', '.join(paths)}"
            remedy = 'refer to it by {"$secret": …} in its file, `pulumi up`, and change the secret'
            yield broken("state", what, remedy)


def _masks(value: JsonValue, path: str = "") -> Iterator[str]:
    """The property paths at which a value, encrypted or not, is the server's mask."""
    if _is_secret(value):
        value = _decrypted(value)
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _masks(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _masks(item, f"{path}[{index}]")
    elif value == MASK:
        yield path


def _plain_secrets(value: JsonValue, schemas: Schemas, path: str = "") -> Iterator[str]:
    """The property paths of unencrypted values that any of the schemas' branches marks as `airbyte_secret`."""
    if _is_secret(value) or value is None:
        return
    if marks_secret(schemas):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _plain_secrets(item, schemas_inside(schemas, key), f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        items = schemas_inside(schemas, 0)
        for index, item in enumerate(value):
            yield from _plain_secrets(item, items, f"{path}[{index}]")


def _is_secret(value: JsonValue) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET_SIGNATURE


def _decrypted(value: JsonValue) -> JsonValue:
    """The value of a secret; None if it was exported encrypted."""
    text = value.get("plaintext") if isinstance(value, dict) else None
    decrypted: JsonValue = json.loads(text) if isinstance(text, str) else None
    return decrypted
