"""The image without Docker: the Dockerfile's steps run in an empty folder, and its server is asked what it loads."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lotus_dagster.lake import streams_of

from lotus_infra import naming
from lotus_infra.commands.verify import QUERY, Build, build_in
from lotus_infra.dagster_fingerprint import definitions_fingerprint
from toolchain.image_steps import Built, build

REPOSITORY = Path(__file__).resolve().parents[2]
COMMIT = "3f9c2a1e5b7d8046912c3f9c2a1e5b7d8046912c"
SENSORS = "{ repositoriesOrError { ... on RepositoryConnection { nodes { sensors { name } } } } }"
STARTED = "Started Dagster code server"


@pytest.mark.image
@pytest.mark.nightly
def test_the_steps_make_a_code_server_that_answers_without_any_variable_of_its_surroundings(tmp_path: Path) -> None:
    found = definitions_fingerprint(REPOSITORY)
    arguments = {"LOTUS_COMMIT": COMMIT, "LOTUS_DEFINITIONS": found}
    (tmp_path / "root").mkdir()
    built = build(REPOSITORY, REPOSITORY / "dagster" / "Dockerfile", tmp_path / "root", arguments)

    assert {step.split()[0] for step in built.left_out} == {"FROM", "RUN", "USER", "EXPOSE"}
    [left_out] = [step for step in built.left_out if step.startswith("RUN")]
    assert left_out.startswith("RUN useradd")
    assert built.labels["org.opencontainers.image.revision"] == COMMIT
    assert not (built.root / "usr/local/bin/uv").exists()
    packages = {path.name for path in (built.root / "app/.venv/lib").glob("python3.*/site-packages/*")}
    assert {"dagster_k8s", "dagster_postgres", "duckdb"} <= packages
    assert not [name for name in packages if name.startswith(("pulumi", "airbyte", "lotus", "pytest", "pip", "uv"))]
    assert not list((built.root / "app").glob("lotus_infra/*/cli.py"))

    port = free_port()
    health_check = on(port, built.health_check)
    assert called(built, *health_check).returncode == 1
    with code_server(built, port):
        assert called(built, *health_check).returncode == 0
        asks = Asks(port, tmp_path / "asking")
        [repository] = asks(SENSORS)["data"]["repositoriesOrError"]["nodes"]
        told = build_in(asks(QUERY), f"grpc:127.0.0.1:{port}")

    sensors = {each["name"] for each in repository["sensors"]}
    assert {naming.sensor(stream.source, stream.name) for stream in streams_of(REPOSITORY / "streams")} <= sensors
    assert told == Build(COMMIT, found)


def on(port: int, command: tuple[str, ...]) -> list[str]:
    """A command of the Dockerfile, for another port and for this machine alone."""
    return ["127.0.0.1" if word == "0.0.0.0" else str(port) if word == "3030" else word for word in command]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def called(built: Built, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/usr/bin/env", *command], env=built.environment, cwd=built.folder, capture_output=True, text=True, check=False
    )


@contextmanager
def code_server(built: Built, port: int) -> Iterator[None]:
    """The server of the Dockerfile's CMD, from when it says that it has loaded."""
    server = subprocess.Popen(
        ["/usr/bin/env", *on(port, built.command)],
        env=built.environment,
        cwd=built.folder,
        stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        said = []
        for line in server.stdout:
            said.append(line)
            if STARTED in line:
                break
        else:
            pytest.fail("".join(said))
        yield
    finally:
        server.terminate()
        server.communicate(timeout=60)


@dataclass(frozen=True)
class Asks:
    """Dagster's own GraphQL, on top of a code server."""

    port: int
    home: Path

    def __call__(self, query: str) -> Any:
        self.home.mkdir(exist_ok=True)
        (self.home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
        graphql = Path(sys.executable).with_name("dagster-graphql")
        ran = subprocess.run(
            [graphql, "--grpc-host", "127.0.0.1", "--grpc-port", str(self.port), "-t", query],
            env=os.environ | {"DAGSTER_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(ran.stdout)
