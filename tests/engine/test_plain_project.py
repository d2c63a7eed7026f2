"""The packages on their own: built and installed outside this repository, where nothing is Lotus's."""

import json
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from airbyte_twin.testing import RunningTwin, running_twin

from tests.engine.harness import REPOSITORY
from tests.engine.outside import (
    EXAMPLES,
    PACKAGE,
    access,
    blocks,
    configure,
    install,
    plain_project,
    uv,
    without_plugin,
)
from toolchain.release import PACKAGES, plugin_archive

EXAMPLE = EXAMPLES / "faker-to-s3-python"
VERSION = metadata.version("pulumi-airbyte")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that the built wheels were installed into, with what they need as locked."""
    return install(tmp_path_factory.mktemp("outside"), "airbyte-model", "pulumi-airbyte")


@pytest.fixture
def twin() -> Iterator[RunningTwin]:
    with running_twin(auth="client_credentials") as twin:
        yield twin


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


def test_the_plugins_archive_is_installed_by_the_engine_and_runs_the_readmes_program(
    tmp_path: Path, engine: list[Path], installed: Path, twin: RunningTwin
) -> None:
    readme = PACKAGE / "README.md"
    definition = {key: value for key, value in yaml.safe_load(blocks(readme, "yaml")[0]).items() if key != "plugins"}
    pulumi = plain_project(tmp_path, engine, installed, yaml.safe_dump(definition))
    pulumi.program(blocks(readme, "python")[0])
    configure(pulumi, readme, access(twin))
    archive = tmp_path / f"pulumi-resource-airbyte-v{VERSION}-linux-amd64.tar.gz"
    archive.write_bytes(plugin_archive(installed.parent / "dist"))

    without_plugin(pulumi)

    pulumi.run("plugin", "install", "resource", "airbyte", f"v{VERSION}", "--file", str(archive)).ok()

    [listed] = json.loads(pulumi.run("plugin", "ls", "--json").ok().stdout)
    assert (listed["name"], listed["kind"], listed["version"]) == ("airbyte", "resource", VERSION)
    pulumi.up().ok()
    [connection] = twin.store.connections
    assert connection.name == "faker"
    clean = pulumi.preview("--json", "--refresh").ok()
    assert clean.changes() == ()
    assert "pulumi-resource-airbyte from $PATH" not in clean.output


def test_the_engine_runs_the_plugin_from_a_folder_of_the_repository(tmp_path: Path, engine: list[Path]) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "packages"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, tmp_path / name)
    home = {"PULUMI_HOME": str(tmp_path / "home"), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    path = os.pathsep.join([*map(str, engine), os.environ["PATH"]])

    shown = subprocess.run(
        ["pulumi", "package", "get-schema", "./packages/pulumi-airbyte"],
        cwd=tmp_path,
        env=os.environ | home | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert shown.returncode == 0, shown.stderr
    schema = json.loads(shown.stdout)
    assert (schema["version"], schema["license"]) == (VERSION, "Apache-2.0")
    assert schema["name"] == "airbyte"
    assert "airbyte:index/connection:Connection" in schema["resources"]


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
        f"pulumi_airbyte-{VERSION}.dist-info",
    ]
    files = {str(path.relative_to(site / "pulumi_airbyte")) for path in (site / "pulumi_airbyte").rglob("*.*")}
    assert {"py.typed", "schema.json", "pulumi-plugin.json"} <= files
    assert not [name for name in files if "test" in name]
    assert (installed / "bin" / "pulumi-resource-airbyte").exists()


@pytest.mark.parametrize("name", PACKAGES)
def test_wheel_and_source_archive_have_the_licence_the_version_and_the_types(name: str, installed: Path) -> None:
    licence, module = (REPOSITORY / "LICENSE").read_bytes(), name.replace("-", "_")
    stem = f"{module}-{metadata.version(name)}"
    with zipfile.ZipFile(installed.parent / "dist" / f"{stem}-py3-none-any.whl") as wheel:
        described = message_from_bytes(wheel.read(f"{stem}.dist-info/METADATA"))
        assert wheel.read(f"{stem}.dist-info/licenses/LICENSE") == licence
        assert f"{module}/py.typed" in wheel.namelist()
        assert not [one for one in wheel.namelist() if not one.startswith((f"{module}/", f"{stem}.dist-info/"))]
    assert (described["Name"], described["Version"]) == (name, metadata.version(name))
    assert (described["License-Expression"], described["License-File"]) == ("Apache-2.0", "LICENSE")
    with tarfile.open(installed.parent / "dist" / f"{stem}.tar.gz") as source:
        names = {member.name.removeprefix(f"{stem}/") for member in source.getmembers()}
    assert {"LICENSE", "CHANGELOG.md", "README.md", "pyproject.toml", f"{module}/__init__.py"} <= names


def test_the_twins_wheel_alone_answers_in_an_empty_folder(tmp_path: Path) -> None:
    environment = install(tmp_path, "airbyte-twin")
    empty = tmp_path / "empty"
    empty.mkdir()

    command = [str(environment / "bin" / "airbyte-twin"), "--port", "0"]
    with subprocess.Popen(command, cwd=empty, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        try:
            assert started.stdout.readline().startswith("airbyte-twin listening on http://127.0.0.1:")
        finally:
            started.terminate()
    assert started.returncode == 0


def test_the_wheel_of_airbytes_rules_alone_applies_them_in_an_empty_folder(tmp_path: Path) -> None:
    environment = install(tmp_path, "airbyte-model")
    program = "from airbyte_model.schedules import cron_flaw; print(cron_flaw('0 0 * * * ?'), cron_flaw('0') is None)"

    ran = subprocess.run(
        [environment / "bin" / "python", "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert ran.stdout == "None False\n"
