"""The address of a Postgres destination, as Postgres' own library reads it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg2.extensions import parse_dsn

from lotus_infra.lake.postgres_address import connection_string, flaw

GIVEN: dict[str, Any] = {
    "host": "db.example.com",
    "port": 6543,
    "database": "crm",
    "schema": "public",
    "username": "lake",
    "password": "a password",
}
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def test_a_configuration_becomes_a_connection_string() -> None:
    assert parse_dsn(connection_string(GIVEN)) == {
        "host": "db.example.com",
        "port": "6543",
        "dbname": "crm",
        "user": "lake",
        "password": "a password",
        "connect_timeout": "10",
    }


def test_what_the_configuration_leaves_out_is_left_to_the_library() -> None:
    assert parse_dsn(connection_string({"host": "db", "database": "crm", "password": ""})) == {
        "host": "db",
        "dbname": "crm",
        "connect_timeout": "10",
    }


@pytest.mark.parametrize(
    ("settings", "mode"),
    [
        ({"ssl_mode": {"mode": "disable"}}, "disable"),
        ({"ssl_mode": {"mode": "require"}, "ssl": False}, "require"),
        ({"ssl": True}, "require"),
        ({"ssl": False}, None),
    ],
)
def test_the_mode_of_tls_is_the_destinations(settings: dict[str, Any], mode: str | None) -> None:
    assert parse_dsn(connection_string(GIVEN | settings)).get("sslmode") == mode


@given(TEXTS, TEXTS)
def test_any_user_and_password_are_the_same_texts_to_postgres(user: str, password: str) -> None:
    read = parse_dsn(connection_string(GIVEN | {"username": user, "password": password}))
    assert (read["user"], read["password"], read["dbname"]) == (user, password, "crm")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, None),
        ({"tunnel_method": {"tunnel_method": "NO_TUNNEL"}, "ssl_mode": {"mode": "prefer"}}, None),
        ({"tunnel_method": {"tunnel_method": "SSH_KEY_AUTH"}}, "SSH tunnel"),
        ({"ssl_mode": {"mode": "verify-full", "ca_certificate": {"$secret": "ca"}}}, "verify-full"),
    ],
)
def test_a_tunnel_and_a_certificate_can_not_be_in_a_connection_string(
    settings: dict[str, Any], why: str | None
) -> None:
    found = flaw(GIVEN | settings)
    assert found is None if why is None else why in (found or "")
