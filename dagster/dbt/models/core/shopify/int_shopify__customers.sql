{{ config(unique_key='id', tags=['shopify__customers']) }}

with

arrived as (
    select
        {{ exact('id', 'bigint') }} as id,
        email,
        first_name,
        last_name,
        created_at::timestamptz as created_at,
        updated_at::timestamptz as updated_at,
        {{ exact('orders_count', 'bigint') }} as orders_count,
        {{ exact('total_spent', 'decimal(18, 4)') }} as total_spent,
        tags,
        state,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id,
        _airbyte_meta
    from {{ arrivals('shopify', 'customers') }}
)

{{ latest('arrived', key='id', cursor='updated_at') }}
