"""`lotus up`: `pulumi up`, with the engine's environment set for the size of the lake.

The engine writes the whole state before and after each object that it creates, so the cost of checkpoints grows with
the square of the number of objects. Without checkpoints a killed run loses the record of its creates: `apply` skips
them only if a second run would find every created object again.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from lotus_infra.clients.causes import explain_all
from lotus_infra.clients.locks import refuse_locked_stack
from lotus_infra.clients.pulumi import Engine
from lotus_infra.clients.state import TYPES, State
from lotus_infra.commands.audit import declared
from lotus_infra.commands.options import STACK, STREAMS
from lotus_infra.errors import LotusError
from lotus_infra.lake.loader import load_stack_lake
from lotus_infra.plan.preview import Preview, read_preview

BULK: Final = 200
"""Objects to create, beyond which checkpoints cost more than the rest of the run."""
NO_CHECKPOINTS: Final = {"PULUMI_SKIP_CHECKPOINTS": "true"}
AIRBYTE_TYPES: Final = "airbyte:"
"""Prefix of the types whose create adopts an identical object, if the stack enables it."""
STATE_ONLY_TYPES: Final = ("lotus:", "pulumi:")
"""Prefixes of the types that exist in the state only: components and provider resources. A run creates them again."""
CREATING: Final = frozenset({"create", "create-replacement", "replace", "import"})
TARGETS: Final = ("-t", "--target")
EVENT_LOG: Final = "--event-log"
LOGS_EVENTS: Final = {"PULUMI_DEBUG_COMMANDS": "true"}
"""The engine has that option only with this variable; Pulumi's automation API uses both."""
ADOPT: Final = "airbyte:adoptExisting"
ADOPT_VARIABLE: Final = "AIRBYTE_ADOPT_EXISTING"
IDENTICAL: Final = "identical"


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@STACK
@STREAMS
def up(arguments: tuple[str, ...], stack: str | None, directory: Path) -> None:
    """Run `pulumi up` with the settings of large lakes.

    All further ARGUMENTS are passed to `pulumi up`, such as --yes, --diff or --target. States of self-managed backends
    are compressed. If more than 200 objects are created, the engine writes the state once, at the end, instead of once
    per object, which cuts hours to minutes.

    Example: lotus up --stack prod --diff
    """
    sys.exit(run_up(directory, stack, arguments, lambda line: click.echo(line, err=True)))


def run_up(
    directory: Path,
    stack: str | None,
    arguments: Sequence[str],
    notify: Callable[[str], None],
    *,
    bulk: int = BULK,
    environment: Mapping[str, str] = os.environ,
) -> int:
    """Run `pulumi up` in the project around a lake: `apply`, with the engine of that project.

    Args:
        directory: The lake's folder.
        stack: The stack; else the selected one.
        arguments: Further arguments of `pulumi up`.
        notify: Prints a line for the user.
        bulk: The number of created objects above which checkpoints are skipped.
        environment: The engine's environment variables.

    Returns:
        The engine's exit code.

    Raises:
        LotusError: The engine, project, stack or lake is missing; or the stack is locked.
    """
    return apply(Engine.around(directory, stack, environment), directory, arguments, notify, bulk=bulk)


def apply(
    engine: Engine, directory: Path, arguments: Sequence[str], notify: Callable[[str], None], *, bulk: int = BULK
) -> int:
    """Run `pulumi up`, without checkpoints if more than `bulk` objects are created and none of them could be lost.

    The objects to create are the declared ones that the state lacks: counting them runs no program and calls no server.
    Only above `bulk` a preview is run, to see whether a killed run could lose the record of any of them.

    Raises:
        LotusError: The engine, stack or lake is missing; the stack is locked, or may not run like this.
    """
    engine.check_guard(arguments)
    wanted = {(TYPES[each.kind], name) for each, name in declared(load_stack_lake(directory, engine.stack_name))}
    refuse_locked_stack(engine.project, engine.stack_name, engine.environment)
    exported = State.parse(engine.output("stack", "export"), engine.stack or "that is selected").resources
    missing = wanted - {(each.type, each.name) for each in exported}
    # A target makes the run smaller than this count. It is also how a user creates first what needs checkpoints.
    if len(missing) <= bulk or any(argument.startswith(TARGETS) for argument in arguments):
        return _explained(engine, arguments, {}, notify)
    unsafe = unrecoverable(read_preview(engine.output("preview", "--json")), adopts=_adopts_identical(engine))
    notify(_with_checkpoints(len(missing), unsafe) if unsafe else _without_checkpoints(len(missing)))
    return _explained(engine, arguments, {} if unsafe else NO_CHECKPOINTS, notify)


def _explained(
    engine: Engine, arguments: Sequence[str], extra: Mapping[str, str], notify: Callable[[str], None]
) -> int:
    """Run `pulumi up`, and after a failure print the known causes of its errors; returns the engine's exit code.

    The engine's output goes to the terminal, so that its errors are read from its log of events.
    """
    if any(argument.startswith(EVENT_LOG) for argument in arguments):
        return engine.up(arguments, extra)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "events")
        exit_code = engine.up([*arguments, EVENT_LOG, str(log)], {**extra, **LOGS_EVENTS})
        for line in explain_all(_errors_in(log)) if exit_code != 0 else ():
            notify(f"lotus: {line}")
    return exit_code


def _errors_in(log: Path) -> Sequence[str]:
    """The errors in a log of events that have no hints; none if the run ended before it wrote one."""
    try:
        return read_preview(log.read_text(encoding="utf-8")).errors_without_hints
    except (OSError, ValueError, LotusError):
        return ()


def unrecoverable(preview: Preview, *, adopts: bool) -> list[str]:
    """The types of created objects that a run without a state would create twice or fail on, sorted.

    Args:
        preview: The preview of the run.
        adopts: Whether the stack adopts identical objects of Airbyte, so that a second run finds them again.
    """
    found_again = (*STATE_ONLY_TYPES, AIRBYTE_TYPES) if adopts else STATE_ONLY_TYPES
    types = {step.type for step in preview.steps if step.op in CREATING}
    return sorted(each for each in types if not each.startswith(found_again))


def _adopts_identical(engine: Engine) -> bool:
    """Whether the stack, or else the environment, lets the provider adopt identical objects."""
    value = json.loads(engine.output("config", "--json")).get(ADOPT, {}).get("value")
    return (value or engine.environment.get(ADOPT_VARIABLE)) == IDENTICAL


def _without_checkpoints(count: int) -> str:
    return (
        f"{count} objects are to be created: PULUMI_SKIP_CHECKPOINTS=true, because the engine would write the whole "
        "state twice for each. If this run is killed, run it again: a create adopts an identical object."
    )


def _with_checkpoints(count: int, unsafe: Sequence[str]) -> str:
    return (
        f"{count} objects are to be created, with checkpoints, which is slow: without them a killed run would lose "
        f"the record of objects that cannot be adopted ({', '.join(unsafe)}). To be faster, create these first: "
        "`lotus up --target URN`."
    )
