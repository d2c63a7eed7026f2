"""The Postgres server of the tests itself."""

import signal

import pytest

from tests.support.postgres import Postgres


def test_databases_survive_a_stop_and_a_crash(postgres: Postgres) -> None:
    name = postgres.new_catalog().split()[0].removeprefix("postgres:dbname=")
    postgres.query("create table kept (n int); insert into kept values (1)", database=name)
    for how in (signal.SIGINT, signal.SIGQUIT):
        postgres.stop(how)
        with pytest.raises(RuntimeError, match="refused"):
            postgres.query("select 1", database=name)
        postgres.start()
        assert postgres.query("select n, 'a b' from kept", database=name) == [["1", "a b"]]


def test_each_catalog_is_empty(postgres: Postgres) -> None:
    assert postgres.new_catalog() != postgres.new_catalog()
