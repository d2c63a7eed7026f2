select
    id as order_id,
    unnest(from_json(tags, '["VARCHAR"]')) as tag
from {{ ref('int_odoo__orders') }}
where tags is not null
