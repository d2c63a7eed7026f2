"""What a query reads of a table `a`, as far as that is certain."""

import pytest

from lotus_infra.dbt.query import QueryError, columns_read


def read(sql: str) -> list[str]:
    """The columns that are read of `a`, with members of JSON behind a dot."""
    columns = columns_read(sql, {"a"}).columns
    return [".".join([column.column, *(step or "*" for step in column.path)]) for _, column in columns]


def absent(sql: str) -> list[str]:
    """What parts of the query are asked for in vain."""
    return [f"{one.part}.{one.column}" for one in columns_read(sql, {"a"}).absent]


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
        ("with c as (select * exclude (x) from a) select y from c", ["y"]),
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
        ("select lotus_stand_in_4, x from a", ["x"]),
    ],
)
def test_columns_are_read_where_that_is_certain(sql: str, columns: list[str]) -> None:
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
        ("with c as (select lotus_stand_in_1 from a) select y from c", []),
        ("with c(y) as (select x from a) select y from c", []),
        ("with c as (select x from a union all select x from a) select y from c", []),
        ("select (select y from (select x from a) as c) from b", []),
    ],
)
def test_columns_that_a_part_does_not_have_are_told_where_that_is_certain(sql: str, columns: list[str]) -> None:
    assert absent(sql) == columns


def test_lines_are_those_of_the_text() -> None:
    reads = columns_read("select\n  x,\n\n  y -- z\nfrom a\nwhere\n z", {"a"})

    assert [(column.column, column.line) for _, column in reads.columns] == [("x", 2), ("y", 4), ("z", 7)]


@pytest.mark.parametrize(
    ("sql", "line"),
    [("select a from (\nselect b from t", 2), ("create table x as select 1", None), ("", None), ("'", None)],
)
def test_what_is_no_query_is_an_error_with_its_line(sql: str, line: int | None) -> None:
    with pytest.raises(QueryError) as error:
        columns_read(sql, {"a"})

    assert error.value.line == line


def test_a_query_that_is_nested_too_deeply_is_an_error() -> None:
    with pytest.raises(QueryError):
        columns_read("select " + "(" * 5000 + "1" + ")" * 5000, {"a"})
