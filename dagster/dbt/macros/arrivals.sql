{#
    What has arrived for a stream and was not read yet, every column as text, as `from {{ arrivals('shopify', 'orders') }}`.

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
            select {% for column in columns %}null::varchar as "{{ column }}"{{ ", " if not loop.last }}{% endfor %}
            where false
            {% if note_files_to_read(declared.config.meta.prefix) -%}
            union all by name
            select columns(name -> name in ('{{ columns | join("', '") }}'))::varchar
            from read_parquet(getvariable('files_to_read'), union_by_name = true, hive_partitioning = false)
            {%- endif %}
        )
    {%- endif -%}
{% endmacro %}

{# Sets the session's variable `files_to_read` and returns how many they are. #}
{% macro note_files_to_read(prefix) %}
    {%- set read = read_files() -%}
    {%- do run_query("create table if not exists " ~ read ~ " (file varchar)") -%}
    {%- set noted -%}
        set variable files_to_read = (
            select coalesce(list(file order by file), [])
            from glob({{ patterns(landing() ~ prefix) }})
            {% if is_incremental() -%}
            where file[{{ landing() | length + 1 }}:] not in (select file from {{ read }})
            {%- endif %}
        )
    {%- endset -%}
    {%- do run_query(noted) -%}
    {%- do return(run_query("select len(getvariable('files_to_read'))").rows[0][0]) -%}
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

{# A rebuild looks at all files; else the var `partitions` says where to look, days and months, and everywhere if empty. #}
{% macro patterns(prefix) %}
    {%- set units = [] if flags.FULL_REFRESH else var('partitions') -%}
    {%- set found = [] -%}
    {%- for unit in units -%}
        {%- set parts = (unit.split('-') + ['*'])[:3] -%}
        {%- do found.append(prefix ~ 'year=' ~ parts[0] ~ '/month=' ~ parts[1]
            ~ ('/day=' ~ parts[2] if parts[2] != '*' else '/*') ~ '/*.parquet') -%}
    {%- endfor -%}
    {%- do return(tojson(found or [prefix ~ '*/*/*/*.parquet']) | replace('"', "'")) -%}
{% endmacro %}

{% macro landing() %}
    {%- do return((env_var('LOTUS_LANDING', '') if execute else '').rstrip('/') ~ '/') -%}
{% endmacro %}
