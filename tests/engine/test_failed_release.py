"""What a user reads when a release fails: by the real engine, with another resource that can't be made."""

import sys
from collections.abc import Callable
from pathlib import Path

from tests.engine.harness import Pulumi

PROGRAM = """
import pulumi
import pulumi_airbyte as airbyte

from lotus_infra.components.dagster import log_pod_failures

nowhere = airbyte.Provider("nowhere", server_url="http://127.0.0.1:1/api/public/v1")
why = pulumi.ErrorHook("why", log_pod_failures(lambda: ["pod a: it can't pull its image", "pod b: it finds no node"]))
hooks = pulumi.ResourceHookBinding(on_error=[why])
airbyte.Workspace("team", name="Team", opts=pulumi.ResourceOptions(provider=nowhere, hooks=hooks))
"""


def test_every_line_of_why_is_an_error_of_the_update_and_nothing_is_tried_again(
    pulumi_with: Callable[[dict[str, Path]], Pulumi],
) -> None:
    pulumi = pulumi_with({"airbyte": Path(sys.executable).parent})
    pulumi.program(PROGRAM)

    told = pulumi.up().failed().output.split("Diagnostics:")[-1]

    assert told.count("pod a: it can't pull its image") == 1
    assert told.count("pod b: it finds no node") == 1
    assert "did not answer" in told
