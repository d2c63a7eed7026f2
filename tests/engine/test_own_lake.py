"""A lake of one's own: made by `lotus init`, deployed by the real engine, and installed from built packages."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import boto3
import pytest
import yaml
from airbyte_twin.testing import RunningTwin, running_twin

from lotus_infra.dagster_fingerprint import definitions_fingerprint
from tests.engine.harness import REPOSITORY, Pulumi
from tests.engine.outside import language_host, uv
from tests.support.aws import running_aws
from toolchain.connectors import LOCAL_UV
from toolchain.image_steps import build
from toolchain.release import build_packages

KEY: Final = "the-administrators-key"
REGION: Final = "eu-west-1"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The variables of an AWS account that has the state's bucket. The twin's syncs write there too."""
    with running_aws() as url:
        client = boto3.session.Session(KEY, KEY, region_name=REGION).client("s3", endpoint_url=url)
        client.create_bucket(Bucket="acme-state", CreateBucketConfiguration={"LocationConstraint": REGION})
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": KEY}


@pytest.fixture
def twin() -> Iterator[RunningTwin]:
    with running_twin(auth="client_credentials", run_syncs=True, first_records=20) as twin:
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
    return ran(["make", *targets], folder, environment)


def ran(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] = os.environ) -> str:
    """The output of a command that succeeds."""
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows_of_users(lake: Path, pulumi: Pulumi, twin: RunningTwin) -> int:
    """The rows of the lake's one model after a sync and a build of it."""
    python, lotus, dbt = (lake / ".venv" / "bin" / name for name in ("python", "lotus", "dbt"))
    # moto has no TLS, and leaves the condition out of the policy that demands it.
    boto3.session.Session(KEY, KEY, region_name=REGION).client("s3").delete_bucket_policy(Bucket="acme-landing")
    secret = {"AIRBYTE_CLIENT_SECRET": twin.client_secret}
    ran([lotus, "sync", "faker", "--stack", Pulumi.stack], lake, pulumi.environment | secret)
    (lake.parent / "tables").mkdir()
    tables = {"LOTUS_CATALOG": str(lake.parent / "lake.ducklake"), "LOTUS_LAKE_DATA": str(lake.parent / "tables")}
    landing = {"LOTUS_LANDING": "s3://acme-landing", "AWS_REGION": REGION}
    ran([dbt, "build", "--profiles-dir", "."], lake / "dagster" / "dbt", pulumi.environment | tables | landing)
    counts = (
        "from lotus_dagster.dbt_command import Warehouse, attached_lake\n"
        "with attached_lake(Warehouse.read()) as lake:\n"
        "    print(*lake.execute('select count(*) from lake.main.int_faker__users').fetchone())"
    )
    return int(ran([python, "-c", counts], lake, pulumi.environment | tables | landing))


def test_from_built_packages_alone_a_lake_is_made_checked_loaded_and_deployed(
    tmp_path: Path,
    engine: list[Path],
    aws: dict[str, str],
    twin: RunningTwin,
    wheels: Path,
) -> None:
    outer = tmp_path / "outer"
    uv("venv", "--python", sys.executable, outer)
    uv("pip", "install", "--python", outer, "--find-links", wheels, "lotus-infra[deploy]")
    lake = tmp_path / "project"
    new_lake(outer / "bin" / "lotus", lake, "--airbyte-url", twin.public_url, "--packages", str(wheels))

    make(lake, "setup", "check")

    python, lotus = (lake / ".venv" / "bin" / name for name in ("python", "lotus"))
    loads = (
        "import lotus_infra, lotus_dagster.code_location as location\n"
        "print(lotus_infra.__file__, [sensor.name for sensor in location.defs.sensors])"
    )
    loaded = ran([python, "-c", loads], lake)
    assert loaded.startswith(str(lake / ".venv"))
    assert "['faker_users_sensor']" in loaded
    ran([lotus, "schema", "--write"], lake)
    assert "no changes" in ran([lotus, "init", "--upgrade"], lake)
    assert re.fullmatch(r"[0-9a-f]{64}\n", ran([python, "-m", "lotus_infra.dagster_fingerprint"], lake))
    host = [language_host(tmp_path, lake / ".venv"), *engine] if engine else []
    pulumi = engine_over(Pulumi(tmp_path, host), aws)
    stands_up(pulumi, twin)

    assert rows_of_users(lake, pulumi, twin) > 0
    assert pulumi.preview("--json").ok().changes() == ()


def test_the_image_of_a_new_lake_loads_it_and_has_no_engine(tmp_path: Path, wheels: Path) -> None:
    lake = tmp_path / "lake"
    new_lake(Path(sys.executable).with_name("lotus"), lake, "--packages", str(wheels))
    uv("lock", "--directory", lake)
    fingerprint = definitions_fingerprint(lake)
    (tmp_path / "root").mkdir()

    arguments = {"LOTUS_COMMIT": "3f9c2a1", "LOTUS_DEFINITIONS": fingerprint}
    built = build(lake, lake / "dagster" / "Dockerfile", tmp_path / "root", arguments)

    packages = {path.name for path in (built.root / "app/.venv/lib").glob("python3.*/site-packages/*")}
    assert {"dagster_k8s", "dagster_postgres", "lotus_dagster", "lotus_infra"} <= packages
    assert not [name for name in packages if name.startswith(("pulumi", "boto3_stubs", "pytest", "uv"))]
    loads = "from lotus_dagster.code_location import defs; print([sensor.name for sensor in defs.sensors])"
    assert ran(["/usr/bin/env", "python", "-c", loads], built.folder, built.environment) == "['faker_users_sensor']\n"
