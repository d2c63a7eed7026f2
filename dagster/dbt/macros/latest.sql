{#
    The latest row of each key among the rows of a query and, in an incremental run, those that the model has: which rows
    are left does not depend on the order in which files arrive. Latest is by the stream's cursor, then by extraction;
    the last two decide between rows that are equal in both, so that the choice is the same in a rebuild.

    A key of several columns is a list of them. Columns are written as in SQL: one called `order` as '"order"'.

    `deleted` is the column by which the source reports that a key was deleted: a time, or a boolean. Such a row competes
    like any other. If it is the latest of its key, the model has no row of this key (`set_deletions_apart`).
#}
{% macro latest(rows, key, cursor, deleted=none) %}
    {%- set of = {'key': [key] if key is string else key, 'cursor': cursor, 'deleted': deleted} -%}
    {%- set columns = of.key | join(', ') -%}
    {%- do config(meta={'latest': of}) -%}
    {%- if deleted -%}
        {%- do require_set_deletions_apart() -%}
    {%- endif -%}
    select *
    from (
        select * from {{ rows }}
        {% if is_incremental() -%}
        union all by name
        select * from {{ this }} where ({{ columns }}) in (select {{ columns }} from {{ rows }})
        {% if deleted and load_relation(deletions()) -%}
        union all by name
        select * from {{ deletions() }} where ({{ columns }}) in (select {{ columns }} from {{ rows }})
        {%- endif %}
        {%- endif %}
    )
    {% if not keeps_versions() -%}
    qualify row_number() over ({{ by_key_latest_first(of) }}) = 1
    {%- endif %}
{% endmacro %}

{# A window's clauses: the rows of each key, the latest first. #}
{% macro by_key_latest_first(of) -%}
    partition by {{ of.key | join(', ') }}
    order by
        {% if of.deleted -%}
        {{ moment(of.cursor, of.deleted) }} desc nulls last,
        ({{ of.cursor }} is null and {{ is_deleted(of.deleted) }}) desc,
        {% endif -%}
        {{ of.cursor }} desc nulls last,
        {% if of.deleted -%}
        ({{ is_deleted(of.deleted) }}) desc,
        {% endif -%}
        _airbyte_extracted_at desc nulls last,
        _airbyte_generation_id desc nulls last,
        _airbyte_raw_id desc
{%- endmacro %}

{# Whether a row reports a deletion: its column has a time, or is true. #}
{% macro is_deleted(deleted) -%}
    coalesce(lower({{ deleted }}::varchar), '') not in ('', 'false', '0')
{%- endmacro %}

{#
    When a row became valid. Sources report a deletion without the other fields, the cursor among them: the time of the
    deletion takes the cursor's place, and a deletion without a time comes after all rows that have none either. It is null
    for all other rows if the cursor is no time, such as a log position; then the cursor alone decides.
#}
{% macro moment(cursor, deleted) -%}
    case
        when {{ cursor }} is not null then try_cast({{ cursor }}::varchar as timestamptz)
        when {{ is_deleted(deleted) }} then coalesce(try_cast({{ deleted }}::varchar as timestamptz), 'infinity'::timestamptz)
    end
{%- endmacro %}

{#
    Moves the rows that report a deletion out of the model, in the transaction that brings them in. Nothing that reads the
    model has to leave them out, and tests don't fail for the fields that they lack. They are kept, since a row from before
    the deletion may arrive later. One without a key stays, so that the model's tests find it.
    The first post-hook of every model. Where files expire, the rows that are not the latest of their key go first.
#}
{% macro set_deletions_apart() %}
    {%- set of = config.get('meta', {}).get('latest') if execute -%}
    {% if of and keeps_versions() -%}
    {{ set_older_rows_apart(of) }}
    {%- endif %}
    {% if of and of.deleted -%}
    {{ move_deletions(of) }}
    {%- endif %}
{% endmacro %}

{% macro move_deletions(of) %}
    {%- set key = of.key | join(', ') -%}
    {%- set columns = of.key + [of.cursor, of.deleted, '_airbyte_raw_id', '_airbyte_extracted_at', '_airbyte_generation_id'] -%}
    {%- set gone = is_deleted(of.deleted) ~ ' and ' ~ (of.key | join(' is not null and ')) ~ ' is not null' -%}
    {%- set kept = 'select ' ~ (columns | unique | join(', ')) ~ ' from ' ~ this -%}
    {% if is_incremental() -%}
    create table if not exists {{ deletions() }} as {{ kept }} where false;
    delete from {{ deletions() }} where ({{ key }}) in (select {{ key }} from {{ this }});
    insert into {{ deletions() }} by name {{ kept }} where {{ gone }};
    {%- else -%}
    create or replace table {{ deletions() }} as {{ kept }} where {{ gone }};
    {%- endif %}
    delete from {{ this }} where {{ gone }}
{% endmacro %}

{# Without the hook, the rows of a deleted key would count as any other. #}
{% macro require_set_deletions_apart() %}
    {%- if execute and not has_hook('set_deletions_apart') -%}
        {%- do exceptions.raise_compiler_error(
            "refused: " ~ this.identifier ~ " has `deleted` in `latest`, and dbt_project.yml lacks the hook that takes deleted"
            ~ " rows out: write '{{ set_deletions_apart() }}' as the first +post-hook of its folder") -%}
    {%- endif -%}
{% endmacro %}

{% macro deletions() %}
    {%- do return(api.Relation.create(database=this.database, schema='deleted_rows', identifier=this.identifier)) -%}
{% endmacro %}
