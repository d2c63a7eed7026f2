{{ config(unique_key='id', tags=['faker__users']) }}

with

arrived as (
    select
        {{ exact('id', 'bigint') }} as id,
        created_at::timestamptz as created_at,
        updated_at::timestamptz as updated_at,
        name,
        title,
        {{ exact('age', 'bigint') }} as age,
        email,
        telephone,
        gender,
        language,
        academic_degree,
        nationality,
        occupation,
        height,
        blood_type,
        {{ exact('weight', 'bigint') }} as weight,
        address,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id,
        _airbyte_meta
    from {{ arrivals('faker', 'users') }}
),

typed as (
    select
        *,
        json_extract_string(address, '$.country_code') as country
    from arrived
)

{{ latest('typed', key='id', cursor='updated_at') }}
