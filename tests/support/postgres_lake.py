"""A lake with a source that lands in the bucket and one that lands in a Postgres database.

It is a copy of the project's own lake, with Faker a second time: as `crm`, whose streams are tables of the destination
`warehouse`, in the schema `crm`.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from airbyte_twin.registry import load_registry

from sandbox.process import LOOPBACK
from tests.support.lakes import OWN_STREAMS, Document, write
from tests.support.postgres import USER, Postgres

CONNECTOR: Final = "destination-postgres"
SOURCE: Final = "crm"
DESTINATION: Final = "warehouse"
SCHEMA: Final = "crm"
"""The schema of the tables: the source's namespace."""
STREAMS: Final = {"users": "append", "products": "overwrite", "purchases": "append_dedup"}
"""The streams with their modes at the destination; the table of each has its name."""
PASSWORD: Final = "warehouse_password"
"""The name of the stack's secret; the server of the tests takes any value."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database of a server, and who writes to it.

    Attributes:
        name: The database.
        port: The server's port on loopback.
    """

    name: str
    port: int

    @property
    def libpq(self) -> str:
        """Its connection string, as Dagster's variable of the destination has it."""
        return f"dbname={self.name} host={LOOPBACK} port={self.port} user={USER}"

    @property
    def configuration(self) -> Document:
        """Its configuration in the destination's file."""
        return {
            "host": LOOPBACK,
            "port": self.port,
            "database": self.name,
            "schema": "public",
            "username": USER,
            "password": {"$secret": PASSWORD},
            "ssl_mode": {"mode": "disable"},
        }


SOMEWHERE: Final = Database("warehouse", 5432)
"""A database that no test connects to, for tests that only read the lake's files."""


def new_database(postgres: Postgres) -> Database:
    """An empty database of a server."""
    return Database(postgres.new_database(), postgres.port)


def write_postgres_lake(folder: Path, database: Database = SOMEWHERE, *own_sources: str) -> Path:
    """Write the lake, and return its folder.

    Args:
        folder: A folder that does not exist yet.
        database: Where `crm` lands.
        own_sources: Those of the project's own sources to copy; all without any.
    """
    kept = set(own_sources)

    def left_out(parent: str, names: list[str]) -> set[str]:
        if not kept or Path(parent) != OWN_STREAMS:
            return set()
        return {name for name in names if not name.startswith(("_", ".")) and (OWN_STREAMS / name).is_dir()} - kept

    shutil.copytree(OWN_STREAMS, folder, ignore=left_out)
    add_postgres_source(folder, database)
    return folder


def add_postgres_source(folder: Path, database: Database = SOMEWHERE) -> None:
    """Add `crm` and its destination to a copy of the project's own lake."""
    write(folder, {f"_connectors/{CONNECTOR}.json": pin(), f"_destinations/{DESTINATION}.json": destination(database)})
    shutil.copytree(OWN_STREAMS / "faker", folder / SOURCE)
    _edit(folder / SOURCE / "_source.json", {"name": "CRM", "destination": DESTINATION, "namespace": SCHEMA})
    for stream, mode in STREAMS.items():
        full = {"sync_mode": "full_refresh", "cursor_field": []} if mode == "overwrite" else {}
        _edit(folder / SOURCE / f"{stream}.json", {"destination_sync_mode": mode, **full})


def pin() -> Document:
    """The pinned connector, with the facts of the twin's registry."""
    known = load_registry(None).by_repository(f"airbyte/{CONNECTOR}")
    assert known is not None
    return {
        "connector": CONNECTOR,
        "definition_id": known.definition_id,
        "version": known.docker_image_tag,
        "destination_sync_modes": [*known.destination_modes],
        "spec": known.spec,
    }


def destination(database: Database) -> Document:
    """The destination's file."""
    return {"connector": CONNECTOR, "name": "Warehouse", "configuration": database.configuration}


def _edit(file: Path, changes: Document) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}, indent=2) + "\n")
