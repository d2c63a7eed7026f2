{#
    What a model keeps because the bucket expires files (LOTUS_EXPIRE_RAW_DAYS): a model that starts over can't read them again.

    `row_files.<model>` has the file of each row that was read, until the file has expired. A row that is not in it is
    final: it stays, whatever happens to other files. `older_rows.<model>` has the rows that lost to a later row of their
    key. They count again when the file of the later one is overwritten or removed.
#}

{# Needs the hook that moves older rows out of the model, which a dbt_project.yml of before lacks. #}
{% macro keeps_versions() %}
    {%- do return(
        execute and env_var('LOTUS_EXPIRE_RAW_DAYS', '') | trim != '' and has_hook('set_deletions_apart') and reads_arrivals()) -%}
{% endmacro %}

{% macro has_hook(name) %}
    {%- do return(name in model.config['post-hook'] | map(attribute='sql') | join) -%}
{% endmacro %}

{#
    Whether a row is of an expired file. Of files that were read before their rows were kept in `row_files`, the time decides
    at which the row was extracted.
#}
{% macro is_final() -%}
    {%- set by_time = "coalesce(_airbyte_extracted_at <= getvariable('reading').keep_until, false)" -%}
    {%- if keeps_versions() -%}
    case
        when _airbyte_raw_id in (select _airbyte_raw_id from {{ row_files() }}) then false
        when getvariable('reading').traced and _airbyte_raw_id is not null then true
        else {{ by_time }}
    end
    {%- else -%}
    {{ by_time }}
    {%- endif -%}
{%- endmacro %}

{# Part of `decide_reading`: the rows of files that have expired since the last look become final. #}
{% macro finish_expired(read) %}
    {%- set expired = "list_contains(getvariable('reading').expired, file)" -%}
    {%- do run_query(
        "delete from " ~ row_files() ~ " where _airbyte_raw_id in (select _airbyte_raw_id from " ~ row_files() ~ " where "
        ~ expired ~ ")") -%}
    {%- do run_query("update " ~ read ~ " set traced = false where traced and " ~ expired) -%}
{% endmacro %}

{# Part of `start_over`: all versions that stay are in the model, until `set_older_rows_apart` moves them out again. #}
{% macro keep_final_rows() %}
    {%- do run_query("delete from " ~ this ~ " where not (" ~ is_final() ~ ")") -%}
    {%- for versions in [older_rows(), deletions()] if load_relation(versions) -%}
        {%- do run_query("insert into " ~ this ~ " by name select * from " ~ versions ~ " where " ~ is_final()) -%}
        {%- do run_query("delete from " ~ versions) -%}
    {%- endfor -%}
    {%- if load_relation(row_files()) -%}
        {%- do run_query("delete from " ~ row_files()) -%}
    {%- endif -%}
{% endmacro %}

{# Part of `decide_reading`, for a model that is made from scratch. #}
{% macro forget_versions() %}
    {%- for versions in [older_rows(), row_files()] if load_relation(versions) -%}
        {%- do run_query("delete from " ~ versions) -%}
    {%- endfor -%}
{% endmacro %}

{#
    Part of `note_files_to_read`. A key below the prefix has four parts, the partition's and the file's. A final row stays
    final when a copy of its file is read.
#}
{% macro note_rows_of_files(prefix, shapes) %}
    {%- set query -%}
        insert into {{ row_files() }} by name
        select
            {{ sql_literal(prefix) }} || array_to_string(string_split(lotus_file, '/')[-4:], '/') as file,
            _airbyte_raw_id
        from (
            select null::varchar as lotus_file, null::varchar as _airbyte_raw_id where false
            {% for shape in range(shapes) -%}
            union all by name
            select columns(name -> name in ('lotus_file', '_airbyte_raw_id'))::varchar
            from read_parquet(
                getvariable('files_by_shape')[{{ shape + 1 }}], hive_partitioning = false, filename = 'lotus_file')
            {% endfor -%}
        )
        where _airbyte_raw_id is not null
        {%- if is_incremental() %}
            and (
                _airbyte_raw_id in (select _airbyte_raw_id from {{ row_files() }})
                or _airbyte_raw_id not in (
                    {%- for versions in [this, older_rows(), deletions()] if load_relation(versions) %}
                    {{ "union all " if not loop.first -}}
                    select _airbyte_raw_id from {{ versions }} where _airbyte_raw_id is not null
                    {%- endfor %}
                )
            )
        {%- endif %}
    {%- endset -%}
    {%- do run_query(query) -%}
{% endmacro %}

{# Part of `set_deletions_apart`: leaves the latest row of each key in the model. #}
{% macro set_older_rows_apart(of) %}
    {%- set key = of.key | join(', ') -%}
    {%- if is_incremental() -%}
    {%- do add_new_columns(older_rows()) -%}
    create table if not exists {{ older_rows() }} as select * from {{ this }} where false;
    {%- else -%}
    create or replace table {{ older_rows() }} as select * from {{ this }} where false;
    {%- endif %}
    create or replace temp table lotus_contested as
    select *, row_number() over ({{ by_key_latest_first(of) }}) as lotus_place
    from {{ this }}
    where ({{ key }}) in (select {{ key }} from {{ this }} group by all having count(*) > 1);
    insert into {{ older_rows() }} by name select * exclude (lotus_place) from lotus_contested where lotus_place > 1;
    delete from {{ this }} where ({{ key }}) in (select {{ key }} from lotus_contested);
    insert into {{ this }} by name select * exclude (lotus_place) from lotus_contested where lotus_place = 1;
    {% if run_query("select r.traced and len(r.expired) > 0 from (select getvariable('reading') as r)").rows[0][0] -%}
    {{ forget_final_losers(of) }}
    {%- endif %}
{% endmacro %}

{# A model may have got columns since the last run. #}
{% macro add_new_columns(relation) %}
    {%- if load_relation(relation) -%}
        {%- set there = run_query("describe " ~ relation).columns[0].values() -%}
        {%- for column in run_query("describe " ~ this).rows if column[0] not in there -%}
            {%- do run_query("alter table " ~ relation ~ " add column " ~ sql_name(column[0]) ~ " " ~ column[1]) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{# Of a key's final rows, the latest alone can count again. #}
{% macro forget_final_losers(of) %}
    {%- set key = of.key | join(', ') -%}
    create or replace temp table lotus_contested as
    select _airbyte_raw_id, row_number() over ({{ by_key_latest_first(of) }}) as lotus_place
    from (
        select * from {{ older_rows() }}
        {%- for winners in [this, deletions()] if load_relation(winners) %}
        union all by name
        select * from {{ winners }} where ({{ key }}) in (select {{ key }} from {{ older_rows() }})
        {%- endfor %}
    )
    where {{ is_final() }};
    delete from {{ older_rows() }}
    where {{ is_final() }} and _airbyte_raw_id in (
        select _airbyte_raw_id from lotus_contested group by _airbyte_raw_id having min(lotus_place) > 1
    );
{% endmacro %}

{% macro row_files() %}
    {%- do return(api.Relation.create(database=this.database, schema='row_files', identifier=this.identifier)) -%}
{% endmacro %}

{% macro older_rows() %}
    {%- do return(api.Relation.create(database=this.database, schema='older_rows', identifier=this.identifier)) -%}
{% endmacro %}
