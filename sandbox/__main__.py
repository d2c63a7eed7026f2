"""`python -m sandbox up|down`: parses, prints, and sets the exit code."""

import sys
from typing import Final

from lotus_infra.errors import LotusError
from sandbox import down, up
from sandbox.place import Place

USAGE: Final = "usage: python -m sandbox up|down"


def main(arguments: list[str]) -> int:
    """Run one verb; 0 on success, 1 when it failed, 2 for wrong words."""
    verbs = {"up": up.up, "down": down.down}
    if len(arguments) != 1 or arguments[0] not in verbs:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        verbs[arguments[0]](Place.of_project())
    except LotusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
