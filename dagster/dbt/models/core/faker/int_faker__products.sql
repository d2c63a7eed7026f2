{{ config(unique_key='id', tags=['faker__products']) }}

with

arrived as (
    select
        {{ exact('id', 'bigint') }} as id,
        make,
        model,
        {{ exact('year', 'bigint') }} as year,
        {{ exact('price', 'decimal(18, 4)') }} as price,
        created_at::timestamptz as created_at,
        updated_at::timestamptz as updated_at,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id,
        _airbyte_meta
    from {{ arrivals('faker', 'products') }}
)

{{ latest('arrived', key='id', cursor='updated_at') }}
