"""Which columns a query reads of its tables: the one place that knows SQL, as DuckDB writes it.

Only what is certain is told. A name without a table in front is left alone where more than one table could have it, a
name that comes through `select *` is followed to where it is from, and a query that the parser doesn't understand is an
error that says where.
"""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from lotus_infra.dbt.parts import Absent, Member, Read
from lotus_infra.dbt.template import STAND_IN

# What the parser says of itself is told by the errors it raises.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())

_JSON = (exp.JSONExtract, exp.JSONExtractScalar)
_TEXT = (exp.DType.JSON, exp.DType.VARCHAR, exp.DType.TEXT)


class QueryError(Exception):
    """The text is no query that the parser knows.

    Attributes:
        line: 1-based; None when it isn't known.
    """

    def __init__(self, what: str, line: int | None = None) -> None:
        super().__init__(what)
        self.line = line


@dataclass(frozen=True, slots=True)
class Reads:
    """What a query reads.

    Attributes:
        columns: Each with the table that it is read of.
        absent: Columns that a part of the query is asked for and doesn't have.
    """

    columns: tuple[tuple[str, Read], ...]
    absent: tuple[Absent, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a table, where a name leads to."""

    table: str
    name: str


@dataclass(frozen=True, slots=True)
class _Nothing:
    """No column, although the part that was asked lists all it has."""

    part: str


_Origin = _Column | _Nothing | None
"""Where a name leads to; None when that is something computed, or can't be told."""


def columns_read(sql: str, tables: Collection[str]) -> Reads:
    """Find what a query reads of some tables.

    Args:
        sql: One query.
        tables: The names of the tables that matter.

    Raises:
        QueryError: The text can't be read as a query.
    """
    try:
        tree = sqlglot.parse_one(sql, dialect="duckdb")
        if not isinstance(tree, exp.Query):
            raise QueryError("is no query")
        scopes = traverse_scope(tree)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        raise QueryError(str(first.get("description") or "syntax error"), first.get("line")) from error
    except (SqlglotError, RecursionError) as error:
        raise QueryError(str(error) or type(error).__name__) from error
    found: dict[tuple[str, Read], None] = {}
    absent: dict[Absent, None] = {}
    for scope in scopes:
        for column in _own_columns(scope):
            origin = _origin(column, scope)
            if isinstance(origin, _Column) and origin.table in tables:
                found[origin.table, Read(origin.name, _line(column), tuple(_path(column)))] = None
            elif isinstance(origin, _Nothing):
                absent[Absent(column.name, origin.part, _line(column))] = None
    return Reads(tuple(found), tuple(absent))


def _own_columns(scope: Scope) -> Iterator[exp.Column]:
    """The columns that a select names itself; the parser adds those of its subqueries."""
    for column in scope.columns:
        if column.parent_select is scope.expression and not isinstance(column.this, exp.Star):
            yield column


def _origin(column: exp.Column, scope: Scope) -> _Origin:
    """Where a column of a select comes from."""
    sources = scope.selected_sources
    if column.args.get("db") or column.name.startswith(STAND_IN):
        return None
    if column.table:
        named = {name.casefold(): source for name, source in sources.items()}
        found = named.get(column.table.casefold())
        return _follow(*found, column.table, column.name) if found is not None else None
    only = _only_source(scope)
    if only is None or _may_look_outside(scope) or _is_alias(column, scope):
        return None
    return _follow(*sources[only], only, column.name)


def _only_source(scope: Scope) -> str | None:
    """The name of the one thing that a select reads; None when it reads more."""
    query = scope.expression
    sources = list(scope.selected_sources)
    if not isinstance(query, exp.Select) or query.args.get("joins") or query.args.get("laterals"):
        return None
    read = query.args.get("from_")
    return sources[0] if len(sources) == 1 and read is not None and read.find(exp.Join) is None else None


def _may_look_outside(scope: Scope) -> bool:
    """Whether a name that the select's own source lacks may be one of the query around it."""
    around = scope.parent.expression if scope.parent is not None else None
    beside_others = isinstance(around, exp.Select) and bool(around.args.get("joins") or around.args.get("laterals"))
    return bool(scope.is_subquery or scope.is_udtf or (scope.is_derived_table and beside_others))


def _is_alias(column: exp.Column, scope: Scope) -> bool:
    """Whether a name may be that of a result: in DuckDB of one further left, and of any in the clauses behind."""
    results = scope.expression.selects if isinstance(scope.expression, exp.Query) else []
    here: exp.Expr = column
    while here.parent is not None and here.parent is not scope.expression:
        here = here.parent
    if here.arg_key == "expressions":
        results = results[: here.index]
    name = column.name.casefold()
    return any(isinstance(result, exp.Alias) and result.alias.casefold() == name for result in results)


def _follow(node: object, source: exp.Expr | Scope, part: str, name: str) -> _Origin:
    """Where a name leads to that is read of a table or of a part of the query."""
    if not isinstance(node, exp.Expr) or _gives_other_names(node):
        return None
    if isinstance(source, exp.Table):
        return _Column(source.name, name)
    if not isinstance(source, Scope) or source.outer_columns or not isinstance(source.expression, exp.Select):
        return None
    nothing: _Origin = _Nothing(part)
    for result in source.expression.selects:
        star = result if isinstance(result, exp.Star) else result.this if isinstance(result, exp.Column) else None
        if isinstance(star, exp.Star):
            origin = _through_star(star, result, source, name)
            if not isinstance(origin, _Nothing):
                return origin
        elif not isinstance(result, exp.Alias | exp.Column) or _has_unknown_names(result):
            nothing = None
        elif result.alias_or_name.casefold() == name.casefold():
            inner = result.unalias()
            origin = _origin(inner, source) if isinstance(inner, exp.Column) else None
            # What the part itself asks for in vain is told where it asks.
            return origin if isinstance(origin, _Column) else None
    return nothing


def _has_unknown_names(result: exp.Expr) -> bool:
    """Whether a result may be several columns, or ones whose names only DuckDB or dbt knows."""
    several = isinstance(result.unalias(), exp.Columns | exp.Explode | exp.Unnest)
    return several or result.alias_or_name.startswith(STAND_IN)


def _gives_other_names(node: exp.Expr) -> bool:
    """Whether a table is read as `t(a, b)`, or pivoted."""
    alias = node.args.get("alias")
    return bool(node.args.get("pivots") or (isinstance(alias, exp.TableAlias) and alias.columns))


def _through_star(star: exp.Star, result: exp.Expr, scope: Scope, name: str) -> _Origin:
    """Where a name leads to that `*` or `part.*` brings along."""
    part = result.table if isinstance(result, exp.Column) else _only_source(scope)
    source = scope.selected_sources.get(part) if part is not None else None
    if part is None or source is None:
        return None
    wanted = name.casefold()
    for renamed in star.args.get("rename") or ():
        if renamed.alias.casefold() == wanted:
            return _follow(*source, part, renamed.this.name)
    if any(replaced.alias.casefold() == wanted for replaced in star.args.get("replace") or ()):
        return None
    left_out = [*(star.args.get("except_") or ()), *(renamed.this for renamed in star.args.get("rename") or ())]
    if any(column.name.casefold() == wanted for column in left_out):
        return _Nothing(part)
    return _follow(*source, part, name)


def _path(column: exp.Column) -> Iterator[Member]:
    """The members that JSON functions around a column take out of it, as far as they are written out."""
    here: exp.Expr = column
    while here.parent is not None:
        around = here.parent
        if isinstance(around, _JSON) and here.arg_key == "this":
            if not isinstance(around.expression, exp.JSONPath):
                return
            for step in around.expression.expressions[1:]:
                if isinstance(step, exp.JSONPathSubscript):
                    yield None
                elif isinstance(step, exp.JSONPathKey) and isinstance(step.this, str):
                    yield step.this
                else:
                    return
        elif not isinstance(around, exp.Paren) and not (isinstance(around, exp.Cast) and around.to.this in _TEXT):
            return
        here = around


def _line(column: exp.Column) -> int:
    return int(column.this.meta.get("line", 1))
