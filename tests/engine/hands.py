"""Lakes in which an object of each kind changes hands, on the real engine, in all the `ways` that there are.

The four objects don't touch each other: the connection has ends of its own. Beside them there are objects that nobody
changes: some that the program declares too, with cursors, and some that it does not know.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from airbyte_twin.testing import RunningTwin, running_twin

from tests.engine.hands_program import CURSORS, PROGRAM, TOKENS, Program, Resource, name, urn
from tests.engine.harness import Pulumi, Result
from tests.engine.recording import RECORD, Call, install, recorded
from tests.provider.lab import LAB_DESTINATION, LAB_SOURCE, with_lab
from tests.provider.lake import with_people
from tests.provider.plain import live_ids
from tests.provider.ways import KINDS, By, Declared, Way

Document = dict[str, Any]
OTHER_STACK: Final = "other"
UP: Final = ("up", "--yes", "--skip-preview")


@dataclass(frozen=True)
class Seen:
    """A moment of a world.

    Attributes:
        live: the ids on the server, by kind.
        state: the ids of the state by URN, without what is still to be deleted; of both stacks, where there are two.
        cursors: of each connection that has any, by id.
    """

    live: dict[str, list[str]]
    state: dict[str, str]
    cursors: dict[str, Document]

    def subject(self, kind: str, declared: Declared, stack: str = Pulumi.stack) -> str | None:
        """The id of the object in the state."""
        return self.state.get(urn(kind, declared, stack))


@dataclass(frozen=True)
class Happened:
    """What became of the four objects.

    Attributes:
        before: the moment before the command.
        after: the moment after it.
        code: with which the command ended.
        output: what it printed.
        changes: what a preview would do then, as `create <urn>`; empty where the command failed.
        calls: what the engine called.
    """

    before: Seen
    after: Seen
    code: int
    output: str
    changes: list[str]
    calls: list[Call]


@dataclass(frozen=True)
class World:
    """A project with its state, and an Airbyte."""

    pulumi: Pulumi
    twin: RunningTwin

    def declare(self, **resources: list[Resource]) -> None:
        """Let the program declare these, by stack."""
        self.pulumi.program(PROGRAM)
        text = json.dumps({stack: [list(vars(one).values()) for one in given] for stack, given in resources.items()})
        (self.pulumi.project / "wanted.json").write_text(text, encoding="utf-8")

    def seen(self) -> Seen:
        """This moment."""
        store = self.twin.store
        cursors = {state.id: {one.name: one.blob for one in state.streams} for state in store.states}
        return Seen({kind: sorted(ids) for kind, ids in live_ids(store).items()}, self._state(), cursors)

    def _state(self) -> dict[str, str]:
        files = (self.pulumi.state / ".pulumi" / "stacks" / "test-project").glob("*.json")
        latest = [json.loads(file.read_text(encoding="utf-8"))["checkpoint"]["latest"] or {} for file in files]
        found = [one for deployment in latest for one in deployment.get("resources") or []]
        ours = [one for one in found if one["type"].startswith("airbyte:")]
        return {one["urn"]: one["id"] for one in ours if not one.get("delete")}

    def set_cursors(self, connection_id: str) -> None:
        """Let a connection have synced."""
        streams = [{"streamDescriptor": {"name": name}, "streamState": blob} for name, blob in CURSORS.items()]
        state = {"connectionId": connection_id, "stateType": "stream", "streamState": streams}
        body = {"connectionId": connection_id, "connectionState": state}
        httpx.post(f"{self.twin.config_url}/state/create_or_update_safe", json=body).raise_for_status()

    def made_by_others(self) -> None:
        """Let somebody make objects that the program does not know."""
        theirs = {"name": "Theirs", "workspaceId": self.twin.workspace_id}
        source = self._post("/sources", theirs | {"definitionId": LAB_SOURCE, "configuration": {"host": "theirs"}})
        end = self._post("/destinations", theirs | {"definitionId": LAB_DESTINATION, "configuration": {}})
        ends = {"sourceId": source["sourceId"], "destinationId": end["destinationId"]}
        self._post("/connections", {"name": "Theirs"} | ends)

    def _post(self, path: str, body: Document) -> Document:
        return dict(httpx.post(self.twin.public_url + path, json=body).raise_for_status().json())


@dataclass(frozen=True)
class Hands:
    """Worlds, made once for all processes of a run of pytest, and copied.

    Attributes:
        common: a folder that those processes share.
        engine: the folders that lead to the engine.
    """

    common: Path
    engine: list[Path]

    def happened(self, folder: Path, way: Way, adopt: str) -> Happened:
        """Let the four objects change hands in a copy of the lake that the way begins with."""
        shutil.copytree(self._base(way.before), folder)
        with self._world(folder, adopt) as world:
            before = world.seen()
            ids = {kind: found for kind in KINDS if (found := before.subject(kind, way.before))}
            program = Program(world.twin.workspace_id, way, ids)
            record = folder / "calls"
            done = self._asked(world, program, record)
            changes = [] if done.exit_code else self._changes(world, way)
            return Happened(before, world.seen(), done.exit_code, done.output, changes, recorded(record))

    def _asked(self, world: World, program: Program, record: Path) -> Result:
        """What a person does for a way: what comes before `up`, and that."""
        way, pulumi = program.way, world.pulumi
        urns = [urn(kind, way.before) for kind in program.ids]
        options: list[str] = []
        if way.by is By.TAINT:
            pulumi.run("state", "taint", *urns, "--yes").ok()
        elif way.by in {By.REPLACE, By.TARGET_REPLACE}:
            options = [f"{way.by}={each}" for each in urns]
        elif way.by in {By.GO_ON, By.REFRESH}:
            options = [way.by]
        elif way.by is By.REMOVE:
            for each in urns:
                pulumi.run("state", "remove", each, "--yes").ok()
        elif way.by is By.RENAME:
            for kind, each in zip(program.ids, urns, strict=True):
                pulumi.run("state", "rename", each, name(kind, way.after), "--yes").ok()
        elif way.by is By.IMPORT:
            self._imported(pulumi, program)
        elif way.by is By.MOVE:
            return self._moved(world, program, urns)
        world.declare(test=program.after())
        pulumi.environment[RECORD] = str(record)
        done = pulumi.up(*options)
        del pulumi.environment[RECORD]
        return done

    @staticmethod
    def _imported(pulumi: Pulumi, program: Program) -> None:
        resources = [
            {"type": TOKENS[kind], "name": name(kind, program.way.after), "id": object_id}
            for kind, object_id in program.ids.items()
        ]
        file = pulumi.project / "import.json"
        file.write_text(json.dumps({"resources": resources}), encoding="utf-8")
        options = ("--yes", "--skip-preview", "--protect=false", "--generate-code=false")
        pulumi.run("import", "--file", str(file), *options).ok()

    @staticmethod
    def _moved(world: World, program: Program, urns: list[str]) -> Result:
        pulumi = world.pulumi
        ends = [f"urn:pulumi:test::test-project::{TOKENS[kind]}::end-{kind}" for kind in ("source", "destination")]
        pulumi.run("stack", "init", OTHER_STACK, "--no-select").ok()
        pulumi.run("state", "move", "--source", "test", "--dest", OTHER_STACK, "--yes", *ends, *urns).ok()
        world.declare(test=program.without(), other=program.alone())
        done = pulumi.up()
        return done if done.exit_code else pulumi.up("--stack", OTHER_STACK)

    @staticmethod
    def _changes(world: World, way: Way) -> list[str]:
        stacks = ("test", OTHER_STACK) if way.by is By.MOVE else ("test",)
        found = [world.pulumi.preview("--json", "--stack", stack).ok().changes() for stack in stacks]
        return [f"{step.op} {step.urn}" for steps in found for step in steps]

    def _base(self, before: Declared) -> Path:
        """The lake with the four objects declared so, which nobody changes; whoever comes first makes it."""
        named = "-".join(f"{key}={value}" for key, value in asdict(before).items() if value != getattr(Declared(), key))
        folder = self.common / f"hands-{named}"
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                self._make(before, folder.with_suffix(".partial"))
                folder.with_suffix(".partial").rename(folder)
        return folder

    def _make(self, before: Declared, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        with_lab(_made(folder / "twin"))
        with self._world(folder, "never") as world:
            with_people(world.twin)
            world.made_by_others()
            world.declare(test=Program(world.twin.workspace_id, Way(before, before=before)).before())
            world.pulumi.up().ok()
            seen = world.seen()
            world.set_cursors(str(seen.subject("connection", before)))
            world.set_cursors(seen.state[f"urn:pulumi:test::test-project::{TOKENS['connection']}::other"])

    @contextmanager
    def _world(self, folder: Path, adopt: str) -> Iterator[World]:
        with running_twin(data_dir=folder / "twin", licensed=True) as twin:
            pulumi = Pulumi(folder, self.engine, {"airbyte": self._plugin()})
            server = {"AIRBYTE_SERVER_URL": twin.public_url, "AIRBYTE_RETRY_BASE_SECONDS": "0"}
            pulumi.environment.update(server, AIRBYTE_ADOPT_EXISTING=adopt, AIRBYTE_POLL_SECONDS="0.05")
            yield World(pulumi, twin)

    def _plugin(self) -> Path:
        folder = self.common / "recording-plugin"
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return folder if folder.exists() else install(folder)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
