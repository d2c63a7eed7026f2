"""`lotus up`: `pulumi up` with the engine's environment set to fit the lake's size, and nothing else."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from lotus_infra.clients.locks import refuse
from lotus_infra.clients.pulumi import Engine
from lotus_infra.clients.state import TYPES, State
from lotus_infra.commands.audit import declared
from lotus_infra.commands.options import STREAMS
from lotus_infra.lake.loader import load_lake
from lotus_infra.plan.preview import Preview, read

BULK: Final = 200
"""Objects to create beyond which the engine's checkpoints cost more than all else: their cost grows with the square."""
UNCHECKED: Final = {"PULUMI_SKIP_CHECKPOINTS": "true"}
AIRBYTES: Final = "airbyte:"
"""Types of what a create adopts, where the stack asks for it."""
IN_THE_STATE: Final = ("lotus:", "pulumi:")
"""Types of what exists in the state alone, which a run makes again."""
MAKING: Final = frozenset({"create", "create-replacement", "replace", "import"})
TARGETS: Final = ("-t", "--target")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("-s", "--stack", help="The stack; else the selected one.")
@STREAMS
def up(arguments: tuple[str, ...], stack: str | None, directory: Path) -> None:
    """Run `pulumi up` with the engine's environment set, and all further ARGUMENTS passed on to it.

    States of self-managed backends are compressed. Where more than 200 objects are to be created, the engine writes the
    state once, at the end: as it would write all of it for each object, that makes minutes of hours.

    Example: lotus up --stack prod --diff
    """
    sys.exit(run_up(directory, stack, arguments, lambda line: click.echo(line, err=True)))


ADOPT, ADOPT_VARIABLE, IDENTICAL = "airbyte:adoptExisting", "AIRBYTE_ADOPT_EXISTING", "identical"


def run_up(
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
        LotusError: there is no engine, project, stack or lake; somebody holds the stack's lock.
    """
    return apply(Engine.around(directory, stack, environment), directory, arguments, tell, bulk=bulk)


def apply(
    engine: Engine, directory: Path, arguments: Sequence[str], tell: Callable[[str], None], *, bulk: int = BULK
) -> int:
    """The same with an engine that is there already.

    Raises:
        LotusError: there is no engine, stack or lake.
    """
    wanted = {(TYPES[each.kind], name) for each, name in declared(load_lake(directory).lake)}
    refuse(engine.project, engine.named, engine.environment)
    exported = State.parse(engine.asked("stack", "export"), engine.stack or "that is selected").resources
    missing = wanted - {(each.type, each.name) for each in exported}
    # A target makes the run smaller than the count, and is the way to make what needs checkpoints first.
    if len(missing) <= bulk or any(argument.startswith(TARGETS) for argument in arguments):
        return engine.up(arguments)
    lost = unrecoverable(read(engine.asked("preview", "--json")), adopts=_adopts(engine))
    tell(_bulk_line(len(missing)) if not lost else _plain_line(len(missing), lost))
    return engine.up(arguments, {} if lost else UNCHECKED)


def unrecoverable(preview: Preview, *, adopts: bool) -> list[str]:
    """Types of what a preview would create that a run without a state makes twice or stumbles over, each once.

    Args:
        preview: what is to be created.
        adopts: whether the stack adopts an identical object of Airbyte, which a run then finds again.
    """
    found_again = (*IN_THE_STATE, AIRBYTES) if adopts else IN_THE_STATE
    types = {step.type for step in preview.steps if step.op in MAKING}
    return sorted(each for each in types if not each.startswith(found_again))


def _adopts(engine: Engine) -> bool:
    """Whether the stack, or else the environment, asks the provider to adopt what is identical."""
    given = json.loads(engine.asked("config", "--json")).get(ADOPT, {}).get("value")
    return (given or engine.environment.get(ADOPT_VARIABLE)) == IDENTICAL


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
