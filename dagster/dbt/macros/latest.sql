{#
    The latest row of each key among the rows of a query and, in an incremental run, those that the model has: which rows
    are left does not depend on the order in which files arrive. Latest is by the stream's cursor, then by extraction;
    the last two decide between rows that are equal in both, so that the choice is the same in a rebuild.

    A key of several columns is a list of them. Columns are written as in SQL: one called `order` as '"order"'.
#}
{% macro latest(rows, key, cursor) %}
    {%- set columns = key if key is string else key | join(', ') -%}
    select *
    from (
        select * from {{ rows }}
        {% if is_incremental() -%}
        union all by name
        select * from {{ this }} where ({{ columns }}) in (select {{ columns }} from {{ rows }})
        {%- endif %}
    )
    qualify row_number() over (
        partition by {{ columns }}
        order by
            {{ cursor }} desc nulls last,
            _airbyte_extracted_at desc nulls last,
            _airbyte_generation_id desc nulls last,
            _airbyte_raw_id desc
    ) = 1
{% endmacro %}
