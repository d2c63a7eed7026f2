"""Warehouses: the databases that destinations write tables into, and where each keeps a stream's table and columns.

Sources: the destinations' documentation (docs.airbyte.com/integrations/destinations) and airbytehq/airbyte. Names:
destination-postgres, schema/PostgresNamingUtils.kt; destination-snowflake, schema/SnowflakeNamingUtils.kt;
destination-bigquery, BigqueryNameGenerators.kt. Types of Postgres: schema/PostgresTableSchemaMapper.kt, and the bulk
CDK's JsonSchemaToAirbyteType. They hold for destination-postgres 3, which writes no raw tables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from airbyte_model.places import column_name

POSTGRES: Final = "destination-postgres"
RESERVED_NAMES: Final[Mapping[str, str]] = {
    "information_schema": "a schema of DuckDB's own",
    "lake": "the lake's own catalog",
    "landing": "the schema of files in `lotus query`",
    "main": "DuckDB's default schema",
    "memory": "DuckDB's default database",
    "pg_catalog": "a schema of DuckDB's own",
    "system": "a database of DuckDB's own",
    "temp": "a database of DuckDB's own",
}
"""Names that no database can have which DuckDB attaches beside the lake, each with what has it."""

_LONGEST_NAME: Final = 63
_KEPT_OF_NAME: Final = 54
_DIGITS_OF_HASH: Final = 8


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
        schema: The schema; empty if it is not written down.
        name: The table's name.
    """

    destination: str
    database: str
    schema: str
    name: str

    def __str__(self) -> str:
        """`crm.contacts`."""
        return ".".join(filter(None, (self.schema, self.name)))


def postgres_name(name: str) -> str:
    """The name of a schema, table or column in Postgres: `Account Name` becomes `Account_Name`.

    The case stays, as the destination quotes names. A name of more than 63 characters becomes its first 54 and a hash.
    Two names can become one.
    """
    # Signs, accents and a leading digit have the same rule as in Parquet.
    safe = column_name(name)
    if len(safe) <= _LONGEST_NAME:
        return safe
    return f"{safe[:_KEPT_OF_NAME]}_{str(_java_hash(safe))[-_DIGITS_OF_HASH:]}"


def _java_hash(ascii_text: str) -> int:
    """Java's `String.hashCode`, a signed number of 32 bits."""
    total = 0
    for sign in ascii_text:
        total = (total * 31 + ord(sign)) & 0xFFFFFFFF
    return total - (1 << 32) if total >> 31 else total


def snowflake_name(name: str) -> str:
    """The name of a schema, table or column in Snowflake: in capitals, any sign stays but those of `${…}`."""
    return (name.translate(str.maketrans("${}", "___")) if "${" in name else name).upper()


WAREHOUSES: Final[Mapping[str, Warehouse]] = {
    POSTGRES: Warehouse("Postgres", "database", "schema", "public", postgres_name),
    "destination-snowflake": Warehouse("Snowflake", "database", "schema", "", snowflake_name),
    "destination-bigquery": Warehouse("BigQuery", "project_id", "dataset_id", "", column_name),
}
"""By connector."""
