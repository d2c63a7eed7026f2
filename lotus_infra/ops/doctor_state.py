"""What is wrong inside a stack's state: operations without an end, masks in place of values, secrets in plain text."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from airbyte_model.json_values import JsonObject
from airbyte_model.secrets import MASK, Schemas, marks_secret, schemas_inside, schemas_of
from pulumi_airbyte.provider.properties import SECRET_SIGNATURE, SIGNATURE
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from lotus_infra.ops.findings import Finding, broken, ok, warning
from lotus_infra.ops.state import TYPES

Specification = Callable[[str, str, str], JsonObject | None]
"""A connector's JSON Schema by kind, definition and workspace; None where the server does not give it."""
KINDS: Final = {TYPES[kind]: kind for kind in ("source", "destination")}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Resource(_Part):
    urn: str
    type: str
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    outputs: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def shown(self) -> str:
        """Its kind and name."""
        return f"{self.type.rsplit(':', maxsplit=1)[-1]} {self.urn.split('::', maxsplit=3)[-1]}"


class _Pending(_Part):
    type: str
    resource: _Resource


class _Deployment(_Part):
    resources: list[_Resource] | None = None
    pending_operations: list[_Pending] | None = None


class _Export(_Part):
    deployment: _Deployment


def findings_of(exported: str, project: str, stack: str, specification: Specification) -> Iterator[Finding]:
    """What a state tells of itself.

    Args:
        exported: As `pulumi stack export` prints it, with or without `--show-secrets`.
        project: Whose state it should be.
        stack: And of which stack.
        specification: Gives connectors' specifications.
    """
    try:
        deployment = _Export.model_validate_json(exported).deployment
    except ValidationError:
        yield broken("state", "the state is not what pulumi exports", "`pulumi stack export` shows it")
        return
    resources = deployment.resources or []
    found = [
        *(_pending(each) for each in deployment.pending_operations or []),
        *_foreign(resources, f"urn:pulumi:{stack}::{project}::"),
        *_masks(resources),
        *_plain(resources, specification),
    ]
    yield from found
    if not found:
        yield ok("state", f"{len(resources)} resources, no operation under way, no mask, no secret in plain text")


def _pending(each: _Pending) -> Finding:
    remedy = "`pulumi up` goes on with it; then `pulumi refresh --clear-pending-creates` if it stays"
    return warning("state", f"{each.type} {each.resource.shown} was begun and never ended", remedy)


def _foreign(resources: Sequence[_Resource], start: str) -> Iterator[Finding]:
    others = sorted({each.urn.split("::")[1] for each in resources if not each.urn.startswith(start)})
    if others:
        what = f"the state has resources of another project or stack: {', '.join(others)}"
        yield broken("state", what, "backend.url of Pulumi.yaml names the wrong state; nothing may be applied to it")


def _masks(resources: Sequence[_Resource]) -> Iterator[Finding]:
    for each in resources:
        paths = sorted(set(masks(each.inputs)) | set(masks(each.outputs)))
        if paths:
            what = f"{each.shown} has Airbyte's mask as the value of {', '.join(paths)}"
            yield broken("state", what, "give the secret itself in the stack, then `pulumi up`")


def _plain(resources: Sequence[_Resource], specification: Specification) -> Iterator[Finding]:
    for each in resources:
        kind = KINDS.get(each.type)
        if kind is None:
            continue
        ids = (str(each.inputs.get(key, "")) for key in ("definitionId", "workspaceId"))
        schema = specification(kind, *ids)
        if schema is None:
            yield warning("state", f"nobody says what of {each.shown} is secret", "is Airbyte's Config API reachable?")
            continue
        told = (plain_secrets(part.get("configuration"), schema) for part in (each.inputs, each.outputs))
        paths = sorted({path for some in told for path in some})
        if paths:
            what = f"{each.shown} has in plain text what its connector calls secret: {', '.join(paths)}"
            yield broken("state", what, 'refer to it by {"$secret": …} in its file, `pulumi up`, and change the secret')


def masks(value: JsonValue, path: str = "") -> Iterator[str]:
    """Every path at which the server's mask stands in place of a value, be it encrypted or not."""
    if _is_secret(value):
        value = _opened(value)
    if isinstance(value, dict):
        for key, item in value.items():
            yield from masks(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from masks(item, f"{path}[{index}]")
    elif value == MASK:
        yield path


def plain_secrets(value: JsonValue, schema: JsonObject) -> Iterator[str]:
    """Every path at which a text lies open that the schema calls `airbyte_secret` in any of its branches."""
    yield from _open(value, schemas_of(schema), "")


def _open(value: JsonValue, schemas: Schemas, path: str) -> Iterator[str]:
    if _is_secret(value) or value is None:
        return
    if marks_secret(schemas):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _open(item, schemas_inside(schemas, key), f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        items = schemas_inside(schemas, 0)
        for index, item in enumerate(value):
            yield from _open(item, items, f"{path}[{index}]")


def _is_secret(value: JsonValue) -> bool:
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET_SIGNATURE


def _opened(value: JsonValue) -> JsonValue:
    """What is inside of a secret; None where it was exported encrypted."""
    text = value.get("plaintext") if isinstance(value, dict) else None
    opened: JsonValue = json.loads(text) if isinstance(text, str) else None
    return opened
