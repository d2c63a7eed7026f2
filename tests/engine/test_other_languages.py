"""The package's schema in other languages: a program in YAML runs, is converted, and imports write code that binds.

The hosts are those that come with the Pulumi CLI, or stand-ins built from Go modules (`toolchain/languages.py`). Where
neither can be had, a test is skipped with the reason.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airbyte_twin.testing import RunningTwin

from tests.engine.harness import JsonObject, Pulumi
from toolchain.engine import EngineError
from toolchain.languages import generators, yaml_host

PROGRAM = """\
name: test-project
runtime: yaml
plugins:
  providers:
    - name: airbyte
      path: %(plugin)s
config:
  key:
    type: string
    secret: true
variables:
  workspaceId:
    fn::invoke:
      function: airbyte:getWorkspace
      arguments: {}
      return: workspaceId
resources:
  faker:
    type: airbyte:Source
    properties:
      workspaceId: ${workspaceId}
      definitionId:
        fn::invoke:
          function: airbyte:getConnectorDefinition
          arguments: {name: source-faker}
          return: definitionId
      configuration: {count: 1000}
  nowhere:
    type: airbyte:Destination
    properties:
      workspaceId: ${workspaceId}
      definitionId:
        fn::invoke:
          function: airbyte:getConnectorDefinition
          arguments: {name: destination-dev-null}
          return: definitionId
      configuration:
        test_destination: {test_destination_type: SILENT}
  faker-to-nowhere:
    type: airbyte:Connection
    properties:
      sourceId: ${faker.sourceId}
      destinationId: ${nowhere.destinationId}
      schedule: {scheduleType: cron, cronExpression: "0 0 * * * ?"}
      configurations:
        streams:
          - name: users
            syncMode: incremental_append
            cursorField: [updated_at]
            selectedFields: [updated_at, id, email]
            mappers:
              - type: encryption
                mapperConfiguration:
                  algorithm: AES
                  key: ${key}
                  mode: CBC
                  padding: PKCS5Padding
                  targetField: email
                  fieldNameSuffix: _encrypted
          - name: purchases
outputs:
  connection: ${faker-to-nowhere.connectionId}
"""
SIGNATURE = "4dabf18193072939515e22adb298388d"
KEY = "00112233445566778899aabbccddeeff"


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


@pytest.fixture
def program(tmp_path: Path, engine: list[Path], yaml_folder: Path, twin: RunningTwin) -> Pulumi:
    """A project in YAML, not applied yet."""
    definition = PROGRAM % {"plugin": Path(sys.executable).parent}
    pulumi = Pulumi(tmp_path, [*engine, yaml_folder], definition=definition)
    pulumi.environment["AIRBYTE_SERVER_URL"] = twin.public_url
    pulumi.config_set("key", KEY, secret=True)
    return pulumi


def only(pulumi: Pulumi, kind: str) -> JsonObject:
    [found] = [one for urn, one in pulumi.resources(show_secrets=True).items() if f":{kind}::" in urn]
    return found


def test_typed_streams_of_a_program_in_yaml_are_one_secret_text_in_the_state(
    program: Pulumi, twin: RunningTwin
) -> None:
    program.up().ok()

    inputs = only(program, "Connection")["inputs"]
    assert inputs["configurations"].keys() == {SIGNATURE, "plaintext"}
    text = json.loads(inputs["configurations"]["plaintext"])
    streams = {stream["name"]: stream for stream in json.loads(text)["streams"]}
    assert streams["users"]["selectedFields"] == ["email", "id", "updated_at"]
    assert streams["users"]["mappers"][0]["mapperConfiguration"]["key"] == KEY
    [live] = twin.store.connections
    assert {stream.name for stream in live.streams} == {"users", "purchases"}
    assert not program.preview("--json").ok().changes()
    assert not program.refresh("--json").ok().changes()


@pytest.mark.parametrize(
    ("language", "file"), [("yaml", "out"), ("nodejs", "out"), ("python", "out"), ("go", "out"), ("dotnet", "out")]
)
def test_an_import_writes_code_that_binds(
    program: Pulumi,
    tmp_path: Path,
    engine: list[Path],
    yaml_folder: Path,
    hosts: Path,
    twin: RunningTwin,
    language: str,
    file: str,
) -> None:
    program.up().ok()
    definition = json.dumps(
        {
            "name": "test-project",
            "runtime": language,
            "plugins": {"providers": [{"name": "airbyte", "path": str(Path(sys.executable).parent)}]},
        }
    )
    importing = Pulumi(tmp_path / "import", [hosts, *engine, yaml_folder], definition=definition)
    importing.environment["AIRBYTE_SERVER_URL"] = twin.public_url
    listed = [
        {"type": one["type"], "name": one["urn"].split("::")[-1], "id": one["id"]}
        for one in program.resources().values()
        if one["type"].startswith("airbyte:")
    ]
    (tmp_path / "resources.json").write_text(json.dumps({"resources": listed}))
    done = importing.run(
        "import", "--file", str(tmp_path / "resources.json"), "--yes", "--skip-preview", "--out", str(tmp_path / "out")
    ).ok()
    print(done.output)
    print((tmp_path / "out").read_text())
    assert 0
