"""The package's schema in other languages: its SDKs compile, a program in YAML runs, imports and converts write code.

The hosts are those that come with the Pulumi CLI, or stand-ins built from Go modules (`toolchain/languages.py`). Where
neither can be had, or a registry is out of reach, a test is skipped with the reason.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from airbyte_twin.testing import RunningTwin
from pulumi_airbyte.provider import schema

from tests.engine.harness import Pulumi
from toolchain.engine import EngineError
from toolchain.languages import LANGUAGES, generators, yaml_host
from toolchain.sdks import write_sdks

PLUGIN = Path(sys.executable).parent
SIGNATURE = "4dabf18193072939515e22adb298388d"
KEY = "00112233445566778899aabbccddeeff"
PLUGINS = f"plugins: {{providers: [{{name: airbyte, path: {PLUGIN}}}]}}\n"
CONFIG = "config: {key: {type: string, secret: true}}\n"
PROGRAM = """\
resources:
  team:
    type: airbyte:Workspace
    properties: {name: Team}
  faker:
    type: airbyte:Source
    properties:
      name: Faker
      workspaceId: ${team.workspaceId}
      definitionId:
        fn::invoke:
          function: airbyte:getConnectorDefinition
          arguments: {name: source-faker}
          return: definitionId
      configuration: {count: 1000}
  nowhere:
    type: airbyte:Destination
    properties:
      name: Nowhere
      workspaceId: ${team.workspaceId}
      definitionId:
        fn::invoke:
          function: airbyte:getConnectorDefinition
          arguments: {name: destination-dev-null}
          return: definitionId
      configuration:
        test_destination: {test_destination_type: SILENT}
  daily:
    type: airbyte:Connection
    properties:
      name: Daily
      sourceId: ${faker.sourceId}
      destinationId: ${nowhere.destinationId}
      namespaceDefinition: source
      schedule: {scheduleType: cron, cronExpression: "0 0 6 * * ?"}
      configurations:
        streams:
          - name: users
            syncMode: incremental_append
            cursorField: [updated_at]
            selectedFields: [updated_at, id, email]
            mappers: [%s]
          - name: purchases
outputs:
  connection: ${daily.connectionId}
"""
HASHING = """{
  type: hashing, mapperConfiguration: {method: SHA-256, targetField: email, fieldNameSuffix: _hashed}
}"""
ENCRYPTION = """{
  type: encryption,
  mapperConfiguration: {
    algorithm: AES, key: "${key}", mode: CBC, padding: PKCS5Padding, targetField: email, fieldNameSuffix: _encrypted
  }
}"""
UNREACHABLE = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|dial tcp|no such host|40[34] (Forbidden|Not Found)"
)


def definition(runtime: str, program: str = "") -> str:
    """A `Pulumi.yaml`."""
    return f"name: test-project\nruntime: {runtime}\n{PLUGINS}{program}"


@pytest.fixture(scope="module")
def yaml_folder() -> Path:
    """The folder of YAML's host and converter."""
    try:
        return yaml_host()
    except EngineError as error:
        pytest.skip(f"NO HOST FOR YAML: {error}")


@pytest.fixture(scope="module")
def hosts() -> Path:
    """The folder of the hosts that write code."""
    try:
        return generators()
    except EngineError as error:
        pytest.skip(f"NO GENERATORS: {error}")


@pytest.fixture(scope="module")
def sdks(tmp_path_factory: pytest.TempPathFactory, engine: list[Path], hosts: Path) -> Path:
    """The SDKs, as the tool writes them."""
    out = tmp_path_factory.mktemp("sdks")
    write_sdks(out)
    return out


@pytest.fixture
def in_yaml(tmp_path: Path, engine: list[Path], yaml_folder: Path, twin: RunningTwin) -> Callable[[str], Pulumi]:
    """Makes a project in YAML, with a mapper of its users, and applies it."""

    def applied(mapper: str) -> Pulumi:
        program = CONFIG * ("${key}" in mapper) + PROGRAM % mapper
        pulumi = Pulumi(tmp_path / "yaml", [*engine, yaml_folder], definition=definition("yaml", program))
        pulumi.environment["AIRBYTE_SERVER_URL"] = twin.public_url
        pulumi.config_set("key", KEY, secret=True)
        pulumi.up().ok()
        return pulumi

    return applied


class Writer:
    """Writes programs in a language, as `pulumi import` and `pulumi convert` do."""

    def __init__(self, folder: Path, path: list[Path]) -> None:
        self.folder = folder
        self.path = path

    def imported(self, language: str, applied: Pulumi) -> tuple[str, Pulumi]:
        """The code of an import of a stack's resources into a new stack, and that stack, which can run it."""
        importing = Pulumi(self.folder / language, self.path, definition=definition(language))
        importing.environment["AIRBYTE_SERVER_URL"] = applied.environment["AIRBYTE_SERVER_URL"]
        listed = [
            {"type": one["type"], "name": urn.split("::")[-1], "id": one["id"]}
            for urn, one in applied.resources().items()
            if one["type"].startswith("airbyte:")
        ]
        resources, out = self.folder / "resources.json", self.folder / f"imported-{language}"
        resources.write_text(json.dumps({"resources": listed}), encoding="utf-8")
        options = ("--yes", "--skip-preview", "--protect=false", "--out", str(out))
        importing.run("import", "--file", str(resources), *options).ok()
        importing.environment["PATH"] = applied.environment["PATH"]
        return out.read_text(encoding="utf-8"), importing

    def converted(self, language: str, file: str) -> str:
        """The program in YAML, converted."""
        given = Pulumi(self.folder / "given", self.path, definition=definition("yaml", PROGRAM % HASHING))
        out = self.folder / f"converted-{language}"
        options = ("--from", "yaml", "--language", language, "--generate-only", "--out", str(out))
        given.run("convert", *options).ok()
        return (out / file).read_text(encoding="utf-8")


@pytest.fixture
def writer(tmp_path: Path, engine: list[Path], yaml_folder: Path, hosts: Path) -> Writer:
    """Writes programs; its hosts can't run one."""
    return Writer(tmp_path / "written", [hosts, yaml_folder, *engine])


def compiled(command: list[str], folder: Path) -> None:
    """Run a step of a compiler; skip the test where a registry is out of reach."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"NO COMPILER: {command[0]} is not on PATH")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=1200, check=False)
    output = done.stdout + done.stderr
    if done.returncode != 0 and UNREACHABLE.search(output):
        pytest.skip(f"NO REGISTRY for {' '.join(command)}: {output[-300:]}")
    assert done.returncode == 0, f"{' '.join(command)}:\n{output}"


def test_the_engine_binds_the_schema_that_the_plugin_serves_without_a_warning(pulumi: Pulumi, tmp_path: Path) -> None:
    served = pulumi.run("package", "get-schema", str(PLUGIN / "pulumi-resource-airbyte")).ok()
    assert not re.search("warning|error", served.stderr, re.IGNORECASE), served.stderr
    found = served.json()
    assert found["resources"].keys() == json.loads(schema.served())["resources"].keys()
    file = tmp_path / "schema.json"
    file.write_text(schema.served(), encoding="utf-8")
    checked = pulumi.run("schema", "check", str(file)).ok()
    assert "warning" not in checked.output.lower()


def test_sdks_in_four_languages_have_every_resource_and_look_up(sdks: Path) -> None:
    document = json.loads(schema.served())
    names = [token.rpartition(":")[2] for token in (*document["resources"], *document["functions"])]
    assert {folder.name for folder in sdks.iterdir()} == set(LANGUAGES)
    for language in LANGUAGES:
        files = [re.sub("[^a-z]", "", path.stem.lower()) for path in (sdks / language).rglob("*") if path.is_file()]
        assert {name.lower() for name in names} <= set(files), language
    package = json.loads((sdks / "nodejs" / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == document["version"]


def test_the_enumerations_of_the_python_sdk_are_those_of_a_generated_one(sdks: Path) -> None:
    members = re.compile(r'^class (\w+)|^    ([A-Z0-9_]+) = ("[^"]*")', re.MULTILINE)
    generated, own = sdks / "python" / "pulumi_airbyte" / "_enums.py", Path(schema.__file__).parents[1] / "enums.py"
    found = [members.findall(each.read_text(encoding="utf-8")) for each in (generated, own)]
    assert found[0] == found[1]


def test_typed_streams_of_a_program_in_yaml_are_one_secret_text_in_the_state(
    in_yaml: Callable[[str], Pulumi], twin: RunningTwin
) -> None:
    pulumi = in_yaml(ENCRYPTION)

    [connection] = [one for one in pulumi.resources(show_secrets=True).values() if one["type"].endswith(":Connection")]
    hidden = connection["inputs"]["configurations"]
    assert hidden.keys() == {SIGNATURE, "plaintext"}
    streams = {stream["name"]: stream for stream in json.loads(json.loads(hidden["plaintext"]))["streams"]}
    assert streams["users"]["selectedFields"] == ["email", "id", "updated_at"]
    assert streams["users"]["mappers"][0]["mapperConfiguration"]["key"] == KEY
    [live] = twin.store.connections
    assert {stream.name for stream in live.streams} == {"users", "purchases"}
    assert not pulumi.preview("--json").ok().changes()
    assert not pulumi.refresh("--json").ok().changes()


def test_code_that_an_import_or_a_conversion_writes_changes_nothing(
    in_yaml: Callable[[str], Pulumi], writer: Writer
) -> None:
    pulumi = in_yaml(HASHING)
    code, imported = writer.imported("yaml", pulumi)
    (imported.project / "Pulumi.yaml").write_text(definition("yaml", code), encoding="utf-8")
    assert not imported.preview("--json").ok().changes(), code
    code, imported = writer.imported("python", pulumi)
    imported.program(code)
    assert not imported.preview("--json").ok().changes(), code

    code = writer.converted("python", "__main__.py")
    (pulumi.project / "Pulumi.yaml").write_text(definition("python"), encoding="utf-8")
    pulumi.program(code)
    assert not pulumi.preview("--json").ok().changes(), code


def test_the_sdk_and_written_programs_in_typescript_compile(
    in_yaml: Callable[[str], Pulumi], writer: Writer, sdks: Path
) -> None:
    folder = sdks / "nodejs"
    compiled(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], folder)
    compiled(["npx", "tsc", "-p", "."], folder)
    pulumi = in_yaml(HASHING)
    program = folder / "program"
    program.mkdir()
    codes = {"imported": writer.imported("nodejs", pulumi)[0], "converted": writer.converted("typescript", "index.ts")}
    for name, code in codes.items():
        (program / f"{name}.ts").write_text(code, encoding="utf-8")
    package = json.loads(schema.served())["language"]["nodejs"]["packageName"]
    options = {"noEmit": True, "baseUrl": "..", "paths": {package: ["./index.ts"]}}
    settings = {"extends": "../tsconfig.json", "compilerOptions": options, "files": [f"{name}.ts" for name in codes]}
    (program / "tsconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    compiled(["npx", "tsc", "-p", "program"], folder)


def test_the_sdk_and_written_programs_in_go_compile(
    in_yaml: Callable[[str], Pulumi], writer: Writer, sdks: Path
) -> None:
    folder = sdks / "go"
    codes = {"imported": writer.imported("go", in_yaml(HASHING))[0], "converted": writer.converted("go", "main.go")}
    for name, code in codes.items():
        (folder / name).mkdir()
        (folder / name / "main.go").write_text(code, encoding="utf-8")
    compiled(["go", "mod", "tidy"], folder)
    compiled(["go", "build", "./..."], folder)


def test_an_import_writes_a_value_that_only_the_server_sets(
    in_yaml: Callable[[str], Pulumi], writer: Writer, twin: RunningTwin
) -> None:
    pulumi = in_yaml(HASHING)
    [connection] = twin.store.connections
    twin.store.connections.put(connection.model_copy(update={"status": "locked"}))
    for language in ("yaml", "nodejs", "python", "go"):
        code, _ = writer.imported(language, pulumi)
        assert "locked" in code, language
