"""What `pulumi preview --json` prints, as frozen objects.

Two documents say the same: one indented digest (`display.PreviewDigest` in pulumi, pkg/display/json.go), or with
`PULUMI_ENABLE_STREAMING_JSON_PREVIEW` one event a line (`apitype.EngineEvent` in sdk/go/common/apitype/events.go),
which is also what an operation's event log has. A secret is `[secret]` in a digest; in an event it is an object with
the key `SIGNATURE`, whose ciphertext is `[secret]`.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from lotus_infra.errors import LotusError
from lotus_infra.urns import Urn

HIDDEN: Final = "[secret]"
"""What the engine prints in place of a secret."""
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""The key of what is more than JSON, such as a secret, in an event (pulumi, sdk/go/common/resource, SigKey)."""
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What a preview has in place of what only the run will know (pulumi, plugin.UnknownStringValue)."""
QUIET: Final = frozenset({"same", "read", "refresh", "discard"})
"""Operations that change nothing of the world."""


class _Shown(BaseModel):
    """Part of a document that the engine may add to; null says the same as nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        return {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value


class ResourceState(_Shown):
    """A resource as the state has it, or as it would be after the step.

    Attributes:
        id: the provider's id; empty for what is still to be made.
        parent: the URN of its component.
        protect: whether a deletion is refused.
        retain_on_delete: whether the object stays when its resource goes.
        inputs: what the program says, as the provider checked it.
        outputs: what the provider made of it.
    """

    id: str = ""
    parent: str = ""
    protect: bool = False
    retain_on_delete: bool = False
    inputs: Mapping[str, JsonValue] = {}
    outputs: Mapping[str, JsonValue] = {}


class PropertyDiff(_Shown):
    """How one property differs.

    Attributes:
        kind: `add`, `delete`, `update`, each also with `-replace` where it makes the resource anew.
    """

    kind: str = Field("update", validation_alias=AliasChoices("kind", "diffKind"))


class Step(_Shown):
    """What the engine would do to one resource.

    Attributes:
        op: `create`, `update`, `delete`, `same`, `refresh`, `replace`, `create-replacement`, `delete-replaced`, …
        urn: the resource's URN.
        old: as it is; None for what is new. Of a step after a refresh in the same run this is what is live.
        new: as it would be; None for what goes.
        diff_reasons: top-level properties that differ.
        replace_reasons: those of them that make it anew.
        detailed_diff: each property path that differs.
    """

    op: str
    urn: str
    old: ResourceState | None = Field(None, validation_alias=AliasChoices("old", "oldState"))
    new: ResourceState | None = Field(None, validation_alias=AliasChoices("new", "newState"))
    diff_reasons: tuple[str, ...] = Field((), validation_alias=AliasChoices("diffReasons", "diffs"))
    replace_reasons: tuple[str, ...] = Field((), validation_alias=AliasChoices("replaceReasons", "keys"))
    detailed_diff: Mapping[str, PropertyDiff] = {}

    @property
    def type(self) -> str:
        """The resource's type, such as `airbyte:index/connection:Connection`."""
        return Urn.parse(self.urn).type

    @property
    def name(self) -> str:
        """Its name in the program, which may have colons too."""
        return Urn.parse(self.urn).name

    @property
    def quiet(self) -> bool:
        """Whether it leaves the world as it is."""
        return self.op in QUIET


class EngineMessage(_Shown):
    """A line that the engine, the program or a plugin said.

    Attributes:
        severity: `info`, `info#err`, `warning` or `error`.
        message: without its final line break.
        urn: the resource that it is about; empty for the whole.
    """

    severity: str = "info"
    message: str = ""
    urn: str = ""

    @field_validator("message")
    @classmethod
    def _one_block(cls, value: str) -> str:
        return value.rstrip()


class Preview(_Shown):
    """What a run would do.

    Attributes:
        steps: in the engine's order, with what stays as it is.
        diagnostics: what was said, without the engine's debugging.
        complete: whether the engine came to its end; what is missing from an incomplete one is not known.
    """

    steps: tuple[Step, ...] = ()
    diagnostics: tuple[EngineMessage, ...] = ()
    complete: bool = False

    @property
    def errors(self) -> tuple[str, ...]:
        """What went wrong, in the engine's words."""
        return tuple(said.message for said in self.diagnostics if said.severity == "error")

    def said_of(self, urn: str) -> tuple[str, ...]:
        """What was said of one resource."""
        return tuple(said.message for said in self.diagnostics if said.urn == urn)


class _Digest(_Shown):
    steps: tuple[Step, ...] = ()
    diagnostics: tuple[EngineMessage, ...] = ()
    change_summary: Mapping[str, int] | None = None


class _Resource(_Shown):
    metadata: Step


class _Event(_Shown):
    resource_pre_event: _Resource | None = None
    res_outputs_event: _Resource | None = None
    diagnostic_event: EngineMessage | None = None
    summary_event: Mapping[str, JsonValue] | None = None

    @property
    def step(self) -> Step | None:
        """The step that it tells: a refresh knows its differences only afterwards, other operations tell before."""
        told = self.resource_pre_event
        if self.res_outputs_event is not None and self.res_outputs_event.metadata.op == "refresh":
            return self.res_outputs_event.metadata
        return told.metadata if told is not None and told.metadata.op != "refresh" else None


def is_hidden(value: JsonValue) -> bool:
    """Whether the engine shows a value as a secret, in a digest or in an event."""
    return value == HIDDEN or (isinstance(value, dict) and SIGNATURE in value)


def read(text: str) -> Preview:
    """Read what a preview printed: a digest, or one event a line.

    Raises:
        LotusError: it is neither.
    """
    try:
        return _of_digest(_Digest.model_validate_json(text)) if text.startswith("{\n") else _of_events(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        what = f"this is not what `pulumi preview --json` prints ({where or 'it'}: {first['msg']})"
        raise LotusError(what, "write its output into a file, as it is") from None


def _of_digest(digest: _Digest) -> Preview:
    failed = any(said.severity == "error" for said in digest.diagnostics)
    return Preview(
        steps=digest.steps,
        diagnostics=digest.diagnostics,
        complete=bool(digest.change_summary) and not failed,
    )


def _of_events(text: str) -> Preview:
    events = [_Event.model_validate_json(line) for line in text.splitlines() if line.strip()]
    said = tuple(event.diagnostic_event for event in events if event.diagnostic_event is not None)
    told = tuple(each for each in said if each.severity != "debug")
    return Preview(
        steps=tuple(event.step for event in events if event.step is not None),
        diagnostics=told,
        complete=any(event.summary_event is not None for event in events)
        and not any(each.severity == "error" for each in told),
    )


def moved(reviewed: Preview, now: Preview) -> list[str]:
    """The resources that would be changed otherwise than was reviewed, such as `Connection shopify`, sorted.

    What a resource would become is not compared: the plan holds that, and random parts of names differ each time.
    """
    before, after = _starts(reviewed), _starts(now)
    names = {step.urn: f"{step.type.rsplit(':', maxsplit=1)[-1]} {step.name}" for step in (*reviewed.steps, *now.steps)}
    return sorted(names[urn] for urn in before.keys() | after.keys() if before[urn] != after[urn])


def _starts(preview: Preview) -> defaultdict[str, list[str]]:
    """What each changing resource starts from and where it differs, by URN."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for step in preview.steps:
        if not step.quiet:
            found[step.urn].append(_start(step))
    return found


def _start(step: Step) -> str:
    old = None if step.old is None else [step.old.id, step.old.protect, step.old.inputs]
    differs = {path: difference.kind for path, difference in step.detailed_diff.items()}
    return json.dumps([step.op, old, differs, sorted(step.replace_reasons)], sort_keys=True)
