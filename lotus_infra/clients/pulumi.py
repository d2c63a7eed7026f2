"""The Pulumi CLI, run in the project around a lake, and the commit that it deployed last.

Commands start the engine here only. Production stacks are guarded before each run: some commands run no program, and
some ask a server before they run one, so that the program's own guard would come too late.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from lotus_infra.config import production
from lotus_infra.config.stack import PROJECT_FILE, STACK_VARIABLE, Project
from lotus_infra.errors import LotusError

COMPRESSED: Final = {"PULUMI_DIY_BACKEND_ZSTD": "true"}
"""Self-managed backends write states compressed; the engine reads both."""
_STANDARD_ERROR: Final = 2
"""The process's own file descriptor: `sys.stderr` may have been replaced."""
_QUIET: Final = re.compile(r"[0-8]")
"""Levels of `--verbose` without values. From 9 on, the engine logs every secret in plain text (seen on 3.259)."""
_SHORT_VERBOSE: Final = re.compile(r"-[defhjyQ]*v=?(?P<level>.*)")
"""Also behind other short options without values: `-yv9`."""
_OPTION: Final = "PULUMI_OPTION_"
"""Variables with this prefix are options of the engine: `PULUMI_OPTION_VERBOSE=9`."""
_VERBOSE: Final = f"{_OPTION}VERBOSE"
_SHOWING_OPTIONS: Final = ("tracing", "otel-traces", "profiling", "show-secrets")
_SHOWING_VARIABLES: Final = (
    "PULUMI_DEBUG_GRPC",
    "PULUMI_LOG_OTLP_ENDPOINT",
    "PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT",
    _VERBOSE,
    *(_OPTION + option.upper().replace("-", "_") for option in _SHOWING_OPTIONS),
)
"""Variables with which the engine writes secrets in plain text."""
_APPLYING: Final = frozenset({"update", "destroy", "resource-import"})
"""Kinds of updates that apply a program; a refresh only reads."""


class CommandResult(NamedTuple):
    """The end of a command whose output was captured."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def reason(self) -> str:
        """The message of a failed command."""
        return (self.stderr.strip() or self.stdout.strip() or "no reason was printed").removeprefix("error: ")


@dataclass(frozen=True)
class Engine:
    """The Pulumi CLI in one project.

    Attributes:
        project: The project.
        stack: The stack; empty for the selected one.
        environment: The environment of each command.
        up_to_stderr: Whether the output of `up` goes to standard error, so that standard output is the caller's own.
        guarded: Whether to refuse a run of a production stack that the program would refuse.
    """

    project: Project
    stack: str
    environment: Mapping[str, str]
    up_to_stderr: bool = False
    guarded: bool = True

    @classmethod
    def around(cls, directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ) -> Self:
        """The engine in the project around a lake's folder.

        Raises:
            LotusError: There is no project.
        """
        project = Project.around(directory)
        if project is None:
            raise LotusError(f"no {PROJECT_FILE} is at or above {directory}", "run it in a Pulumi project")
        return cls(project, stack or "", {**COMPRESSED, **environment})

    @property
    def stack_name(self) -> str:
        """The stack's name without organization and project; empty for the selected stack."""
        return (self.stack or self.environment.get(STACK_VARIABLE, "")).rsplit("/", maxsplit=1)[-1]

    def run(self, *arguments: str) -> CommandResult:
        """Run a command without prompts, and capture its output.

        Raises:
            LotusError: No engine is on PATH, or the stack may not run like this.
        """
        done = self._start("--non-interactive", *arguments, *self._options, captured=True)
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def output(self, *arguments: str) -> str:
        """The standard output of a command.

        Raises:
            LotusError: The command fails, or as `run`.
        """
        result = self.run(*arguments)
        if result.exit_code != 0:
            raise LotusError(f"pulumi {' '.join(arguments)} failed: {result.reason}")
        return result.stdout

    def up(self, arguments: Sequence[str], extra: Mapping[str, str] | None = None) -> int:
        """Run `pulumi up` on the user's terminal, with additional variables; returns its exit code.

        Raises:
            LotusError: As `run`, or an argument makes the engine print secrets.
        """
        refuse_disclosure(arguments, {})
        return self._start("up", *self._options, *arguments, extra=extra).returncode

    def version(self) -> str:
        """The engine's version, such as `v3.259.0`. Raises as `run`."""
        return self._start("version", captured=True).stdout.strip()

    @property
    def _options(self) -> Sequence[str]:
        return ["--stack", self.stack] if self.stack else []

    def _start(
        self, *arguments: str, captured: bool = False, extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        if self.guarded and self.stack_name in self.project.stacks:
            production.check(self.project.run(self.stack_name), self.environment)
        environment = {**self.environment, **(extra or {})}
        if self.guarded:
            refuse_disclosure((), environment)
        for name in _disclosing(environment):
            del environment[name]
        pulumi = shutil.which("pulumi", path=environment.get("PATH"))
        if pulumi is None:
            raise LotusError("there is no pulumi on PATH", 'in the repository, `eval "$(make -s env)"` puts it there')
        return subprocess.run(  # noqa: S603, the user's own arguments to the user's own engine
            [pulumi, *arguments],
            cwd=self.project.folder,
            env=environment,
            stdout=subprocess.PIPE if captured else _STANDARD_ERROR if self.up_to_stderr else None,
            stderr=subprocess.PIPE if captured else None,
            text=True,
            check=False,
        )


def refuse_disclosure(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Refuse what makes the engine write secrets in plain text into its output, a log or a trace.

    Args:
        arguments: Arguments of an engine's command.
        environment: Its variables.

    Raises:
        LotusError: An argument or a variable does so.
    """
    found = [*_showing(arguments), *(f"${name}" for name in _disclosing(environment))]
    if found:
        what = f"{', '.join(found)} makes the engine write secrets in plain text"
        raise LotusError(what, "leave it out, use at most -v=8, or run `pulumi` itself where nobody else reads it")


def _disclosing(environment: Mapping[str, str]) -> list[str]:
    """The variables that make the engine write secrets."""
    found = [name for name in _SHOWING_VARIABLES if environment.get(name)]
    return [name for name in found if name != _VERBOSE or not _QUIET.fullmatch(environment[name])]


def _showing(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments that make the engine write secrets. The level may be an argument of its own: `-v 9`."""
    for argument, following in pairwise((*arguments, "")):
        name, given, value = argument.partition("=")
        short = _SHORT_VERBOSE.fullmatch(argument) if not argument.startswith("--") else None
        if name.removeprefix("--") in _SHOWING_OPTIONS and name.startswith("--"):
            yield argument
        elif name == "--verbose" or short is not None:
            level = short["level"] if short is not None else value
            if not _QUIET.fullmatch(level if level or given else following):
                yield argument


class _Update(BaseModel):
    """An update in the output of `pulumi stack history --json` (`updateInfoJSON` in pulumi, pkg/cmd/pulumi/stack)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str
    environment: Mapping[str, str] = {}

    @property
    def commit(self) -> str:
        """The commit that an applying update had checked out; empty for other kinds, and outside a clone."""
        return self.environment.get("git.head", "") if self.kind in _APPLYING else ""


_UPDATES: Final = TypeAdapter(tuple[_Update, ...])


def last_applied(engine: Engine) -> str | None:
    """The commit of the last update; None if no update has one.

    The engine records the commit with each update, so that no other record is needed. A failed update counts, because
    it may have changed things.

    Raises:
        LotusError: The history can't be read.
    """
    try:
        updates = _UPDATES.validate_json(engine.output("stack", "history", "--json"))
    except ValidationError:
        raise LotusError("the stack's history has an unknown format", "use the engine that `make env` finds") from None
    return next((update.commit for update in updates if update.commit), None)
