{{ config(unique_key='id', tags=['shopify__orders']) }}

with

arrived as (
    select
        {{ exact('id', 'bigint') }} as id,
        created_at::timestamptz as created_at,
        updated_at::timestamptz as updated_at,
        test::boolean as test,
        {{ exact('total_line_items_price', 'decimal(18, 4)') }} as total_line_items_price,
        {{ exact('total_discounts', 'decimal(18, 4)') }} as total_discounts,
        total_shipping_price_set,
        {{ exact('total_tax', 'decimal(18, 4)') }} as total_tax,
        financial_status,
        fulfillment_status,
        cancelled_at::timestamptz as cancelled_at,
        cancel_reason,
        customer,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id
    from {{ arrivals('shopify', 'orders') }}
),

typed as (
    select
        *,
        json_extract_string(customer, '$.id')::bigint as customer_id,
        coalesce(json_extract_string(total_shipping_price_set, '$.shop_money.amount')::decimal(18, 4), 0) as shipping_amount,
        json_extract_string(total_shipping_price_set, '$.shop_money.currency_code') as currency
    from arrived
)

{{ latest('typed', key='id', cursor='updated_at') }}
