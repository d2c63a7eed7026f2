select
    'direct' as channel,
    lines.sku,
    sum(lines.quantity) as quantity,
    sum(lines.subtotal)::decimal(18, 2) as revenue
from {{ ref('int_odoo__order_lines') }} as lines
inner join {{ ref('int_odoo__orders') }} as orders on lines.order_reference = orders.order_reference
where orders.status != 'cancel'
group by all

union all by name

select
    'market place' as channel,
    sku,
    sum(quantity) as quantity,
    -- Faire's amounts are in cents, and those of one piece.
    sum(quantity * price_amount_minor / 100)::decimal(18, 2) as revenue
from {{ ref('int_faire__order_lines') }}
where order_state != 'CANCELED'
group by all
