"""What starts imports no more than it needs: by name, and by number, so that a new import shows here.

Times are measured by `benchmarks/start.py`. A number that grows for a reason may be raised here.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
HTTP = {"httpx", "httpcore", "tenacity", "pulumi_airbyte.client.transport"}
CLOUDS = {"boto3", "botocore", "kubernetes", "pulumi_aws", "pulumi_kubernetes"}
SDK = {"pulumi.resource", "pulumi.output", "pulumi.automation"}


def imported(text: str) -> set[str]:
    """The modules that Python reports with PYTHONPROFILEIMPORTTIME."""
    lines = [line for line in text.splitlines() if line.startswith("import time:")]
    return {line.rsplit("|", maxsplit=1)[1].strip() for line in lines[1:]}


def environment() -> dict[str, str]:
    """Python's list of imports on, and off what measures coverage, which imports modules of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return kept | {"PYTHONPROFILEIMPORTTIME": "1"}


def started(*command: str) -> set[str]:
    """What a server of the engine has imported when it prints its port; it ends with its standard input."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment()) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline())
        _, text = process.communicate(timeout=60)
    return imported(text)


def ended(*command: str) -> set[str]:
    """What a command has imported at its end."""
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=REPOSITORY, check=True)
    return imported(done.stderr)


def test_the_plugin_starts_without_what_only_a_call_or_a_manifest_needs() -> None:
    modules = started(str(BIN / "pulumi-resource-airbyte"))

    assert modules & (HTTP | CLOUDS | SDK | {"yaml", "rich", "pygments"}) == set()
    assert len(modules) <= 480


def test_the_stand_in_for_the_aws_plugin_starts_without_the_sdks_of_aws_and_without_the_airbyte_provider() -> None:
    modules = started(str(REPOSITORY / "sandbox" / "plugins" / "pulumi-resource-aws"))

    assert modules & (HTTP | CLOUDS - {"botocore"} | SDK | {"pulumi_airbyte.provider.servicer"}) == set()


def test_the_stand_in_for_the_python_host_starts_without_the_sdk_until_there_is_a_program() -> None:
    modules = started(sys.executable, "-u", str(REPOSITORY / "toolchain" / "language_host.py"), "127.0.0.1:1")

    assert modules & (SDK | {"dill", "yaml", "opentelemetry"}) == set()
    assert len(modules) <= 310


def test_the_program_starts_without_what_only_a_landing_zone_or_dagster_needs() -> None:
    before = ended(sys.executable, "-c", "import pulumi")

    modules = ended(sys.executable, "-c", "import lotus_infra.program") - before

    assert modules & (HTTP | CLOUDS | {"sqlglot", "jinja2", "pulumi_airbyte.client"}) == set()
    rooms = {name.split(".")[1] for name in modules if name.startswith("lotus_infra.")}
    assert rooms == {"components", "config", "errors", "images", "lake", "naming", "program"}
    assert len(modules) <= 220


@pytest.mark.parametrize(
    ("arguments", "foreign", "most"),
    [
        (("--help",), {"pydantic", "lotus_infra.config", "lotus_infra.commands.options"}, 130),
        (("--version",), {"pydantic"}, 220),
        (("check", "--help"), {"pulumi", "grpc", "sqlglot", *HTTP, *CLOUDS}, 430),
        (("up", "--help"), {"pulumi", "grpc", "sqlglot", *HTTP, *CLOUDS}, 500),
        (("gate", "--help"), {"pulumi", "grpc", *HTTP, *CLOUDS}, 610),
        (("comment", "--help"), {"pulumi", "grpc", *HTTP, *CLOUDS}, 610),
    ],
)
def test_a_command_starts_without_what_others_need(arguments: tuple[str, ...], foreign: set[str], most: int) -> None:
    modules = ended(str(BIN / "lotus"), *arguments)

    assert modules & foreign == set()
    assert len(modules) <= most
