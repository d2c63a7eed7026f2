"""The commands of `lotus`, loaded."""

import click

from lotus_infra.commands.cli import COMMANDS, lotus


def _command(name: str) -> click.Command:
    found = lotus.get_command(click.Context(lotus), name)
    assert found is not None, name
    return found


LOADED = {name: _command(name) for name in COMMANDS}
