"""The `lotus` command line: select a command, and turn errors into a message and an exit code.

Each command is a module of its own, imported when it is called: the clients of Kubernetes, S3 and Airbyte are slow to
import, and most commands need none or one of them.
"""

import gc
import json
import os
import sys
from importlib import import_module
from typing import Final, NoReturn, cast

import click
from airbyte_model.suggestions import suggestion
from click.shell_completion import CompletionItem

from lotus_infra.commands.terminal import paint
from lotus_infra.errors import LotusError, StoppedError
from lotus_infra.lake.diagnostics import escape_unprintable

GROUPS: Final = {
    "Author": {
        "init": "Make a new lake's folder, or update Lotus's files in one.",
        "connector": "Pin connectors with their specifications.",
        "add": "Write the files of a new source, stream or destination.",
        "discover": "Write what a source offers now into its folder.",
        "check": "Check the lake's files, its stacks and the dbt project.",
        "scaffold": "Write dbt models for streams.",
        "graph": "Draw the lake's lineage, from sources to marts.",
        "backfill": "Request a full re-read of streams.",
        "schema": "Print or write the JSON Schemas of the lake's files.",
        "completion": "Print the completion script of a shell.",
    },
    "Review and deploy": {
        "diff": "Show what differs between two stacks.",
        "preview": "Preview a stack into a folder, for a review.",
        "comment": "Summarize a preview's effect on data, for a pull request.",
        "gate": "Fail if a preview loses data that was not acknowledged.",
        "deploy": "Deploy the checked-out commit to a stack.",
        "up": "Run `pulumi up` with the settings of large lakes.",
    },
    "Operate": {
        "status": "Show connections, jobs and freshness of streams.",
        "sync": "Sync sources now, and follow the jobs.",
        "query": "Run a query on the lake's tables, or list them.",
        "drift": "Show where code, state and Airbyte differ.",
        "verify": "Compare the cluster with the stack.",
        "doctor": "Check everything a run of a stack needs.",
    },
    "Take over": {
        "audit": "List Airbyte's objects: managed, adoptable, duplicate, orphan.",
        "migrate": "Write stream files for objects that exist in Airbyte.",
    },
}
"""The commands in the order of the work, with their lines in `lotus --help`, which imports none of them."""
COMMANDS: Final = {name: line for lines in GROUPS.values() for name, line in lines.items()}
SELDOM: Final = 100_000
"""New objects after which Python looks for garbage; its own default is 700."""


class Commands(click.Group):
    """A group that imports its commands by name: `check` is the function `check` of `lotus_infra.commands.check`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the names of the commands in the order of `lotus --help`."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        return cast("click.Command", getattr(import_module(f"lotus_infra.commands.{cmd_name}"), cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments start with; an unknown one is refused with the nearest."""
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            hint = suggestion(args[0], COMMANDS, "`lotus --help` lists the commands.")
            ctx.fail(f"No such command '{args[0]}': {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in groups, without importing them as click would."""
        width = max(map(len, COMMANDS))
        for heading, lines in GROUPS.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{name:<{width}}", line) for name, line in lines.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command, without importing any as click would."""
        names = (name for name in self.list_commands(ctx) if name.startswith(incomplete))
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=COMMANDS[name]) for name in names), *options]


def _print_versions(ctx: click.Context, _: click.Parameter, asked: bool) -> None:  # noqa: FBT001, click passes it
    if asked and not ctx.resilient_parsing:
        from lotus_infra.commands.version import versions  # noqa: PLC0415, no other command needs it

        click.echo("\n".join(versions()))
        ctx.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`lotus COMMAND --help` describes a command, and `lotus completion SHELL` completes names.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_versions,
    help="Show the versions that a bug report needs, and exit.",
)
def lotus() -> None:
    """Manage a lake that is declared as a folder of stream files."""


def main() -> None:
    """Run the command. Print a user error on stderr and exit with 1, or with 130 after an interrupt."""
    # A command is short: looking for garbage at Python's own pace would take a tenth of it. And pydantic needs no
    # plugins, for which it would read the metadata of every installed package.
    gc.set_threshold(SELDOM)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    for stream in (sys.stdout, sys.stderr):
        # Names come from files and servers, and a terminal or pipe may take ASCII only.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    try:
        lotus()
    except LotusError as error:
        _fail(error, 130 if isinstance(error, StoppedError) else 1)
    except OSError as error:
        # Commands report errors of the files that they read and write: this is mostly a closed or full output.
        _fail(error, 1)


def _fail(error: Exception, exit_code: int) -> NoReturn:
    """Print an error on stderr, with `--json` also a document on stdout, and exit.

    A list of problems stays a list: its further lines are indented, so that none of them looks like another error.
    """
    first, *further = map(escape_unprintable, str(error).rstrip().split("\n"))
    message = "\n".join([first, *(f"  {line.strip()}" for line in further)])
    click.echo(f"{paint('lotus:', 'bad', err=True)} {message}", err=True)
    # The parsed options are known to the command only, which has ended.
    if "--json" in sys.argv and isinstance(error, LotusError):
        click.echo(json.dumps({"ok": False, "error": message}, indent=2))
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
