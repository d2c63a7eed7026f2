"""The program in which an object of each kind changes hands, and others around them that nobody changes.

The four objects don't touch each other: the connection has ends of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.engine.harness import Pulumi
from tests.provider.lab import LAB_DESTINATION, LAB_SOURCE
from tests.provider.lake import GUEST, ORGANIZATION, OTHER_ORGANIZATION
from tests.provider.plain import manifest
from tests.provider.ways import IMAGES, KINDS, MANIFEST, NAMELESS, Declared, Way

Document = dict[str, Any]
OAUTH: Final = {"actor_type": "source", "name": "faker", "configuration": {"credentials": {"client_id": "an-app"}}}
IMAGE: Final = {"docker_repository": "registry.example.com/desk", "docker_image_tag": "1.0.0"}
CURSORS: Final = {"cursor_defined": {"updated_at": "2026-01-02"}, "key_defined": {"updated_at": "2026-01-03"}}
TOKENS: Final = {
    **{kind: f"airbyte:index/{kind}:{kind[0].upper()}{kind[1:]}" for kind in KINDS},
    "component": "test:index:Group",
}
PROGRAM: Final = """
import json
from pathlib import Path

import pulumi
import pulumi_airbyte as airbyte

made = {}


def resolved(value):
    if isinstance(value, dict):
        return {key: resolved(item) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if isinstance(value, str) and value.startswith("$"):
        key, _, output = value[1:].partition(".")
        return getattr(made[key], output) if output else made[key]
    return value


def streams(names):
    made = [airbyte.ConnectionConfigurationsStreamArgs(name, sync_mode="incremental_append") for name in names]
    return airbyte.ConnectionConfigurationsArgs(made)


for key, kind, name, inputs, options in json.loads(Path("wanted.json").read_text())[pulumi.get_stack()]:
    given, opts = resolved(inputs), pulumi.ResourceOptions(**resolved(options))
    if "configurations" in given:
        given["configurations"] = streams(given["configurations"])
    if kind == "component":
        made[key] = pulumi.ComponentResource("test:index:Group", name, given, opts)
    else:
        made[key] = getattr(airbyte, kind[0].upper() + kind[1:])(name, **given, opts=opts)
"""


@dataclass(frozen=True)
class Resource:
    """A resource of the program; `$key.output` stands for an output of an earlier one, `$key` for itself."""

    key: str
    kind: str
    name: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


def urn(kind: str, declared: Declared, stack: str = Pulumi.stack) -> str:
    """The URN of an object of this kind that is declared so."""
    parent = f"{TOKENS['component']}$" if declared.parent else ""
    return f"urn:pulumi:{stack}::test-project::{parent}{TOKENS[kind]}::{name(kind, declared)}"


def name(kind: str, declared: Declared) -> str:
    """The name of the resource."""
    return f"{kind}{declared.suffix}"


@dataclass(frozen=True)
class Program:
    """What the program declares.

    Attributes:
        workspace_id: where the objects are.
        way: how they change hands.
        ids: of the four objects; empty before they are made.
    """

    workspace_id: str
    way: Way
    ids: Mapping[str, str] = field(default_factory=dict)

    def before(self) -> list[Resource]:
        """What it declares before."""
        return self._around(self.way.before) + self._subjects(self.way.before)

    def after(self) -> list[Resource]:
        """What it declares after."""
        return self._around(self.way.after) + self._subjects(self.way.after)

    def alone(self) -> list[Resource]:
        """The four objects and what they need, of another stack."""
        ends = [one for one in self._around(self.way.after) if one.key.startswith("end-")]
        return ends + self._subjects(self.way.after)

    def without(self) -> list[Resource]:
        """What it declares where another stack has the four."""
        return [one for one in self._around(self.way.after) if not one.key.startswith("end-")]

    def _around(self, declared: Declared) -> list[Resource]:
        named = dict.fromkeys([self.way.before.provider, declared.provider])
        providers = [Resource(one, "provider", one) for one in named if one]
        group = [Resource("group", "component", declared.parent)] if declared.parent else []
        held = [Resource("holder", "workspace", "holder")] if declared.held else []
        ends = self._ends("end", *self._hold(declared)) if declared.there or not self.way.before.held else []
        room = Resource("room", "workspace", "room")
        other = Resource("other", "connection", "other", self._connection("$far-source", "$far-destination"))
        return [*providers, *group, room, *self._ends("far", self.workspace_id, {}), other, *held, *ends]

    def _hold(self, declared: Declared) -> tuple[str, Mapping[str, str]]:
        return ("$holder.workspace_id", {"deleted_with": "$holder"}) if declared.held else (self.workspace_id, {})

    def _ends(self, of: str, workspace_id: str, options: Mapping[str, str]) -> list[Resource]:
        return [
            Resource(f"{of}-source", "source", f"{of}-source", self._source(workspace_id), options),
            Resource(f"{of}-destination", "destination", f"{of}-destination", self._destination(workspace_id), options),
        ]

    def _subjects(self, declared: Declared) -> list[Resource]:
        if not declared.there:
            return []
        return [
            Resource(kind, kind, name(kind, declared), inputs, self._options(kind, declared))
            for kind, inputs in self._inputs(declared).items()
            if not (declared.held and kind == "workspace")
        ]

    def _inputs(self, declared: Declared) -> dict[str, Document]:
        within = "$room.workspace_id" if declared.moved else self._hold(declared)[0]
        source = "$far-source" if declared.moved else "$end-source"
        found: dict[str, Document] = {
            "workspace": {"organization_id": OTHER_ORGANIZATION} if declared.moved else {},
            "tag": {"workspace_id": within},
            "permission": {"user_id": GUEST, "permission_type": "workspace_editor", "workspace_id": within},
            "oauthCredentials": OAUTH | {"organization_id": OTHER_ORGANIZATION if declared.moved else ORGANIZATION},
            **{kind: {"workspace_id": within, **IMAGE} for kind in IMAGES},
            MANIFEST: {"workspace_id": within, "manifest": manifest()},
            "source": self._source(within),
            "destination": self._destination(within),
            "connection": self._connection(source, "$end-destination"),
        }
        named = {kind: {"name": f"The {kind}{declared.label}"} for kind in found if kind not in NAMELESS}
        return {kind: {**named.get(kind, {}), **inputs} for kind, inputs in found.items()}

    def _options(self, kind: str, declared: Declared) -> Document:
        given = {
            "parent": "$group" if declared.parent else None,
            "aliases": [urn(kind, self.way.before)] if declared.alias else None,
            "provider": f"${declared.provider}" if declared.provider else None,
            "version": declared.version or None,
            "replace_on_changes": ["name"] if declared.replaces else None,
            "replacement_trigger": declared.trigger or None,
            "delete_before_replace": declared.first_deleted or None,
            "deleted_with": "$holder" if declared.held else None,
            "retain_on_delete": declared.retained or None,
            "import_": self.ids.get(kind) if declared.imported else None,
        }
        return {option: value for option, value in given.items() if value is not None}

    @staticmethod
    def _source(workspace_id: str) -> Document:
        host = {"host": "one.example.com"}
        return {"workspace_id": workspace_id, "definition_id": LAB_SOURCE, "configuration": host}

    @staticmethod
    def _destination(workspace_id: str) -> Document:
        path = {"path": "raw"}
        return {"workspace_id": workspace_id, "definition_id": LAB_DESTINATION, "configuration": path}

    @staticmethod
    def _connection(source: str, destination: str) -> Document:
        ends = {"source_id": f"{source}.source_id", "destination_id": f"{destination}.destination_id"}
        return ends | {"configurations": list(CURSORS)}
