"""`lotus connector` as a user runs it: pins from a server, a file, and a connector's own command."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from lotus_infra.lake.report import check_lake
from tests.commands.lab import Lab
from tests.support.commands import Lotus, lotus_in, stand_in_engine, write_stack
from tests.support.lakes import OWN_STREAMS, Document, Files, write
from tests.support.postgres_lake import pin as postgres_pin

FAKER = "dfd88b22-b603-4c3d-aad7-3701784586b1"
KLAVIYO = "95e8cffd-b8c4-4039-968e-d32fb4a69bde"


@pytest.fixture
def lotus(bare: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lotus:
    """Runs `lotus connector` beside a lake without an engine."""
    write_stack(tmp_path, "dev", bare.values)
    monkeypatch.setenv("PATH", "")
    for name in ("klaviyo", "shopify"):
        (bare.folder / f"_connectors/source-{name}.json").unlink()
    return lotus_in(tmp_path, monkeypatch, "connector")


def pinned(lab: Lab, name: str) -> Any:
    return json.loads((lab.folder / "_connectors" / f"{name}.json").read_text())


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def write_spec(folder: Path, *, message: bool = True, **schema: object) -> Path:
    """What a connector's `spec` prints, with lines of its log, or its bare schema."""
    spec = {"title": "Mine", "type": "object", "properties": {"token": {"type": "string", "title": "T"}}, **schema}
    log = json.dumps({"type": "LOG", "log": {"level": "INFO", "message": "hello"}})
    line = json.dumps({"type": "SPEC", "spec": {"documentationUrl": "https://x", "connectionSpecification": spec}})
    file = folder / "spec.txt"
    file.write_text(f"{log}\nno JSON\n{line}\n" if message else json.dumps(spec, indent=2))
    return file


def test_a_plan_writes_nothing(bare: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(bare.folder)

    assert lotus("add", "source-klaviyo") == 0

    assert capsys.readouterr().out.splitlines() == [
        "+ streams/_connectors/source-klaviyo.json",
        f"    source-klaviyo 2.13.1, definition {KLAVIYO}",
        "Nothing is written yet: --yes writes it.",
        "Then:",
        "  lotus check",
    ]
    assert files(bare.folder) == before


@pytest.mark.parametrize("name", ["source-klaviyo", "source-shopify", "source-faker"])
def test_the_pins_of_the_own_lake_are_what_the_command_writes(bare: Lab, lotus: Lotus, name: str) -> None:
    file, own = (folder / f"_connectors/{name}.json" for folder in (bare.folder, OWN_STREAMS))
    file.unlink(missing_ok=True)

    assert lotus("add", name, "--yes") == 0
    assert json.loads(file.read_text()) == json.loads(own.read_text())

    # The server's order has no meaning: an update keeps the file's.
    file.write_bytes(own.read_bytes())
    assert lotus("update", name, "--yes") == 0
    assert file.read_bytes() == own.read_bytes()


def test_a_destination_is_pinned_with_its_modes(bare: Lab, lotus: Lotus) -> None:
    assert lotus("add", "destination-dev-null", "--yes") == 0

    found = pinned(bare, "destination-dev-null")
    assert found["destination_sync_modes"] == ["overwrite", "append", "append_dedup", "overwrite_dedup"]
    assert check_lake(bare.folder).problems == ()


def test_the_pin_of_postgres_is_what_tests_of_a_lake_with_tables_have(bare: Lab, lotus: Lotus) -> None:
    assert lotus("add", "destination-postgres", "--yes") == 0

    assert pinned(bare, "destination-postgres") == postgres_pin()
    assert check_lake(bare.folder).problems == ()


OLD: Document = {
    "properties": {
        "count": {"type": "string"},
        "seed": {"type": "integer", "airbyte_secret": True},
        "gone": {"type": "string"},
    },
    "required": ["seed"],
}
OLD_LAKE: Files = {
    "_connectors/source-faker.json": {
        "connector": "source-faker",
        "definition_id": FAKER,
        "version": "6.0.0",
        "spec": OLD,
    },
    "shop/_source.json": {"connector": "source-faker", "configuration": {"count": "10", "seed": {"$secret": "x"}}},
}


def test_an_update_says_what_changed_and_which_configuration_no_longer_fits(
    bare: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    write(bare.folder, OLD_LAKE)

    assert lotus("update", "--all", "--json") == 0
    document = json.loads(capsys.readouterr().out)

    [found] = [each for each in document["connectors"] if each["connector"] == "source-faker"]
    assert found["changes"] == [
        "version 6.0.0 → 7.2.1",
        "count has another type: string → integer",
        "seed is now optional",
        "seed is no longer a secret",
        "gone is gone",
        "records_per_slice is new and optional",
        "always_updated is new and optional",
        "parallelism is new and optional",
    ]
    assert [line.partition(": ")[0] for line in document["problems"]] == [
        "streams/shop/_source.json:4",
        "streams/shop/_source.json:5",
    ]
    assert document["written"] is False

    assert lotus("update", "source-faker", "--yes") == 0
    assert pinned(bare, "source-faker")["version"] == "7.2.1"
    capsys.readouterr()
    assert lotus("update", "source-faker", "--yes") == 0
    assert capsys.readouterr().out.splitlines()[0] == "No changes."


@pytest.mark.parametrize("form", ["message", "bare schema"])
def test_a_file_has_the_specification_and_the_server_the_definition(
    bare: Lab, lotus: Lotus, tmp_path: Path, form: str
) -> None:
    file = write_spec(tmp_path, message=form == "message")

    assert lotus("add", "source-klaviyo", "--from", str(file), "--yes") == 0

    assert pinned(bare, "source-klaviyo") == {
        "connector": "source-klaviyo",
        "definition_id": KLAVIYO,
        "version": "2.13.1",
        "spec": {"type": "object", "properties": {"token": {"type": "string"}}},
    }


def test_a_connector_prints_its_own_specification_and_no_server_is_asked(
    bare: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_spec(tmp_path)
    script = tmp_path / "connector.py"
    script.write_text(f"import sys\nassert sys.argv[1:] == ['spec']\nprint(open({str(file)!r}).read())\n")
    command = shlex.join([sys.executable, str(script)])
    bare.twin.clear_calls()

    assert lotus("add", "source-mine", "--command", command, "--definition-id", KLAVIYO, "--yes") == 0

    assert "version" not in pinned(bare, "source-mine")
    assert bare.twin.calls() == []
    assert lotus("add", "source-mine", "--command", f"{command} --no", "--yes") == 1
    assert "spec failed with 1" in capsys.readouterr().err


def test_an_id_may_differ_by_stack(bare: Lab, lotus: Lotus, tmp_path: Path) -> None:
    write_stack(tmp_path, "dev", bare.values | {"lotus:klaviyo_definition": KLAVIYO})

    assert lotus("add", "source-klaviyo", "--definition-config", "klaviyo_definition", "--yes") == 0
    first = pinned(bare, "source-klaviyo")
    assert first["definition_id"] == {"$config": "klaviyo_definition"}
    assert first["version"] == "2.13.1"
    assert lotus("update", "source-klaviyo", "--yes") == 0
    assert pinned(bare, "source-klaviyo") == first


def test_an_image_and_a_manifest_of_ones_own_are_pinned_without_a_definition(
    bare: Lab, lotus: Lotus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = write_spec(tmp_path)
    image = ("--image", "registry.example.com:5000/team/source-mine:1.2.0")
    assert lotus("add", "source-mine", *image, "--yes") == 1
    assert "`lotus connector add source-mine` with --from or --command" in capsys.readouterr().err
    assert lotus("add", "source-mine", *image, "--from", str(spec), "--yes") == 0
    assert pinned(bare, "source-mine")["image"] == {
        "repository": "registry.example.com:5000/team/source-mine",
        "tag": "1.2.0",
    }

    manifest = tmp_path / "weather.yaml"
    manifest.write_text(
        "version: 6.1.0  # kept\ntype: DeclarativeSource\nspec:\n  type: Spec\n  connection_specification:\n"
        "    type: object\n    required: [key]\n    properties:\n      key: {type: string, airbyte_secret: true}\n"
    )
    assert lotus("add", "source-weather", "--manifest", str(manifest), "--yes") == 0
    assert pinned(bare, "source-weather") == {
        "connector": "source-weather",
        "manifest": "source-weather.yaml",
        "spec": {
            "type": "object",
            "required": ["key"],
            "properties": {"key": {"type": "string", "airbyte_secret": True}},
        },
    }
    assert (bare.folder / "_connectors/source-weather.yaml").read_text() == manifest.read_text()


def test_a_connector_that_the_server_lacks_or_has_twice_is_told_with_what_to_do(
    bare: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lotus("add", "source-klavio", "--yes") == 1
    assert 'Airbyte has no connector "source-klavio" in this workspace: did you mean "source-klaviyo"?' in (
        capsys.readouterr().err
    )
    assert lotus("add", "source-github", "--yes") == 1
    assert "`lotus connector add source-github --manifest FILE`" in capsys.readouterr().err
    known = bare.twin.store.definitions.get(KLAVIYO)
    assert known is not None
    other = known.model_copy(update={"id": "11111111-1111-4111-8111-111111111111"})
    bare.twin.store.definitions.put(other)
    assert lotus("add", "source-klaviyo", "--yes") == 1
    assert "several connectors" in (error := capsys.readouterr().err)
    assert f"choose {other.id} or {KLAVIYO}: `lotus connector add source-klaviyo --definition-id ID`" in error
    assert lotus("add", "source-klaviyo", "--definition-id", KLAVIYO, "--yes") == 0
    assert not [name for name in files(bare.folder) if "klavio" in name]


BAD_SPECS = [
    ("", "has no specification of a connector"),
    ("{", "has no specification"),
    ('{"type": "SPEC", "spec": {"connectionSpecification": {"type": 3}}}', "is not a JSON Schema"),
    ('{"type": "LOG"}', "has no specification"),
]


@pytest.mark.parametrize(("text", "told"), BAD_SPECS)
def test_a_file_without_a_specification_is_refused(
    bare: Lab, lotus: Lotus, capsys: pytest.CaptureFixture[str], text: str, told: str
) -> None:
    file = bare.folder.parent / "spec.json"
    file.write_text(text or " ")
    before = files(bare.folder)

    assert lotus("add", "source-klaviyo", "--from", str(file), "--yes") == 1

    assert told in capsys.readouterr().err
    assert files(bare.folder) == before


@pytest.mark.parametrize("name", ["klaviyo", "source_klaviyo", KLAVIYO, "../x", "Source-X"])
def test_what_is_no_name_of_a_connector_is_refused(lotus: Lotus, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert lotus("add", name, "--yes") == 1
    assert "is not a connector's name" in capsys.readouterr().err


def test_the_engine_is_asked_for_an_encrypted_value_only(
    bare: Lab, lotus: Lotus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stack(tmp_path, "dev", bare.values | {"lotus:mine": {"secure": "v1:abc"}})
    shown = json.dumps({"lotus:mine": {"value": KLAVIYO, "secret": True}})
    stand_in_engine(tmp_path, monkeypatch, f"echo '{shown}'")

    assert lotus("add", "source-klaviyo", "--definition-config", "mine", "--yes") == 0
    assert pinned(bare, "source-klaviyo")["version"] == "2.13.1"


@pytest.mark.parametrize("spec", ["&a {connection_specification: *a}", "{connection_specification: {[1, 2]: x}}"])
def test_a_manifest_that_is_no_json_is_one_error(
    bare: Lab, lotus: Lotus, tmp_path: Path, spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "odd.yaml").write_text(f"type: DeclarativeSource\nspec: {spec}\n", encoding="utf-8")

    assert lotus("add", "source-odd", "--manifest", str(tmp_path / "odd.yaml"), "--yes") == 1

    assert "odd.yaml" in capsys.readouterr().err
    assert not (bare.folder / "_connectors" / "source-odd.yaml").exists()
