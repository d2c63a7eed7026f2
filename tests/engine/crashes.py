"""A lake of four objects, and what is left of it when the engine is killed at one of its calls to Airbyte.

One resource is worked on at a time, so that the calls of an operation always come in the same order, and Airbyte is
after one call what it is before the next: a kill after each call's work and before its answer, and one before the
first call, are all the kills that differ.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import httpx
from airbyte_twin.faults import Fault
from airbyte_twin.testing import PATIENCE, RunningTwin, running_twin

from tests.engine.harness import Pulumi
from tests.provider.lab import LAB_DESTINATION, LAB_SOURCE, with_lab

PROGRAM: Final = """
import json
from pathlib import Path

import pulumi
import pulumi_airbyte as airbyte

wanted = json.loads(Path("wanted.json").read_text())
source = airbyte.Source(
    wanted["source"],
    workspace_id=wanted["workspace"],
    definition_id=wanted["lab_source"],
    configuration={"host": wanted["host"], "code": pulumi.Output.secret(wanted["code"])},
)
destination = airbyte.Destination(
    "there",
    workspace_id=wanted["workspace"],
    definition_id=wanted["lab_destination"],
    configuration={"path": "raw"},
    opts=pulumi.ResourceOptions(depends_on=[source]),
)
streams = [
    airbyte.ConnectionConfigurationsStreamArgs(name, sync_mode="incremental_append", selected_fields=fields)
    for name, fields in wanted["streams"].items()
]
airbyte.Connection(
    "flow",
    name=wanted["label"],
    source_id=source.source_id,
    destination_id=destination.destination_id,
    configurations=airbyte.ConnectionConfigurationsArgs(streams),
)
"""
CURSORS: Final = {"cursor_defined": {"updated_at": "2026-01-02"}, "key_defined": {"updated_at": "2026-01-03"}}
PASSING: Final = frozenset(
    {"created", "modified", "createdAt", "sourcePosition", "stackTrace", "ciphertext", "secretVersions"}
)
UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Document = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What the program declares.

    Attributes:
        source: the name of its source, in the program and in Airbyte.
        host: a part of the source's configuration.
        code: the source's secret.
        label: the connection's name in Airbyte.
        streams: fields by stream.
    """

    source: str = "first"
    host: str = "one.example.com"
    code: str = "first-code"
    label: str = "Flow"
    streams: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict.fromkeys(CURSORS, ("id", "updated_at")))


@dataclass(frozen=True)
class Operation:
    """What a command of the engine does to the lake.

    Attributes:
        calls: how many calls to Airbyte it makes.
        wanted: what the program declares.
        command: of the CLI.
        begun: whether the lake was applied before, and has cursors.
        environment: of the command.
    """

    calls: int
    wanted: Wanted = Wanted()
    command: tuple[str, ...] = ("up", "--yes", "--skip-preview")
    begun: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)

    def kills(self) -> list[tuple[str, int]]:
        """All moments at which a kill makes a difference, as the number of a call and where in it."""
        return [("before", 1), *(("after", number) for number in range(1, self.calls + 1))]


def kill_at(pulumi: Pulumi, twin: RunningTwin, command: tuple[str, ...], moment: str, number: int) -> bool:
    """Kill a command of the engine, its program and its plugin at once, while they wait for the answer to a call.

    Returns:
        Whether there is such a call; else the command has ended.
    """
    twin.twin.faults.add(Fault.model_validate({"nth": number, "hold": moment}))
    engine = pulumi.start(*command)
    while (held := twin.held(seconds=0.2)) is None:
        if engine.poll() is not None:
            engine.communicate()
            return False
    children = subprocess.run(["pgrep", "-P", str(engine.pid)], capture_output=True, text=True, check=True)
    for process in (engine.pid, *map(int, children.stdout.split())):
        os.kill(process, signal.SIGKILL)
    engine.communicate()
    assert held.left.wait(PATIENCE), "the plugin lives on"
    twin.twin.faults.clear()
    return True


@dataclass(frozen=True)
class World:
    """The lake in a folder: a project with its state, and an Airbyte with its data."""

    pulumi: Pulumi
    twin: RunningTwin

    def prepare(self, operation: Operation) -> None:
        """Let the program declare what the operation is to bring about."""
        wanted = vars(operation.wanted) | {"workspace": self.twin.workspace_id}
        wanted |= {"lab_source": LAB_SOURCE, "lab_destination": LAB_DESTINATION}
        self.pulumi.program(PROGRAM)
        (self.pulumi.project / "wanted.json").write_text(json.dumps(wanted), encoding="utf-8")
        self.pulumi.environment.update(operation.environment)
        self.twin.clear_calls()

    def kill_at(self, operation: Operation, moment: str, number: int) -> None:
        """Kill the engine, its program and its plugin at once, while they wait for the answer to a call."""
        assert kill_at(self.pulumi, self.twin, operation.command, moment, number), f"there is no call {number}"

    def end(self) -> Document:
        """What Airbyte has and what the state says, secrets included, without ids and times."""
        deployment = self.pulumi.stack_export(show_secrets=True)
        resources = sorted(deployment.get("resources") or [], key=lambda resource: str(resource["urn"]))
        live = {kind: self._get(f"/{kind}?limit=100")["data"] for kind in ("sources", "destinations", "connections")}
        names = {item["id"]: f"<{item['urn']}>" for item in resources if "id" in item}
        whole = {"live": live, "secrets": self._secrets(), "cursors": self._cursors(), "state": resources}
        return _anonymous(whole, names)

    def pending(self, *, known: bool = True) -> list[tuple[str, str]]:
        """What the state takes for under way.

        Args:
            known: with creates of what the state has; the engine notes them until a refresh is told to clear them.
        """
        deployment = self.pulumi.checkpoint()
        found = {resource["urn"] for resource in deployment.get("resources") or []}
        operations = [(one["type"], one["resource"]["urn"]) for one in deployment.get("pending_operations") or []]
        return [(kind, urn) for kind, urn in operations if known or kind != "creating" or urn not in found]

    def set_cursors(self) -> None:
        """Let the connection have synced."""
        [connection] = self._get("/connections")["data"]
        streams = [{"streamDescriptor": {"name": name}, "streamState": blob} for name, blob in CURSORS.items()]
        state = {"connectionId": connection["connectionId"], "stateType": "stream", "streamState": streams}
        body = {"connectionId": connection["connectionId"], "connectionState": state}
        httpx.post(f"{self.twin.config_url}/state/create_or_update_safe", json=body).raise_for_status()

    def _cursors(self) -> list[Document]:
        found = self._get("/connections?limit=100")["data"]
        states = [self.twin.store.states.get(item["connectionId"]) for item in found]
        return [{stream.name: stream.blob for stream in state.streams} if state else {} for state in states]

    def _secrets(self) -> list[str]:
        values = {secret.id: secret.value for secret in self.twin.store.secrets}
        nodes = [(actor.configuration or {}).get("code") for actor in self.twin.store.actors if not actor.deleted]
        return [values[str(node["_secret"])] for node in nodes if isinstance(node, dict)]

    def _get(self, path: str) -> Document:
        return dict(httpx.get(self.twin.public_url + path).raise_for_status().json())


def _anonymous(document: Document, names: Mapping[str, str]) -> Document:
    text = UUID.sub(lambda found: names.get(found[0], "<id>"), json.dumps(_lasting(document), sort_keys=True))
    return dict(json.loads(text))


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(item) for key, item in value.items() if key not in PASSING}
    if isinstance(value, list):
        # The engine keeps sets, such as dependencies, in any order.
        urns = all(isinstance(item, str) and item.startswith("urn:") for item in value)
        return sorted(value) if urns else [_lasting(item) for item in value]
    return value


OLDER: Final = Wanted()
NEWER: Final = replace(
    OLDER,
    host="two.example.com",
    code="second-code",
    label="Stream",
    streams={**OLDER.streams, "cursor_defined": ("id", "name", "updated_at"), "cursor_default": ("id", "updated_at")},
)
FIRST: Final = "first"
"""What is done before every operation that needs a lake that was applied."""
OPERATIONS: Final = {
    FIRST: Operation(calls=11),
    "bulk": Operation(calls=11, environment={"PULUMI_SKIP_CHECKPOINTS": "true"}),
    "update": Operation(calls=6, wanted=NEWER, begun=True),
    "replace": Operation(calls=22, wanted=replace(OLDER, source="second"), begun=True),
    "destroy": Operation(calls=5, command=("destroy", "--yes", "--skip-preview"), begun=True),
}
KILLS: Final = [(name, *kill) for name, operation in OPERATIONS.items() for kill in operation.kills()]


@dataclass(frozen=True)
class Calm:
    """An operation that nobody killed: the calls that it made, how it ended, and what a preview then would change."""

    calls: list[str]
    end: Document
    changes: list[str]


@dataclass(frozen=True)
class Matrix:
    """Worlds to kill.

    Attributes:
        common: a folder that all processes of a run of pytest share, so that each calm operation is done once.
        engine: the folders that lead to the engine.
    """

    common: Path
    engine: list[Path]

    def calm(self, name: str) -> Calm:
        """How an operation ends when nobody kills it."""
        if OPERATIONS[name].begun:
            self.calm(FIRST)
        record = self.common / f"calm-{name}.json"
        with record.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not record.exists():
                text = json.dumps(asdict(self._done(name)))
                record.write_text(text, encoding="utf-8")
            return Calm(**json.loads(record.read_text(encoding="utf-8")))

    def _done(self, name: str) -> Calm:
        operation = OPERATIONS[name]
        with self.world(self.common / f"calm-{name}", operation) as world:
            world.pulumi.run(*operation.command).ok()
            calls, end = [f"{call.method} {call.path}" for call in world.twin.calls()], world.end()
            # A destroyed lake is one that its program still wants.
            later = () if name == "destroy" else world.pulumi.preview("--json").ok().changes()
            calm = Calm(calls, end, [f"{step.op} {step.urn}" for step in later])
            if name == FIRST:
                world.set_cursors()
        return calm

    @contextmanager
    def world(self, folder: Path, operation: Operation, adopt: str = "identical") -> Iterator[World]:
        """The world just before an operation, in a new folder.

        Args:
            folder: the new folder.
            operation: what is done next.
            adopt: whether the provider takes over what a killed run made (`adoptExisting`).
        """
        data = folder / "twin"
        if operation.begun:
            shutil.copytree(self.common / f"calm-{FIRST}", folder)
        else:
            data.mkdir(parents=True)
            with_lab(data)
        with running_twin(data_dir=data) as twin:
            pulumi = Pulumi(folder, self.engine, {"airbyte": Path(sys.executable).parent})
            server = {"AIRBYTE_SERVER_URL": twin.public_url, "AIRBYTE_RETRY_BASE_SECONDS": "0"}
            pulumi.environment.update(server, PULUMI_PARALLEL="1", AIRBYTE_ADOPT_EXISTING=adopt)
            world = World(pulumi, twin)
            world.prepare(operation)
            yield world
