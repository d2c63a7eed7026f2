{{ config(unique_key='id', tags=['odoo__order_lines']) }}

with

arrived as (
    select
        {{ exact('id', 'bigint') }} as id,
        write_date::timestamptz as write_date,
        order_reference,
        sales_team,
        salesperson,
        product_category,
        sku,
        {{ exact('quantity', 'double') }} as quantity,
        {{ exact('subtotal', 'double') }} as subtotal,
        {{ exact('unit_cost', 'double') }} as unit_cost,
        {{ exact('unit_price', 'double') }} as unit_price,
        sales_date::timestamptz as sales_date,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id,
        _airbyte_meta
    from {{ arrivals('odoo', 'order_lines') }}
)

{{ latest('arrived', key='id', cursor='write_date') }}
