"""`python -m sandbox up [-v]|down|ui [PORT]`: parses, prints, and sets the exit code."""

import sys
from typing import Final

from pulumi_airbyte.client import AirbyteError

from lotus_infra.errors import LotusError
from sandbox import down, up
from sandbox.layout import Layout, locked
from sandbox.ui import ui

USAGE: Final = "usage: python -m sandbox up [-v]|down|ui [PORT]"


def main(arguments: list[str]) -> int:
    """Run one verb; 0 on success, 1 when it failed, 2 for wrong words, 130 after Ctrl-C."""
    layout = Layout.of_project()
    try:
        match arguments:
            case ["up"] | ["up", "-v" | "--verbose"]:
                with locked(layout):
                    up.up(layout, verbose=len(arguments) > 1)
            case ["down"]:
                with locked(layout):
                    down.down(layout)
            case ["ui"]:
                ui(layout)
            case ["ui", port] if port.isdecimal():
                ui(layout, int(port))
            case _:
                print(USAGE, file=sys.stderr)
                return 2
    except (LotusError, AirbyteError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; run it again to resume.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
