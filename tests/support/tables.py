"""A lake whose source `crm` lands in tables: in Postgres, or in a warehouse that the lake's models can't read."""

from pathlib import Path

from tests.support.lakes import Document, Files, clean_files, source, stream, write

TEXT: Document = {"type": "string"}
TIME: Document = {"type": "string", "format": "date-time"}
POSTGRES = "crm_db"
"""The destination's file."""
FIELDS: Document = {
    "id": {"type": "integer"},
    "Full Name": TEXT,
    "order": TEXT,
    "amount": {"type": "number"},
    "is_on": {"type": "boolean"},
    "day": {"type": "string", "format": "date"},
    "local": {"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
    "address": {"type": "object", "properties": {"the city": TEXT}},
    "tags": {"type": "array", "items": TEXT},
    "updated_at": TIME,
}
# As destination-postgres 3 makes it: quoted names, and its own columns first.
TABLE = """\
create schema if not exists crm;
create table crm."Contacts" (
    "_airbyte_raw_id" varchar not null, "_airbyte_extracted_at" timestamp with time zone not null,
    "_airbyte_meta" jsonb not null, "_airbyte_generation_id" bigint,
    "id" bigint, "Full_Name" varchar, "order" varchar, "amount" decimal, "is_on" boolean, "day" date,
    "local" timestamp, "address" jsonb, "tags" jsonb, "updated_at" timestamp with time zone
);
"""


def contacts(**overrides: object) -> Document:
    """A clean stream with a field of each type."""
    return stream(stream="Contacts", fields=FIELDS) | overrides


def pinned(connector: str) -> Document:
    """A pinned connector that takes any configuration."""
    return {"connector": connector, "definition_id": "25c5221d-dce2-4163-ade9-739ef790f503", "spec": {}}


def tables_lake(directory: Path, changes: Files | None = None, *, connector: str = "destination-postgres") -> Path:
    """Write a lake of `crm`, whose contacts land in a table, beside a destination on S3; returns its folder.

    The Pulumi project around it has an empty dbt project.
    """
    own: Files = {
        f"_connectors/{connector}.json": pinned(connector),
        f"_destinations/{POSTGRES}.json": {"connector": connector, "configuration": {"database": "crm"}},
        "crm/_source.json": source(name="Crm", destination=POSTGRES),
        "crm/contacts.json": contacts(),
        "shop/_source.json": None,
        "shop/orders.json": None,
        "shop/_discovered/orders.json": None,
    }
    (directory / "Pulumi.yaml").write_text("name: lotus\nruntime: python\n")
    write(directory / "dagster" / "dbt", {"dbt_project.yml": "name: lotus\n"})
    return write(directory / "streams", {**clean_files(), **own, **(changes or {})})


def row(number: int, updated: str, *, name: str = "Ada", at: str = "2026-01-05T12:00:00Z", raw: str = "") -> str:
    """A row of the table as SQL."""
    values = [f"'{raw or f'{number}-{updated}'}'", f"'{at}'", """'{"changes": []}'""", "0", str(number), f"'{name}'"]
    values += ["'first'", "12.5", "true", "'2026-01-05'", "'2026-01-05 10:30'", """'{"the city": "Ulm"}'"""]
    values += ["""'["a", "b"]'""", f"'{updated}'"]
    return f'insert into crm."Contacts" values ({", ".join(values)});'
