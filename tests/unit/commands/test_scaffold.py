"""`lotus scaffold`: what it writes, what it leaves alone, and what it refuses."""

from pathlib import Path

import pytest

from lotus_infra.commands.check import check_lake_files
from lotus_infra.commands.scaffold import scaffold_all, scaffold_model
from lotus_infra.errors import LotusError
from tests.support.lakes import discovered, stream, write
from tests.support.projects import CLEAN, DESCRIPTIONS, MODEL, SOURCES, Break, lake_files, write_project

INVOICES = "models/core/shop/int_shop__invoices.sql"


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The clean lake and project with one stream more, `shop/invoices`, in the folder that the command runs in."""
    files = lake_files(Break("clean")) | {
        "shop/invoices.json": stream(stream="invoices"),
        "shop/_discovered/invoices.json": discovered(stream="invoices"),
    }
    monkeypatch.chdir(tmp_path)
    return write(write_project(tmp_path, CLEAN), files)


def texts(lake: Path) -> dict[str, str]:
    """Every file of the dbt project."""
    project = lake.parent / "dagster" / "dbt"
    return {
        file.relative_to(project).as_posix(): file.read_bytes().decode()
        for file in sorted(project.rglob("*"))
        if file.is_file()
    }


def test_a_new_stream_gets_a_model_a_table_and_tests_and_all_else_stays(lake: Path) -> None:
    before = texts(lake)
    done = scaffold_model(Path("streams"), "shop", "invoices")
    after = texts(lake)

    assert done.changes == (
        "dagster/dbt/models/core/shop/int_shop__invoices.sql: the model",
        "dagster/dbt/models/core/shop/_shop__sources.yml: the table invoices",
        "dagster/dbt/models/core/shop/_shop__models.yml: description and tests of int_shop__invoices",
    )
    build = "dbt build --project-dir dagster/dbt --profiles-dir dagster/dbt --select tag:shop__invoices"
    assert done.build == f"lotus check && {build}"
    assert after.keys() - before.keys() == {INVOICES}
    assert {name for name in before if before[name] != after[name]} == {SOURCES, DESCRIPTIONS}
    assert after[SOURCES].replace(before[SOURCES].partition("      - name: orders")[2], "").count("orders") == 1
    assert check_lake_files(lake).problems == ()


def test_a_source_that_dbt_has_never_heard_of_gets_its_own_files(lake: Path) -> None:
    files = lake_files(Break("clean"), "books")
    write(lake, {name: content for name, content in files.items() if name.startswith("books/")})
    done = scaffold_model(lake, "books", "orders")

    assert [line.rpartition("/")[2] for line in done.changes] == [
        "int_books__orders.sql: the model",
        "_books__sources.yml: the table orders",
        "_books__models.yml: description and tests of int_books__orders",
    ]
    scaffold_model(lake, "shop", "invoices")
    assert check_lake_files(lake).problems == ()


def test_a_model_that_is_there_is_left_alone_unless_forced(lake: Path) -> None:
    before = texts(lake)
    with pytest.raises(LotusError, match=r"int_shop__orders already exists in .*: pass --force to replace it"):
        scaffold_model(lake, "shop", "orders")
    assert texts(lake) == before

    done = scaffold_model(lake, "shop", "orders", force=True)

    assert done.changes == (f"{Path('dagster/dbt') / MODEL}: the model, replaced",)
    assert "typed" not in texts(lake)[MODEL]


def test_running_it_twice_is_refused_and_changes_nothing(lake: Path) -> None:
    scaffold_model(lake, "shop", "invoices")
    before = texts(lake)

    with pytest.raises(LotusError, match="int_shop__invoices already exists"):
        scaffold_model(lake, "shop", "invoices")
    assert texts(lake) == before


def test_a_new_field_of_the_stream_is_declared_when_the_model_is_regenerated(lake: Path) -> None:
    write(lake, {"shop/invoices.json": stream(stream="invoices")})
    scaffold_model(lake, "shop", "invoices")
    fields = {name: {"type": "string"} for name in ("id", "email", "updated_at", "created_at")}
    write(lake, {"shop/invoices.json": stream(stream="invoices", fields=fields)})
    done = scaffold_model(lake, "shop", "invoices", force=True)

    assert done.changes[-1] == f"{Path('dagster/dbt') / SOURCES}: the column created_at of invoices"
    assert (
        "- name: created_at\n            data_type: varchar\n          - name: _airbyte_raw_id" in texts(lake)[SOURCES]
    )


def test_a_model_in_another_place_is_not_written_twice(lake: Path) -> None:
    project = lake.parent / "dagster" / "dbt"
    (project / MODEL).rename(project / "models" / "int_shop__orders.sql")

    with pytest.raises(
        LotusError, match=r"int_shop__orders is in models/int_shop__orders\.sql: move it to models/core"
    ):
        scaffold_model(lake, "shop", "orders", force=True)


def test_all_streams_without_a_model_get_one_and_then_there_is_none_left(lake: Path) -> None:
    write(lake, {f"shop/{name}.json": stream(stream=name) for name in ("a", "zebras")})
    write(lake, {"shop/asleep.json": stream(stream="asleep", selected=False)})

    assert len(scaffold_all(lake, "shop").changes) == 9
    tables = [line.strip() for line in texts(lake)[SOURCES].splitlines() if line.startswith("      - name: ")]
    assert tables == ["- name: a", "- name: invoices", "- name: orders", "- name: zebras"]
    assert scaffold_all(lake).changes == ()
    assert scaffold_all(lake).build == ""


@pytest.mark.parametrize(
    ("source", "stream_name", "message"),
    [
        ("shp", "orders", 'has no source "shp": did you mean "shop"?'),
        ("shop", "invoice", 'the source "shop" has no stream "invoice": did you mean "invoices"?'),
        ("shop", "zzz", r'has no stream "zzz": write shop/zzz\.json in .* first'),
    ],
)
def test_an_unknown_source_or_stream_is_reported_with_the_nearest(
    source: str, stream_name: str, message: str, lake: Path
) -> None:
    with pytest.raises(LotusError, match=message):
        scaffold_model(lake, source, stream_name)


@pytest.mark.parametrize(
    "text", ["sources: [{name: shop, tables: []}]\n", "sources: {\n", "sources:\n  - name: shop\n"]
)
def test_a_sources_file_that_can_not_be_added_to_leaves_everything_as_it_was(text: str, lake: Path) -> None:
    write(lake.parent / "dagster" / "dbt", {SOURCES: text})
    before = texts(lake)

    with pytest.raises(LotusError, match=r"_shop__sources\.yml"):
        scaffold_model(lake, "shop", "invoices")
    assert texts(lake) == before


def test_a_write_that_fails_leaves_everything_as_it_was(lake: Path) -> None:
    before = texts(lake)
    (lake.parent / "dagster" / "dbt" / "models" / "core" / "shop" / "._shop__models.yml.new").mkdir()

    with pytest.raises(LotusError, match="can't be written to"):
        scaffold_model(lake, "shop", "invoices")
    assert texts(lake) == before


def test_a_lake_without_a_dbt_project_is_refused_with_the_option_that_names_one(tmp_path: Path) -> None:
    lake = write(tmp_path, lake_files(Break("clean")))

    with pytest.raises(LotusError, match=r"no dbt project in dagster/dbt: pass its folder with --dbt"):
        scaffold_model(lake, "shop", "orders")


def test_a_lake_that_can_not_be_read_is_not_scaffolded(lake: Path) -> None:
    write(lake, {"shop/orders.json": "{"})

    with pytest.raises(LotusError, match=r"shop/orders\.json is not JSON"):
        scaffold_model(lake, "shop", "invoices")
