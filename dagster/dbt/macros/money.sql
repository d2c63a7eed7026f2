{# Amounts of money inside of JSON. What is there and can't be read as an amount gives null, never 0. #}

{# A text as an amount; null if it is none. #}
{% macro amount(text) -%}
    try_cast({{ text }} as decimal(18, 4))
{%- endmacro %}

{# The sum of the amounts at a path in each element of a list in JSON: 0 without a list, null if one of them is unknown. #}
{% macro sum_in(list, path) -%}
    case
        when coalesce({{ list }}, '') in ('', 'null') then 0::decimal(18, 4)
        when json_valid({{ list }}) then list_reduce(
            [0::decimal(18, 4)] || list_transform(
                json_extract({{ list }}, '$[*]'),
                lambda part: {{ amount("json_extract_string(part, " ~ sql_literal(path) ~ ")") }}
            ),
            lambda one, other: (one + other)::decimal(18, 4)
        )
    end
{%- endmacro %}

{# The sum of a column's amounts over a group: 0 without rows, null if one of them is unknown. #}
{% macro sum_of(column, condition='true') -%}
    case
        when count(*) filter (where ({{ condition }}) and {{ column }} is null) = 0
        then coalesce(sum({{ column }}) filter (where {{ condition }}), 0)
    end::decimal(18, 4)
{%- endmacro %}

{# A row for each element of a list in JSON, as a struct of texts; no row where there is no list. #}
{% macro each_of(list, members) -%}
    {%- set shape = sql_literal(tojson([dict_of_texts(members)])) -%}
    unnest(case when json_valid({{ list }}) then json_transform({{ list }}, {{ shape }}) end)
{%- endmacro %}

{% macro dict_of_texts(members) %}
    {%- set found = {} -%}
    {%- for member in members -%}
        {%- do found.update({member: 'VARCHAR'}) -%}
    {%- endfor -%}
    {%- do return(found) -%}
{% endmacro %}

{# Whether a list is there, but can't be read. #}
{% macro is_unreadable(list) -%}
    (
        coalesce({{ list }}, '') != ''
        and coalesce(json_type(case when json_valid({{ list }}) then {{ list }} end), '') not in ('ARRAY', 'NULL')
    )
{%- endmacro %}

{# Whether Airbyte could not write one of a row's fields, as `_airbyte_meta` reports it. #}
{% macro has_lost(fields) -%}
    coalesce(
        list_has_any(
            list_transform(
                json_extract_string(_airbyte_meta, '$.changes[*].field'), lambda field: split_part(field, '.', 1)
            ),
            {{ sql_literals(fields) }}
        ),
        false
    )
{%- endmacro %}

{# An amount rounded to the smallest unit of its currency. #}
{% macro in_units_of(currency, amount) -%}
    case
        when {{ currency }} in (
            'BIF', 'CLP', 'DJF', 'GNF', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'
        )
        then round({{ amount }}, 0)
        when {{ currency }} in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then round({{ amount }}, 3)
        else round({{ amount }}, 2)
    end::decimal(18, 4)
{%- endmacro %}

{#
    What is left of an order's amount after its refunds, which is nothing once it is cancelled. Null if the refunds, whose
    relation is `refunded`, have lost amounts.
#}
{% macro left_of(ordered, returned) -%}
    case
        when {{ ordered }} is null then null
        when cancelled_at is not null then 0
        when refunded.order_id is null then {{ ordered }}
        when not refunded.has_lost_money then {{ ordered }} - {{ returned }}
    end::decimal(18, 4)
{%- endmacro %}
