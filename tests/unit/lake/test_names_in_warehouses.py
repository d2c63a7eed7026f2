"""The names that destinations give to tables and columns, and where the table of a stream is."""

from pathlib import Path

import pytest

from lotus_infra.lake.loader import load_usable_lake
from lotus_infra.lake.warehouses import postgres_name, snowflake_name
from tests.support.lakes import Document, source
from tests.support.tables import POSTGRES, tables_lake


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("email", "email"),
        ("updatedAt", "updatedAt"),
        ("Full Name", "Full_Name"),
        ("a-b.c", "a_b_c"),
        ("größe", "gro_e"),
        ("1st", "_1st"),
        ("a  \t b", "a_b"),
        ("x" * 63, "x" * 63),
    ],
)
def test_a_name_in_postgres_keeps_its_case_and_has_letters_digits_and_underscores(name: str, written: str) -> None:
    assert postgres_name(name) == written


@pytest.mark.parametrize("name", ["a" * 70 + "1", "a" * 70 + "2", "Z" * 64])
def test_a_long_name_in_postgres_ends_with_javas_hash_of_all_of_it(name: str) -> None:
    """As `java.lang.String` documents it: s[0]*31^(n-1) + s[1]*31^(n-2) + ... + s[n-1], in an int."""
    total = sum(ord(sign) * 31 ** (len(name) - 1 - place) for place, sign in enumerate(name))
    signed = (total + 2**31) % 2**32 - 2**31
    assert postgres_name(name) == f"{name[:54]}_{str(signed)[-8:]}"
    assert len(postgres_name(name)) == 63


def test_a_name_in_snowflake_is_in_capitals() -> None:
    assert [snowflake_name(name) for name in ("Full Name", "a${b}")] == ["FULL NAME", "A__B_"]


@pytest.mark.parametrize(
    ("configuration", "settings", "place"),
    [
        ({}, {}, "crm.Contacts"),
        ({"schema": "sales"}, {}, "crm.Contacts"),
        ({"schema": "sales"}, {"namespace_definition": "destination"}, "sales.Contacts"),
        ({}, {"namespace_definition": "destination"}, "public.Contacts"),
        ({"schema": {"$config": "crm_schema"}}, {"namespace_definition": "destination"}, "Contacts"),
        ({}, {"namespace": "Our CRM", "prefix": "v1 "}, "Our_CRM.v1_Contacts"),
    ],
)
def test_a_table_is_in_the_schema_of_its_namespace_or_of_the_destination(
    configuration: dict[str, object], settings: dict[str, object], place: str, tmp_path: Path
) -> None:
    destination: Document = {"connector": "destination-postgres", "configuration": configuration}
    body = source(name="Crm", destination=POSTGRES) | settings
    folder = tables_lake(tmp_path, {f"_destinations/{POSTGRES}.json": destination, "crm/_source.json": body})
    lake = load_usable_lake(folder)
    (crm,) = (one for one in lake.sources if one.name == "crm")
    table = lake.table_of(crm.connections[0], crm.streams[0])
    assert str(table) == place
