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
        currency,
        taxes_included::boolean as taxes_included,
        duties_included::boolean as duties_included,
        {{ exact('total_price', 'decimal(18, 4)') }} as total_price,
        total_price_set,
        {{ exact('total_tip_received', 'decimal(18, 4)') }} as total_tip_received,
        original_total_additional_fees_set,
        line_items,
        shipping_lines,
        deleted_at::timestamptz as deleted_at,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id,
        _airbyte_meta
    from {{ arrivals('shopify', 'orders') }}
),

typed as (
    select
        * replace (
            coalesce(currency, json_extract_string(total_shipping_price_set, '$.shop_money.currency_code')) as currency
        ),
        json_extract_string(customer, '$.id')::bigint as customer_id,
        json_extract_string(total_shipping_price_set, '$.shop_money.amount')::decimal(18, 4) as shipping_amount,
        json_extract_string(original_total_additional_fees_set, '$.shop_money.amount')::decimal(18, 4) as fees_amount,
        json_extract_string(total_price_set, '$.presentment_money.amount')::double
        / nullif(json_extract_string(total_price_set, '$.shop_money.amount')::double, 0) as presentment_rate
    from arrived
)

{{ latest('typed', key='id', cursor='updated_at', deleted='deleted_at') }}
