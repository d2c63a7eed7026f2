"""Sends what was recorded of a real Airbyte to a twin, and compares the answers.

A record names what differs between two servers by placeholders: `<source:1>` is the first source that it shows.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PLACEHOLDER = re.compile(r"<(?:source|destination|connection|tag|workspace|token):\d+>")
TIMES = {"endedAt", "createdAt", "updatedAt", "created_at", "timestamp"}
UNRECORDED = {"notifications", "defaultWorkspaceId", "defaultOrganizationEmail", "licenseStatus", "documentationUrl"}
"""Members that the record leaves out; the last one only where it is a text."""
SERVER = "http://localhost:8001"
"""The address that the server believes to have, in links."""
ROWS = ("data", "sources", "destinations", "connections")
ABSENT = "<absent>"
NOBODY = "ffffffff-ffff-4fff-8fff-ffffffffffff"


@dataclass(frozen=True)
class Difference:
    """One place at which an answer is not the recorded one."""

    path: str
    recorded: Any
    actual: Any

    def __str__(self) -> str:
        shown = [json.dumps(each)[:300] for each in (self.recorded, self.actual)]
        return f"    {self.path}: recorded {shown[0]}, here {shown[1]}"


@dataclass(frozen=True)
class Step:
    """One recorded request with its answer."""

    sequence: str
    name: str
    request: dict[str, Any]
    status: int
    content_type: str
    body: Any
    rows: str

    @property
    def key(self) -> tuple[str, str]:
        return (self.sequence, self.name)

    def __str__(self) -> str:
        return f"{self.sequence}: {self.name}: {self.request['method']} {self.request['path']}"


def recorded_steps(path: Path) -> list[Step]:
    """The steps of one sequence, which begins with an empty workspace."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Step(
            path.stem, line["step"], line["request"], line["real"]["status"], line["real"]["type"],
            line["real"]["body"], line.get("rows", ""),
        )
        for line in lines
    ]  # fmt: skip


@dataclass
class Names:
    """What the placeholders stand for on one server.

    Attributes:
        address: Of the server.
        fixed: Ids that the record writes as they are.
        known: Values by placeholder.
    """

    address: str
    fixed: frozenset[str]
    known: dict[str, str] = field(default_factory=dict)

    def learn(self, recorded: Any, actual: Any) -> None:
        """Take the values that an answer has where the record has placeholders that are not known yet."""
        if isinstance(recorded, dict) and isinstance(actual, dict):
            if "access_token" in recorded and "access_token" in actual:
                self.known.setdefault("<token:1>", actual["access_token"])
            for key in recorded.keys() & actual.keys():
                self.learn(recorded[key], actual[key])
        elif isinstance(recorded, list) and isinstance(actual, list):
            for one, other in zip(recorded, actual, strict=False):
                self.learn(one, other)
        elif isinstance(recorded, str) and isinstance(actual, str) and PLACEHOLDER.fullmatch(recorded):
            self._bind(recorded, actual)

    def _bind(self, placeholder: str, value: str) -> None:
        if value not in self.known.values():
            self.known.setdefault(placeholder, value)

    def filled(self, value: Any) -> Any:
        """A recorded request with the values of this server."""
        if isinstance(value, dict):
            return {key: self.filled(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, str):
            return PLACEHOLDER.sub(lambda found: self.known.get(found[0], NOBODY), value)
        return value

    def plain(self, value: Any, key: str = "") -> Any:
        """An answer of this server in the words of the record."""
        if isinstance(value, dict):
            kept = {name: member for name, member in value.items() if not _unrecorded(name, member)}
            return {name: self.plain(member, name) for name, member in kept.items()}
        if isinstance(value, list):
            return [self.plain(item, key) for item in value]
        if key in TIMES and isinstance(value, (int, float)):
            return "<time>"
        if key in {"access_token", "errorId"}:
            return {"access_token": "<token>", "errorId": "<error-id>"}[key]
        return self._plain_text(value) if isinstance(value, str) else value

    def _plain_text(self, text: str) -> str:
        placeholders = {value: placeholder for placeholder, value in self.known.items()}

        def named(found: re.Match[str]) -> str:
            return placeholders.get(found[0]) or (found[0] if found[0] in self.fixed else "<uuid>")

        return UUID.sub(named, text).replace(self.address, "<host>").replace(SERVER, "<host>")


def _unrecorded(name: str, member: Any) -> bool:
    return name in UNRECORDED and (name != "documentationUrl" or isinstance(member, str))


def replayed(steps: list[Step], http: httpx.Client, names: Names) -> Iterator[tuple[Step, list[Difference]]]:
    """Send the requests of a sequence one after another; gives each with the differences of its answer."""
    for step in steps:
        response = _sent(step.request, http, names)
        actual = _document(response)
        names.learn(step.body, actual)
        content_type = response.headers.get("content-type", "").partition(";")[0]
        head = {"status": response.status_code, "type": content_type}
        yield (
            step,
            [
                *differences({"status": step.status, "type": step.content_type}, head, "answer"),
                *differences(_comparable(step.body, step.rows), _comparable(names.plain(actual), step.rows), "body"),
            ],
        )


def _sent(request: dict[str, Any], http: httpx.Client, names: Names) -> httpx.Response:
    content = None
    if "raw" in request:
        content = names.filled(request["raw"]).encode()
    elif "body" in request:
        content = json.dumps(names.filled(request["body"])).encode()
    headers = {"Accept": "application/json", **names.filled(request.get("headers", {}))}
    return http.request(request["method"], names.filled(request["path"]), content=content, headers=headers)


def _document(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text


def _comparable(body: Any, rows: str) -> Any:
    """A body whose list is sorted, or of which only its length counts: nothing orders the server's rows."""
    if not rows or not isinstance(body, dict):
        return body
    return {key: _sorted(value, rows) if key in ROWS else value for key, value in body.items()}


def _sorted(found: Any, rows: str) -> Any:
    if not isinstance(found, list):
        return found
    return len(found) if rows == "page" else sorted(found, key=lambda row: json.dumps(row, sort_keys=True))


def differences(recorded: Any, actual: Any, path: str) -> list[Difference]:
    """Where two documents differ; an integer and a float of the same value are the same."""
    if isinstance(recorded, dict) and isinstance(actual, dict):
        keys = sorted(recorded.keys() | actual.keys())
        pairs = [(f"{path}.{key}", recorded.get(key, ABSENT), actual.get(key, ABSENT)) for key in keys]
    elif isinstance(recorded, list) and isinstance(actual, list) and len(recorded) == len(actual):
        pairs = [(f"{path}[{index}]", *pair) for index, pair in enumerate(zip(recorded, actual, strict=True))]
    else:
        same = recorded == actual and isinstance(recorded, bool) is isinstance(actual, bool)
        return [] if same else [Difference(path, recorded, actual)]
    return [found for where, one, other in pairs for found in differences(one, other, where)]
