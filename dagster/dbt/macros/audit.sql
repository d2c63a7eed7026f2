{#
    A post-hook: runs the model's tests on the rows that its transaction is about to commit, and fails if rows do. The
    transaction rolls back, the table keeps its content, and models downstream never see the rows.

    These are the generic tests of severity `error` that refer to this model alone; tests that compare models run after the
    commit, as `dbt build` runs them.
#}
{% macro audit() %}
    {%- set failed = [] -%}
    {%- for test in (graph.nodes.values() if execute else []) if is_gate(test) -%}
        {%- set rows = run_query(test_query(test)).rows[0] -%}
        {%- if rows['should_error'] -%}
            {%- do failed.append(test.name ~ ' has ' ~ rows['failures'] ~ ' rows') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if failed -%}
        {%- do exceptions.raise_compiler_error('audit of ' ~ this.identifier ~ ' failed: ' ~ failed | sort | join('; ')) -%}
    {%- endif -%}
{% endmacro %}

{% macro is_gate(test) %}
    {%- do return(
        test.resource_type == 'test' and test.attached_node == model.unique_id and test.test_metadata
        and test.depends_on.nodes == [model.unique_id] and test.config.severity | lower == 'error') -%}
{% endmacro %}

{# dbt's own query of a generic test, as it would be after the commit. #}
{% macro test_query(test) %}
    {%- set rows = "(select * from " ~ this ~ " where " ~ test.config.where ~ ") dbt_subquery" if test.config.where else this -%}
    {%- set arguments = dict(test.test_metadata.kwargs, model=rows) -%}
    {%- set package = context[test.test_metadata.namespace] if test.test_metadata.namespace else context -%}
    {%- set query = package['test_' ~ test.test_metadata.name](**arguments) -%}
    {%- do return(get_test_sql(query, test.config.fail_calc, test.config.warn_if, test.config.error_if, test.config.limit)) -%}
{% endmacro %}
