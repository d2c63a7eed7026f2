"""The command `airbyte-twin`."""

import ipaddress
from pathlib import Path

import click
from pydantic import ValidationError

from airbyte_twin.app import build_twin, run_twin
from airbyte_twin.persistence import StateFileError, alone_in
from airbyte_twin.registry import ConnectorFileError
from airbyte_twin.server import bound_socket
from airbyte_twin.settings import DEFAULT_WORKSPACE_ID, AuthMode, Edition, TwinSettings
from airbyte_twin.sync.commands import CommandError, parse_command
from airbyte_twin.twin import canonical_id

DEFAULTS = TwinSettings()


def loopback(_context: click.Context, _parameter: click.Parameter, host: str) -> str:
    """Refuse addresses other than loopback, because control endpoints need no authentication."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError as error:
        raise click.BadParameter(f"{host} is not an IP address.") from error
    raise click.BadParameter(f"{host} is not a loopback address; the twin's control endpoints need no authentication.")


def uuid_text(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Refuse an invalid UUID."""
    canonical = canonical_id(value)
    if len(canonical) != 36:
        raise click.BadParameter(f"{value} is not a UUID.")
    return canonical


@click.command(context_settings={"max_content_width": 100})
@click.option("--port", type=click.IntRange(0, 65535), required=True, help="TCP port; 0 takes any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, callback=loopback, help="Loopback address.")
@click.option(
    "--auth",
    type=click.Choice([mode.value for mode in AuthMode]),
    default=DEFAULTS.auth.value,
    show_default=True,
    help="How callers prove who they are.",
)
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Folder to save the state in.")
@click.option("--client-id", default=DEFAULTS.client_id, show_default=True, help="For --auth client_credentials.")
@click.option("--client-secret", default=DEFAULTS.client_secret, show_default=True, help="For the same.")
@click.option("--username", default=DEFAULTS.username, show_default=True, help="For --auth basic.")
@click.option("--password", default=DEFAULTS.password, show_default=True, help="For the same.")
@click.option(
    "--token-lifetime",
    type=click.IntRange(1),
    default=DEFAULTS.token_lifetime,
    show_default=True,
    help="Seconds until a token ends.",
)
@click.option(
    "--edition",
    type=click.Choice([edition.value for edition in Edition]),
    default=DEFAULTS.edition.value,
    show_default=True,
    help="Which Airbyte to behave as.",
)
@click.option(
    "--workspace-id",
    default=DEFAULT_WORKSPACE_ID,
    show_default=True,
    callback=uuid_text,
    help="Id of the workspace that exists at start.",
)
@click.option("--run-syncs", is_flag=True, help="Run jobs; without it a test moves them.")
@click.option(
    "--connector",
    "connectors",
    multiple=True,
    metavar="REPOSITORY=PATH",
    help="A real source connector: airbyte/source-faker=/path/to/source-faker. May be repeated.",
)
@click.option("--seed", type=int, default=DEFAULTS.seed, show_default=True, help="Seed of synthesized sources.")
@click.option(
    "--first-records",
    type=click.IntRange(1),
    default=DEFAULTS.first_records,
    show_default=True,
    help="Records of each synthesized stream at the first sync.",
)
@click.option(
    "--later-records",
    type=click.IntRange(1),
    default=DEFAULTS.later_records,
    show_default=True,
    help="New records before each later sync.",
)
def main(port: int, host: str, connectors: tuple[str, ...], **options: object) -> None:
    """Serve a faithful Airbyte, in memory, for tests and sandboxes."""
    try:
        commands = dict(parse_command(text) for text in connectors)
        settings = TwinSettings.model_validate({**options, "commands": commands})
        with alone_in(settings.data_dir):
            serve(settings, host, port)
    except (CommandError, ConnectorFileError, StateFileError, ValidationError) as error:
        raise click.ClickException(str(error)) from error


def serve(settings: TwinSettings, host: str, port: int) -> None:
    """Serve until stopped, then save.

    Raises:
        CommandError: A connector's command cannot be run.
        ConnectorFileError: A connector file of the data folder is bad.
        StateFileError: The state cannot be read or written.
        click.ClickException: The address is taken or not this machine's.
    """
    twin, saver = build_twin(settings)
    try:
        listener = bound_socket(host, port)
    except OSError as error:
        advice = "choose another --port"
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}; {advice}") from error
    line = ready_line(host, listener.getsockname()[1])
    # A deleted folder means that neither its state nor the twin is wanted any more.
    is_wanted = saver.has_folder if saver else lambda: True
    server, join = run_twin(twin, saver, lambda: click.echo(line), is_wanted)
    server.run(sockets=[listener])
    join()
    if saver and saver.has_folder():
        saver.save()


def ready_line(host: str, port: int) -> str:
    """The line printed once the twin answers."""
    shown = f"[{host}]" if ":" in host else host
    return f"airbyte-twin listening on http://{shown}:{port}"
