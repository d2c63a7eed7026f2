"""A lake of one's own: made by `lotus init`, deployed by the real engine, and installed from built packages."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import boto3
import httpx
import pytest
import yaml
from airbyte_twin.testing import RunningTwin, running_twin
from moto.server import ThreadedMotoServer

from tests.engine.harness import REPOSITORY, Pulumi
from tests.engine.outside import install, plain_project, uv
from toolchain.connectors import LOCAL_UV
from toolchain.release import build_packages

KEY: Final = "the-administrators-key"
REGION: Final = "eu-west-1"
LAKE_PACKAGES: Final = ("airbyte-model", "pulumi-airbyte", "lotus-infra", "lotus-dagster")


@pytest.fixture
def aws() -> Iterator[dict[str, str]]:
    """The variables of an AWS account that has the state's bucket."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        httpx.post(f"{url}/moto-api/reset").raise_for_status()
        client = boto3.session.Session(KEY, KEY, region_name=REGION).client("s3", endpoint_url=url)
        client.create_bucket(Bucket="acme-state", CreateBucketConfiguration={"LocationConstraint": REGION})
        yield {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": KEY}
    finally:
        server.stop()


@pytest.fixture
def twin() -> Iterator[RunningTwin]:
    with running_twin(auth="client_credentials") as twin:
        yield twin


def new_lake(lotus: Path, folder: Path, *options: str) -> None:
    command = [lotus, "init", folder, "--stack", Pulumi.stack, "--no-production", "--bucket", "acme", *options]
    subprocess.run([*map(str, command), "--region", REGION], check=True, stdout=subprocess.DEVNULL)


def engine_over(pulumi: Pulumi, environment: Mapping[str, str]) -> Pulumi:
    """The engine over the lake in its project folder. Only AWS's plugin is another: the sandbox's stand-in."""
    file = pulumi.project / "Pulumi.yaml"
    definition = yaml.safe_load(file.read_text(encoding="utf-8"))
    definition["plugins"]["providers"].append({"name": "aws", "path": str(REPOSITORY / "sandbox" / "plugins")})
    file.write_text(yaml.safe_dump(definition), encoding="utf-8")
    pulumi.environment |= environment
    pulumi.state.mkdir(exist_ok=True)
    pulumi.run("stack", "init", Pulumi.stack).ok()
    return pulumi


def set_values(pulumi: Pulumi, twin: RunningTwin) -> None:
    pulumi.config_set("lotus:workspaceId", twin.workspace_id)
    pulumi.config_set("airbyte:clientId", twin.client_id)
    pulumi.config_set("airbyte:clientSecret", twin.client_secret, secret=True)


def stands_up(pulumi: Pulumi, twin: RunningTwin) -> None:
    """The first run is refused until the values are set; afterwards it stands up, and the next preview is empty."""
    assert "lotus:workspaceId is not set: pulumi config set" in pulumi.preview().failed().output
    set_values(pulumi, twin)
    pulumi.up().ok()
    [connection] = twin.store.connections
    assert connection.name == "Faker → S3"
    assert [stream.name for stream in connection.configurations.streams] == ["users"]
    assert pulumi.preview("--json", "--refresh").ok().changes() == ()


def test_a_new_lake_stands_up_and_its_second_preview_is_empty(
    tmp_path: Path, engine: list[Path], aws: dict[str, str], twin: RunningTwin
) -> None:
    environment = Path(sys.executable).parent
    new_lake(environment / "lotus", tmp_path / "project", "--airbyte-url", twin.public_url)
    (tmp_path / "project" / ".venv").symlink_to(environment.parent)

    stands_up(engine_over(Pulumi(tmp_path, engine), aws), twin)
