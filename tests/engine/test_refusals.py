"""Commands without credentials, or with servers that refuse them: one clear error, no traceback, no SDK's own text."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

import pytest

from lotus_infra.commands.up import EVENT_LOG, LOGS_EVENTS
from tests.engine.lake import PROGRAM, SECRETS, Lake
from tests.support.refusing import KEYS, PAGE, RAW, answering, backend, closed_port, s3_error

OF_THE_STATE = {
    "drift": ("drift",),
    "up": ("up", "--yes", "--skip-preview"),
    "audit": ("audit",),
    "doctor": ("doctor",),
    "doctor, unlocking": ("doctor", "--unlock", "--yes"),
}
"""Commands that read the state; all of them before Airbyte is called."""
STATE_FAULTS = {
    "no credentials": "the environment has no AWS credentials",
    "ExpiredToken": "the AWS credentials have expired",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key",
    "RequestTimeTooSkewed": "this machine's clock differs from the server's",
    "a web page": "its answer is not one of S3",
    "nothing": "the server does not answer",
}
OF_AIRBYTE = {
    "status": ("status",),
    "audit": ("audit",),
    "discover": ("discover", "faker"),
    "sync": ("sync", "faker", "--no-wait"),
    "migrate": ("migrate", "--from", "live"),
    "doctor": ("doctor",),
    "drift": ("drift",),
    "up": ("up", "--yes"),
}
AIRBYTE_FAULTS = {
    "a web page": "serverUrl",
    "credentials that are refused": "Check the provider's credentials",
    "nothing": "Airbyte",
}


@contextmanager
def place_of(fault: str) -> Iterator[str]:
    """A server with this fault."""
    pages = answering(200, PAGE, "text/html") if fault == "a web page" else None
    refusing = {"no credentials": nullcontext(closed_port()), "nothing": nullcontext(closed_port())}.get(fault)
    if fault == "credentials that are refused":
        refusing_with = answering(401, json.dumps({"title": "unauthorized", "detail": "told"}), "application/json")
    else:
        refusing_with = answering(403, s3_error(fault))
    with pages or refusing or refusing_with as address:
        yield address


def lotus(lake: Lake, arguments: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command beside the lake, on a machine without profiles and without an instance's own credentials."""
    kept = {key: value for key, value in lake.pulumi.environment.items() if not key.startswith("AWS_")}
    alone = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
    return subprocess.run(
        ["lotus", *arguments],
        cwd=lake.pulumi.project,
        env={**kept, **alone, "PULUMI_STACK": lake.pulumi.stack, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def refused(lake: Lake, arguments: Sequence[str], cause: str, **environment: str) -> None:
    """Run a command that must fail with this cause, and with no SDK's text."""
    ran = lotus(lake, arguments, **environment)
    printed = ran.stdout + ran.stderr
    assert ran.returncode == 1, printed
    assert cause in printed
    assert [raw for raw in RAW if raw in printed] == [], printed


def test_without_credentials_for_the_state_drift_and_up_name_the_variables(lake: Lake) -> None:
    for command in ("drift", "up"):
        refused(lake, OF_THE_STATE[command], "AWS_ACCESS_KEY_ID", PULUMI_BACKEND_URL=backend(closed_port()))


@pytest.mark.parametrize("command", OF_THE_STATE)
@pytest.mark.parametrize("fault", STATE_FAULTS)
def test_a_state_that_cannot_be_read_is_one_error_with_its_cause(lake: Lake, fault: str, command: str) -> None:
    keys = {} if fault == "no credentials" else KEYS
    # The SDK of `doctor --unlock` takes a page for a failure of S3, and tries it again.
    cause = "correct the endpoint" if fault == "a web page" else STATE_FAULTS[fault]
    with place_of(fault) as address:
        refused(lake, OF_THE_STATE[command], cause, PULUMI_BACKEND_URL=backend(address), **keys)


@pytest.mark.parametrize("command", OF_AIRBYTE)
@pytest.mark.parametrize("fault", AIRBYTE_FAULTS)
def test_an_airbyte_that_does_not_answer_is_one_error_with_its_hint(lake: Lake, fault: str, command: str) -> None:
    with place_of(fault) as address:
        lake.pulumi.config_set("airbyte:serverUrl", f"{address}/api/public/v1")
        refused(lake, OF_AIRBYTE[command], AIRBYTE_FAULTS[fault])


def test_after_a_run_that_fails_up_explains_the_known_causes_of_its_errors(lake: Lake) -> None:
    lake.pulumi.program(PROGRAM + 'raise Exception("creating bucket: api error ExpiredToken: told")\n')
    ran = lotus(lake, ("up", "--yes", "--skip-preview"))
    assert ran.returncode != 0
    assert "lotus: the AWS credentials have expired: get new ones" in ran.stderr


def test_the_log_of_events_that_up_reads_has_no_secret(lake: Lake) -> None:
    lake.pulumi.environment.update(LOGS_EVENTS)
    log = lake.pulumi.state.parent / "events"
    lake.pulumi.up(EVENT_LOG, str(log)).ok()
    assert [name for name, value in SECRETS.items() if value in log.read_text(encoding="utf-8")] == []
