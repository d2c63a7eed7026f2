"""The Pulumi CLI in the project around a lake: the one place where commands start it."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from lotus_infra.config import production
from lotus_infra.config.stack import PROJECT_FILE, STACK_VARIABLE, Project
from lotus_infra.errors import LotusError

COMPRESSED: Final = {"PULUMI_DIY_BACKEND_ZSTD": "true"}
"""States of self-managed backends are written compressed; the engine reads both."""
STANDARD_ERROR: Final = 2
"""The process's own, whatever Python has put in front of it."""
APPLYING: Final = frozenset({"update", "destroy", "resource-import"})
"""Kinds of updates that bring a program's state of things about; a refresh only looks."""


class Ran(NamedTuple):
    """How a command ended whose output nobody saw."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def reason(self) -> str:
        """What it said of its failure."""
        return (self.stderr.strip() or self.stdout.strip() or "it does not say why").removeprefix("error: ")


@dataclass(frozen=True)
class Engine:
    """The Pulumi CLI in one project.

    Attributes:
        project: the project.
        stack: the stack; empty where the selected one is meant.
        environment: what it runs with.
        aside: whether what an `up` shows goes to standard error, so that standard output is the command's own.
        guarded: whether a production stack that may not run like this is refused, as the program refuses it.
    """

    project: Project
    stack: str
    environment: Mapping[str, str]
    aside: bool = False
    guarded: bool = True

    @classmethod
    def around(cls, directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ) -> Self:
        """The engine of the project around a lake's folder.

        Raises:
            LotusError: there is no project.
        """
        project = Project.around(directory)
        if project is None:
            raise LotusError(f"no {PROJECT_FILE} is at or above {directory}", "run it in a Pulumi project")
        return cls(project, stack or "", {**COMPRESSED, **environment})

    def ran(self, *arguments: str) -> Ran:
        """Run a command that asks nothing, to its end.

        Raises:
            LotusError: there is no engine.
        """
        done = self._run("--non-interactive", *arguments, *self._options, captured=True)
        return Ran(done.returncode, done.stdout, done.stderr)

    def asked(self, *arguments: str) -> str:
        """What a command prints.

        Raises:
            LotusError: it failed, or there is no engine.
        """
        ran = self.ran(*arguments)
        if ran.exit_code != 0:
            raise LotusError(f"pulumi {' '.join(arguments)} failed: {ran.reason}")
        return ran.stdout

    def up(self, arguments: Sequence[str], extra: Mapping[str, str] | None = None) -> int:
        """Run `pulumi up` on the user's own terminal, with some more environment, and give its exit code.

        Raises:
            LotusError: there is no engine.
        """
        return self._run("up", *self._options, *arguments, extra=extra).returncode

    def version(self) -> str:
        """The engine's version, such as `v3.259.0`.

        Raises:
            LotusError: there is no engine.
        """
        return self._run("version", captured=True).stdout.strip()

    def _check(self) -> None:
        """Refuse what the program would: some commands run no program, and some ask a server before it.

        Raises:
            LotusError: the stack is marked as production, and may not run like this.
        """
        if self.guarded and self.named in self.project.stacks:
            production.check(self.project.run(self.named), self.environment)

    @property
    def named(self) -> str:
        """The stack's own name; empty where the selected one is meant."""
        return (self.stack or self.environment.get(STACK_VARIABLE, "")).rsplit("/", maxsplit=1)[-1]

    @property
    def _options(self) -> Sequence[str]:
        return ["--stack", self.stack] if self.stack else []

    def _run(
        self, *arguments: str, captured: bool = False, extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        self._check()
        environment = {**self.environment, **(extra or {})}
        pulumi = shutil.which("pulumi", path=environment.get("PATH"))
        if pulumi is None:
            raise LotusError("there is no pulumi on PATH", 'in the repository, `eval "$(make -s env)"` puts it there')
        return subprocess.run(  # noqa: S603, the user's own arguments to the user's own engine
            [pulumi, *arguments],
            cwd=self.project.folder,
            env=environment,
            stdout=subprocess.PIPE if captured else STANDARD_ERROR if self.aside else None,
            stderr=subprocess.PIPE if captured else None,
            text=True,
            check=False,
        )


class _Update(BaseModel):
    """What `pulumi stack history --json` prints of an update (`updateInfoJSON` in pulumi, pkg/cmd/pulumi/stack)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str
    environment: Mapping[str, str] = {}

    @property
    def commit(self) -> str:
        """The commit that was checked out; empty where it ran outside a clone."""
        return self.environment.get("git.head", "") if self.kind in APPLYING else ""


_UPDATES: Final = TypeAdapter(tuple[_Update, ...])


def last_applied(engine: Engine) -> str | None:
    """The commit of the last update, also of one that failed: it may have changed things. None where none is known.

    Raises:
        LotusError: the history can't be had.
    """
    try:
        updates = _UPDATES.validate_json(engine.asked("stack", "history", "--json"))
    except ValidationError:
        raise LotusError(
            "the stack's history is not what pulumi prints", "use the engine that `make env` finds"
        ) from None
    return next((update.commit for update in updates if update.commit), None)
