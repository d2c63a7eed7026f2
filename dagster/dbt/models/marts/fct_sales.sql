with

refunded as (
    -- All refunds that the lake has of an order, whenever they came: a later one never hides an earlier one.
    select
        order_id,
        count(*) as refunds,
        sum(returned_amount) as returned_amount,
        sum(returned_taxes) as returned_taxes
    from {{ ref('int_shopify__order_refunds') }}
    group by order_id
)

select
    orders.id as order_id,
    orders.created_at as ordered_at,
    orders.created_at::date as order_date,
    orders.customer_id,
    orders.currency,
    orders.financial_status,
    orders.fulfillment_status,
    orders.cancelled_at,
    coalesce(refunded.refunds, 0) as refunds,
    coalesce(orders.total_line_items_price, 0) as gross,
    coalesce(orders.total_discounts, 0) as discounts,
    coalesce(refunded.returned_amount, 0) as returns,
    gross - discounts - returns as net,
    orders.shipping_amount as shipping,
    coalesce(orders.total_tax, 0) - coalesce(refunded.returned_taxes, 0) as taxes,
    net + shipping + taxes as total
from {{ ref('int_shopify__orders') }} as orders
left join refunded on orders.id = refunded.order_id
where not coalesce(orders.test, false)
