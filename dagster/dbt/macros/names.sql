{# The schema of a model is the one it names, without the target's in front: asset keys and tables agree. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name if custom_schema_name else target.schema }}
{%- endmacro %}
