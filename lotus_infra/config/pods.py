"""Kubernetes' scalars, and the resources and placement of pods, as a stack's settings have them."""

import re
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from lotus_infra.config.section import Section, Text, Whole, matching, number_as_text

DNS_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

# By Kubernetes' own rules: an invalid value is refused before anything is declared.

Port: TypeAlias = Annotated[Whole, Field(ge=1, le=65535)]
Days: TypeAlias = Annotated[Whole, Field(ge=1, le=3650)]
Count: TypeAlias = Annotated[Whole, Field(ge=1, le=1000)]
Seconds: TypeAlias = Annotated[Whole, Field(ge=1)]
DnsLabel: TypeAlias = Annotated[
    Text,
    matching(
        DNS_LABEL.pattern,
        "is not a DNS label: use lower-case letters, digits and hyphens, at most 63, without a hyphen at either end",
    ),
]
Quantity: TypeAlias = Annotated[
    str,
    BeforeValidator(number_as_text),
    matching(
        r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?",
        "is not a Kubernetes quantity: write 500m or 2 for CPUs, 512Mi or 4Gi for memory",
    ),
]
_UNITS: Final = {"": 1, "m": 1e-3, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18} | {
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60
}  # fmt: skip


def amount(quantity: str) -> float | None:
    """The amount of a Kubernetes quantity, such as bytes of `20Gi`; None if it is not understood."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([a-zA-Z]*)", quantity)
    return float(found[1]) * _UNITS[found[2]] if found and found[2] in _UNITS else None


class ResourceAmounts(Section):
    """Amounts of a node's resources: `500m` or `2` CPUs, `512Mi` of memory, and local disk."""

    cpu: Quantity | None = None
    memory: Quantity | None = None
    ephemeral_storage: Quantity | None = Field(default=None, alias="ephemeral-storage")


class Resources(Section):
    """The resources that a container reserves, and its limits."""

    requests: ResourceAmounts = ResourceAmounts()
    limits: ResourceAmounts = ResourceAmounts()


class Toleration(Section):
    """A node taint that pods tolerate."""

    key: Text | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: Text | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Seconds | None = None


class PodSettings(Section):
    """The resources and the placement of pods.

    Attributes:
        resources: Of the container.
        node_selector: Labels that a node must have.
        tolerations: Node taints that the pods tolerate.
    """

    resources: Resources = Resources()
    node_selector: dict[str, Text] = Field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()


def to_manifest(section: Section) -> dict[str, Any]:
    """A section in the form of a Kubernetes manifest, without the fields that have their default value."""
    return section.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
