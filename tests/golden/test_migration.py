"""The plan of a migration as a user reads it."""

from dataclasses import replace
from pathlib import Path

from lotus_infra.commands.migrate import Migration, MigrationOptions, render
from lotus_infra.importer import files, terraform, terraform_objects
from lotus_infra.importer.model import Existing
from lotus_infra.importer.plan import plan_migration
from lotus_infra.lake.loader import load_lake
from tests.support import terraform as made
from tests.support.golden import assert_matches
from tests.support.lakes import OWN_STREAMS, write

BLESSED = Path(__file__).parent / "blessed" / "migration.txt"
PINNED = {f"_connectors/{file.name}": file.read_bytes() for file in (OWN_STREAMS / "_connectors").iterdir()}


def eventful() -> Existing:
    """A lake of Terraform's with one source that is taken over, and one for each thing that can be in the way."""
    found = terraform_objects.airbyte_objects(
        terraform.read_state(made.whole(name="to the lake", status="inactive"), "state"), "state"
    )
    [source], [connection] = found.of_kind("source"), found.connections
    [stream] = connection.streams
    hashed = replace(stream, unsupported=("hashed fields",))
    names = ("Hashed", "Idle", "Twice", "Twice ")
    sources = [replace(source, id=name, label=name.strip(), address="") for name in names]
    connected = [
        replace(connection, id="hashed", source_id="Hashed", label="Hashed → S3", streams=(hashed,), address=""),
        replace(connection, id="second", label="A second one", address="airbyte_connection.second"),
    ]
    return replace(found, actors=(*found.actors, *sources), connections=(*found.connections, *connected))


def test_a_plan_names_all_that_is_written_imported_left_and_changed(tmp_path: Path) -> None:
    plan = plan_migration(eventful(), load_lake(write(tmp_path, PINNED), begun=False).lake)
    order = MigrationOptions("terraform.tfstate", Path("streams"), Path("import.json"), "prod")
    fresh = (*(order.directory / each.path for each in plan.files), order.imports)

    shown = render(Migration(order, plan, made.WORKSPACE, fresh, ()))

    texts = "".join(f"\n--- {each.path}\n{each.text}" for each in plan.files if "_discovered" not in each.path)
    assert not [value for value in made.HIDDEN if value in shown + texts]
    assert_matches(BLESSED, f"{shown}{texts}\n--- import.json\n{files.import_file(plan.imports)}")
