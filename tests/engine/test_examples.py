"""The examples of `docs/examples` and `examples`: those in Python and YAML run, those in TypeScript and Go compile."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
import yaml
from airbyte_twin.records import User
from airbyte_twin.testing import RunningTwin, running_twin

from tests.engine.harness import Pulumi
from tests.engine.outside import EXAMPLES
from toolchain.engine import EngineError
from toolchain.languages import yaml_host
from toolchain.registry_pages import EXAMPLES as REFERENCE
from toolchain.sdks import write_sdks

SHORT = sorted(folder for folder in REFERENCE.iterdir() if folder.is_dir())
NAMES = [folder.name for folder in SHORT]
SECRETS = ("accessKeyId", "secretAccessKey", "clientSecret")
CLOUD = "OauthCredentials"
"""An example for Airbyte Cloud: self-managed servers refuse it."""
ORGANIZATION = "00000000-0000-0000-0000-000000000000"
ADA = "5a1c0f1e-0000-4000-8000-0000000000ad"


@pytest.fixture
def twin(request: pytest.FixtureRequest) -> Iterator[RunningTwin]:
    """An Airbyte of the kind that the example is for, with a second user in its organization."""
    edition = "cloud" if CLOUD in request.node.name else "community"
    with running_twin(edition=edition) as twin:
        twin.store.users.put(User(id=ADA, name="Ada", email="ada@example.com"))
        member = {"userId": ADA, "organizationId": ORGANIZATION, "permissionType": "organization_member"}
        httpx.post(f"{twin.public_url}/permissions", json=member).raise_for_status()
        yield twin


def run(command: Sequence[str | Path], folder: Path) -> None:
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def sdk(folder: Path, language: str) -> Path:
    """The generated SDK, or a skip with the reason."""
    try:
        [written] = write_sdks(folder, [language])
    except EngineError as error:
        pytest.skip(f"NO SDK FOR {language.upper()}: {error}")
    return written


def needed(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"NO {name.upper()} on this machine")
    return found


def applied(pulumi: Pulumi, twin: RunningTwin) -> None:
    """Brings an example up against the twin: it is clean afterwards, and takes everything down again."""
    pulumi.config_set("airbyte:serverUrl", twin.public_url)
    pulumi.config_set("bucket", "landing")
    for name in SECRETS:
        pulumi.config_set(name, f"value-of-{name}", secret=True)

    done = pulumi.up().ok()

    assert "does not exist on Object" not in done.output, "the host warns about the project file"
    assert pulumi.outputs()
    assert pulumi.preview("--json", "--refresh").ok().changes() == ()
    state = pulumi.run("stack", "export").ok().output
    assert not [name for name in SECRETS if f"value-of-{name}" in state]
    pulumi.destroy().ok()


@pytest.mark.parametrize("name", NAMES)
def test_an_example_in_python_comes_up_is_clean_and_goes(
    name: str, tmp_path: Path, engine: list[Path], twin: RunningTwin
) -> None:
    definition = yaml.safe_dump({"name": "example", "runtime": "python"})
    pulumi = Pulumi(tmp_path, engine, definition=definition)
    shutil.copy(REFERENCE / name / "__main__.py", pulumi.project)

    applied(pulumi, twin)


@pytest.mark.parametrize("folder", [*SHORT, EXAMPLES / "faker-to-s3-yaml"], ids=lambda folder: folder.name)
def test_an_example_in_yaml_comes_up_is_clean_and_goes(
    folder: Path, tmp_path: Path, engine: list[Path], twin: RunningTwin
) -> None:
    try:
        host = yaml_host()
    except EngineError as error:
        pytest.skip(f"NO HOST FOR YAML: {error}")
    definition = (folder / "Pulumi.yaml").read_text(encoding="utf-8")

    applied(Pulumi(tmp_path, [host, *engine], definition=definition), twin)


def test_the_examples_in_typescript_compile(tmp_path: Path) -> None:
    npm = needed("npm")
    package = sdk(tmp_path, "nodejs")
    run([npm, "install", "--no-audit", "--no-fund", "--ignore-scripts"], package)
    tsc = package / "node_modules" / ".bin" / "tsc"
    run([tsc, "--outDir", "bin"], package)
    modules = tmp_path / "programs" / "node_modules"
    shutil.copytree(package / "bin", modules / "@lotus-lake" / "pulumi-airbyte")
    shutil.copy(package / "package.json", modules / "@lotus-lake" / "pulumi-airbyte")
    for each in (package / "node_modules").iterdir():
        (modules / each.name).symlink_to(each)
    whole = EXAMPLES / "faker-to-s3-typescript"
    for folder in (*SHORT, whole):
        shutil.copytree(folder, modules.parent / folder.name)

    run([tsc, "-p", modules.parent / whole.name], modules.parent)

    strict = ["--noEmit", "--strict", "--target", "es2020", "--module", "commonjs", "--skipLibCheck"]
    run([tsc, *strict, *(f"{name}/index.ts" for name in NAMES)], modules.parent)


def test_the_examples_in_go_compile(tmp_path: Path) -> None:
    go = needed("go")
    package = sdk(tmp_path / "sdk", "go")
    programs = shutil.copytree(EXAMPLES / "faker-to-s3-go", tmp_path / "programs")
    for folder in SHORT:
        (programs / folder.name).mkdir()
        shutil.copy(folder / "main.go", programs / folder.name)
    run([go, "mod", "edit", "-replace", f"github.com/lotus-lake/lotus/sdk/go={package}"], programs)
    pinned = [line for line in (package / "go.mod").read_text().splitlines() if "pulumi/sdk/v3" in line]
    assert pinned[0].removeprefix("require ") in (programs / "go.mod").read_text(), "the SDK needs another release"
    run([go, "mod", "tidy"], programs)

    (tmp_path / "built").mkdir()
    run([go, "build", "-o", tmp_path / "built", "./..."], programs)


def test_the_examples_in_go_are_formatted() -> None:
    gofmt = needed("gofmt")
    files = [*REFERENCE.rglob("*.go"), *EXAMPLES.rglob("*.go")]
    listed = subprocess.run([gofmt, "-l", *map(str, files)], capture_output=True, text=True, check=True).stdout
    assert listed == ""


def test_the_whole_example_is_the_same_program_in_every_language() -> None:
    definitions = {
        folder.name.rpartition("-")[2]: yaml.safe_load((folder / "Pulumi.yaml").read_text(encoding="utf-8"))
        for folder in sorted(EXAMPLES.glob("faker-to-s3-*"))
    }
    assert definitions.keys() == {"go", "python", "typescript", "yaml"}
    assert len({str(each["config"]) + each["description"] for each in definitions.values()}) == 1
    texts = [
        (EXAMPLES / f"faker-to-s3-{language}" / file).read_text(encoding="utf-8")
        for language, file in {"go": "main.go", "python": "__main__.py", "typescript": "index.ts"}.items()
    ]
    for value in ("source-faker", "destination-s3", "Data team", "0 0 * * * ?", "updated_at", "Faker → S3", "Parquet"):
        assert [text for text in texts if value not in text] == []


def test_this_environment_has_the_plugin_that_the_examples_run_with() -> None:
    assert (Path(sys.executable).parent / "pulumi-resource-airbyte").exists()
