"""Compile what the program, the plugin and the commands import, by importing it once: `python -m toolchain.bytecode`.

uv leaves that to the first run of each. Where the environment forbids Python to write bytecode
(PYTHONDONTWRITEBYTECODE, as in many images), no run would ever write it, and every preview would compile a thousand
files again: that doubles its time. What a run does not import stays uncompiled: all of it takes a minute.
"""

import sys
from importlib import import_module

from lotus_infra.commands.cli import COMMANDS

MODULES = (
    "lotus_infra.program",
    "lotus_infra.components.dagster",
    "lotus_infra.components.landing_zone",
    "pulumi_airbyte.client.transport",
    "pulumi_airbyte.provider.plugin",
    "pulumi_airbyte.provider.process",
    "pulumi_airbyte.provider.servicer",
    "sandbox.plugins.aws.servicer",
    *(f"lotus_infra.commands.{command}" for command in COMMANDS),
)


def main() -> None:
    """Import everything."""
    sys.dont_write_bytecode = False
    for module in MODULES:
        import_module(module)


if __name__ == "__main__":
    main()
