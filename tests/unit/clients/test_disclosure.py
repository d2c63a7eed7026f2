"""Options and variables with which the engine would write secrets in plain text are refused."""

import pytest

from lotus_infra.clients.pulumi import refuse_disclosure
from lotus_infra.errors import LotusError


@pytest.mark.parametrize(
    "arguments",
    [
        "-v=9",
        "-v9",
        "-v 9",
        "-yv11",
        "-v=0x9",
        "--verbose 10",
        "--verbose=9",
        "--tracing=file:x",
        "--tracing file:x",
        "--otel-traces file:x",
        "--profiling=x",
        "--show-secrets",
        "--yes --show-secrets=true",
    ],
)
def test_an_option_that_shows_secrets_is_refused(arguments: str) -> None:
    with pytest.raises(LotusError, match="in plain text"):
        refuse_disclosure(arguments.split(), {})


@pytest.mark.parametrize(
    "arguments", ["", "-v=8", "-v 3", "-v0", "--verbose=8", "-sdev --yes", "-s dev -y", "-mv9", "--message=-v9"]
)
def test_other_options_are_passed_on(arguments: str) -> None:
    refuse_disclosure(arguments.split(), {})


@pytest.mark.parametrize(
    ("variable", "value", "refused"),
    [
        ("PULUMI_OPTION_VERBOSE", "9", True),
        ("PULUMI_OPTION_VERBOSE", "8", False),
        ("PULUMI_OPTION_SHOW_SECRETS", "true", True),
        ("PULUMI_OPTION_OTEL_TRACES", "file:x", True),
        ("PULUMI_DEBUG_GRPC", "calls.json", True),
        ("PULUMI_DEBUG_GRPC", "", False),
        ("PULUMI_OPTION_DIFF", "true", False),
    ],
)
def test_so_are_variables(variable: str, value: str, *, refused: bool) -> None:
    if refused:
        with pytest.raises(LotusError, match=variable):
            refuse_disclosure((), {variable: value})
    else:
        refuse_disclosure((), {variable: value})
