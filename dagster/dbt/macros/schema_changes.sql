{#
    dbt's own look at the columns of a model and of its table, by the name that dbt calls it by. Beyond it, a model whose
    numbers or times have another type than the table's fails: dbt would insert them all the same, rounded in silence.
#}
{% macro duckdb__check_for_schema_changes(source_relation, target_relation) %}
    {%- set changes = dbt.default__check_for_schema_changes(source_relation, target_relation) -%}
    {%- set before = {} -%}
    {%- for column in changes.target_columns -%}
        {%- do before.update({column.name | lower: column.data_type}) -%}
    {%- endfor -%}
    {%- for change in changes.new_target_types if holds_less_than_text(before[change.column_name | lower]) -%}
        {%- do exceptions.raise_compiler_error(
            'refused: ' ~ change.column_name ~ ' is ' ~ before[change.column_name | lower] ~ ' in the table '
            ~ target_relation.identifier ~ ' and ' ~ change.new_type ~ ' in the model: run it with --full-refresh, or give'
            ~ ' the column its former type') -%}
    {%- endfor -%}
    {%- do return(changes) -%}
{% endmacro %}

{% macro holds_less_than_text(data_type) %}
    {%- set type = data_type | lower -%}
    {%- do return(
        type.startswith(('decimal', 'numeric', 'float', 'double', 'real', 'date', 'time', 'bool')) or 'int' in type) -%}
{% endmacro %}
