{#
    What has arrived for a stream and was not read yet, every column as text, as `from {{ arrivals('shopify', 'orders') }}`.

    Objects and lists are JSON text, whether a file holds them so or as Parquet's structs and lists, as Airbyte writes
    those whose members the source declares. Members that it does not declare are text inside of that JSON, and
    `json_extract_string` gives the same for both. Times are told in UTC.

    The lake remembers by name which files a model has read, in `read_files.<model>`, in the transaction that brings in
    their rows: a run that dies leaves neither, a run that comes twice finds nothing left. Columns that a file lacks are
    null, whatever their type is in other files; partitions are told by the path, so that a field may be called `year`.
#}
{% macro arrivals(source_name, stream) %}
    {%- set relation = source(source_name, stream) -%}
    {%- if not execute -%}
        (select 1)
    {%- else -%}
        {%- set declared = graph.sources.values()
            | selectattr('source_name', 'equalto', source_name) | selectattr('name', 'equalto', stream) | first -%}
        {%- set columns = declared.columns.keys() | list -%}
        (
            select {% for column in columns %}null::varchar as {{ sql_name(column) }}{{ ", " if not loop.last }}{% endfor %}
            where false
            {% for shape in range(note_files_to_read(declared.config.meta.prefix)) -%}
            union all by name
            select {{ text_of('columns(*)') }}
            from (
                select columns(name -> list_contains({{ sql_literals(columns) }}, name))
                from read_parquet(getvariable('files_by_shape')[{{ shape + 1 }}], hive_partitioning = false)
            )
            {%- endfor %}
        )
    {%- endif -%}
{% endmacro %}

{# A value as text: only JSON tells what is nested so that it can be read again, and only a cast keeps all digits. #}
{% macro text_of(value) -%}
    case
        when typeof({{ value }}) similar to '(STRUCT|MAP|UNION).*|.*\]' then to_json({{ value }})::varchar
        else {{ value }}::varchar
    end
{%- endmacro %}

{#
    Sets the session's variable `files_to_read`, and `files_by_shape` to the same files in lists, and returns how many lists.
    Reading functions take paths for patterns, so that a key with a `*` in it is written as a pattern of itself.
    The files of a list have the same columns of the same types: an object that is a struct in one file and text in another
    would be read as a struct from both, without the members that only the text has.
#}
{% macro note_files_to_read(prefix) %}
    {%- set read = read_files() -%}
    {%- do run_query("create table if not exists " ~ read ~ " (file varchar)") -%}
    {%- set noted -%}
        set variable files_to_read = (
            select coalesce(list(file order by file), [])
            from glob({{ patterns(exact_path(landing() ~ prefix)) }})
            {% if is_incremental() -%}
            where file[{{ landing() | length + 1 }}:] not in (select file from {{ read }})
            {%- endif %}
        )
    {%- endset -%}
    {%- do run_query(noted) -%}
    {%- if not run_query("select len(getvariable('files_to_read'))").rows[0][0] -%}
        {%- do return(0) -%}
    {%- endif -%}
    {%- do refuse_settings_in_keys() -%}
    {%- set by_shape -%}
        set variable files_by_shape = (
            with shapes as (
                select
                    file_name,
                    list((name, type, converted_type, logical_type, num_children) order by column_id) as shape
                from parquet_schema(list_transform(getvariable('files_to_read'), lambda file: {{ exact_path_of('file') }}))
                group by file_name
            ),
            lists as (select list({{ exact_path_of('file_name') }} order by file_name) as files from shapes group by shape)
            select list(files order by files) from lists
        )
    {%- endset -%}
    {%- do run_query(by_shape) -%}
    {%- do return(run_query("select len(getvariable('files_by_shape'))").rows[0][0]) -%}
{% endmacro %}

{# DuckDB reads what follows a `?` in a path on S3 as settings, such as the address that the credentials are used at. #}
{% macro refuse_settings_in_keys() %}
    {%- set query -%}
        select file
        from (select unnest(getvariable('files_to_read')) as file)
        where contains(file[{{ landing() | length + 1 }}:], '?')
        limit 1
    {%- endset -%}
    {%- set found = run_query(query).rows if is_on_s3() else [] -%}
    {%- if found -%}
        {%- do exceptions.raise_compiler_error(
            tojson(found[0][0]) ~ ' has a ? in its key, which DuckDB would read as settings of S3:'
            ~ ' rename the object, or delete it') -%}
    {%- endif -%}
{% endmacro %}

{# The post-hook of every model that reads arrivals. #}
{% macro remember_files_read() %}
    {% if not is_incremental() -%}
    delete from {{ read_files() }};
    {% endif -%}
    insert into {{ read_files() }}
    select file[{{ landing() | length + 1 }}:] from (select unnest(getvariable('files_to_read')) as file)
{% endmacro %}

{% macro read_files() %}
    {%- do return(api.Relation.create(database=this.database, schema='read_files', identifier=this.identifier)) -%}
{% endmacro %}

{#
    A rebuild looks at all files; else `LOTUS_PARTITIONS` says where to look, days and months such as `2026-01-05 2025-11`, and
    everywhere if empty. It is no var: dbt parses the whole project anew in each run whose vars are not those of the run before.
#}
{% macro patterns(prefix) %}
    {%- set units = days_and_months(env_var('LOTUS_PARTITIONS', ''), 'LOTUS_PARTITIONS') -%}
    {%- set found = [] -%}
    {%- for unit in ([] if flags.FULL_REFRESH else units) -%}
        {%- set parts = (unit.split('-') + ['*'])[:3] -%}
        {%- do found.append(prefix ~ 'year=' ~ parts[0] ~ '/month=' ~ parts[1]
            ~ ('/day=' ~ parts[2] if parts[2] != '*' else '/*') ~ '/*.parquet') -%}
    {%- endfor -%}
    {%- do return(sql_literals(found or [prefix ~ '*/*/*/*.parquet'])) -%}
{% endmacro %}

{% macro landing() %}
    {%- do return((env_var('LOTUS_LANDING', '') if execute else '').rstrip('/') ~ '/') -%}
{% endmacro %}
