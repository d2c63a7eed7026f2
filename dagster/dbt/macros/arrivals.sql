{#
    What has arrived for a stream and was not read yet, every column as text, as `from {{ arrivals('shopify', 'orders') }}`.

    Objects and lists are JSON text, whether a file holds them so or as Parquet's structs and lists, as Airbyte writes
    those whose members the source declares. Members that it does not declare are text inside of that JSON, and
    `json_extract_string` gives the same for both. Times are in UTC.

    The model's transaction records the files that it reads in `read_files.<model>`: a run that is killed leaves neither rows
    nor records, a run that is repeated reads nothing. Columns that a file lacks are null, whatever their type is in other
    files. The folders of a path are no columns, so a field may be called `year`.
#}
{% macro arrivals(source_name, stream) %}
    {%- set relation = source(source_name, stream) -%}
    {%- if not execute -%}
        (select 1)
    {%- else -%}
        {%- do refuse_other_streams() -%}
        {%- set declared = graph.sources.values()
            | selectattr('source_name', 'equalto', source_name) | selectattr('name', 'equalto', stream) | first -%}
        {%- set columns = declared.columns.keys() | list -%}
        {%- set shapes = note_files_to_read(declared.config.meta.prefix, columns) -%}
        (
            select
                {%- for column in declared.columns.values() %}
                {{ cleaned_text(sql_name(column.name), column.data_type) }} as {{ sql_name(column.name) }}
                {{- ", " if not loop.last }}
                {%- endfor %}
            from (
                select {% for column in columns %}null::varchar as {{ sql_name(column) }}{{ ", " if not loop.last }}{% endfor %}
                where false
                {% for shape in range(shapes) -%}
                union all by name
                select {{ text_of('columns(*)') }}
                from (
                    select columns(name -> list_contains({{ sql_literals(columns) }}, name))
                    from read_parquet(getvariable('files_by_shape')[{{ shape + 1 }}], hive_partitioning = false)
                )
                {%- endfor %}
            )
        )
    {%- endif -%}
{% endmacro %}

{# What a run reads is kept in variables of the session, and in one table a model: of one stream. #}
{% macro refuse_other_streams() %}
    {%- set streams = [] -%}
    {%- for node in model.depends_on.nodes if node.startswith('source.') and node not in streams -%}
        {%- do streams.append(node) -%}
    {%- endfor -%}
    {%- if streams | length > 1 -%}
        {%- do exceptions.raise_compiler_error(
            this.identifier ~ ' reads ' ~ streams | length ~ ' streams: give each a model of its own, and join these') -%}
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
    A text as DuckDB can cast it to the type that the source's column declares. An empty text is no number, time or truth;
    DuckDB wants the seconds of a time, which ISO 8601 lets senders leave out.
#}
{% macro cleaned_text(column, data_type) -%}
    {%- set type = (data_type or 'varchar') | lower -%}
    {%- if type == 'varchar' -%}
        {{ column }}
    {%- elif type.startswith('time') -%}
        regexp_replace(
            nullif({{ column }}, ''), '^([0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2})([Zz]|[+-][0-9]{2}.*)?$', '\1:00\2')
    {%- else -%}
        nullif({{ column }}, '')
    {%- endif -%}
{%- endmacro %}

{#
    Begins the model's transaction, and sets the session's variables `reading`, what the run reads, and `files_by_shape`, the
    paths of its files in lists; returns how many lists.
    The files of a list have the same columns of the same types: an object that is a struct in one file and text in another
    would be read as a struct from both, without the members that only the text has.
#}
{% macro note_files_to_read(prefix, columns) %}
    {%- do take_turn() -%}
    {%- do decide_reading(prefix) -%}
    {%- if not run_query("select len(getvariable('reading').files)").rows[0][0] -%}
        {%- do return(0) -%}
    {%- endif -%}
    {%- if is_on_s3() -%}
        {# Keys are names, not patterns, and what follows a `?` is no settings, such as the address to send credentials to. #}
        {%- do run_query("set s3_url_compatibility_mode = true") -%}
    {%- endif -%}
    {%- set by_shape -%}
        set variable files_by_shape = (
            with shapes as (
                select
                    file_name,
                    list((name, type, converted_type, logical_type, num_children) order by column_id) as shape
                from parquet_schema(list_transform(
                    getvariable('reading').files, lambda one: {{ exact_path_of(sql_literal(landing()) ~ " || one['file']") }}))
                group by file_name
            ),
            lists as (select list({{ exact_path_of('file_name') }} order by file_name) as files from shapes group by shape)
            select list(files order by files) from lists
        )
    {%- endset -%}
    {%- do run_query(by_shape) -%}
    {%- set shapes = run_query("select len(getvariable('files_by_shape'))").rows[0][0] -%}
    {%- for shape in range(shapes) -%}
        {%- do refuse_other_cases(columns, shape) -%}
    {%- endfor -%}
    {%- if keeps_versions() -%}
        {%- do note_rows_of_files(prefix, shapes) -%}
    {%- endif -%}
    {%- do return(shapes) -%}
{% endmacro %}

{# A column `ID` beside a declared `id` would be no error and null in all rows. #}
{% macro refuse_other_cases(columns, shape) %}
    {%- set files = "getvariable('files_by_shape')[" ~ (shape + 1) ~ "]" -%}
    {%- set query -%}
        select column_name, {{ files }}[1]
        from (describe select * from read_parquet({{ files }}, hive_partitioning = false))
        where not list_contains({{ sql_literals(columns) }}, column_name)
            and list_contains({{ sql_literals(columns | map('lower')) }}, lower(column_name))
        limit 1
    {%- endset -%}
    {%- for column, file in run_query(query).rows -%}
        {%- do exceptions.raise_compiler_error(
            'the column ' ~ tojson(column) ~ ' of ' ~ file ~ ' differs from a declared one by case alone: declare it as the'
            ~ ' files have it, or repair the files') -%}
    {%- endfor -%}
{% endmacro %}

{% macro landing() %}
    {%- do return((env_var('LOTUS_LANDING', '') if execute else '').rstrip('/') ~ '/') -%}
{% endmacro %}
