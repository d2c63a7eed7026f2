"""The lake of the tests that has files in a bucket and tables in Postgres: is it one that a user could have?"""

from pathlib import Path

import pytest

from lotus_infra.lake.lake import find_source
from lotus_infra.lake.report import check_lake
from tests.support.postgres_lake import PASSWORD, SCHEMA, SOMEWHERE, SOURCE, STREAMS, write_postgres_lake


@pytest.mark.parametrize("own_sources", [(), ("faker",)])
def test_it_has_no_problem(tmp_path: Path, own_sources: tuple[str, ...]) -> None:
    assert check_lake(write_postgres_lake(tmp_path / "streams", SOMEWHERE, *own_sources)).problems == ()


def test_one_source_lands_files_and_the_other_tables(tmp_path: Path) -> None:
    lake = check_lake(write_postgres_lake(tmp_path / "streams", SOMEWHERE, "faker")).lake
    places = {connection.source: lake.place(connection) for connection in lake.connections}
    assert places == {"faker": "landing", SOURCE: "postgres"}
    [connection] = find_source(lake, SOURCE).connections
    tables = [str(lake.table_of(connection, stream)) for stream in connection.streams]
    assert sorted(tables) == sorted(f"{SCHEMA}.{name}" for name in STREAMS)


def test_its_password_is_a_secret_of_the_stack(tmp_path: Path) -> None:
    lake = check_lake(write_postgres_lake(tmp_path / "streams", SOMEWHERE, "faker")).lake
    assert lake.value_names is not None
    assert [each.secret for each in lake.value_names[PASSWORD]] == [True]
