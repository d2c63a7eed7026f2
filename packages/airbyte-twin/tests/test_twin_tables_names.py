"""Names in Postgres, as destination-postgres 3.0 makes them."""

import pytest
from airbyte_twin.landing import LandingError
from airbyte_twin.tables.names import TableName, column_names, postgres_name, table_names, temporary_name


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("orders", "orders"),
        ("OrderLines", "OrderLines"),
        ("order-lines", "order_lines"),
        ("order  lines", "order_lines"),
        ("Größe (m²)", "Große__m2_"),
        ("$email", "_email"),
        ("2fa", "_2fa"),
        ("日本", "__"),
        ('quo"te', "quo_te"),
        ("x" * 63, "x" * 63),
    ],
)
def test_a_name_keeps_its_case_and_letters_and_loses_the_rest(name: str, written: str) -> None:
    assert postgres_name(name) == written.replace("ß", "_")


@pytest.mark.parametrize("name", ["x" * 64, "x" * 65, "order_line_" * 10, "Ä" * 64])
def test_a_longer_name_ends_in_digits_of_its_java_hash(name: str) -> None:
    plain = name.replace("Ä", "A")
    hashed = sum(ord(letter) * 31**place for place, letter in enumerate(reversed(plain))) & 0xFFFFFFFF
    signed = hashed - (1 << 32) if hashed >= 1 << 31 else hashed
    assert postgres_name(name) == f"{plain[:54]}_{str(signed)[-8:]}"
    assert len(postgres_name(name)) <= 63


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(LandingError, match="empty name"):
        postgres_name("")


def test_two_fields_of_one_name_get_a_number_whatever_their_case() -> None:
    assert column_names(["id", "ID", "i d", "i-d", "id_1"]) == {
        "id": "id",
        "ID": "ID_1",
        "i d": "i_d",
        "i-d": "i_d_1",
        "id_1": "id_1_1",
    }


def test_two_streams_of_one_name_get_digits_of_a_hash() -> None:
    found = table_names([("crm", "a b"), ("crm", "a-b"), ("erp", "a-b"), (None, "a b"), ("crm", "A b")], "main")
    assert found["crm", "a b"] == ("crm", "a_b")
    assert found["crm", "a-b"].name.startswith("a_b_")
    assert len(found["crm", "a-b"].name) == len("a_b_") + 3
    assert (found["erp", "a-b"], found[None, "a b"]) == (("erp", "a_b"), ("main", "a_b"))
    assert found["crm", "A b"] == ("crm", "A_b")


def test_streams_without_a_namespace_are_in_the_default_schema_or_in_public() -> None:
    assert table_names([(None, "a")], "my-schema") == {(None, "a"): ("my_schema", "a")}
    assert table_names([(None, "a")], "") == {(None, "a"): ("public", "a")}


def test_the_table_aside_is_named_as_the_connectors_own() -> None:
    long = TableName("averylongnamespacewithmanycharacters", "similarlylongstreamnamewithlotsoftest")
    # The example of the connector's own test, less the character that Postgres cuts off.
    assert temporary_name(long).name == "averylonaracterssimilarltsoftest81e041292e119a43ceaa439325d86a24"[:63]
    assert temporary_name(long).schema == long.schema
    assert temporary_name(TableName("crm", "users")).name.startswith("crmusers")
