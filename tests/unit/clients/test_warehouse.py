"""Whether a Postgres warehouse answers, on a real server."""

import sys

import pytest

from lotus_infra.clients.warehouse import NotCheckedError, server_version
from lotus_infra.errors import LotusError
from sandbox.process import free_port
from tests.support.postgres import Postgres
from tests.support.postgres_lake import new_database


def test_a_server_that_answers_has_a_version(postgres: Postgres) -> None:
    assert server_version(new_database(postgres).libpq).split(".")[0].isdecimal()


def test_a_server_that_is_away_is_an_error_without_the_password() -> None:
    address = f"dbname=crm host=127.0.0.1 port={free_port()} user=lake password='some secret'"

    with pytest.raises(LotusError, match="it can't be reached: connection to server at") as caught:
        server_version(address)

    assert "secret" not in str(caught.value)


def test_an_address_that_is_none_is_an_error_without_its_text() -> None:
    with pytest.raises(LotusError, match="it can't be reached") as caught:
        server_version("some secret")

    assert "secret" not in str(caught.value)


def test_without_duckdb_it_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)

    with pytest.raises(NotCheckedError, match="pip install 'lotus-infra"):
        server_version("dbname=crm")
