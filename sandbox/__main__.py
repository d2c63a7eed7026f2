"""`python -m sandbox up|down`: parses, prints, and sets the exit code."""

import sys
from typing import Final

from pulumi_airbyte.client import AirbyteError

from lotus_infra.errors import LotusError
from sandbox import down, up
from sandbox.lock import alone
from sandbox.place import Place

USAGE: Final = "usage: python -m sandbox up|down"


def main(arguments: list[str]) -> int:
    """Run one verb; 0 on success, 1 when it failed, 2 for wrong words, 130 after Ctrl-C."""
    verbs = {"up": up.up, "down": down.down}
    if len(arguments) != 1 or arguments[0] not in verbs:
        print(USAGE, file=sys.stderr)
        return 2
    place = Place.of_project()
    try:
        with alone(place):
            verbs[arguments[0]](place)
    except (LotusError, AirbyteError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; run it again to go on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
