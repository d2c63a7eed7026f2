"""`lotus completion`: names for a shell to complete, and the script with which bash, zsh or fish requests them.

A shell waits for these names at each press of a key: they come from the names of files and folders, and from
`_source.json` for connections. A folder that can't be read, or that is no lake, has no names and no error.
"""

import json
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem, get_completion_class

from lotus_infra.errors import LotusError

PROGRAM: Final = "lotus"
VARIABLE: Final = "_LOTUS_COMPLETE"
"""The environment variable with which the scripts request completions; click derives it from the program."""
SHELLS: Final = ("bash", "zsh", "fish")
_HARMLESS: Final = re.compile(r"[\w ./@%+=:,-]+")
"""Names that are offered: bash writes them into the command line as they are, and would run `$(…)` in one."""
Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    r"""Print the completion script of a shell.

    It completes commands, options, and the names of sources, streams, stacks, connectors and destinations. Add one
    line to the file that your shell reads at its start:

    \b
      bash  ~/.bashrc                     eval "$(lotus completion bash)"
      zsh   ~/.zshrc, after compinit      eval "$(lotus completion zsh)"
      fish  ~/.config/fish/config.fish    lotus completion fish | source

    Example: lotus completion bash
    """
    click.echo(completion_script(shell, click.get_current_context().find_root().command), nl=False)


def completion_script(shell: str, command: click.Command) -> str:
    """The script of a shell.

    Args:
        shell: One of `SHELLS`.
        command: The command to complete, with its subcommands.

    Raises:
        LotusError: The shell is unknown.
    """
    script = get_completion_class(shell)
    if script is None:
        raise LotusError(f"no completion for {shell}", f"name one of {', '.join(SHELLS)}")
    return script(command, {}, PROGRAM, VARIABLE).source()


def names(found: Callable[[Path, click.Context], Iterable[str]]) -> Complete:
    """A completion of names that start with the typed text.

    Args:
        found: Finds the names, by the lake's folder and the arguments so far. Its errors mean that there are none.
    """

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        directory = context.params.get("directory") or Path("streams")
        with suppress(OSError, ValueError, RecursionError, LotusError):
            matching = (name for name in found(directory, context) if name.startswith(incomplete))
            return [CompletionItem(name) for name in matching if _HARMLESS.fullmatch(name)]
        return []

    return complete


def _stacks(directory: Path, _: click.Context) -> Iterable[str]:
    from lotus_infra.config.stack_files import PROJECT_FILE, stacks  # noqa: PLC0415, `lotus completion` needs no YAML

    here = directory.absolute()
    project = next((above for above in (here, *here.parents) if (above / PROJECT_FILE).is_file()), None)
    return stacks(project) if project is not None else ()


def _sources(directory: Path, _: click.Context) -> Iterable[str]:
    from lotus_infra.lake.lake import SOURCE_FILE  # noqa: PLC0415, the models take longer than the listing

    return sorted(file.parent.name for file in directory.glob(f"*/{SOURCE_FILE}"))


def _selectors(directory: Path, context: click.Context) -> Iterable[str]:
    """Sources, each followed by its connections if it has several: `shopify`, `shopify/daily`."""
    from lotus_infra.lake.lake import SOURCE_FILE  # noqa: PLC0415

    for name in _sources(directory, context):
        yield name
        with suppress(OSError, ValueError, RecursionError):
            document = json.loads((directory / name / SOURCE_FILE).read_bytes())
            connections = document.get("connections") if isinstance(document, dict) else None
            yield from (f"{name}/{each}" for each in sorted(connections if isinstance(connections, dict) else ()))


def _streams(directory: Path, context: click.Context) -> Iterable[str]:
    """The streams of the named source, without those that are named already."""
    source, given = _named(context)
    taken = {*given}
    return [name for name in _files(directory / source) if name not in taken] if source else ()


def _offered_streams(directory: Path, context: click.Context) -> Iterable[str]:
    """The discovered streams of the named source that have no file yet."""
    from lotus_infra.lake.lake import DISCOVERED_FOLDER  # noqa: PLC0415

    source, _ = _named(context)
    taken = {*_files(directory / source)}
    return [name for name in _files(directory / source / DISCOVERED_FOLDER) if name not in taken] if source else ()


def _source_then_stream(directory: Path, context: click.Context) -> Iterable[str]:
    """Sources; once one is named, its streams."""
    source, _ = _named(context)
    return _streams(directory, context) if source else _sources(directory, context)


def _connectors(directory: Path, _: click.Context) -> Iterable[str]:
    from lotus_infra.lake.lake import CONNECTORS_FOLDER  # noqa: PLC0415

    return _files(directory / CONNECTORS_FOLDER)


def _connectors_of(kind: str) -> Callable[[Path, click.Context], Iterable[str]]:
    return lambda directory, context: (name for name in _connectors(directory, context) if name.startswith(f"{kind}-"))


def _destinations(directory: Path, _: click.Context) -> Iterable[str]:
    from lotus_infra.lake.lake import DESTINATIONS_FOLDER  # noqa: PLC0415

    return _files(directory / DESTINATIONS_FOLDER)


def _files(folder: Path) -> list[str]:
    """The names of a folder's JSON files without the suffix, except those of the lake itself (`_source`)."""
    return sorted(file.stem for file in folder.glob("*.json") if not file.name.startswith(("_", ".")))


def _named(context: click.Context) -> tuple[str, tuple[str, ...]]:
    """The source and the streams among the arguments so far."""
    words = context.params.get("names") or (context.params.get("source"), *(context.params.get("streams") or ()))
    source, *streams = [str(word) for word in words if word] or [""]
    return source.partition("/")[0], tuple(streams)


def complete_folder(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell complete a folder."""
    return [CompletionItem(incomplete, type="dir")]


STACK_NAMES: Final = names(_stacks)
SOURCE_NAMES: Final = names(_sources)
SELECTORS: Final = names(_selectors)
STREAM_NAMES: Final = names(_streams)
OFFERED_STREAMS: Final = names(_offered_streams)
SOURCE_THEN_STREAM: Final = names(_source_then_stream)
CONNECTOR_NAMES: Final = names(_connectors)
SOURCE_CONNECTORS: Final = names(_connectors_of("source"))
DESTINATION_CONNECTORS: Final = names(_connectors_of("destination"))
DESTINATION_NAMES: Final = names(_destinations)
