"""The Pulumi CLI, run in the project around a lake, and the commit that it deployed last.

Commands start the engine here only. Production stacks are guarded when an engine is made and before each run: some
commands run no program, and some call a server before they run one, so that the program's own guard would be too late.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from lotus_infra.clients.causes import explain
from lotus_infra.clients.storage import Cause
from lotus_infra.config import production
from lotus_infra.config.stack import PROJECT_FILE, STACK_VARIABLE, Project, selected_stack
from lotus_infra.errors import LotusError

COMPRESSED: Final = {"PULUMI_DIY_BACKEND_ZSTD": "true"}
"""Self-managed backends write states compressed; the engine reads both."""
STACK_OPTION: Final = "PULUMI_OPTION_STACK"
"""Each option of the CLI can be a variable too (`declareFlagsAsEnvironmentVariables` in pulumi, cmd/pulumi)."""
_REDIRECTING: Final = ("cwd", "config-file", "client", "remote", "override-env")
"""Options that run another project, other values or another program."""
_SHORT_CWD: Final = re.compile(r"-[^-cmpstv]*C")
"""`-C`, alone or after other short options, of which none takes the rest as its value."""
_VALUED: Final = frozenset(
    {
        *("color", "config", "event-log", "exclude", "exec-agent", "exec-kind", "memprofilerate", "message"),
        *("otel-traces", "parallel", "plan", "policy-pack", "policy-pack-config", "profiling", "replace", "save-plan"),
        *("secrets-provider", "stack", "target", "target-replace", "tracing", "tracing-header", "verbose"),
    }
)
"""Options of `pulumi up` that take the next word as their value."""
_SHORT_VALUED: Final = re.compile(r"-[^-cmpstv]*[cmpstv]")
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
_INSTALL: Final = 'install the Pulumi CLI; in a clone of Lotus, `eval "$(make -s env)"` puts its own there'
_SDK_WARNING: Final = re.compile(r"SDK [\d/]+ [\d:]+ (WARN|DEBUG) ")
_APPLYING: Final = frozenset({"update", "destroy", "resource-import"})
"""Kinds of updates that apply a program; a refresh only reads."""


class CommandResult(NamedTuple):
    """The end of a command whose output was captured."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def reason(self) -> str:
        """The message of a failed command, without the warnings of SDKs."""
        printed = self.stderr.strip() or self.stdout.strip()
        lines = [line for line in printed.splitlines() if not _SDK_WARNING.match(line)]
        return "\n".join(lines).strip().removeprefix("error: ") or "no reason was printed"

    @property
    def cause(self) -> Cause | None:
        """The cause of a failed command; None if it is not known."""
        return explain(f"{self.stderr}\n{self.stdout}")

    def failure(self, what: str) -> LotusError:
        """The error for a failed command: its known cause with the remedy, or else the engine's own message.

        Args:
            what: What failed, such as `the preview failed`.
        """
        cause = self.cause
        return LotusError(f"{what}: {cause.what}", cause.remedy) if cause else LotusError(f"{what}: {self.reason}")


@dataclass(frozen=True)
class Engine:
    """The Pulumi CLI in one project.

    Attributes:
        project: The project.
        stack: The stack; empty for the selected one.
        environment: The environment of each command.
        up_to_stderr: Whether the output of `up` goes to standard error, so that standard output is the caller's own.
        guarded: Whether to refuse a production stack that may not run like this, as the program does.

    Raises:
        LotusError: The stack is guarded, and may not run like this.
    """

    project: Project
    stack: str
    environment: Mapping[str, str]
    up_to_stderr: bool = False
    guarded: bool = True

    def __post_init__(self) -> None:
        if self._named_stack:
            self.check_guard()

    @classmethod
    def around(cls, directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ) -> Self:
        """The engine in the project around a lake's folder.

        Args:
            directory: The lake's folder.
            stack: The stack; else `$PULUMI_STACK`, else the selected one, else the only one of the project.
            environment: The environment's variables.

        Raises:
            LotusError: There is no project, or the stack may not run like this.
        """
        project = Project.around(directory)
        if project is None:
            raise LotusError(f"no {PROJECT_FILE} is at or above {directory}", "run it in a Pulumi project")
        engine = cls(project, stack or "", {**COMPRESSED, **environment})
        if STACK_VARIABLE not in environment and not engine.stack_name and len(project.stacks) == 1:
            return replace(engine, stack=next(iter(project.stacks)))
        return engine

    @property
    def stack_name(self) -> str:
        """The stack's name without organization and project; empty if none is named or selected."""
        return self._named_stack.rsplit("/", maxsplit=1)[-1]

    @property
    def _named_stack(self) -> str:
        """The stack as the CLI chooses it: the option's, else the environment's, else the selected one."""
        for named in (self.stack, self.environment.get(STACK_OPTION)):
            if named:
                return named
        # An empty variable selects no stack.
        selected = self.environment.get(STACK_VARIABLE)
        return selected_stack(self.project, self.environment) if selected is None else selected

    def check_guard(self, arguments: Sequence[str] = ()) -> None:
        """Refuse what the guard of production stacks refuses, before any call.

        Args:
            arguments: Further arguments of `pulumi up`, which may name another stack. Every word that could be a
                stack's name counts as one, because only the CLI parses them for certain.

        Raises:
            LotusError: A stack that the run may be for is production, and may not run like this.
        """
        if not self.guarded:
            return
        # Without a name, the CLI lets the user choose at the terminal.
        named = [self._named_stack] if self._named_stack else self.project.stacks
        for stack in dict.fromkeys([*named, *_stack_options(arguments)]):
            run = self._run_of(stack)
            if run.is_production:
                _refuse_redirecting_options(arguments, self.environment)
                production.check(run, self.environment)

    def _run_of(self, stack: str) -> production.Run:
        """The run of a stack, which may be named in full: `organization/project/prod`."""
        *_, project, name = ("", *stack.split("/"))
        if name not in self.project.stacks:
            declared = production.Declared.at(self.project.folder, name)
            return production.Run(declared.name, name, declared.values, declared)
        run = self.project.run(name)
        return replace(run, project=project) if stack.count("/") > 1 else run

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
            raise result.failure(f"pulumi {' '.join(arguments)} failed")
        return result.stdout

    def up(self, arguments: Sequence[str], extra: Mapping[str, str] | None = None) -> int:
        """Run `pulumi up` on the user's terminal, with additional variables; returns its exit code.

        Raises:
            LotusError: As `run`, or an argument makes the engine print secrets.
        """
        self.check_guard(arguments)
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
        self.check_guard()
        environment = {**self.environment, **(extra or {})}
        if self.guarded:
            refuse_disclosure((), environment)
        for name in _disclosing(environment):
            del environment[name]
        pulumi = shutil.which("pulumi", path=environment.get("PATH"))
        if pulumi is None:
            raise LotusError("there is no pulumi on PATH", _INSTALL)
        return subprocess.run(  # noqa: S603, the user's own arguments to the user's own engine
            [pulumi, *arguments],
            cwd=self.project.folder,
            env=environment,
            stdout=subprocess.PIPE if captured else _STANDARD_ERROR if self.up_to_stderr else None,
            stderr=subprocess.PIPE if captured else None,
            text=True,
            check=False,
        )


def _stack_options(arguments: Sequence[str]) -> Iterator[str]:
    """Every word that may be the CLI's option for the stack: `--stack x`, `--stack=x`, `-s x`, `-sx`, `-ysx`."""
    for argument, following in zip(arguments, (*arguments[1:], ""), strict=False):
        if argument == "--stack":
            yield following
        elif argument.startswith("--stack="):
            yield argument.removeprefix("--stack=")
        elif argument.startswith("-") and not argument.startswith("--"):
            starts = (place for place, letter in enumerate(argument) if letter == "s")
            yield from (argument[start + 1 :].removeprefix("=") or following for start in starts)


def _refuse_redirecting_options(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Refuse options that run another project, other values or another program than the project's files name.

    Raises:
        LotusError: There is one among the arguments or in the environment.
    """
    for option in _REDIRECTING:
        variable = f"PULUMI_OPTION_{option.upper().replace('-', '_')}"
        if environment.get(variable):
            raise LotusError(f"${variable} redirects a run of production", f"unset {variable}")
        short = option == "cwd" and any(_SHORT_CWD.match(argument) for argument in arguments)
        if short or any(argument.split("=")[0] == f"--{option}" for argument in arguments):
            raise LotusError(f"--{option} redirects a run of production", f"leave --{option} out")
    word = next(_words(arguments), None)
    if word is not None:
        what = f"{word!r} names another program, which redirects a run of production"
        raise LotusError(what, "leave it out; if it is the value of an option, write --option=value")


def _words(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments that are neither options nor their values: `pulumi up` takes one for a template to run."""
    is_value = False
    for argument in arguments:
        if is_value:
            is_value = False
        elif argument.startswith("--"):
            is_value = argument.removeprefix("--") in _VALUED
        elif argument.startswith("-"):
            is_value = bool(_SHORT_VALUED.fullmatch(argument))
        else:
            yield argument


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
        raise LotusError(what, "leave it out, use at most -v=8, or run `pulumi` itself, where its output stays private")


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
