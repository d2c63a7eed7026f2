{{ config(unique_key='id', tags=['odoo__orders']) }}

with

arrived as (
    select
        {{ exact('id', 'bigint') }} as id,
        order_reference,
        create_date::timestamptz as create_date,
        write_date::timestamptz as write_date,
        sales_date::timestamptz as sales_date,
        order_date::timestamptz as order_date,
        delivery_date::timestamptz as delivery_date,
        sales_team,
        salesperson,
        {{ exact('amount_untaxed', 'double') }} as amount_untaxed,
        {{ exact('amount_tax', 'double') }} as amount_tax,
        {{ exact('amount_total', 'double') }} as amount_total,
        payment_terms,
        tags,
        status,
        invoice_status,
        customer,
        shipping_policy,
        f_order_id,
        delivery_status,
        delivery_country,
        delivery_state,
        delivery_city,
        delivery_zip,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id,
        _airbyte_meta
    from {{ arrivals('odoo', 'orders') }}
)

{{ latest('arrived', key='id', cursor='write_date') }}
