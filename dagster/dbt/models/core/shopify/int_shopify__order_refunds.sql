{{ config(unique_key='id', tags=['shopify__order_refunds']) }}

with

arrived as (
    select
        {{ exact('id', 'bigint') }} as id,
        {{ exact('order_id', 'bigint') }} as order_id,
        created_at::timestamptz as created_at,
        refund_line_items,
        transactions,
        order_adjustments,
        total_duties_set,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id,
        _airbyte_meta
    from {{ arrivals('shopify', 'order_refunds') }}
),

typed as (
    select
        *,
        coalesce(
            list_sum(json_extract_string(nullif(refund_line_items, ''), '$[*].subtotal')::decimal(18, 4)[]), 0
        ) as returned_amount,
        coalesce(
            list_sum(json_extract_string(nullif(refund_line_items, ''), '$[*].total_tax')::decimal(18, 4)[]), 0
        ) as returned_taxes,
        json_extract_string(total_duties_set, '$.shop_money.amount')::decimal(18, 4) as returned_duties
    from arrived
)

{{ latest('typed', key='id', cursor='created_at') }}
