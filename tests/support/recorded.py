"""What a running Airbyte answered to writes of connections, sources and destinations, and why it refused.

The record is in the reference data (`airbyte/recorded`). A rule that is applied before anything is sent is held against
it: what the server refuses for a reason that inputs or files show is refused, and what it accepts passes.
"""

import json
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from tests.support.shared import shared, shared_json

PUBLIC = "/api/public/v1/"
KINDS = {"connections": "connection", "sources": "source", "destinations": "destination"}
PLACEHOLDER = re.compile(r"<\w+:\d+>")
IGNORED = {"bogus", "dataResidency"}
"""Properties that the server takes and does nothing with."""
Document = dict[str, Any]


class Reason(Enum):
    """What must be known to foresee an answer."""

    ACCEPTED = "accepted"
    INPUTS = "refused, as the inputs alone show"
    SPECIFICATION = "refused, as the connector's specification shows"
    DISCOVERY = "refused, as the source's streams and the connectors' facts show"
    SERVER = "refused, for what only the server knows"


REFUSALS: tuple[tuple[Reason, str], ...] = (
    (Reason.SERVER, r"resourceType|ConfigNotFoundException|Failed requirement|\$: null found, object expected"),
    (Reason.SERVER, r'"data": \{"value"'),
    (Reason.SPECIFICATION, r"json schema validation failed"),
    (Reason.INPUTS, r"Failed to convert argument|cron expression|errorId|value too long"),
    (Reason.INPUTS, r"Duplicate (fields|stream)|Nested field|field path cannot be empty|No fields selected"),
    (Reason.INPUTS, r"Unexpected value '"),
    (
        Reason.DISCOVERY,
        r"sync mode|cursor field|Cursor Field|rimary key|Invalid fields|No streams found|FIELD_NOT_FOUND",
    ),
    (Reason.DISCOVERY, r"streamName"),
    (Reason.INPUTS, r'"status": (422|500).*"data": null'),
)
"""Reasons by what a refusal says; the first that fits."""


@dataclass(frozen=True)
class Write:
    """A recorded write, as it would have been declared: whole, with its ids.

    Attributes:
        key: the sequence and the step.
        kind: of the object.
        declared: the properties that the object was to have after it; a null is as good as nothing.
        sent: the body of the request.
        reason: what must be known to foresee the answer.
        definitions: of the object, or of a connection's source and destination.
    """

    key: tuple[str, str]
    kind: str
    declared: Document
    sent: Document
    reason: Reason
    definitions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.key[0]}: {self.key[1]}"


def reason_of(status: int, body: Any) -> Reason:
    """What must be known to foresee an answer."""
    if status < 300:
        return Reason.ACCEPTED
    text = json.dumps(body)
    for reason, pattern in REFUSALS:
        if re.search(pattern, text):
            return reason
    raise AssertionError(f"a refusal that fits no reason: {status} {text[:300]}")


@cache
def facts() -> dict[str, Document]:
    """The connectors that the recorded server had, by their definitions' ids."""
    return {each["definition_id"]: each for each in shared_json("airbyte", "recorded", "setup.json")["definitions"]}


@cache
def definition_by_type() -> dict[tuple[str, str], str]:
    """Definitions by kind and type, as far as types name them."""
    return {(each["kind"], each["type"]): each["definition_id"] for each in facts().values()}


def writes() -> Iterator[Write]:
    """Every recorded write of the public API whose body is an object; other bodies can't be declared."""
    folder = shared("airbyte", "recorded")
    workspace = shared_json("airbyte", "recorded", "setup.json")["bindings"]["<workspace:1>"]
    for file in sorted(folder.glob("*.jsonl")):
        made: dict[str, Document] = {}
        for line in file.read_text(encoding="utf-8").splitlines():
            step = json.loads(PLACEHOLDER.sub(lambda found: _id(found[0], workspace), line))
            yield from _writes(file.stem, step, made)


def _id(placeholder: str, workspace: str) -> str:
    return workspace if placeholder == "<workspace:1>" else str(uuid.uuid5(uuid.NAMESPACE_OID, placeholder))


def _writes(sequence: str, step: Document, made: dict[str, Document]) -> Iterator[Write]:
    """The step as a write, if it is one; `made` has every object so far, by its id, with what defines it."""
    request, status, answer = step["request"], step["real"]["status"], step["real"]["body"]
    collection, _, object_id = request["path"].removeprefix(PUBLIC).partition("?")[0].partition("/")
    body = request.get("body")
    if request["method"] not in {"POST", "PUT", "PATCH"} or collection not in KINDS or not isinstance(body, dict):
        return
    if status in {401, 405, 415}:
        return  # the request was never read
    kind = KINDS[collection]
    declared = _declared(request["method"], body, made.get(object_id, {}))
    if kind == "connection":
        ends = (declared.get("sourceId"), declared.get("destinationId"))
        definitions = tuple(made.get(str(end), {}).get("definitionId", "") for end in ends)
    else:
        definitions = (_definition(kind, declared),)
        if definitions[0]:
            declared |= {"definitionId": definitions[0]}
    if status < 300 and isinstance(answer, dict):
        made[answer[f"{kind}Id"]] = {key: value for key, value in declared.items() if key not in IGNORED}
    yield Write((sequence, step["step"]), kind, declared, body, reason_of(status, answer), definitions)


def _definition(kind: str, declared: Document) -> str:
    """The definition that the server takes: the one that is given, or that of the type."""
    configuration = declared.get("configuration")
    named = configuration.get(f"{kind}Type") if isinstance(configuration, dict) else None
    return str(declared.get("definitionId") or definition_by_type().get((kind, str(named)), ""))


def _declared(method: str, body: Document, before: Document) -> Document:
    """The object as a whole."""
    if method == "POST":
        return dict(body)
    if method == "PUT":
        return {key: value for key, value in before.items() if key not in {"name", "configuration"}} | body
    # The server takes neither from a PATCH.
    patch = {key: value for key, value in body.items() if key not in {"definitionId", "workspaceId", "sourceId"}}
    if isinstance(patch.get("configuration"), dict):
        patch["configuration"] = before.get("configuration", {}) | patch["configuration"]
    if patch.get("configurations") in (None, {}, {"streams": []}):
        patch.pop("configurations", None)
    return before | patch


Known = Mapping[tuple[str, str], str]
"""Reasons of disagreements that are meant, by patterns of a sequence and a step."""


def disagreements(
    refusal: Callable[[Write], str | None], foreseen: frozenset[Reason], among: Callable[[Write], bool] = lambda _: True
) -> dict[tuple[str, str], str]:
    """Where a rule and the server disagree.

    Args:
        refusal: why the rule refuses a write; None where it does not.
        foreseen: the reasons that the rule can foresee.
        among: the writes that the rule can be asked about.
    """
    found = {}
    for write in filter(among, writes()):
        refused = refusal(write)
        if write.reason is Reason.ACCEPTED and refused is not None:
            found[write.key] = f"{write}: accepted by the server, refused here: {refused}"
        elif write.reason in foreseen and refused is None:
            found[write.key] = f"{write}: {write.reason.value}, passes here"
    return found


def assert_agreement(found: Mapping[tuple[str, str], str], known: Known) -> None:
    """The disagreements are those that are known, each of them."""

    def is_known(key: tuple[str, str], pattern: tuple[str, str]) -> bool:
        return all(fnmatchcase(part, wanted) for part, wanted in zip(key, pattern, strict=True))

    new = [told for key, told in found.items() if not any(is_known(key, pattern) for pattern in known)]
    assert not new, f"{len(new)} disagreements:\n" + "\n".join(new)
    stale = [pattern for pattern in known if not any(is_known(key, pattern) for key in found)]
    assert not stale, f"these are no disagreements any more, take them out: {stale}"


def counted() -> Counter[Reason]:
    """How many writes there are by reason."""
    return Counter(write.reason for write in writes())
