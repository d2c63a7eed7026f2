{#
    A text as a number that is the same number, as `{{ exact('price', 'double') }}` or `{{ exact('total', 'decimal(38, 2)') }}`,
    or as the same date. A cast alone rounds in silence: 1.5 to 2 as a bigint, 0.00012345 to 0.0001 as a decimal(18, 4),
    1e400 to infinity as a double, and a time to its date. This fails instead, and names the column and the value.

    Airbyte writes an integer as a 64-bit integer and a number as a double, and the shortest text of a double gives the
    same double back: bigint and double keep every value of such files. Give a decimal's scale only where the source
    promises one, as for amounts of money, whose sums are exact in decimals.
#}
{% macro exact(value, type) -%}
    {%- set number = 'cast(' ~ value ~ ' as ' ~ type ~ ')' -%}
    case
        when {{ value }} is null then null
        when {{ number }}::varchar = {{ value }} then {{ number }}
        when list_unique(list_transform([{{ value }}, {{ number }}::varchar], lambda lotus_number: {{ digits_of('lotus_number') }})) = 1 then {{ number }}
        else error({{ sql_literal(value ~ ' is ') }} || {{ value }} || {{ sql_literal(
            ', which ' ~ type ~ ' can\'t keep: give the column a type in the model that can, such as double or varchar') }})
    end
{%- endmacro %}

{# A number's sign, digits and exponent, the same for each way to write it: 1.50 and 15e-1 are `15e-1`. Other texts stay. #}
{% macro digits_of(text) -%}
    list_transform(
        [regexp_extract(trim({{ text }}), '^([+-]?)([0-9]*)[.]?([0-9]*)(?:[eE]([+-]?[0-9]+))?$', ['sign', 'whole', 'part', 'power'])],
        lambda lotus_found: case
            when lotus_found.whole || lotus_found.part = '' then {{ text }}
            when trim(lotus_found.whole || lotus_found.part, '0') = '' then '0'
            else replace(lotus_found.sign, '+', '') || trim(lotus_found.whole || lotus_found.part, '0') || 'e' || (
                coalesce(try_cast(lotus_found.power as bigint), 0) - length(lotus_found.part)
                + length(lotus_found.whole || lotus_found.part) - length(rtrim(lotus_found.whole || lotus_found.part, '0'))
            )
        end
    )[1]
{%- endmacro %}
