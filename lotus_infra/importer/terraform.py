"""A Terraform or OpenTofu state, from its file (version 4) or from `show -json`, as instances of resources.

Shapes: hashicorp/terraform, internal/states/statefile/version4.go and the documented JSON output format. Values in it
are secrets in the clear, so that no instance and no error repeats one.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from lotus_infra.errors import LotusError

SHOW: Final = "write it anew: terraform show -json > shown.json (or tofu show -json)"


@dataclass(frozen=True, slots=True)
class Instance:
    """One object that Terraform manages or looks up.

    Attributes:
        address: Such as `module.lake.airbyte_source.shopify["eu"]`.
        type: Such as `airbyte_source`.
        provider: Namespace and name, such as `aballiet/airbyte-oss`.
        managed: False for a data source.
        attributes: As the provider wrote them.
    """

    address: str
    type: str
    provider: str
    managed: bool
    attributes: dict[str, JsonValue] = field(repr=False)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _StateInstance(_Part):
    index_key: str | int | None = None
    deposed: str | None = None
    attributes: dict[str, JsonValue] | None = None


class _StateResource(_Part):
    mode: str
    type: str
    name: str
    provider: str
    module: str | None = None
    instances: list[_StateInstance] = Field(default_factory=list)


class _State(_Part):
    version: int
    resources: list[_StateResource] = Field(default_factory=list)


class _ShownResource(_Part):
    address: str
    mode: str
    type: str
    provider_name: str
    deposed_key: str | None = None
    values: dict[str, JsonValue] = Field(default_factory=dict)


class _ShownModule(_Part):
    resources: list[_ShownResource] = Field(default_factory=list)
    child_modules: "list[_ShownModule]" = Field(default_factory=list)


class _ShownValues(_Part):
    root_module: _ShownModule = _ShownModule()


class _Shown(_Part):
    format_version: str
    values: _ShownValues = _ShownValues()


def read(text: str, name: str) -> tuple[Instance, ...]:
    """The instances of a state, by address.

    Args:
        text: The file's.
        name: What the user calls the file.

    Raises:
        LotusError: It is no state that can be read.
    """
    try:
        document = json.loads(text)
    except ValueError:
        raise LotusError(f"{name} is no JSON", SHOW) from None
    if not isinstance(document, dict):
        raise LotusError(f"{name} is no state of Terraform", SHOW)
    if "encrypted_data" in document:
        raise LotusError(f"{name} is encrypted by OpenTofu", "have it decrypted: tofu show -json > shown.json")
    if "planned_values" in document:
        raise LotusError(
            f"{name} is a plan, not a state", "leave the plan's file out: terraform show -json > shown.json"
        )
    if "checkpoint" in document or "deployment" in document:
        raise LotusError(f"{name} is a state of Pulumi", "there is nothing to migrate: `pulumi stack import` reads it")
    try:
        found = list(_shown(document) if "format_version" in document else _state(document, name))
    except ValidationError as error:
        places = ", ".join(".".join(map(str, each["loc"])) for each in error.errors()[:3])
        raise LotusError(f"{name} is no state of Terraform: see {places}", SHOW) from None
    return tuple(sorted(found, key=lambda each: each.address))


def _state(document: JsonValue, name: str) -> Iterator[Instance]:
    state = _State.model_validate(document)
    if state.version != 4:
        raise LotusError(
            f"{name} is of version {state.version}, and version 4 is known", "a newer Terraform rewrites it: " + SHOW
        )
    for resource in state.resources:
        start = "".join((f"{resource.module}." if resource.module else "", "data." if resource.mode == "data" else ""))
        for instance in resource.instances:
            if instance.deposed is None:
                index = "" if instance.index_key is None else f"[{json.dumps(instance.index_key)}]"
                yield Instance(
                    f"{start}{resource.type}.{resource.name}{index}",
                    resource.type,
                    _provider(resource.provider),
                    resource.mode == "managed",
                    instance.attributes or {},
                )


def _shown(document: JsonValue) -> Iterator[Instance]:
    for resource in _resources([_Shown.model_validate(document).values.root_module]):
        if resource.deposed_key is None:
            yield Instance(
                resource.address,
                resource.type,
                _provider(resource.provider_name),
                resource.mode == "managed",
                resource.values,
            )


def _resources(modules: Iterable[_ShownModule]) -> Iterator[_ShownResource]:
    for module in modules:
        yield from module.resources
        yield from _resources(module.child_modules)


def _provider(written: str) -> str:
    """`module.m.provider["registry.terraform.io/aballiet/airbyte-oss"].alias` is `aballiet/airbyte-oss`."""
    start, quote, rest = written.partition('["')
    address = rest.partition('"]')[0] if quote else start
    return "/".join(address.split("/")[-2:])
