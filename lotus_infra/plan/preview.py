"""The output of `pulumi preview --json`, as frozen objects, and the comparison of two previews. Knows no data rules.

The engine has two forms: one indented digest (`display.PreviewDigest` in pulumi, pkg/display/json.go), or with
`PULUMI_ENABLE_STREAMING_JSON_PREVIEW` one event a line (`apitype.EngineEvent` in sdk/go/common/apitype/events.go),
which an operation's event log has too. A secret is `[secret]` in a digest; in an event it is an object with the key
`SIGNATURE`, whose ciphertext is `[secret]`.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
"""The engine prints this in place of a secret."""
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""In an event, this key marks a secret or another value that JSON lacks (pulumi, sdk/go/common/resource, SigKey)."""
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""A preview has this in place of a value that only the update knows (pulumi, plugin.UnknownStringValue)."""
QUIET: Final = frozenset(
    {"same", "read", "read-replacement", "refresh", "discard", "discard-replaced", "remove-pending-replace", "diff"}
)
"""Operations that change no live object. `discard` and `remove-pending-replace` change the state only."""
REPLACES: Final = frozenset({"replace", "import-replacement"})
"""Operations that put another object in the place of one, which they delete."""
REPLACEMENT_PARTS: Final = frozenset({"create-replacement", "delete-replaced"})
"""Halves of a replacement, beside `replace`. One alone ends a replacement of an earlier run that was not finished."""
PropertyPath = tuple[str, ...]
"""The keys and indexes that lead to a property: `a.b[0]["c.d"]` is `("a", "b", "0", "c.d")`."""
_PATH_STEP: Final = re.compile(r'\["(?P<quoted>(?:[^"\\]|\\.)*)"\]|\[(?P<index>\d+)\]|(?P<plain>[^.\[]+)')


class _EngineModel(BaseModel):
    """A part of the engine's output. Unknown keys are ignored, because newer engines add some; null means absent."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        return {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value


class ResourceState(_EngineModel):
    """A resource before or after a step.

    Attributes:
        id: the provider's id; empty before the object is created.
        parent: the URN of its component.
        protect: whether the engine refuses to delete it.
        retain_on_delete: whether the object stays when its resource is deleted.
        inputs: the program's inputs, as the provider checked them.
        outputs: the provider's outputs.
    """

    id: str = ""
    parent: str = ""
    protect: bool = False
    retain_on_delete: bool = False
    inputs: Mapping[str, JsonValue] = {}
    outputs: Mapping[str, JsonValue] = {}


class PropertyDiff(_EngineModel):
    """How one property differs.

    Attributes:
        kind: `add`, `delete` or `update`, with the suffix `-replace` if the difference replaces the resource.
    """

    kind: str = Field("update", validation_alias=AliasChoices("kind", "diffKind"))


class Step(_EngineModel):
    """One planned operation on one resource.

    Attributes:
        op: `create`, `update`, `delete`, `same`, `refresh`, `replace`, `create-replacement`, `delete-replaced`, …
        urn: the resource's URN.
        old: the resource before; None if it is new. After a refresh in the same run, this is the live object.
        new: the resource after; None if it is deleted.
        diff_reasons: top-level properties that differ.
        replace_reasons: the top-level properties that replace the resource.
        detailed_diff: the differing properties, by path as the engine writes it.
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
        """The resource's name in the program; it may have colons."""
        return Urn.parse(self.urn).name

    @property
    def quiet(self) -> bool:
        """Whether the step changes no live object."""
        return self.op in QUIET


class EngineMessage(_EngineModel):
    """A message of the engine, the program or a plugin.

    Attributes:
        severity: `info`, `info#err`, `warning` or `error`.
        message: its text, without the final line break.
        urn: the resource that it is about; empty if it is about the run.
    """

    severity: str = "info"
    message: str = ""
    urn: str = ""

    @field_validator("message")
    @classmethod
    def _without_final_break(cls, value: str) -> str:
        return value.rstrip()


class Preview(_EngineModel):
    """The steps and messages of a preview.

    Attributes:
        steps: in the engine's order, unchanged resources included.
        diagnostics: the messages, without the engine's debug messages.
        complete: whether the engine finished without an error; steps of an incomplete preview may be missing.
    """

    steps: tuple[Step, ...] = ()
    diagnostics: tuple[EngineMessage, ...] = ()
    complete: bool = False

    @property
    def errors(self) -> tuple[str, ...]:
        """The messages of severity `error`."""
        return tuple(each.message for each in self.diagnostics if each.severity == "error")

    @property
    def errors_without_hints(self) -> tuple[str, ...]:
        """The errors that are not about an object of Airbyte, whose provider explains its own."""
        foreign = (each for each in self.diagnostics if not re.search(r"(::|\$)airbyte:", each.urn))
        return tuple(each.message for each in foreign if each.severity == "error")

    def messages_of(self, urn: str) -> tuple[str, ...]:
        """The messages about one resource, without errors: `errors` has those."""
        return tuple(each.message for each in self.diagnostics if each.urn == urn and each.severity != "error")


class _Digest(_EngineModel):
    steps: tuple[Step, ...] = ()
    diagnostics: tuple[EngineMessage, ...] = ()
    change_summary: Mapping[str, int] | None = None


class _EventMetadata(_EngineModel):
    metadata: Step


class _Event(_EngineModel):
    resource_pre_event: _EventMetadata | None = None
    res_outputs_event: _EventMetadata | None = None
    diagnostic_event: EngineMessage | None = None
    summary_event: Mapping[str, JsonValue] | None = None

    @property
    def step(self) -> Step | None:
        """The step of this event; each step counts once, although two events describe it.

        Only the later event of a refresh has its differences. For every other operation the earlier one is enough.
        """
        before, after = (
            None if event is None else event.metadata for event in (self.resource_pre_event, self.res_outputs_event)
        )
        if after is not None and after.op == "refresh":
            return after
        return before if before is not None and before.op != "refresh" else None


def read_preview(text: str) -> Preview:
    """Parse the output of a preview: a digest, or one event a line.

    Raises:
        LotusError: the text is neither.
    """
    try:
        # Only a digest is indented: an event is one line.
        if text.startswith("{\n"):
            return _preview_of_digest(_Digest.model_validate_json(text))
        return _preview_of_events([_Event.model_validate_json(line) for line in text.splitlines() if line.strip()])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        what = f"this is not what `pulumi preview --json` prints ({where or 'it'}: {first['msg']})"
        raise LotusError(what, "save its output to a file unchanged") from None


def _preview_of_digest(digest: _Digest) -> Preview:
    # A failed preview prints a digest too. Then the summary is null, or an error is among the messages.
    return Preview(
        steps=digest.steps,
        diagnostics=digest.diagnostics,
        complete=bool(digest.change_summary) and not _has_error(digest.diagnostics),
    )


def _preview_of_events(events: Sequence[_Event]) -> Preview:
    messages = (event.diagnostic_event for event in events if event.diagnostic_event is not None)
    diagnostics = tuple(message for message in messages if message.severity != "debug")
    return Preview(
        steps=tuple(event.step for event in events if event.step is not None),
        diagnostics=diagnostics,
        complete=any(event.summary_event is not None for event in events) and not _has_error(diagnostics),
    )


def _has_error(diagnostics: Sequence[EngineMessage]) -> bool:
    return any(message.severity == "error" for message in diagnostics)


def property_paths(step: Step) -> Iterator[PropertyPath]:
    """The paths of differing properties, as the provider compared them, in alphabetical order."""
    # A provider without a detailed diff still names the top-level properties.
    detailed = [parse_property_path(path) for path in step.detailed_diff]
    yield from sorted(detailed or [(name,) for name in step.diff_reasons])


def named_paths(step: Step) -> list[PropertyPath]:
    """The paths of differing properties, as the provider compared them, and those that it only names as a whole."""
    paths = list(property_paths(step))
    tops = {path[0] for path in paths if path}
    names = (parse_property_path(name)[:1] for name in step.diff_reasons)
    return [*paths, *(name for name in names if name and name[0] not in tops)]


def parse_property_path(path: str) -> PropertyPath:
    """Split a path as the engine writes it."""
    found = _PATH_STEP.finditer(path)
    return tuple(
        _unquoted(part["quoted"]) if part["quoted"] is not None else part["index"] or part["plain"] for part in found
    )


def _unquoted(text: str) -> str:
    # The provider escapes as JSON does, the engine escapes quotation marks alone.
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text.replace('\\"', '"')


def value_at(value: JsonValue | Mapping[str, JsonValue], path: PropertyPath) -> JsonValue:
    """The value at a path; None if there is none."""
    node: JsonValue = dict(value) if isinstance(value, Mapping) else value
    for part in path:
        node = _item(node, part)
    return node


def is_hidden(value: JsonValue) -> bool:
    """Whether the engine shows a value as a secret, in a digest or in an event."""
    return value == HIDDEN or (isinstance(value, dict) and SIGNATURE in value)


def parts(value: JsonValue) -> dict[str, JsonValue]:
    """The parts of an object or list by key or index; none of anything else, secrets included."""
    if isinstance(value, dict):
        return {} if is_hidden(value) else value
    return {str(index): item for index, item in enumerate(value)} if isinstance(value, list) else {}


def hides(value: JsonValue | Mapping[str, JsonValue], path: PropertyPath = ()) -> bool:
    """Whether there is a secret at a path, above it or below it."""
    node: JsonValue = dict(value) if isinstance(value, Mapping) else value
    for part in path:
        if is_hidden(node):
            return True
        node = _item(node, part)
    if is_hidden(node):
        return True
    items = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return any(hides(item) for item in items)


def _item(node: JsonValue, part: str) -> JsonValue:
    if isinstance(node, list):
        return node[int(part)] if part.isdigit() and int(part) < len(node) else None
    return node.get(part) if isinstance(node, dict) else None


def changed_since_review(reviewed: Preview, now: Preview) -> list[str]:
    """The resources whose planned change differs from the reviewed one, such as `Connection shopify`, sorted.

    The engine's plan does not detect this: it holds the new value of each property, and not the old one. An update that
    is constrained to the plan passes where somebody has since changed the very property that the plan sets: the final
    state is as reviewed, but what happens to data on the way is not. So this compares what each change starts from.
    New values are left to the plan, because random parts of names differ in each preview.
    """
    before, after = _starts(reviewed), _starts(now)
    names = {step.urn: f"{step.type.rsplit(':', maxsplit=1)[-1]} {step.name}" for step in (*reviewed.steps, *now.steps)}
    return sorted(names[urn] for urn in before.keys() | after.keys() if before[urn] != after[urn])


def _starts(preview: Preview) -> defaultdict[str, list[str]]:
    """The start of each change as comparable text, by URN: the order of resources may differ between previews."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for step in preview.steps:
        if not step.quiet:
            found[step.urn].append(_start(step))
    return found


def _start(step: Step) -> str:
    old = None if step.old is None else [step.old.id, step.old.protect, step.old.inputs]
    differs = {path: difference.kind for path, difference in step.detailed_diff.items()}
    return json.dumps([step.op, old, differs, sorted(step.replace_reasons)], sort_keys=True)
