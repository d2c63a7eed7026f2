{#
    The tables beside the models: `read_files.<model>`, which files a model has read; `read_files.quarantined_files`, which it
    must not read; `runs.<model>`, the row that every transaction of a model updates; `deleted_rows.<model>` (`latest`);
    `older_rows.<model>` and `row_files.<model>` (`expiry.sql`).
#}
{% macro ensure_bookkeeping() %}
    create schema if not exists {{ target.database }}.read_files;
    create schema if not exists {{ target.database }}.runs;
    create schema if not exists {{ target.database }}.deleted_rows;
    create schema if not exists {{ target.database }}.older_rows;
    create schema if not exists {{ target.database }}.row_files;
    create table if not exists {{ quarantined_files() }}
    (model varchar, file varchar, etag varchar, size bigint, reason varchar, since timestamptz)
{% endmacro %}

{#
    Begins the transaction of a model, with an update of a row of its own: of two runs that overlap, DuckLake lets the first
    commit and fails the second with "Transaction conflict", which then has changed nothing. The row has a table of its own
    since DuckLake compares tables, not rows. Whatever a model reads of the lake, it has to read after this.
#}
{% macro take_turn() %}
    {%- set table = api.Relation.create(database=this.database, schema='runs', identifier=this.identifier) -%}
    {%- call statement('take_turn', auto_begin=True) -%}
        {{ ensure_bookkeeping() }};
        create table if not exists {{ table }} (runs bigint);
        insert into {{ table }} select 0 where not exists (from {{ table }});
        update {{ table }} set runs = runs + 1
    {%- endcall -%}
{% endmacro %}

{# At the end of a run: DuckLake's message says what happened, and not what to do. #}
{% macro advise_on_conflicts(results) %}
    {%- for result in results if execute and 'Transaction conflict' in (result.message or '') -%}
        {%- do log(
            "Another run committed changes to " ~ result.node.name ~ " first. Nothing of this run is in it: run it again.",
            info=True) -%}
    {%- endfor -%}
{% endmacro %}

{#
    Sets the session's variable `reading` to what `lotus_dagster.arrivals.reading` decides, and does what comes before the
    reading: deletes the rows of a model that starts over, gives names that were kept alone their identities.

    What a run is asked for is in the environment (`lotus_dagster/environment.py`), not in vars: dbt parses the whole project
    again in each run whose vars are not those of the run before. A model that has read no file yet looks everywhere.
#}
{% macro decide_reading(prefix) %}
    {%- set read = read_files() -%}
    {%- do ensure_read_files(read) -%}
    {%- set decided -%}
        set variable reading = (
            select files_to_read(
                {{ sql_literal(prefix) }},
                {{ should_full_refresh() }},
                (
                    select coalesce(list({'file': file, 'etag': etag, 'size': size, 'modified': modified, 'read_at': read_at, 'traced': traced}), [])
                    from {{ read }}
                    {{ "where false" if not load_relation(this) }}
                ),
                (
                    select coalesce(list({'file': file, 'etag': etag, 'size': size}), [])
                    from {{ quarantined_files() }}
                    where model = {{ sql_literal(this.identifier) }}
                )
            )
        )
    {%- endset -%}
    {%- do run_query(decided) -%}
    {%- set answer = run_query("select r.error, r.rebuild, len(r.adopted), len(r.expired) from (select getvariable('reading') as r)").rows[0] -%}
    {%- if answer[0] is not none -%}
        {%- do exceptions.raise_compiler_error(answer[0]) -%}
    {%- endif -%}
    {%- if not is_incremental() -%}
        {%- do forget_versions() -%}
    {%- endif -%}
    {%- if keeps_versions() -%}
        {%- do run_query("create table if not exists " ~ row_files() ~ " (file varchar, _airbyte_raw_id varchar)") -%}
        {%- if answer[3] -%}
            {%- do finish_expired(read) -%}
        {%- endif -%}
    {%- endif -%}
    {%- if answer[1] -%}
        {%- do start_over(read) -%}
    {%- elif answer[2] -%}
        {%- do adopt_identities(read) -%}
    {%- endif -%}
{% endmacro %}

{#
    The version before kept names alone. The model's last commit is the latest time at which it can have read them: a file that
    was written after it was overwritten since.
#}
{% macro ensure_read_files(read) %}
    {%- set columns = {'etag': 'varchar', 'size': 'bigint', 'modified': 'timestamptz', 'read_at': 'timestamptz', 'traced': 'boolean'} -%}
    {%- do run_query(
        "create table if not exists " ~ read
        ~ " (file varchar, etag varchar, size bigint, modified timestamptz, read_at timestamptz, traced boolean)") -%}
    {%- set there = run_query("select column_name from (describe " ~ read ~ ")").columns[0].values() -%}
    {%- for name, type in columns.items() if name not in there -%}
        {%- do run_query("alter table " ~ read ~ " add column " ~ name ~ " " ~ type) -%}
    {%- endfor -%}
    {%- if 'read_at' not in there -%}
        {%- do run_query("update " ~ read ~ " set read_at = (" ~ last_commit() ~ ")") -%}
    {%- endif -%}
{% endmacro %}

{# Null if the catalog has no snapshot of that time any more. #}
{% macro last_commit() -%}
    select max(snapshot_time)
    from ducklake_snapshots({{ sql_literal(this.database) }})
    where list_has_any(flatten(map_values(changes)), (
        select list(table_id::varchar)
        from ducklake_table_info({{ sql_literal(this.database) }})
        where table_name = {{ sql_literal(this.identifier) }}
    ))
{%- endmacro %}

{% macro start_over(read) %}
    {%- do log(this.identifier ~ " starts over, since files that it has read were overwritten or removed", info=True) -%}
    {%- do keep_final_rows() -%}
    {%- do run_query("delete from " ~ read ~ " where not list_contains(getvariable('reading').expired, file)") -%}
{% endmacro %}

{% macro adopt_identities(read) %}
    {%- set query -%}
        update {{ read }} as kept
        set etag = seen.etag, size = seen.size, modified = seen.modified
        from (select unnest(getvariable('reading').adopted, recursive := true)) as seen
        where kept.file = seen.file
    {%- endset -%}
    {%- do run_query(query) -%}
{% endmacro %}

{# A post-hook of every model of a stream; one that reads a table has read no files. #}
{% macro remember_files_read() %}
    {% if execute and reads_arrivals() -%}
    {% if not is_incremental() -%}
    delete from {{ read_files() }};
    {% endif -%}
    insert into {{ read_files() }} by name
    select file, etag, size, modified, now() as read_at, {{ keeps_versions() }} as traced
    from (select unnest(getvariable('reading').files, recursive := true));
    delete from {{ quarantined_files() }}
    where model = {{ sql_literal(this.identifier) }} and list_contains(getvariable('reading').released, file)
    {%- endif %}
{% endmacro %}

{% macro read_files() %}
    {%- do return(api.Relation.create(database=this.database, schema='read_files', identifier=this.identifier)) -%}
{% endmacro %}

{% macro quarantined_files() %}
    {%- do return(api.Relation.create(database=target.database, schema='read_files', identifier='quarantined_files')) -%}
{% endmacro %}
