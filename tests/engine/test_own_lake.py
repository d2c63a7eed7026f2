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
from tests.engine.outside import language_host, uv
from toolchain.connectors import LOCAL_UV
from toolchain.release import build_packages

KEY: Final = "the-administrators-key"
REGION: Final = "eu-west-1"


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
    assert [stream.name for stream in connection.streams] == ["users"]
    assert pulumi.preview("--json", "--refresh").ok().changes() == ()


def test_a_new_lake_stands_up_and_its_second_preview_is_empty(
    tmp_path: Path, engine: list[Path], aws: dict[str, str], twin: RunningTwin
) -> None:
    environment = Path(sys.executable).parent
    new_lake(environment / "lotus", tmp_path / "project", "--airbyte-url", twin.public_url)
    (tmp_path / "project" / ".venv").symlink_to(environment.parent)

    stands_up(engine_over(Pulumi(tmp_path, engine), aws), twin)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages") / "dist"
    build_packages(folder)
    return folder


def make(folder: Path, *targets: str) -> str:
    """A user's `make`, with uv on PATH and nothing of this repository's environment."""
    own = (Path(sys.executable).parent, Path(shutil.which("uv") or LOCAL_UV).parent)
    path = [str(own[1]), *(each for each in os.environ["PATH"].split(os.pathsep) if Path(each) != own[0])]
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("UV_PROJECT", "VIRTUAL_ENV", "PYTHON"))
    }
    environment = kept | {"PATH": os.pathsep.join(path)}
    ran = subprocess.run(["make", *targets], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_from_built_packages_alone_a_lake_is_made_checked_loaded_and_deployed(
    tmp_path: Path, engine: list[Path], aws: dict[str, str], twin: RunningTwin, wheels: Path
) -> None:
    outer = tmp_path / "outer"
    uv("venv", "--python", sys.executable, outer)
    uv("pip", "install", "--python", outer, "--find-links", wheels, "lotus-infra[deploy]")
    lake = tmp_path / "project"
    new_lake(outer / "bin" / "lotus", lake, "--airbyte-url", twin.public_url, "--packages", str(wheels))

    make(lake, "setup", "check")

    python = lake / ".venv" / "bin" / "python"
    loads = (
        "import lotus_infra, lotus_dagster.code_location as location\n"
        "print(lotus_infra.__file__, [sensor.name for sensor in location.defs.sensors])"
    )
    loaded = subprocess.run([str(python), "-c", loads], cwd=lake, capture_output=True, text=True, check=True).stdout
    assert loaded.startswith(str(lake / ".venv"))
    assert "['faker_users_sensor']" in loaded
    lotus = python.with_name("lotus")
    for line in ("schema --write", "check", "init --upgrade"):
        subprocess.run([lotus, *line.split()], cwd=lake, check=True, stdout=subprocess.DEVNULL)

    fingerprint = [str(python), "-m", "lotus_infra.dagster_fingerprint"]
    subprocess.run(fingerprint, cwd=lake, check=True, stdout=subprocess.DEVNULL)
    host = [language_host(tmp_path, lake / ".venv"), *engine] if engine else []
    stands_up(engine_over(Pulumi(tmp_path, host), aws), twin)
