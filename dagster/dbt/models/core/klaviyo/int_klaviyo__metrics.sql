{{ config(unique_key='id', tags=['klaviyo__metrics']) }}

with

arrived as (
    select
        id,
        type,
        links,
        updated::timestamptz as updated,
        attributes,
        relationships,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id,
        _airbyte_meta
    from {{ arrivals('klaviyo', 'metrics') }}
),

typed as (
    select
        *,
        json_extract_string(attributes, '$.name') as name
    from arrived
)

{{ latest('typed', key='id', cursor='updated') }}
