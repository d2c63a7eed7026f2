"""`lotus up`: `pulumi up` with the engine's environment set to fit the lake's size, and nothing else."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lotus_infra.errors import LotusError
from lotus_infra.ops.audit import declared
from lotus_infra.ops.stacks import PROJECT_FILE, Project
from lotus_infra.ops.state import TYPES, resources_of
from lotus_infra.streams.load import load_lake

BULK: Final = 200
"""Objects to create beyond which the engine's checkpoints cost more than all else: their cost grows with the square."""
COMPRESSED: Final = {"PULUMI_DIY_BACKEND_ZSTD": "true"}
UNCHECKED: Final = {"PULUMI_SKIP_CHECKPOINTS": "true"}
FOUND_AGAIN: Final = ("airbyte:", "lotus:", "pulumi:")
"""Types that a run without a state finds again: what creates adopt, and what exists in the state alone."""
MAKING: Final = frozenset({"create", "create-replacement", "replace", "import"})
TARGETS: Final = ("-t", "--target")


@dataclass(frozen=True)
class Engine:
    """The Pulumi CLI in one project.

    Attributes:
        folder: the project's.
        stack: options that name the stack; none where the selected one is meant.
        environment: what it runs with.
    """

    folder: Path
    stack: Sequence[str]
    environment: Mapping[str, str]

    def asked(self, *arguments: str) -> str:
        """What a command prints.

        Raises:
            LotusError: it failed, or there is no engine.
        """
        done = self._run("--non-interactive", *arguments, *self.stack, captured=True)
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip()).removeprefix("error: ")
            raise LotusError(f"pulumi {' '.join(arguments)} failed: {said}")
        return done.stdout

    def up(self, arguments: Sequence[str], extra: Mapping[str, str]) -> int:
        """Run `pulumi up` on the user's own terminal, and give its exit code."""
        return self._run("up", *self.stack, *arguments, extra=extra).returncode

    def _run(
        self, *arguments: str, captured: bool = False, extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, **(extra or {})}
        pulumi = shutil.which("pulumi", path=environment.get("PATH"))
        if pulumi is None:
            raise LotusError("there is no pulumi on PATH", 'in the repository, `eval "$(make env)"` puts it there')
        return subprocess.run(  # noqa: S603, the user's own arguments to the user's own engine
            [pulumi, *arguments], cwd=self.folder, env=environment, capture_output=captured, text=True, check=False
        )


def up(  # noqa: PLR0913, the last two are what tests give
    directory: Path,
    stack: str | None,
    arguments: Sequence[str],
    tell: Callable[[str], None],
    *,
    bulk: int = BULK,
    environment: Mapping[str, str] = os.environ,
) -> int:
    """Run `pulumi up` in the project around a lake, without checkpoints when more than `bulk` objects are new.

    What is declared is counted against the state first, which runs no program and asks no server. Only where that says
    that much is to be created, a preview tells whether a killed run could lose track of any of it.

    Args:
        directory: the lake's folder.
        stack: the stack, where it is not the selected one.
        arguments: further arguments of `pulumi up`.
        tell: takes a line for the user.
        bulk: the number of objects.
        environment: what the engine runs with.

    Returns:
        The engine's exit code.

    Raises:
        LotusError: there is no engine, project, stack or lake.
    """
    project = Project.around(directory)
    if project is None:
        raise LotusError(f"no {PROJECT_FILE} is at or above {directory}", "run it in a Pulumi project")
    options = ["--stack", stack] if stack else []
    engine = Engine(project.folder, options, {**COMPRESSED, **environment})
    wanted = {(TYPES[each.kind], name) for each, name in declared(load_lake(directory).lake)}
    exported = resources_of(engine.asked("stack", "export"), stack or "that is selected")
    missing = wanted - {(each.type, each.name) for each in exported}
    # A target makes the run smaller than the count, and is the way to make what needs checkpoints first.
    if len(missing) <= bulk or any(argument.startswith(TARGETS) for argument in arguments):
        return engine.up(arguments, {})
    lost = unrecoverable(engine.asked("preview", "--json"))
    tell(_bulk_line(len(missing)) if not lost else _plain_line(len(missing), lost))
    return engine.up(arguments, {} if lost else UNCHECKED)


def unrecoverable(previewed: str) -> list[str]:
    """Types of what a preview would create that a run without a state makes twice or stumbles over, each once."""
    steps = json.loads(previewed).get("steps") or []
    types = {step["urn"].split("::")[2].rsplit("$", maxsplit=1)[-1] for step in steps if step["op"] in MAKING}
    return sorted(each for each in types if not each.startswith(FOUND_AGAIN))


def _bulk_line(count: int) -> str:
    return (
        f"{count} objects are to be created: PULUMI_SKIP_CHECKPOINTS=true, because the engine would write the whole "
        "state twice for each. If this run is killed, run it again: a create adopts what is identical."
    )


def _plain_line(count: int, lost: Sequence[str]) -> str:
    return (
        f"{count} objects are to be created, with checkpoints, which is slow: without them a killed run would lose "
        f"track of what can't be adopted ({', '.join(lost)}). To be faster, create these first with --target."
    )
