"""What a user reads when a resource fails: by the real engine, with one that has nothing to do with a cluster."""

import sys
from collections.abc import Callable
from pathlib import Path

from tests.engine.harness import Pulumi

PROGRAM = """
import pulumi
import pulumi_airbyte as airbyte

from lotus_infra.components.failures import log_reasons

nowhere = airbyte.Provider("nowhere", server_url="http://127.0.0.1:1/api/public/v1")
why = pulumi.ErrorHook("why", log_reasons("lotus-lake", lambda: ["pod a: it can't pull its image"]))
hooks = pulumi.ResourceHookBinding(on_error=[why])
airbyte.Workspace("team", name="Team", opts=pulumi.ResourceOptions(provider=nowhere, hooks=hooks))
"""


def test_an_error_that_pods_do_not_explain_stands_alone_and_nothing_is_tried_again(
    pulumi_with: Callable[[dict[str, Path]], Pulumi],
) -> None:
    pulumi = pulumi_with({"airbyte": Path(sys.executable).parent})
    pulumi.program(PROGRAM)

    diagnostics = pulumi.up().failed().output.split("Diagnostics:")[-1]

    assert "pod a" not in diagnostics
    assert diagnostics.count("did not answer") == 1
