{#
    dbt's own `source`, which first attaches the database of a table that Airbyte writes into Postgres: read-only, and under the
    name of its destination, whose address is in the environment (`LOTUS_WAREHOUSE_<DESTINATION>`).

    A database is attached by the first model of a run that reads it: one that is away fails the models that need it and no
    other. It is not the profile's, since dbt attaches all of these in each run, and not a hook's, since tests read sources too.
#}
{% macro source(source_name, table) %}
    {%- set relation = builtins.source(source_name, table) -%}
    {%- if execute and relation.database and relation.database != target.database and not relation.external -%}
        {%- set wrong = run_query("select attach_database(" ~ sql_literal(relation.database) ~ ")").rows[0][0] -%}
        {%- if wrong -%}
            {%- do exceptions.raise_compiler_error(wrong) -%}
        {%- endif -%}
    {%- endif -%}
    {%- do return(relation) -%}
{% endmacro %}

{# Whether a model reads arrivals; one that reads a table has all of its rows in each run, and keeps no books. #}
{% macro reads_arrivals() %}
    {%- for macro in model.depends_on.macros if macro.endswith('.arrivals') -%}
        {%- do return(true) -%}
    {%- endfor -%}
    {%- do return(false) -%}
{% endmacro %}

{# The pre-hook of the models of streams: `arrivals` takes its turn itself, before it decides what to read. #}
{% macro take_turn_for_table() %}
    {%- if execute and not reads_arrivals() -%}
        {%- do take_turn() -%}
    {%- endif -%}
{% endmacro %}
