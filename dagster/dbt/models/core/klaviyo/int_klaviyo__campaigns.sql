{{ config(unique_key='id', tags=['klaviyo__campaigns']) }}

with

arrived as (
    select
        id,
        type,
        links,
        attributes,
        updated_at::timestamptz as updated_at,
        relationships,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id,
        _airbyte_meta
    from {{ arrivals('klaviyo', 'campaigns') }}
),

typed as (
    select
        *,
        json_extract_string(attributes, '$.name') as name,
        json_extract_string(attributes, '$.status') as status,
        json_extract_string(attributes, '$.send_time')::timestamptz as sent_at
    from arrived
)

{{ latest('typed', key='id', cursor='updated_at') }}
