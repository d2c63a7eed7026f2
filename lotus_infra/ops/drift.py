"""`lotus drift`: what code says, what the state has and what is live, held against each other in one run of the engine.

Nothing is changed, in the state neither.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from lotus_infra.changes.digest import read
from lotus_infra.changes.drift import Drift, drift_of
from lotus_infra.errors import LotusError
from lotus_infra.ops.engine import Engine

_ASKED = ("preview", "--refresh", "--json", "--show-sames")
_ONE_DOCUMENT = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "false"}


def look(directory: Path, stack: str | None, environment: Mapping[str, str] = os.environ) -> Drift:
    """What differs in a stack.

    Args:
        directory: The lake's folder, inside its Pulumi project.
        stack: The stack; else that of `$PULUMI_STACK`, else the selected one.
        environment: What the engine runs with.

    Raises:
        LotusError: There is no project or engine, or the preview did not come to its end.
    """
    ran = Engine.around(directory, stack, {**environment, **_ONE_DOCUMENT}).ran(*_ASKED)
    if not ran.stdout.startswith("{"):
        raise LotusError(f"pulumi preview failed: {ran.reason}")
    preview = read(ran.stdout)
    if not preview.complete or ran.exit_code != 0:
        said = "; ".join(preview.errors) or ran.stderr.strip() or "it does not say why"
        raise LotusError(f"the preview did not come to its end, so nobody can tell what differs: {said}")
    return drift_of(preview)
