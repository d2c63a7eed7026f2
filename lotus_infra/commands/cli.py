"""The `lotus` command line: it selects the command, and turns errors into one line and an exit code.

Each command is a file of its own, imported when it is called: no command waits for what only another needs.
"""

import json
import sys
from importlib import import_module
from typing import Final, NoReturn, cast

import click

from lotus_infra.errors import LotusError, StoppedError
from lotus_infra.lake.diagnostics import printable

COMMANDS: Final = {
    "audit": "List Airbyte's objects as managed, adoptable, duplicate or orphan.",
    "backfill": "Request a full re-read of streams.",
    "check": "Check the lake's files and the dbt project.",
    "comment": "Summarize a preview's effect on data, for a pull request.",
    "deploy": "Deploy the checked-out commit to a stack.",
    "discover": "Write what a source offers now into its folder.",
    "doctor": "Check everything a run of a stack needs.",
    "drift": "Show where code, state and Airbyte differ.",
    "gate": "Fail if a preview loses data that was not acknowledged.",
    "graph": "Draw the lake's lineage, from sources to marts.",
    "migrate": "Write stream files for objects that exist in Airbyte.",
    "preview": "Preview a stack into a folder, for a review.",
    "scaffold": "Write dbt models for streams.",
    "schema": "Print or write the JSON Schemas of the lake's files.",
    "status": "Show connections, jobs and freshness of streams.",
    "sync": "Sync sources now, and follow the jobs.",
    "up": "Run `pulumi up` with the settings of large lakes.",
    "verify": "Compare the cluster with the stack.",
}
"""Each command, with the line that `lotus --help` shows: the list is printed without importing any of them."""


class Commands(click.Group):
    """A group whose commands are imported by name: `check` is `check` in `lotus_infra.commands.check`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        return cast("click.Command", getattr(import_module(f"lotus_infra.commands.{cmd_name}"), cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lotus-infra")
def lotus() -> None:
    """Look after a lake that is kept as a folder of stream files."""


def main() -> None:
    """Run the command; an error of the user's is one line on stderr and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    try:
        lotus()
    except LotusError as error:
        _fail(error, 130 if isinstance(error, StoppedError) else 1)
    except OSError as error:
        # Commands report errors of the files they read and write: this is mostly a closed or full output.
        _fail(error, 1)


def _fail(error: Exception, exit_code: int) -> NoReturn:
    """End with one line on stderr, and with a JSON document on stdout where one was asked for."""
    message = printable(str(error))
    click.echo(f"lotus: {message}", err=True)
    if "--json" in sys.argv and isinstance(error, LotusError):
        click.echo(json.dumps({"ok": False, "error": message}, indent=2))
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
