"""The field contract and scaffold of streams in tables: of Postgres, and of warehouses that DuckDB can't read."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from lotus_infra.commands.check import check_lake_files
from lotus_infra.commands.scaffold import scaffold_all, scaffold_model
from lotus_infra.errors import ProjectError
from tests.support.lakes import Document, Files, source, stream, write
from tests.support.tables import FIELDS, POSTGRES, TEXT, contacts, tables_lake

MODEL = "models/core/crm/int_crm__contacts.sql"
SOURCES = "models/core/crm/_crm__sources.yml"
CALL = "{{ source('crm', 'contacts') }}"
SNOWFLAKE = "destination-snowflake"


def project_of(lake: Path) -> Path:
    return lake.parent / "dagster" / "dbt"


def scaffolded(directory: Path, changes: Files | None = None, **overrides: object) -> Path:
    """A lake with the model of contacts that the scaffold writes for its stream, which is changed."""
    lake = tables_lake(directory, {"crm/contacts.json": contacts(**overrides), **(changes or {})})
    scaffold_model(lake, "crm", "contacts")
    return lake


def edit(lake: Path, file: str, old: str, new: str) -> None:
    text = (project_of(lake) / file).read_text()
    assert old in text
    (project_of(lake) / file).write_text(text.replace(old, new))


def problems(lake: Path) -> list[str]:
    """What the check reports, without folders."""
    found = check_lake_files(lake).problems
    return [f"{Path(one.file).name}: {one.field or '(file)'}: {one.what}: {one.remedy}" for one in found]


def test_a_table_of_postgres_gets_a_source_with_its_place_and_types_and_a_model_that_reads_it(tmp_path: Path) -> None:
    lake = scaffolded(tmp_path)
    (declared,) = yaml.safe_load((project_of(lake) / SOURCES).read_text())["sources"]
    assert (declared["name"], declared["database"], declared["schema"]) == ("crm", POSTGRES, "crm")
    (table,) = declared["tables"]
    assert (table["name"], table["identifier"], "config" in table) == ("contacts", "Contacts", False)
    assert {column["name"]: column["data_type"] for column in table["columns"]} == {
        "id": "bigint",
        "Full_Name": "varchar",
        "order": "varchar",
        "amount": "numeric",
        "is_on": "boolean",
        "day": "date",
        "local": "timestamp",
        "address": "jsonb",
        "tags": "jsonb",
        "updated_at": "timestamptz",
        "_airbyte_raw_id": "varchar",
        "_airbyte_extracted_at": "timestamptz",
        "_airbyte_generation_id": "bigint",
        "_airbyte_meta": "jsonb",
    }
    model = (project_of(lake) / MODEL).read_text()
    assert model.startswith("{{ config(materialized='table', tags=['crm__contacts']) }}\n")
    assert f"    from {CALL}\n" in model
    assert model.endswith("{{ latest('landed', key='id', cursor='updated_at') }}\n")
    assert problems(lake) == []


@pytest.mark.parametrize(
    ("overrides", "is_latest"),
    [
        ({}, True),
        ({"destination_sync_mode": "append_dedup"}, False),
        ({"sync_mode": "full_refresh", "destination_sync_mode": "overwrite", "cursor_field": []}, True),
        ({"sync_mode": "full_refresh", "primary_key": [], "cursor_field": []}, False),
        (
            {
                "destination_sync_mode": "append_dedup",
                "fields": {"id": TEXT, "updated_at": TEXT, "_ab_cdc_deleted_at": TEXT},
            },
            True,
        ),
    ],
)
def test_the_latest_row_of_each_key_is_chosen_where_the_table_may_have_others(
    overrides: dict[str, Any], tmp_path: Path, *, is_latest: bool
) -> None:
    lake = scaffolded(tmp_path, **overrides)
    assert ("latest(" in (project_of(lake) / MODEL).read_text()) == is_latest
    assert problems(lake) == []


BREAKS: dict[str, tuple[str, str, str, list[str]]] = {
    "another database": (
        SOURCES,
        f"database: {POSTGRES}",
        "database: crm",
        [
            (
                "_crm__sources.yml: crm.database: has the database crm, but Airbyte writes crm/contacts into the table "
                "crm.Contacts of crm_db: write `database: crm_db` in the source's entry; tables elsewhere need an "
                "entry of their own"
            )
        ],
    ),
    "another schema": (
        SOURCES,
        "schema: crm",
        "schema: public",
        [
            (
                "_crm__sources.yml: crm.schema: has the schema public, but Airbyte writes crm/contacts into the table "
                "crm.Contacts of crm_db: write `schema: crm` in the source's entry"
            )
        ],
    ),
    "another table": (
        SOURCES,
        "        identifier: Contacts\n",
        "",
        [
            (
                "_crm__sources.yml: crm.contacts.identifier: has the identifier contacts, but Airbyte writes "
                "crm/contacts into the table crm.Contacts of crm_db: write `identifier: Contacts`"
            )
        ],
    ),
    "a column of no field": (
        SOURCES,
        "name: Full_Name",
        "name: Full Name",
        ["_crm__sources.yml: crm.contacts.Full Name: is not a column of the table of crm/contacts: write Full_Name"],
    ),
    "a field that is not selected": (
        MODEL,
        "        Full_Name,",
        "        email,",
        [
            (
                "int_crm__contacts.sql: email: the model reads it from crm/contacts, which does not select it: "
                "add it to the fields of crm/contacts.json, or don't read it"
            )
        ],
    ),
    "a field by its own name": (
        MODEL,
        "        Full_Name,",
        '        "Full Name",',
        [
            (
                "int_crm__contacts.sql: Full Name: the model reads it from crm/contacts, whose table has it as "
                "Full_Name: read Full_Name"
            )
        ],
    ),
    "a member that is not there": (
        MODEL,
        "        address,",
        "        json_extract_string(address, '$.the_city') as address,",
        [
            (
                "int_crm__contacts.sql: address.the_city: is not a property that crm/contacts.json declares: "
                'did you mean "the city"?'
            )
        ],
    ),
    "files that never arrive": (
        MODEL,
        CALL,
        "{{ arrivals('crm', 'contacts') }}",
        [
            (
                "int_crm__contacts.sql: arrivals: reads files of crm/contacts, which Airbyte writes into the table "
                f"crm.Contacts of crm_db: read it from {CALL}"
            )
        ],
    ),
    "rows that are kept": (
        MODEL,
        "materialized='table', ",
        "",
        [
            (
                "int_crm__contacts.sql: materialized: is missing, but crm/contacts is a table, whose rows change and "
                "go: write materialized='table'"
            )
        ],
    ),
    "another key": (
        MODEL,
        "key='id'",
        "key='amount'",
        ["int_crm__contacts.sql: key: is amount, but crm/contacts.json has the primary_key id: write key='id'"],
    ),
    "no tag": (
        MODEL,
        ", tags=['crm__contacts']",
        "",
        [
            (
                "int_crm__contacts.sql: tags: lack crm__contacts, by which Dagster selects the models of crm/contacts: "
                "write tags=['crm__contacts']"
            )
        ],
    ),
    "no table": (
        SOURCES,
        "name: contacts\n",
        "name: people\n",
        [
            (
                '_crm__sources.yml: people: is not a stream of the source "crm": '
                "delete the entry, or add the stream's file"
            ),
            "int_crm__contacts.sql: source: no sources file declares crm/contacts: add it to the tables of its source",
        ],
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_reported_and_nothing_else_is(name: str, tmp_path: Path) -> None:
    file, old, new, expected = BREAKS[name]
    lake = scaffolded(tmp_path)
    edit(lake, file, old, new)
    assert sorted(problems(lake)) == sorted(expected)


@pytest.mark.parametrize(
    "edited",
    [
        "json_extract_string(address, '$.\"the city\"') as address,",
        "upper(address) as address,",
    ],
)
def test_a_member_of_an_object_keeps_its_name_in_json(edited: str, tmp_path: Path) -> None:
    lake = scaffolded(tmp_path)
    edit(lake, MODEL, "        address,", f"        {edited}")
    assert problems(lake) == []


def test_a_stream_without_a_model_is_an_error_that_names_the_scaffold(tmp_path: Path) -> None:
    assert problems(tables_lake(tmp_path)) == [
        "contacts.json: (file): has no model int_crm__contacts in the dbt project: run `lotus scaffold crm contacts`"
    ]


def test_a_model_of_a_stream_that_is_not_selected_is_a_notice(tmp_path: Path) -> None:
    lake = scaffolded(tmp_path)
    write(lake, {"crm/contacts.json": contacts(selected=False)})
    report = check_lake_files(lake)
    assert [Path(problem.file).name for problem in report.problems] == ["_source.json"]  # it has no other stream
    assert ("source", "reads crm/contacts, which is not selected, so no new rows arrive") in [
        (notice.field, notice.what) for notice in report.notices
    ]


def test_two_fields_that_become_one_column_are_an_error(tmp_path: Path) -> None:
    both = {"Full Name": TEXT, "Full_Name": TEXT}
    lake = scaffolded(tmp_path)
    write(lake, {"crm/contacts.json": contacts(fields=FIELDS | both)})
    assert problems(lake) == [
        (
            "contacts.json: fields.Full_Name: becomes the column Full_Name, as Full Name does, and the destination "
            "renames one of them: select one of the two"
        )
    ]


def test_a_stream_that_moves_from_files_to_a_table_is_an_error_at_each_place_that_must_change(tmp_path: Path) -> None:
    lake = scaffolded(tmp_path, {"crm/_source.json": source(name="Crm")})
    assert problems(lake) == []
    write(lake, {"crm/_source.json": source(name="Crm", destination=POSTGRES)})
    assert {tuple(one.split(": ")[:2]) for one in problems(lake)} == {
        ("_crm__sources.yml", "crm.database"),
        ("_crm__sources.yml", "crm.contacts.identifier"),
        ("_crm__sources.yml", "crm.contacts.meta"),
        ("int_crm__contacts.sql", "materialized"),
        ("int_crm__contacts.sql", "arrivals"),
    }
    with pytest.raises(ProjectError, match="declares crm/contacts in the landing zone, where it does not land"):
        scaffold_model(lake, "crm", "contacts", force=True)
    (project_of(lake) / SOURCES).unlink()
    scaffold_model(lake, "crm", "contacts", force=True)
    assert problems(lake) == []


def test_a_stream_that_moves_from_a_table_to_files_is_an_error_at_each_place_that_must_change(tmp_path: Path) -> None:
    lake = scaffolded(tmp_path)
    write(lake, {"crm/_source.json": source(name="Crm")})
    assert {tuple(one.split(": ")[:2]) for one in problems(lake)} == {
        ("_crm__sources.yml", "crm.contacts.meta"),
        ("int_crm__contacts.sql", "(file)"),
    }
    edit(lake, MODEL, CALL, "{{ arrivals('crm', 'contacts') }}")
    reported = {tuple(one.split(": ")[1:3]) for one in problems(lake)}
    kept = "is table, so each run would replace all rows by those that have arrived since the last"
    assert ("materialized", kept) in reported
    assert any(key == "unique_key" for key, _ in reported)


def test_a_source_with_streams_in_files_and_in_a_table_has_an_entry_for_each_place(tmp_path: Path) -> None:
    body = {key: value for key, value in source(name="Crm").items() if key != "destination"}
    connections = {
        "files": {"destination": "s3", "streams": ["deals"]},
        "tables": {"destination": POSTGRES, "streams": ["contacts", "leads"]},
    }
    changes: Files = {
        "crm/_source.json": {**body, "connections": connections},
        "crm/deals.json": stream(stream="deals"),
        "crm/leads.json": stream(stream="leads"),
    }
    lake = tables_lake(tmp_path, changes)
    scaffold_all(lake)
    declared = yaml.safe_load((project_of(lake) / SOURCES).read_text())["sources"]
    assert [(one["name"], one.get("database"), [table["name"] for table in one["tables"]]) for one in declared] == [
        ("crm", POSTGRES, ["contacts", "leads"]),
        ("crm", None, ["deals"]),
    ]
    assert problems(lake) == []


def test_a_table_that_duckdb_can_not_read_gets_a_source_and_no_model(tmp_path: Path) -> None:
    lake = tables_lake(tmp_path, connector=SNOWFLAKE)
    assert problems(lake) == []
    assert scaffold_all(lake).changes == ()
    done = scaffold_model(lake, "crm", "contacts")
    assert [change.partition(": ")[2] for change in done.changes] == [
        "the table contacts, without a model: DuckDB can't read Snowflake"
    ]
    assert done.build.startswith("lotus check")
    assert "dbt build" not in done.build
    (declared,) = yaml.safe_load((project_of(lake) / SOURCES).read_text())["sources"]
    (table,) = declared["tables"]
    assert (declared["database"], declared["schema"], table["identifier"]) == (POSTGRES, "CRM", "CONTACTS")
    assert [column["name"] for column in table["columns"]][:3] == ["ID", "FULL NAME", "ORDER"]
    assert problems(lake) == []
    with pytest.raises(ProjectError, match="exists already"):
        scaffold_model(lake, "crm", "contacts")
    edit(lake, SOURCES, "name: FULL NAME", "name: FULL_NAME")
    (problem,) = problems(lake)
    assert problem.startswith("_crm__sources.yml: crm.contacts.FULL_NAME: is not a field of crm/contacts.json")


def test_a_model_of_a_table_that_duckdb_can_not_read_is_an_error(tmp_path: Path) -> None:
    lake = tables_lake(tmp_path, connector=SNOWFLAKE)
    scaffold_model(lake, "crm", "contacts")
    write(project_of(lake), {"models/marts/crm.sql": f"select ID from {CALL}\n"})
    assert problems(lake) == [
        (
            "crm.sql: source: reads the table CRM.CONTACTS of crm_db, which DuckDB can't read: "
            "delete the model, or let a connection write the stream into S3 or Postgres too"
        )
    ]


def test_the_entry_of_a_source_that_dlt_reads_says_so_and_its_model_is_as_any_of_files(tmp_path: Path) -> None:
    erp: Document = {"engine": "dlt", "configuration": {}, "destination": "s3"}
    lake = tables_lake(tmp_path, {"erp/_source.json": erp, "erp/contacts.json": contacts(stream="contacts")})
    scaffold_model(lake, "erp", "contacts")
    folder = project_of(lake) / "models/core/erp"
    (declared,) = yaml.safe_load((folder / "_erp__sources.yml").read_text())["sources"]
    assert declared["description"] == "What dlt lands from Erp, one folder a stream."
    write(lake, {"erp/_source.json": source(name="Erp")})
    before = (folder / "int_erp__contacts.sql").read_text()
    scaffold_model(lake, "erp", "contacts", force=True)
    assert (folder / "int_erp__contacts.sql").read_text() == before
