"""Names of schemas, tables and columns in Postgres.

Source: airbytehq/airbyte, destination-postgres 3.0: PostgresNamingUtils, PostgresTableSchemaMapper; bulk CDK:
ColumnNameResolver, TableNameResolver, DefaultTempTableNameGenerator, TypingDedupingUtil.
"""

import hashlib
import re
from collections.abc import Iterable
from itertools import count
from typing import NamedTuple

from airbyte_twin.java_order import string_hash
from airbyte_twin.landing.errors import LandingError
from airbyte_twin.landing.names import plain_name

LONGEST = 63
KEPT = 54
"""Characters that stay of a longer name, before `_` and digits of a hash."""
TEMPORARY = "_airbyte_tmp"
DEFAULT_SCHEMA = "public"

StreamName = tuple[str | None, str]
"""The namespace and the name of a stream at the destination, its prefix included."""


class TableName(NamedTuple):
    """A schema, and a table in it."""

    schema: str
    name: str

    def __str__(self) -> str:
        """`crm.contacts`."""
        return f"{self.schema}.{self.name}"


def postgres_name(name: str) -> str:
    """A name of at most 63 ASCII letters, digits and `_`, with its case, and no digit first.

    Raises:
        LandingError: It is empty; the real one makes up another name at each sync.
    """
    plain = plain_name(name)
    if not plain:
        raise LandingError("A stream or field has an empty name, which the twin does not write: do not select it.")
    if plain[0].isdigit():
        plain = f"_{plain}"
    if len(plain) <= LONGEST:
        return plain
    signed = string_hash(plain) - (1 << 32 if string_hash(plain) >> 31 else 0)
    return f"{plain[:KEPT]}_{str(signed)[-8:]}"


def table_names(streams: Iterable[StreamName], default_schema: str) -> dict[StreamName, TableName]:
    """The table of each stream of a connection: a name that an earlier stream has gets three digits of a hash."""
    found: dict[StreamName, TableName] = {}
    for namespace, name in streams:
        schema = postgres_name(namespace or default_schema or DEFAULT_SCHEMA)
        table = TableName(schema, postgres_name(name))
        if table in found.values():
            digest = hashlib.sha1(f"{schema}&airbyte&{name}".encode(), usedforsecurity=False).hexdigest()
            table = TableName(schema, postgres_name(f"{name}_{digest[:3]}"))
        found[namespace, name] = table
    return found


def column_names(fields: Iterable[str]) -> dict[str, str]:
    """The column of each field: a name that an earlier field has, whatever its case, gets a number."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for field in fields:
        candidates = (postgres_name(field if number == 0 else f"{field}_{number}") for number in count())
        found[field] = next(name for name in candidates if name.lower() not in taken)
        taken.add(found[field].lower())
    return found


def temporary_name(table: TableName) -> TableName:
    """The table beside a table that rows are collected in: pieces of its name, and a hash."""
    suffixed = table.name + TEMPORARY
    longest_run = max(len(run) for run in re.findall("_+", table.schema + suffixed))
    raw = f"{table.schema}_raw{'_' * (longest_run + 1)}stream_{suffixed}"
    digest = hashlib.sha256(raw.encode()).hexdigest()[:32]
    # Of 64 characters at most, of which Postgres keeps 63.
    return TableName(table.schema, f"{_ends(table.schema)}{_ends(table.name)}{digest}"[:LONGEST])


def quoted(name: str) -> str:
    """An identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def qualified(table: TableName) -> str:
    """A table's name in SQL."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def _ends(name: str) -> str:
    return name if len(name) <= 16 else name[:8] + name[-8:]
