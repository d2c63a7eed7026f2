"""The columns that a query reads from a table `a`, where the text proves it."""

import pytest

from lotus_infra.dbt.sql import PLACEHOLDER, QueryError, columns_read


def read(sql: str) -> list[str]:
    """The columns that are read from `a`, with keys of JSON behind a dot."""
    columns = columns_read(sql, {"a"}).read
    return [".".join([column.column, *(step or "*" for step in column.path)]) for _, column in columns]


def missing(sql: str) -> list[str]:
    """The columns that CTEs and subqueries of the query lack."""
    return [f"{one.scope}.{one.column}" for one in columns_read(sql, {"a"}).missing]


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("select x, y::int as z from a where w", ["x", "y", "w"]),
        ("select a.x from a join b on a.i = b.i", ["x", "i"]),
        ("select x from a join b using (i)", []),
        ("select x from a, b", []),
        ("select t.x from a as t", ["x"]),
        ("select t.p from a as t(p, q)", []),
        ("select x from a union all by name select y from b", ["x"]),
        ("with c as (select * from a) select x from c", ["x"]),
        ("with c as (select x as y from a) select y from c", ["x"]),
        ("with c as (select x + 1 as y from a) select y from c", ["x"]),
        ("with c as (select * exclude (x) from a) select y from c", ["x", "y"]),
        ("with c as (select * rename (x as y) from a) select y from c", ["x"]),
        ("with c as (select * replace (1 as y) from a) select y from c", []),
        ("with c as (select t.*, 1 as one from a as t) select y from c", ["y"]),
        ("select x as y, y + 1 as z from a", ["x"]),
        ("select y + 1 as z, x as y from a", ["y", "x"]),
        ("select x as y from a where y > 1 order by y", ["x"]),
        ("select i from b where i in (select x from a)", []),
        ("select i from b where i in (select a.x from a)", ["x"]),
        ("select list_transform(x, e -> e.y) from a", ["x"]),
        ("select columns('.*') from a", []),
        ("select x from a pivot (sum(v) for k in ('p'))", []),
        ("from a select x", ["x"]),
        ("from a", []),
        ("select j->>'$.p.q', j->'r'->>'s' from a", ["j.p.q", "j.r.s"]),
        ("select json_extract_string(j, '$[*].p')::int[] from a", ["j.*.p"]),
        ("select json_extract_string(j::json, '$[0].p') from a", ["j.*.p"]),
        ("select json_extract(j, ['$.p']), j->>'/p', j->>k from a", ["j", "k"]),
        (f"select {PLACEHOLDER}4, x from a", ["x"]),
        ("select x from (select *, count(*) over () as n from a) where n = 1", ["x"]),
        ("with c as (select *, x + 1 as y from a) select y from c", ["x"]),
        ("with c as (select *, unnest(x) as y from a) select z from c", ["x"]),
        (f"select * exclude (x, {PLACEHOLDER}1) from a", ["x"]),
        ("with c as (select * from a) select c.* exclude (x) from c join b using (i)", ["x"]),
        ("select x from a qualify row_number() over (partition by y order by x) = 1", ["x", "y"]),
        ("select x, count(*) as n from a group by x having n > 1 and max(y) > 1", ["x", "y"]),
        ("select (select max(b.x) from b where b.i = a.y) from a", ["y"]),
        ("select i from b where exists (select 1 from a as t where t.x = b.i)", ["x"]),
        ("select [e || p || y for e, p in x if e] from a", ["x", "y"]),
        ("select user, a.user from a", ["user"]),
    ],
)
def test_columns_are_found_where_the_text_proves_their_table(sql: str, columns: list[str]) -> None:
    assert sorted(read(sql)) == sorted(columns)


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("with c as (select x from a) select y from c", ["c.y"]),
        ("with c as (select x from a) select c.y from c join a as d on d.x = c.x", ["c.y"]),
        ("with c as (select x from a), d as (select *, y from c) select y from d", ["c.y"]),
        ("with c as (select * exclude (x) from a) select x from c", ["c.x"]),
        ("with c as (select x from a) select x as y from c where y", []),
        ("with c as (select x, count(*) from a group by x) select y from c", []),
        ("with c as (select unnest(x) as z from a) select y from c", []),
        ("with c as (select columns('x') as z from a) select y from c", []),
        (f"with c as (select {PLACEHOLDER}1 from a) select y from c", []),
        ("with c(y) as (select x from a) select y from c", []),
        ("with c as (select x from a union all select x from a) select y from c", []),
        ("select (select y from (select x from a) as c) from b", []),
        ("with c as (select x, x from a) select x_1 from c", []),
        ("with c as (select min(columns(*)) as z from a) select y from c", []),
        ("with c as (select x from a) select * exclude (y) from c", ["c.y"]),
    ],
)
def test_columns_that_a_scope_lacks_are_found_where_the_text_lists_its_columns(sql: str, columns: list[str]) -> None:
    assert missing(sql) == columns


def test_lines_are_those_of_the_text() -> None:
    columns = columns_read("select\n  x,\n\n  y -- z\nfrom a\nwhere\n z", {"a"})

    assert [(column.column, column.line) for _, column in columns.read] == [("x", 2), ("y", 4), ("z", 7)]


@pytest.mark.parametrize(
    ("sql", "line"),
    [("select a from (\nselect b from t", 2), ("create table x as select 1", None), ("", None), ("'", None)],
)
def test_a_text_that_is_not_a_query_is_an_error_with_its_line(sql: str, line: int | None) -> None:
    with pytest.raises(QueryError) as error:
        columns_read(sql, {"a"})

    assert error.value.line == line


def test_a_query_that_is_nested_too_deeply_is_an_error() -> None:
    with pytest.raises(QueryError):
        columns_read("select " + "(" * 5000 + "1" + ")" * 5000, {"a"})
