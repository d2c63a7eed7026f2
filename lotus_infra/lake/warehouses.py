"""Warehouses: the databases that destinations write tables into, and where each keeps a stream's table.

The facts are those of the destinations' documentation (docs.airbyte.com/integrations/destinations).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

POSTGRES: Final = "destination-postgres"


@dataclass(frozen=True, slots=True)
class Warehouse:
    """What is known of a kind of warehouse.

    Attributes:
        label: Its name, for people.
        database: The key of the configuration with the database that tables are in; empty if it has none.
        schema: The key with the default schema.
        default_schema: The schema if the configuration has none.
        name: How it writes the name of a schema, table or column.
    """

    label: str
    database: str
    schema: str
    default_schema: str
    name: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Table:
    """The table of a stream.

    Attributes:
        destination: The destination's file, without its suffix.
        database: As the destination has it; empty if it is not written down, as with a reference.
        schema: The schema.
        name: The table's name.
    """

    destination: str
    database: str
    schema: str
    name: str

    def __str__(self) -> str:
        """`crm.contacts`."""
        return ".".join(filter(None, (self.schema, self.name)))


def _as_given(name: str) -> str:
    return name


WAREHOUSES: Final[Mapping[str, Warehouse]] = {
    POSTGRES: Warehouse("Postgres", "database", "schema", "public", _as_given),
    "destination-snowflake": Warehouse("Snowflake", "database", "schema", "", str.upper),
    "destination-bigquery": Warehouse("BigQuery", "project_id", "dataset_id", "", _as_given),
}
"""By connector."""
