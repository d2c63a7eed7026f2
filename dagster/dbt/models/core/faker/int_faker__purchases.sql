{{ config(unique_key='id', tags=['faker__purchases']) }}

with

arrived as (
    select
        {{ exact('id', 'bigint') }} as id,
        {{ exact('user_id', 'bigint') }} as user_id,
        {{ exact('product_id', 'bigint') }} as product_id,
        created_at::timestamptz as created_at,
        updated_at::timestamptz as updated_at,
        added_to_cart_at::timestamptz as added_to_cart_at,
        purchased_at::timestamptz as purchased_at,
        returned_at::timestamptz as returned_at,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id,
        _airbyte_meta
    from {{ arrivals('faker', 'purchases') }}
)

{{ latest('arrived', key='id', cursor='updated_at') }}
