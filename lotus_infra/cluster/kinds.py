"""The kinds of values that Kubernetes knows, as types: a wrong one is refused before anything is declared."""

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class Part(BaseModel):
    """A part of what the stack says, with camelCase keys; a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


def matching(pattern: str, otherwise: str) -> AfterValidator:
    """What a text must be made of, and what to say where it isn't: the reason, and after a colon the remedy."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(otherwise)
        return text

    return AfterValidator(check)


def _dns_name(text: str) -> str:
    if "." not in text or len(text) > 253 or any(_LABEL.fullmatch(label) is None for label in text.split(".")):
        raise ValueError("is no host name: write one such as dagster.example.com, without scheme and port")
    return text


def _text(value: object) -> object:
    """Whoever writes `cpu: 2` means the text."""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


DnsLabel: TypeAlias = Annotated[
    str,
    matching(
        _LABEL.pattern, "is no DNS label: lower-case letters, digits and hyphens, at most 63, no hyphen at an end"
    ),
]
DnsName: TypeAlias = Annotated[str, AfterValidator(_dns_name)]
Quantity: TypeAlias = Annotated[
    str,
    BeforeValidator(_text),
    matching(
        r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?",
        "is no quantity of Kubernetes: write 500m or 2 for CPUs, 512Mi or 4Gi for memory",
    ),
]
Size: TypeAlias = Annotated[
    str, matching(r"[1-9][0-9]*(\.[0-9]+)?(M|G|T|P|Mi|Gi|Ti|Pi)", "is no size of a volume: write one such as 20Gi")
]
Variable: TypeAlias = Annotated[
    str,
    matching(
        r"[A-Za-z_][A-Za-z0-9_]*",
        "is no name of an environment variable: letters, digits and underscores, a letter first",
    ),
]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65535, strict=True)]
Days: TypeAlias = Annotated[int, Field(ge=1, le=3650, strict=True)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=1000, strict=True)]
Seconds: TypeAlias = Annotated[int, Field(ge=1, strict=True)]
Annotations: TypeAlias = dict[str, str]


class Amounts(Part):
    """How much of a machine: `500m` or `2` CPUs, `512Mi` of memory, and how much local disk."""

    cpu: Quantity | None = None
    memory: Quantity | None = None
    ephemeral_storage: Quantity | None = Field(default=None, alias="ephemeral-storage")


class Resources(Part):
    """What a container is promised, and what it may take at most."""

    requests: Amounts = Amounts()
    limits: Amounts = Amounts()


class Toleration(Part):
    """A taint that pods put up with."""

    key: str | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Seconds | None = None


class Probe(Part):
    """How often Kubernetes asks whether a container is well; what it asks is the chart's affair."""

    initial_delay_seconds: int | None = Field(default=None, ge=0)
    period_seconds: Seconds | None = None
    timeout_seconds: Seconds | None = None
    success_threshold: Count | None = None
    failure_threshold: Count | None = None


class Placed(Part):
    """What runs somewhere: how much it takes, and on which nodes.

    Attributes:
        resources: What its container takes.
        node_selector: Labels that a node must have.
        tolerations: Taints of nodes that it puts up with.
    """

    resources: Resources = Resources()
    node_selector: dict[str, str] = {}
    tolerations: tuple[Toleration, ...] = ()


class Served(Placed):
    """What runs all the time, and is asked whether it is well."""

    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None


def given(part: BaseModel) -> dict[str, Any]:
    """A part as Kubernetes writes it, without what nobody gave."""
    return part.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)


Values: TypeAlias = dict[str, JsonValue]
