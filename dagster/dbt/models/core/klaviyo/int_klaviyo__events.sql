{{ config(unique_key='id', tags=['klaviyo__events']) }}

with

arrived as (
    select
        id,
        type,
        links,
        datetime::timestamptz as datetime,
        attributes,
        relationships,
        _airbyte_raw_id,
        _airbyte_extracted_at::timestamptz as _airbyte_extracted_at,
        _airbyte_generation_id::bigint as _airbyte_generation_id,
        _airbyte_meta
    from {{ arrivals('klaviyo', 'events') }}
),

typed as (
    select
        *,
        json_extract_string(relationships, '$.metric.data.id') as metric_id,
        json_extract_string(relationships, '$.profile.data.id') as profile_id
    from arrived
)

{{ latest('typed', key='id', cursor='datetime') }}
