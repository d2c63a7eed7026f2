"""Words that stand between quotes where they are a column's name.

They are the keywords that `duckdb_keywords()` of DuckDB 1.5 doesn't call unreserved, the functions that are called
without parentheses, and eight words that sqlglot takes for the start of a statement. A test compares them with both.
"""

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
