{# The only makers of SQL from text: whatever a variable, a path or a name contains, DuckDB reads the same text back. #}

{# A text as a literal in single quotes. #}
{% macro sql_literal(text) %}
    {%- do return("'" ~ (text | string | replace("'", "''")) ~ "'") -%}
{% endmacro %}

{# A name in double quotes. #}
{% macro sql_name(name) %}
    {%- do return('"' ~ (name | string | replace('"', '""')) ~ '"') -%}
{% endmacro %}

{# Texts as a list of literals. #}
{% macro sql_literals(texts) %}
    {%- set written = [] -%}
    {%- for text in texts -%}
        {%- do written.append(sql_literal(text)) -%}
    {%- endfor -%}
    {%- do return('[' ~ (written | join(', ')) ~ ']') -%}
{% endmacro %}

{#
    A path as a pattern that matches it alone; of an expression, `exact_path_of` gives the SQL that does the same. DuckDB
    takes a `\` in a key on S3 for an escape, and in the name of a file for itself.
#}
{% macro exact_path(path) %}
    {%- do return(modules.re.sub(special_in_paths(), '[\\1]', path)) -%}
{% endmacro %}

{% macro exact_path_of(expression) -%}
    regexp_replace({{ expression }}, {{ sql_literal(special_in_paths()) }}, '[\1]', 'g')
{%- endmacro %}

{% macro special_in_paths() %}
    {%- do return('([*?\\[\\\\])' if is_on_s3() else '([*?\\[])') -%}
{% endmacro %}

{% macro is_on_s3() %}
    {%- do return(landing().startswith('s3://')) -%}
{% endmacro %}

{#
    The days and months of a text such as `2026-01-05 2025-11`. They become parts of paths: any other text is refused.
    `variable` names the text in the error.
#}
{% macro days_and_months(text, variable) %}
    {%- set units = text.split() -%}
    {%- for unit in units -%}
        {%- if not is_day_or_month(unit) -%}
            {%- do exceptions.raise_compiler_error(
                variable ~ ' has ' ~ tojson(unit) ~ ', which is no day and no month: write days and months, such as'
                ~ ' 2026-01-05 2025-11') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return(units) -%}
{% endmacro %}

{% macro is_day_or_month(unit) %}
    {%- set found = modules.re.fullmatch('(?!0000)([0-9]{4})-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?', unit) -%}
    {%- if not found -%}
        {%- do return(false) -%}
    {%- endif -%}
    {%- set first = modules.datetime.date(found[1] | int, found[2] | int, 1) -%}
    {%- do return((first + modules.datetime.timedelta(days=(found[3] or '01') | int - 1)).month == first.month) -%}
{% endmacro %}
