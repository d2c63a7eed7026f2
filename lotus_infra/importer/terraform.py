"""The resource instances of a Terraform or OpenTofu state, from its file (version 4) or from `show -json`.

Formats: hashicorp/terraform, internal/states/statefile/version4.go, and the documented JSON output format. A state
holds secrets in plain text, so that neither an instance's `repr` nor an error contains a value.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from lotus_infra.errors import LotusError

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DEEPEST: Final = 100
"""Levels of a configuration."""
SHOW_HINT: Final = "write it again: terraform show -json > shown.json (or tofu show -json)"


@dataclass(frozen=True, slots=True)
class Instance:
    """An object that Terraform manages, or reads as a data source.

    Attributes:
        address: Such as `module.lake.airbyte_source.shopify["eu"]`.
        type: Such as `airbyte_source`.
        provider: Namespace and name, such as `aballiet/airbyte-oss`.
        managed: False for a data source.
        attributes: The provider's attributes.
    """

    address: str
    type: str
    provider: str
    managed: bool
    attributes: dict[str, JsonValue] = field(repr=False)


def parse_id(value: object) -> str:
    """An id of Airbyte: a UUID. Another text may be anything, and ids are printed and written.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, str) or _UUID.fullmatch(value) is None:
        raise ValueError("is no UUID")
    return value


def parse_configuration(value: object) -> dict[str, JsonValue]:
    """A connector's configuration, which a state has as a JSON text or as an object.

    Raises:
        ValueError: It is none, or it is nested so deeply that no connector wrote it.
    """
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except RecursionError:
        raise ValueError("nests too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("is no object")  # noqa: TRY004, a validator's error
    level: list[object] = [found]
    for _ in range(_DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return found
    raise ValueError("nests too deeply")


def _inside(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


Id = Annotated[str, AfterValidator(parse_id)]
# Terraform's own grammar: these words are printed, and in commands for a shell.
_Word = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")]
_Provider = Annotated[
    str,
    Field(
        pattern=r'^([A-Za-z0-9_.-]+/){1,2}[A-Za-z0-9_-]+$|^[A-Za-z0-9_.-]*provider[\["A-Za-z0-9_./-]+\](\.[A-Za-z0-9_-]+)?$'
    ),
]


class _StatePart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _StateInstance(_StatePart):
    index_key: str | int | None = None
    deposed: str | None = None
    attributes: dict[str, JsonValue] | None = None


class _StateResource(_StatePart):
    mode: str
    type: _Word
    name: _Word
    provider: _Provider
    module: str | None = None
    instances: list[_StateInstance] = Field(default_factory=list)


class _State(_StatePart):
    version: int
    resources: list[_StateResource] = Field(default_factory=list)


class _ShowResource(_StatePart):
    address: str
    mode: str
    type: _Word
    provider_name: _Provider
    deposed_key: str | None = None
    values: dict[str, JsonValue] = Field(default_factory=dict)


class _ShowModule(_StatePart):
    resources: list[_ShowResource] = Field(default_factory=list)
    child_modules: "list[_ShowModule]" = Field(default_factory=list)


class _ShowValues(_StatePart):
    root_module: _ShowModule = _ShowModule()


class _Show(_StatePart):
    format_version: str
    values: _ShowValues = _ShowValues()


def read_state(text: str, name: str) -> tuple[Instance, ...]:
    """The instances of a state, by address.

    Args:
        text: The file's text.
        name: The file's name, for errors.

    Raises:
        LotusError: It is no readable state.
    """
    try:
        document = json.loads(text)
    except ValueError:
        raise LotusError(f"{name} is not JSON", SHOW_HINT) from None
    except RecursionError:
        raise LotusError(f"{name} is nested too deeply for a state", SHOW_HINT) from None
    if not isinstance(document, dict):
        raise LotusError(f"{name} is not a Terraform state", SHOW_HINT)
    if "encrypted_data" in document:
        raise LotusError(f"{name} is encrypted by OpenTofu", "decrypt it: tofu show -json > shown.json")
    if "planned_values" in document:
        raise LotusError(f"{name} is a plan, not a state", "omit the plan's file: terraform show -json > shown.json")
    if "checkpoint" in document or "deployment" in document:
        raise LotusError(f"{name} is a Pulumi state", "no migration is needed: `pulumi stack import` reads it")
    try:
        instances = list(_from_show(document) if "format_version" in document else _from_file(document, name))
    except ValidationError as error:
        # Locations only: pydantic's messages contain values.
        fields = ", ".join(".".join(map(str, each["loc"])) for each in error.errors()[:3])
        raise LotusError(f"{name} is not a valid Terraform state: invalid at {fields}", SHOW_HINT) from None
    return tuple(sorted(instances, key=lambda each: each.address))


def _from_file(document: JsonValue, name: str) -> Iterator[Instance]:
    state = _State.model_validate(document)
    if state.version != 4:
        raise LotusError(
            f"{name} has version {state.version}, only version 4 is supported", f"use a newer Terraform: {SHOW_HINT}"
        )
    for resource in state.resources:
        prefix = "".join((f"{resource.module}." if resource.module else "", "data." if resource.mode == "data" else ""))
        for instance in resource.instances:
            # A deposed instance is being replaced, and is no longer the resource.
            if instance.deposed is None:
                index = "" if instance.index_key is None else f"[{json.dumps(instance.index_key)}]"
                yield Instance(
                    f"{prefix}{resource.type}.{resource.name}{index}",
                    resource.type,
                    _provider_name(resource.provider),
                    resource.mode == "managed",
                    instance.attributes or {},
                )


def _from_show(document: JsonValue) -> Iterator[Instance]:
    for resource in _all_resources([_Show.model_validate(document).values.root_module]):
        if resource.deposed_key is None:
            yield Instance(
                resource.address,
                resource.type,
                _provider_name(resource.provider_name),
                resource.mode == "managed",
                resource.values,
            )


def _all_resources(modules: Iterable[_ShowModule]) -> Iterator[_ShowResource]:
    for module in modules:
        yield from module.resources
        yield from _all_resources(module.child_modules)


def _provider_name(address: str) -> str:
    """`aballiet/airbyte-oss` of `module.m.provider["registry.terraform.io/aballiet/airbyte-oss"].alias`."""
    start, quote, rest = address.partition('["')
    source = rest.partition('"]')[0] if quote else start
    return "/".join(source.split("/")[-2:])
