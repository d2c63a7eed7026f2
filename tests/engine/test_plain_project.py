"""The package on its own: its wheel in an environment outside this repository, where nothing is Lotus's."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from airbyte_twin.testing import RunningTwin, running_twin

from tests.engine.harness import REPOSITORY, Pulumi
from toolchain.connectors import LOCAL_UV

PACKAGE = REPOSITORY / "packages" / "pulumi-airbyte"
EXAMPLE = PACKAGE / "examples" / "faker-to-s3"
UV = shutil.which("uv") or str(LOCAL_UV)


def blocks(file: Path, language: str) -> list[str]:
    """The code blocks of a page in one language, whatever else is said of them."""
    return re.findall(
        rf"^```{language}\b[^\n]*\n(.*?)^```$", file.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def uv(*arguments: str | Path) -> str:
    command = [UV, "--quiet", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that the built wheels were installed into, with what they need as locked."""
    folder = tmp_path_factory.mktemp("outside")
    locked = uv("export", "--frozen", "--package", "pulumi-airbyte", "--no-emit-workspace", "--no-hashes")
    (folder / "locked.txt").write_text(locked, encoding="utf-8")
    for package in ("airbyte-model", "pulumi-airbyte"):
        uv("build", "--wheel", "--package", package, "--out-dir", folder)
    wheels = sorted(folder.glob("*.whl"))
    uv("venv", "--python", sys.executable, folder / ".venv")
    uv("pip", "install", "--python", folder / ".venv", "--constraints", folder / "locked.txt", *wheels)
    return folder / ".venv"


@pytest.fixture
def twin() -> Iterator[RunningTwin]:
    with running_twin(auth="client_credentials") as twin:
        yield twin


def plain_project(folder: Path, engine: list[Path], installed: Path, definition: str) -> Pulumi:
    """A project whose `.venv` is that environment, and whose program runs in it.

    The official language host reads in `Pulumi.yaml` which environment a program runs in. The stand-in, which is in the
    engine's folder where there is no official one, runs it in its own; so it is started from that environment.
    """
    host = folder / "host" / "pulumi-language-python"
    if engine:
        host.parent.mkdir()
        command = [str(installed / "bin" / "python"), "-u", str(REPOSITORY / "toolchain" / "language_host.py")]
        host.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
        host.chmod(0o755)
    pulumi = Pulumi(folder, [host.parent, *engine], definition=definition)
    (pulumi.project / ".venv").symlink_to(installed)
    return pulumi


def configure(pulumi: Pulumi, page: Path, values: dict[str, str]) -> None:
    """Set what the page's commands set, to these values."""
    lines = [shlex.split(line) for block in blocks(page, "sh") for line in block.splitlines() if "config set" in line]
    assert {line[3] for line in lines} == set(values)
    ways = [("--secret" if line[-1] == "--secret" else "--plaintext", line[3]) for line in lines]
    pulumi.run("config", "set-all", *(f"{way}={key}={values[key]}" for way, key in ways)).ok()


def access(twin: RunningTwin) -> dict[str, str]:
    return {
        "airbyte:serverUrl": twin.public_url,
        "airbyte:clientId": twin.client_id,
        "airbyte:clientSecret": twin.client_secret,
    }


def test_ten_lines_and_the_wheel_are_a_whole_project(
    tmp_path: Path, engine: list[Path], installed: Path, twin: RunningTwin
) -> None:
    readme = PACKAGE / "README.md"
    program, definition = blocks(readme, "python")[0], blocks(readme, "yaml")[0]
    assert len([line for line in program.splitlines() if line]) <= 10
    pulumi = plain_project(tmp_path, engine, installed, definition)
    pulumi.program(program)
    configure(pulumi, readme, access(twin))

    pulumi.up().ok()

    [connection] = twin.store.connections
    assert connection.name == "faker"
    clean = pulumi.preview("--json", "--refresh").ok()
    assert clean.changes() == ()
    assert "pulumi-resource-airbyte from $PATH" not in clean.output

    without = {key: value for key, value in yaml.safe_load(definition).items() if key != "plugins"}
    (pulumi.project / "Pulumi.yaml").write_text(yaml.safe_dump(without), encoding="utf-8")
    pulumi.environment["PATH"] = f"{installed / 'bin'}:{pulumi.environment['PATH']}"
    warned = pulumi.preview().ok().output
    assert "4 unchanged" in warned
    assert f"using pulumi-resource-airbyte from $PATH at {installed}" in warned


def test_the_example_comes_up_and_is_clean(
    tmp_path: Path, engine: list[Path], installed: Path, twin: RunningTwin
) -> None:
    pulumi = plain_project(tmp_path, engine, installed, (EXAMPLE / "Pulumi.yaml").read_text(encoding="utf-8"))
    shutil.copy(EXAMPLE / "__main__.py", pulumi.project)
    secrets = {"accessKeyId": "value-of-the-key-id", "secretAccessKey": "value-of-the-key"}
    configure(pulumi, EXAMPLE / "README.md", {**access(twin), "bucket": "landing", "region": "us-west-1", **secrets})

    pulumi.up().ok()

    [connection] = twin.store.connections
    assert pulumi.outputs()["connection"] == connection.id
    assert pulumi.preview("--json", "--refresh").ok().changes() == ()
    state = pulumi.run("stack", "export").ok().output
    assert not [value for value in (*secrets.values(), twin.client_secret) if value in state]


def test_the_wheel_brings_types_schema_and_plugin_and_nothing_of_lotus(installed: Path) -> None:
    listed = uv("pip", "list", "--python", installed, "--format", "freeze").split()
    site = next(installed.glob("lib/python*/site-packages"))
    assert not [name for name in listed if name.startswith(("lotus", "airbyte-twin", "pytest"))]
    assert sorted(path.name for path in site.iterdir() if "airbyte" in path.name) == [
        "airbyte_model",
        f"airbyte_model-{metadata.version('airbyte-model')}.dist-info",
        "pulumi_airbyte",
        f"pulumi_airbyte-{metadata.version('pulumi-airbyte')}.dist-info",
    ]
    files = {str(path.relative_to(site / "pulumi_airbyte")) for path in (site / "pulumi_airbyte").rglob("*.*")}
    assert {"py.typed", "schema.json", "pulumi-plugin.json"} <= files
    assert not [name for name in files if "test" in name]
    assert (installed / "bin" / "pulumi-resource-airbyte").exists()
