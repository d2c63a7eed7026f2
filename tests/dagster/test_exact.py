"""Numbers in models are the numbers of the files, or the run fails: whatever the file's type, and the column's."""

from decimal import Decimal
from functools import cache

import duckdb
import jinja2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lotus_dagster.definitions import DBT_PROJECT

TYPES = ("bigint", "double", "decimal(18, 4)", "decimal(38, 10)")
each_type = pytest.mark.parametrize("kind", TYPES)
WRITTEN = st.from_regex(r"[+-]?([0-9]{1,20}[.]?[0-9]{0,12}|[.][0-9]{1,12})([eE][+-]?[0-9]{1,3})?", fullmatch=True)
SHORT = st.decimals(min_value=-100_000, max_value=100_000, places=4).map(str)


@cache
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@cache
def sql_of(value: str, kind: str) -> str:
    """The SQL of `{{ exact(value, kind) }}`, as dbt renders it."""
    text = (DBT_PROJECT / "macros" / "exact.sql").read_text() + f"{{{{ exact({value!r}, {kind!r}) }}}}"
    environment = jinja2.Environment(autoescape=False)
    return environment.from_string(text).render(sql_literal=lambda text: "'" + text.replace("'", "''") + "'")


def read(text: str | None, kind: str) -> str | None:
    """A text as a value of a type, as text again; "refused" where the run would fail."""
    query = f"select ({sql_of('written', kind)})::varchar from (select ?::varchar as written)"
    try:
        [(found,)] = connection().execute(query, [text]).fetchall()
    except duckdb.Error:
        return "refused"
    return None if found is None else str(found)


@each_type
@given(text=WRITTEN | SHORT)
@example(text="0.00012345")
@example(text="52.5200081234")
@example(text="1.7e18")
@example(text="1e400")
@example(text="-0")
@example(text="9007199254740993")
@example(text="9223372036854775808")
def test_a_number_is_the_same_number_in_the_model_or_is_refused(kind: str, text: str) -> None:
    found = read(text, kind)

    assert found == "refused" or Decimal(str(found)) == Decimal(text)


@given(number=st.floats())
def test_a_double_column_keeps_every_double_that_a_file_has(number: float) -> None:
    [(text,)] = connection().execute("select ?::double::varchar", [number]).fetchall()
    found = read(text, "double")

    assert found == text
    assert (float(found) == number) or number != number  # noqa: PLR0124, not a number


@given(
    number=st.integers(-(2**63), 2**63 - 1), kind=st.sampled_from(["tinyint", "integer", "bigint", "decimal(38, 3)"])
)
def test_a_bigint_column_keeps_every_integer_that_a_file_has(number: int, kind: str) -> None:
    limit = {"tinyint": 2**7, "integer": 2**31}.get(kind, 2**63)
    held = number % limit
    [(text,)] = connection().execute(f"select ?::{kind}::varchar", [held]).fetchall()

    assert read(text, "bigint") == str(held)


@given(number=st.decimals(min_value=-(10**13), max_value=10**13, places=4))
def test_a_decimal_column_keeps_amounts_of_its_scale(number: Decimal) -> None:
    assert read(str(number), "decimal(18, 4)") == f"{number:f}"


@pytest.mark.parametrize(
    ("text", "kind", "read_as"),
    [
        (None, "bigint", None),
        ("12.0", "bigint", "12"),
        ("1e3", "bigint", "1000"),
        ("+5", "bigint", "5"),
        ("0.10", "double", "0.1"),
        ("1.7E+18", "double", "1.7e+18"),
        ("nan", "double", "nan"),
        ("1.50", "decimal(18, 4)", "1.5000"),
        ("1.5", "bigint", "refused"),
        ("5e-1", "bigint", "refused"),
        ("0x10", "bigint", "refused"),
        ("1_000", "bigint", "refused"),
        ("", "double", "refused"),
        ("many", "double", "refused"),
        ("1e400", "double", "refused"),
        ("1e-400", "double", "refused"),
        ("12345678901234567890.12", "double", "refused"),
        ("0.00012345", "decimal(18, 4)", "refused"),
        ("nan", "decimal(18, 4)", "refused"),
        ("2026-01-05", "date", "2026-01-05"),
        ("2026-01-05 00:00:01+00", "date", "refused"),
        ("2026-01-05T23:00:00-05:00", "date", "refused"),
    ],
)
def test_a_text_is_read_as_the_number_that_it_is(text: str | None, kind: str, read_as: str | None) -> None:
    assert read(text, kind) == read_as


def test_the_reason_of_a_refusal_names_the_column_the_value_and_what_to_do() -> None:
    with pytest.raises(
        duckdb.Error, match=r"price is 1\.5, which bigint can't keep: give the column a type in the model"
    ):
        connection().execute(f"select {sql_of('price', 'bigint')} from (select '1.5' as price)").fetchall()


def test_a_refusal_of_one_row_costs_no_other_row_its_value() -> None:
    rows = "(values ('1'), ('2.0'), (null), ('3e2')) as rows (price)"
    found = connection().execute(f"select {sql_of('price', 'bigint')} from {rows}").fetchall()

    assert found == [(1,), (2,), (None,), (300,)]
