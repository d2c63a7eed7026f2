"""SQL in DuckDB's dialect: the columns of a stream's table, and the columns that a query reads.

This is the only module that imports the SQL parser, sqlglot. It reports a column only where the text of the query
proves where the column comes from: an unqualified name is skipped where several tables could have it, a name that
passes through `select *` is resolved to its table, and a query that the parser rejects is an error with its line.

Parquet files in the landing zone are read as text, column by column, so a column's type is what its text is cast to. A
table in Postgres has its own types.
"""

import logging
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from lotus_infra.lake.lake import StreamFile
from lotus_infra.lake.landed import IN_FILES, Names, landed
from lotus_infra.lake.models import Field, FieldPath, KeyPaths

# The parser logs what it also raises; without a handler Python would print it.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())

RAW_ID = "_airbyte_raw_id"
EXTRACTED_AT = "_airbyte_extracted_at"
GENERATION_ID = "_airbyte_generation_id"
META = "_airbyte_meta"
TEXT = "varchar"

ALWAYS_THERE = (RAW_ID, EXTRACTED_AT, META, GENERATION_ID)
"""The columns that Airbyte adds to every stream's Parquet files (destination-s3) and tables."""

METADATA = ((RAW_ID, TEXT), (EXTRACTED_AT, "timestamptz"), (GENERATION_ID, "bigint"), (META, TEXT))
"""These columns as a scaffolded model keeps them, with their types: `latest` orders by all of them except the last.

`_airbyte_meta` says which values of a row Airbyte could not write.
"""

METADATA_OF_TABLES = ((RAW_ID, TEXT), (EXTRACTED_AT, "timestamptz"), (GENERATION_ID, "bigint"), (META, "jsonb"))
"""The same columns with their types in Postgres (destination-postgres 3)."""

RAW_ID_PATH: FieldPath = (RAW_ID,)
EXTRACTED_AT_PATH: FieldPath = (EXTRACTED_AT,)

_BY_AIRBYTE_TYPE = {
    "timestamp_with_timezone": "timestamptz",
    "timestamp_without_timezone": "timestamp",
    "time_without_timezone": "time",
    "integer": "bigint",
}
_BY_FORMAT = {"date-time": "timestamptz", "date": "date"}
_BY_TYPE = {
    frozenset({"integer"}): "bigint",
    # Airbyte writes a number to Parquet as a double, and a scale is not known.
    frozenset({"number"}): "double",
    frozenset({"integer", "number"}): "double",
    frozenset({"boolean"}): "boolean",
}

_IN_POSTGRES = {
    frozenset({"integer"}): "bigint",
    frozenset({"number"}): "numeric",
    frozenset({"boolean"}): "boolean",
}
_TEXT_IN_POSTGRES = {
    ("date", None): "date",
    ("date-time", "timestamp_without_timezone"): "timestamp",
    ("date-time", None): "timestamptz",
    ("time", "time_without_timezone"): "time",
    ("time", None): "timetz",
}
"""By format and Airbyte's closer type, which counts with a format alone; None for any other."""

_WORDS = """
    all alter analyse analyze and anti any array as asc asof asymmetric at authorization between bigint binary
    bit boolean both by case cast char character check coalesce collate collation column columns concurrently
    constraint create cross current_catalog current_database current_date current_role current_schema
    current_time current_timestamp current_user dec decimal default deferrable desc describe distinct do drop
    else end except exists extract false fetch float for force foreign freeze from full generated glob grant
    group grouping grouping_id having ilike in initially inner inout insert install int integer intersect
    interval into is isnull join lambda lateral leading left like limit localtime localtimestamp map national
    natural nchar none not notnull null nullif numeric offset on only or order out outer overlaps overlay pivot
    pivot_longer pivot_wider placing position positional precision primary qualify real references returning
    revoke right rollback row select semi session_user setof show similar smallint some struct substring
    summarize symmetric table tablesample then time timestamp to trailing treat trim true try_cast union unique
    unpack unpivot user using values varchar variadic verbose when where window with xmlattributes xmlconcat
    xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
"""
KEYWORDS = frozenset(_WORDS.split())
"""Words that must be quoted where they are a column's name.

These are the keywords that `duckdb_keywords()` of DuckDB 1.5 doesn't class as unreserved, the functions that are
called without parentheses, and eight words that sqlglot parses as the start of a statement. A test compares the list
with both.
"""

ROUNDING = frozenset({"bigint", "double", "date"})
"""The types of fields to which a cast loses digits, or the time of a day, in silence."""

PLACEHOLDER = "lotus_placeholder_"
"""How a name starts that stands for text which is not known, such as the result of a macro."""

_JSON = (exp.JSONExtract, exp.JSONExtractScalar)
_TEXT_TYPES = (exp.DType.JSON, exp.DType.VARCHAR, exp.DType.TEXT)
_FUNCTIONS_WITHOUT_PARENTHESES = frozenset({"user", "current_role", "current_schema"})
"""Functions that the parser takes for columns; DuckDB prefers the function to a column of the same name."""
_NUMBERED = re.compile(r".*_[0-9]+")
"""What DuckDB calls a result whose name an earlier result has: `id_1`."""

JsonStep = str | None
"""A step of a JSON path: the key of an object, or None for any element of an array."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The key, the cursor and the deletions of a stream's rows, as they are in its files.

    Attributes:
        key: Paths of columns; Airbyte's row id where no primary key arrives, so that every row stays.
        cursor: The path of a column; the time of extraction where no cursor arrives.
        deleted: The column that is not null in a row that was deleted; None if the stream has none.
    """

    key: KeyPaths
    cursor: FieldPath
    deleted: str | None = None

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The model's columns of the key."""
        return tuple(map(column_name, self.key))

    @property
    def cursor_column(self) -> str:
        """The model's column of the cursor."""
        return column_name(self.cursor)

    @property
    def is_keyless(self) -> bool:
        """Whether no primary key arrives."""
        return self.key == (RAW_ID_PATH,)


def identity(stream: StreamFile, names: Names = IN_FILES) -> Identity:
    """The key, cursor and deletions from the stream's file, or else from the discovered stream, after its mappers."""
    arrived = landed(stream, names)
    return Identity(arrived.key or (RAW_ID_PATH,), arrived.cursor or EXTRACTED_AT_PATH, arrived.deleted)


def column_name(path: FieldPath) -> str:
    """The model's column for a path: the keys of a nested column are joined, as in `data_id`."""
    return "_".join(path)


def sql_type(field: Field) -> str:
    """DuckDB's type for a field; JSON stays text."""
    if field.types == {"string"}:
        return _BY_AIRBYTE_TYPE.get(field.airbyte_type or "", _BY_FORMAT.get(field.format or "", TEXT))
    if field.types == {"number"} and field.airbyte_type == "integer":
        return "bigint"
    return _BY_TYPE.get(field.types, TEXT)


def postgres_type(field: Field) -> str:
    """The type of a field's column in Postgres; what has several types, or none that is known, is JSON."""
    if field.types == {"string"}:
        form = field.format or ""
        return _TEXT_IN_POSTGRES.get((form, field.airbyte_type), _TEXT_IN_POSTGRES.get((form, None), TEXT))
    if field.airbyte_type == "integer" and field.types <= {"number", "integer"}:
        return "bigint"
    return _IN_POSTGRES.get(field.types, "jsonb")


def quoted(name: str) -> str:
    """A name as SQL, in double quotes where it needs them."""
    plain = name.isascii() and name.isidentifier() and name.casefold() not in KEYWORDS
    return name if plain else '"' + name.replace('"', '""') + '"'


def pattern_of(prefix: str) -> str:
    """A prefix as part of a pattern of file names in a text of SQL."""
    return re.sub("([*?[])", r"[\1]", prefix).replace("'", "''")


def landed_files(root: str, prefix: str) -> str:
    """All files of a stream as a table in DuckDB's SQL, on two lines.

    Args:
        root: The landing zone, as it is written in a text of SQL.
        prefix: The prefix of the stream's files.
    """
    options = "union_by_name = true, hive_partitioning = false"
    return f"read_parquet('{root}/{pattern_of(prefix)}*/*/*/*.parquet',\n{options})"


class QueryError(Exception):
    """The text can't be parsed as a query.

    Attributes:
        line: 1-based; None when it isn't known.
    """

    def __init__(self, what: str, line: int | None = None) -> None:
        super().__init__(what)
        self.line = line


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A reference to a column of a table.

    Attributes:
        column: The name as the query has it; DuckDB compares names without case.
        line: 1-based.
        path: The JSON path that the query extracts from the column; empty when it reads the whole column.
    """

    column: str
    line: int
    path: tuple[JsonStep, ...] = ()


@dataclass(frozen=True, slots=True)
class MissingColumn:
    """A reference to a column that a CTE or subquery of the same query does not have.

    Attributes:
        column: The name.
        scope: The CTE or subquery.
        line: 1-based.
    """

    column: str
    scope: str
    line: int


@dataclass(frozen=True, slots=True)
class QueryColumns:
    """The columns that a query refers to.

    Attributes:
        read: Each column with its table.
        missing: Columns that a CTE or subquery of the query does not have.
    """

    read: tuple[tuple[str, ColumnRef], ...]
    missing: tuple[MissingColumn, ...]


@dataclass(frozen=True, slots=True)
class _TableColumn:
    """The column of a table that a name resolves to."""

    table: str
    name: str


@dataclass(frozen=True, slots=True)
class _NoColumn:
    """A name that resolves to no column, although the scope lists all of its columns."""

    scope: str


_Origin = _TableColumn | _NoColumn | None
"""What a name resolves to; None when that is a computed value or can't be proved."""


def columns_read(sql: str, tables: Collection[str]) -> QueryColumns:
    """Find the columns that a query reads from the given tables.

    Raises:
        QueryError: The text can't be parsed as one query.
    """
    try:
        tree = sqlglot.parse_one(sql, dialect="duckdb")
        if not isinstance(tree, exp.Query):
            raise QueryError("not a query")
        scopes = traverse_scope(tree)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        raise QueryError(str(first.get("description") or "syntax error"), first.get("line")) from error
    except (SqlglotError, RecursionError) as error:
        raise QueryError(str(error) or type(error).__name__) from error
    read: dict[tuple[str, ColumnRef], None] = {}
    missing: dict[MissingColumn, None] = {}
    for scope in scopes:
        for column, origin in _column_origins(scope):
            if isinstance(origin, _TableColumn) and origin.table in tables:
                read[origin.table, ColumnRef(origin.name, _line(column), tuple(_json_path(column)))] = None
            elif isinstance(origin, _NoColumn):
                missing[MissingColumn(column.name, origin.scope, _line(column))] = None
    return QueryColumns(tuple(read), tuple(missing))


def _column_origins(scope: Scope) -> Iterator[tuple[exp.Column, _Origin]]:
    """Yield each column that a select names, including those that its stars exclude, with its origin."""
    for column in _named_columns(scope):
        yield column, _origin_of(column, scope)
    for result, star in _stars(scope):
        source = _star_source(result, scope)
        for column in star.args.get("except_") or ():
            if source is not None and not column.name.startswith(PLACEHOLDER):
                yield column, _resolve(*scope.selected_sources[source], source, column.name)


def _named_columns(scope: Scope) -> Iterator[exp.Column]:
    """Yield the columns that a select itself names."""
    # `scope.columns` has those of subqueries too, and lacks some in the clauses QUALIFY and HAVING.
    in_clauses = [column for column in scope.find_all(exp.Column) if column.find_ancestor(exp.Qualify, exp.Having)]
    for column in {id(column): column for column in (*scope.columns, *in_clauses)}.values():
        names_one = column.parent_select is scope.expression and not isinstance(column.this, exp.Star)
        if names_one and not _is_function_or_variable(column):
            yield column


def _is_function_or_variable(column: exp.Column) -> bool:
    """Whether a name is a function without parentheses, or the variable of a list comprehension around it."""
    if column.table or column.this.quoted:
        return False
    name = column.name.casefold()
    around = column.find_ancestor(exp.Comprehension)
    while around is not None:
        if name in {bound.name.casefold() for bound in (around.expression, around.args.get("position")) if bound}:
            return True
        around = around.find_ancestor(exp.Comprehension)
    return name in _FUNCTIONS_WITHOUT_PARENTHESES


def _origin_of(column: exp.Column, scope: Scope) -> _Origin:
    """Resolve a column of a select."""
    if column.args.get("db") or column.name.startswith(PLACEHOLDER):
        return None
    if column.table:
        found = _visible_source(column.table, scope)
        return _resolve(*found, column.table, column.name) if found is not None else None
    source = _single_source(scope)
    if source is None or _may_be_correlated(scope) or _may_be_alias(column, scope):
        return None
    return _resolve(*scope.selected_sources[source], source, column.name)


def _visible_source(table: str, scope: Scope) -> tuple[exp.Expr, exp.Expr | Scope] | None:
    """The source with a name or alias, of this select or of a query around it."""
    here: Scope | None = scope
    while here is not None:
        for name, found in here.selected_sources.items():
            if name.casefold() == table.casefold():
                return found
        here = here.parent if here.is_subquery else None
    return None


def _single_source(scope: Scope) -> str | None:
    """The name of a select's source; None when it has several."""
    query = scope.expression
    sources = list(scope.selected_sources)
    if not isinstance(query, exp.Select) or query.args.get("joins") or query.args.get("laterals"):
        return None
    read = query.args.get("from_")
    return sources[0] if len(sources) == 1 and read is not None and read.find(exp.Join) is None else None


def _may_be_correlated(scope: Scope) -> bool:
    """Whether a name that the select's own source lacks may be a column of the query around it."""
    around = scope.parent.expression if scope.parent is not None else None
    beside_others = isinstance(around, exp.Select) and bool(around.args.get("joins") or around.args.get("laterals"))
    return bool(scope.is_subquery or scope.is_udtf or (scope.is_derived_table and beside_others))


def _may_be_alias(column: exp.Column, scope: Scope) -> bool:
    """Whether a name may be the alias of a result.

    DuckDB lets a result refer to aliases to its left, and the other clauses refer to any alias.
    """
    results = scope.expression.selects if isinstance(scope.expression, exp.Query) else []
    here: exp.Expr = column
    while here.parent is not None and here.parent is not scope.expression:
        here = here.parent
    if here.arg_key == "expressions":
        results = results[: here.index]
    name = column.name.casefold()
    return any(isinstance(result, exp.Alias) and result.alias.casefold() == name for result in results)


def _resolve(node: object, source: exp.Expr | Scope, scope_name: str, name: str) -> _Origin:
    """Resolve a name in a table, or in a CTE or subquery called `scope_name`."""
    if not isinstance(node, exp.Expr) or _renames_columns(node):
        return None
    if isinstance(source, exp.Table):
        return _TableColumn(source.name, name)
    if not isinstance(source, Scope) or source.outer_columns or not isinstance(source.expression, exp.Select):
        return None
    otherwise: _Origin = None if _NUMBERED.fullmatch(name) else _NoColumn(scope_name)
    for result in source.expression.selects:
        if _star_of(result) is not None:
            continue
        if not isinstance(result, exp.Alias | exp.Column) or _has_unknown_names(result):
            otherwise = None
        elif result.alias_or_name.casefold() == name.casefold():
            inner = result.unalias()
            origin = _origin_of(inner, source) if isinstance(inner, exp.Column) else None
            # A column that the inner scope itself misses is reported there.
            return origin if isinstance(origin, _TableColumn) else None
    for result, star in _stars(source):
        origin = _resolve_through_star(star, result, source, name)
        if not isinstance(origin, _NoColumn):
            return origin if otherwise is not None else None
    return otherwise


def _star_of(result: exp.Expr) -> exp.Star | None:
    """The star of `*` or `t.*`; None for any other result."""
    star = result.this if isinstance(result, exp.Column) else result
    return star if isinstance(star, exp.Star) else None


def _stars(scope: Scope) -> Iterator[tuple[exp.Expr, exp.Star]]:
    """Yield the results of a select that are stars, each with its star."""
    for result in scope.expression.selects if isinstance(scope.expression, exp.Select) else ():
        star = _star_of(result)
        if star is not None:
            yield result, star


def _star_source(result: exp.Expr, scope: Scope) -> str | None:
    """The name of the source whose columns a star selects; None when it has several sources or an unknown one."""
    source = result.table if isinstance(result, exp.Column) else _single_source(scope)
    return source if source in scope.selected_sources else None


def _has_unknown_names(result: exp.Expr) -> bool:
    """Whether a result may be several columns, or a column whose name only DuckDB or dbt knows."""
    several = (exp.Columns, exp.Explode, exp.Unnest)
    return result.find(*several) is not None or result.alias_or_name.startswith(PLACEHOLDER)


def _renames_columns(node: exp.Expr) -> bool:
    """Whether a table has column aliases, as in `t(a, b)`, or is pivoted."""
    alias = node.args.get("alias")
    return bool(node.args.get("pivots") or (isinstance(alias, exp.TableAlias) and alias.columns))


def _resolve_through_star(star: exp.Star, result: exp.Expr, scope: Scope, name: str) -> _Origin:
    """Resolve a name among the columns of `*` or `t.*`."""
    source = _star_source(result, scope)
    if source is None:
        return None
    wanted = name.casefold()
    for renamed in star.args.get("rename") or ():
        if renamed.alias.casefold() == wanted:
            return _resolve(*scope.selected_sources[source], source, renamed.this.name)
    if any(replaced.alias.casefold() == wanted for replaced in star.args.get("replace") or ()):
        return None
    excluded = [*(star.args.get("except_") or ()), *(renamed.this for renamed in star.args.get("rename") or ())]
    if any(column.name.casefold() == wanted for column in excluded):
        return _NoColumn(source)
    return _resolve(*scope.selected_sources[source], source, name)


def _json_path(column: exp.Column) -> Iterator[JsonStep]:
    """Yield the steps of the JSON path that is extracted from a column, up to the first that is computed."""
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
        elif not isinstance(around, exp.Paren) and not (isinstance(around, exp.Cast) and around.to.this in _TEXT_TYPES):
            return
        here = around


def _line(column: exp.Column) -> int:
    return int(column.this.meta.get("line", 1))
