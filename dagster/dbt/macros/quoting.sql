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

{# A path as DuckDB reads it by its name: in a folder it takes paths for patterns; in a bucket it can be told not to. #}
{% macro exact_path_of(expression) -%}
    {%- if is_on_s3() -%}
        ({{ expression }})
    {%- else -%}
        regexp_replace({{ expression }}, '([*?\[])', '[\1]', 'g')
    {%- endif -%}
{%- endmacro %}

{% macro is_on_s3() %}
    {%- do return(landing().startswith('s3://')) -%}
{% endmacro %}
