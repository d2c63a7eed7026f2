"""Executables of source connectors, by docker repository."""

import os
from collections.abc import Mapping
from pathlib import Path

from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.records import Actor
from airbyte_twin.secrets import secret_values
from airbyte_twin.sync.protocol.cancellation import Cancellation
from airbyte_twin.sync.protocol.connector import RealConnector
from airbyte_twin.twin import Twin


class CommandError(Exception):
    """A connector's command that cannot be used; the message has the remedy."""


def parse_command(text: str) -> tuple[str, Path]:
    """A docker repository and an executable of `airbyte/source-faker=/path/to/source-faker`.

    Raises:
        CommandError: It is not of this form.
    """
    repository, equals, path = text.partition("=")
    if not equals or not repository or not path:
        raise CommandError(f"{text}: invalid connector: write airbyte/source-faker=/path/to/source-faker")
    return repository, Path(path).absolute()


def check_commands(commands: Mapping[str, Path]) -> None:
    """Make sure that every command can be run.

    Raises:
        CommandError: One is no file or not executable.
    """
    for repository, path in commands.items():
        if not path.is_file():
            raise CommandError(f"{path}: no such file: pass the path of the executable of {repository}")
        if not os.access(path, os.X_OK):
            raise CommandError(f"{path}: not executable: run chmod +x, or pass another path for {repository}")


def command_of(twin: Twin, definition_id: str) -> Path | None:
    """The executable of a definition's connector, if the twin was given one."""
    definition = twin.store.definitions.get(definition_id)
    return twin.settings.commands.get(definition.docker_repository) if definition else None


def revealed_configuration(twin: Twin, actor: Actor) -> JsonObject:
    """An actor's configuration with its secrets in plain text."""
    vault, tree = twin.vault(actor.workspace_id), twin.secret_tree(actor.definition_id)
    return as_object(vault.revealed(actor.configuration, tree, actor.configuration))


def configured_secrets(twin: Twin, definition_id: str, configuration: JsonObject) -> tuple[str, ...]:
    """The secrets that a plain configuration shows."""
    return secret_values(configuration, twin.secret_tree(definition_id))


def real_connector(
    twin: Twin, definition_id: str, configuration: JsonObject, cancellation: Cancellation
) -> RealConnector | None:
    """The connector of a definition, for a plain configuration; None if the twin was given no command for it."""
    command = command_of(twin, definition_id)
    if command is None:
        return None
    return RealConnector(command, configured_secrets(twin, definition_id, configuration), cancellation)
