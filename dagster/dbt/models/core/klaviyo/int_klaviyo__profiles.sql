{{ config(unique_key='id', tags=['klaviyo__profiles']) }}

with

arrived as (
    select
        id,
        type,
        links,
        updated::timestamptz as updated,
        segments,
        attributes,
        relationships,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id,
        _airbyte_meta
    from {{ arrivals('klaviyo', 'profiles') }}
),

typed as (
    select
        *,
        json_extract_string(attributes, '$.email') as email,
        json_extract_string(attributes, '$.first_name') as first_name,
        json_extract_string(attributes, '$.last_name') as last_name
    from arrived
)

{{ latest('typed', key='id', cursor='updated') }}
