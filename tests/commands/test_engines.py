"""The commands on a lake with all kinds of sources: Airbyte into the bucket, Airbyte into a database, and dlt.

What talks to Airbyte leaves out the sources that Airbyte does not read, or says who reads them.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.lab import Lab
from tests.support.commands import Lotus, stand_in_engine, write_stack
from tests.support.lakes import source, stream, write

MODULE = """
import dlt

@dlt.source
def erp(url, api_key=dlt.secrets.value):
    return dlt.resource([1], name="orders")
"""


@pytest.fixture
def mixed(lab: Lab, tmp_path: Path) -> Lab:
    """The lab's lake with a source for a database and a source for dlt; `crm` is not deployed yet."""
    configuration = {"url": {"$config": "erp_url"}, "api_key": {"$secret": "erp_api_key"}}
    postgres = {
        "connector": "destination-postgres",
        "spec": {},
        "definition_id": "25c5221d-dce2-4163-ade9-739ef790f503",
    }
    files: dict[str, Any] = {
        "_connectors/destination-postgres.json": postgres,
        "_destinations/crm_db.json": {"connector": "destination-postgres", "configuration": {"database": "crm"}},
        "crm/_source.json": source(name="CRM", destination="crm_db"),
        "crm/contacts.json": stream(stream="users"),
        "erp/_source.json": {"engine": "dlt", "name": "Our ERP", "configuration": configuration},
        "erp/orders.json": stream(),
    }
    write(lab.folder, files)
    write(tmp_path, {"dagster/sources/erp.py": MODULE})
    return lab


@pytest.fixture
def lotus(mixed: Lab, lotus: Lotus, tmp_path: Path) -> Lotus:
    """Runs the command beside that lake, whose stack has the values of `erp` too."""
    values = {"lotus:landing_bucket": "landing", "lotus:s3_secret_access_key": {"secure": "v1:abc"}}
    erp = {"lotus:erp_url": "http://127.0.0.1/", "lotus:erp_api_key": {"secure": "v1:def"}}
    write_stack(tmp_path, "dev", mixed.values | values | erp)
    return lotus


def test_the_lake_is_clean(lotus: Lotus, capsys: pytest.CaptureFixture[str]) -> None:
    assert lotus("check") == 0
    assert "erp" not in capsys.readouterr().out


def test_a_value_of_a_dlt_source_that_a_stack_lacks_is_reported(
    mixed: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stack(tmp_path, "dev", mixed.values | {"lotus:landing_bucket": "x", "lotus:s3_secret_access_key": "y"})

    assert lotus("check") == 1
    assert 'configuration.api_key: the secret "erp_api_key" is not set in the stack dev' in capsys.readouterr().out


def test_an_audit_expects_no_object_of_a_dlt_source(
    lotus: Lotus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in_engine(tmp_path, monkeypatch, 'echo \'{"version": 3, "deployment": {}}\'')

    assert lotus("audit", "--json") == 0

    objects = json.loads(capsys.readouterr().out)["objects"]
    assert {each["standing"] for each in objects} == {"adoptable"}
    assert "Our ERP" not in {each["name"] for each in objects}


def test_a_source_in_airbyte_with_the_label_of_a_dlt_source_is_an_orphan(
    mixed: Lab, lotus: Lotus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed.deploy("Our ERP", mixed.airbyte.list_actors("destination")[0].actor_id)
    stand_in_engine(tmp_path, monkeypatch, 'echo \'{"version": 3, "deployment": {}}\'')

    assert lotus("audit", "--json") == 0

    standings = {each["name"]: each["standing"] for each in json.loads(capsys.readouterr().out)["objects"]}
    assert standings["Our ERP"] == "orphan"


def test_a_discovery_of_a_dlt_source_says_where_its_fields_come_from(
    lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus("discover", "erp") == 1

    told = " ".join(capsys.readouterr().err.split())
    assert "dlt lists no streams of erp: its stream files are all that is known of them" in told
    assert "write erp/<stream>.json with the fields that the module yields" in told


def test_a_discovery_of_all_leaves_dlt_sources_out(
    mixed: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed.deploy("CRM", mixed.airbyte.list_actors("destination")[0].actor_id)

    lotus("discover", "--all", "--json")

    document = json.loads(capsys.readouterr().out)
    assert {each["source"]: each["failure"] for each in document["sources"]} == {"crm": "", "shop": "", "store": ""}
    assert not (mixed.folder / "erp" / "_discovered").exists()


def test_a_migration_leaves_files_and_label_of_a_dlt_source_alone(
    mixed: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed.deploy("our erp", mixed.airbyte.list_actors("destination")[0].actor_id)
    before = {file: file.read_bytes() for file in (mixed.folder / "erp").rglob("*")}

    lotus("migrate", "--from", "live", "--json")

    document = json.loads(capsys.readouterr().out)
    assert not any("erp" in json.dumps(each).lower() for each in document["files"])
    [note] = [each for each in document["notes"] if "our erp" in each["subject"].lower()]
    assert "has the label of erp/_source.json, whose module dlt reads" in note["what"]
    assert {file: file.read_bytes() for file in (mixed.folder / "erp").rglob("*")} == before


def test_two_stacks_differ_in_the_settings_of_a_dlt_source_too(
    mixed: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_stack(tmp_path, "prod", mixed.values | {"lotus:erp_url": "http://127.0.0.2/"})
    overlay: dict[str, Any] = {"sources": {"erp": {"schedule": {"type": "basic", "every": "6 hours"}}}}
    write(mixed.folder, {"_stacks/prod.json": overlay})

    assert lotus("diff", "--stack", "dev", "--stack", "prod") == 0

    told = capsys.readouterr().out
    assert "erp schedule: dev manual, prod every 6 hours" in told
    assert "erp_url: dev http://127.0.0.1/, prod http://127.0.0.2/" in told


def test_connectors_are_updated_without_a_look_at_dlt_sources(lotus: Lotus, capsys: pytest.CaptureFixture[str]) -> None:
    assert lotus("connector", "update", "source-faker") == 0
    assert "erp" not in capsys.readouterr().out


def test_a_connector_named_by_a_dlt_source_is_a_mistake_of_its_file(
    mixed: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    write(mixed.folder, {"erp/_source.json": {"engine": "dlt", "connector": "source-faker", "configuration": {}}})

    assert lotus("check") == 1
    assert 'connector: is Airbyte\'s, and the engine is "dlt": delete it' in capsys.readouterr().out
