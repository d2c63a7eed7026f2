{{ config(unique_key='id', tags=['faire__order_lines']) }}

with

arrived as (
    select
        id,
        created_at::timestamptz as created_at,
        updated_at::timestamptz as updated_at,
        product_id,
        variant_id,
        {{ exact('quantity', 'bigint') }} as quantity,
        sku,
        includes_tester::boolean as includes_tester,
        state,
        {{ exact('price_amount_minor', 'bigint') }} as price_amount_minor,
        price_currency,
        order_id,
        order_created_at::timestamptz as order_created_at,
        order_updated_at::timestamptz as order_updated_at,
        order_state,
        retailer_name,
        retailer_city,
        retailer_state,
        retailer_country,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id,
        _airbyte_meta
    from {{ arrivals('faire', 'order_lines') }}
)

{{ latest('arrived', key='id', cursor='order_updated_at') }}
