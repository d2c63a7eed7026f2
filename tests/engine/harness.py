"""The real Pulumi CLI for a test: one temporary project and stack, its own home, state and passphrase.

It knows the CLI's commands and its JSON. It must not know Airbyte or Lotus: a test brings its program and its plugins.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND_SECONDS = 180

# What `pulumi stack export` and `--json` print: documents of the CLI's own shape, looked into by tests.
JsonObject = dict[str, Any]


class NoEngineError(Exception):
    """No engine is on this machine; the text says how to get one."""


def find_engine() -> list[Path]:
    """Finds the engine without building it.

    Returns:
        The folders to put in front of PATH.

    Raises:
        NoEngineError: none is there.
    """
    command = [sys.executable, str(REPOSITORY / "toolchain" / "engine.py"), "--print-path", "--no-build"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise NoEngineError(found.stderr.strip())
    return [Path(folder) for folder in found.stdout.strip().split(os.pathsep) if folder]


@dataclass(frozen=True)
class Step:
    """What the engine does to one resource: `create`, `update`, `same`, `delete`, `replace`, `refresh`, ..."""

    op: str
    urn: str
    diffs: tuple[str, ...] = ()
    """Names of the top-level properties that differ."""
    detailed: Mapping[str, JsonObject] = field(default_factory=dict)
    """Property path to the engine's description of its difference, e.g. `{"kind": "update"}`."""
    old: JsonObject | None = None
    new: JsonObject | None = None

    @property
    def type(self) -> str:
        return self.urn.split("::")[2].split("$")[-1]

    @property
    def name(self) -> str:
        return self.urn.split("::")[-1]


@dataclass(frozen=True)
class Result:
    """How one command of the CLI ended."""

    command: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Everything that a user saw."""
        return self.stdout + self.stderr

    def ok(self) -> Self:
        """Fails the test, showing the output, unless the command succeeded."""
        assert self.exit_code == 0, f"pulumi {' '.join(self.command)} exited with {self.exit_code}:\n{self.output}"
        return self

    def failed(self) -> Self:
        """Fails the test unless the command failed."""
        assert self.exit_code != 0, f"pulumi {' '.join(self.command)} was to fail:\n{self.output}"
        return self

    def json(self) -> JsonObject:
        """Parses standard output as one JSON object."""
        document = json.loads(self.stdout)
        assert isinstance(document, dict)
        return document

    def steps(self) -> tuple[Step, ...]:
        """Reads the steps of a command that ran with `--json`, in the engine's order, unchanged resources included."""
        return tuple(_steps(self.stdout))

    def changes(self) -> tuple[Step, ...]:
        """Like `steps`, without what stays as it is."""
        return tuple(step for step in self.steps() if step.op not in {"same", "read", "refresh"} or step.diffs)


def _steps(text: str) -> Iterator[Step]:
    # A preview prints one indented digest; every other operation prints an event a line.
    if text.startswith("{\n"):
        for step in json.loads(text).get("steps", []):
            yield Step(
                op=step["op"],
                urn=step["urn"],
                diffs=tuple(step.get("diffReasons") or ()),
                detailed=step.get("detailedDiff") or {},
                old=step.get("oldState"),
                new=step.get("newState"),
            )
        return
    for line in filter(None, text.splitlines()):
        event = json.loads(line)
        # A refresh knows its differences only afterwards; other operations tell them before each step.
        happened = event.get("resOutputsEvent" if _is_refresh(event) else "resourcePreEvent")
        if happened is not None:
            step = happened["metadata"]
            yield Step(
                op=step["op"],
                urn=step["urn"],
                diffs=tuple(step.get("diffs") or ()),
                detailed=step.get("detailedDiff") or {},
                old=step.get("old"),
                new=step.get("new"),
            )


def _is_refresh(event: JsonObject) -> bool:
    return bool(event.get("resOutputsEvent", {}).get("metadata", {}).get("op") == "refresh")


class Pulumi:
    """One project with one stack in a folder of its own: a given `Pulumi.yaml`, or one that names these plugins.

    A folder that has a project already is taken as it is.

    Attributes:
        project: the folder of `Pulumi.yaml` and `__main__.py`.
        state: the folder of the file backend.
        environment: what every command runs with; a test may add to it.
    """

    stack = "test"
    passphrase = "correct horse battery staple"

    def __init__(
        self, folder: Path, engine: Sequence[Path], plugins: Mapping[str, Path] | None = None, definition: str = ""
    ) -> None:
        self.project = folder / "project"
        self.state = folder / "state"
        self.environment = _environment(folder, self.state, engine, self.passphrase)
        if self.project.exists():
            return
        for made in (self.project, self.state):
            made.mkdir(parents=True)
        (self.project / "Pulumi.yaml").write_text(definition or _definition(plugins or {}), encoding="utf-8")
        self.run("stack", "init", self.stack).ok()

    def program(self, source: str) -> None:
        """Makes this the program."""
        (self.project / "__main__.py").write_text(source, encoding="utf-8")

    def run(self, *arguments: str) -> Result:
        """Runs one command of the CLI to its end."""
        process = self.start(*arguments)
        try:
            stdout, stderr = process.communicate(timeout=COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            stderr += f"\nkilled by the test: it ran longer than {COMMAND_SECONDS} seconds"
        return Result(arguments, process.returncode, stdout, stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts a command in a process group of its own, as a terminal would, and returns at once."""
        return subprocess.Popen(
            ["pulumi", "--non-interactive", "--color", "never", *arguments],
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )

    def up(self, *arguments: str) -> Result:
        return self.run("up", "--yes", "--skip-preview", *arguments)

    def preview(self, *arguments: str) -> Result:
        return self.run("preview", *arguments)

    def refresh(self, *arguments: str) -> Result:
        return self.run("refresh", "--yes", "--skip-preview", *arguments)

    def destroy(self, *arguments: str) -> Result:
        return self.run("destroy", "--yes", "--skip-preview", *arguments)

    def import_(self, type_token: str, name: str, identity: str, *arguments: str) -> Result:
        """Imports one object by its id, unprotected and without generating code."""
        options = ("--yes", "--skip-preview", "--protect=false", "--generate-code=false")
        return self.run("import", type_token, name, identity, *options, *arguments)

    def config_set(self, key: str, value: str, *, secret: bool = False) -> None:
        self.run("config", "set", "--secret" if secret else "--plaintext", key, "--", value).ok()

    def outputs(self, *, show_secrets: bool = False) -> JsonObject:
        return self.run("stack", "output", "--json", *(["--show-secrets"] if show_secrets else [])).ok().json()

    def stack_export(self, *, show_secrets: bool = False) -> JsonObject:
        """The deployment as it is in the state: `resources`, `pending_operations`, ..."""
        options = ["--show-secrets"] if show_secrets else []
        deployment = self.run("stack", "export", *options).ok().json()["deployment"]
        assert isinstance(deployment, dict)
        return deployment

    def checkpoint(self) -> JsonObject:
        """The deployment as the backend's file has it, which takes no command."""
        path = self.state / ".pulumi" / "stacks" / "test-project" / f"{self.stack}.json"
        deployment = json.loads(path.read_text(encoding="utf-8"))["checkpoint"]["latest"] or {}
        assert isinstance(deployment, dict)
        return deployment

    def resources(self, *, show_secrets: bool = False) -> dict[str, JsonObject]:
        """The resources of the state by URN."""
        deployment = self.stack_export(show_secrets=show_secrets)
        return {one["urn"]: one for one in deployment.get("resources") or []}

    def locks(self) -> list[Path]:
        """The backend's locks that somebody holds, or left."""
        return [path for path in (self.state / ".pulumi" / "locks").rglob("*") if path.is_file()]


def _definition(plugins: Mapping[str, Path]) -> str:
    project: JsonObject = {"name": "test-project", "runtime": {"name": "python"}}
    if plugins:
        providers = [{"name": name, "path": str(path)} for name, path in plugins.items()]
        project["plugins"] = {"providers": providers}
    return json.dumps(project, indent=2)  # JSON is YAML too.


def _environment(folder: Path, state: Path, engine: Sequence[Path], passphrase: str) -> dict[str, str]:
    # The plugin and the program are measured where they are tested by themselves: here it costs a fifth of the time.
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "COVERAGE_"))}
    path = [*map(str, engine), str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]
    return kept | {
        "PATH": os.pathsep.join(path),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": passphrase,
        "PULUMI_STACK": Pulumi.stack,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "NO_COLOR": "1",
    }
