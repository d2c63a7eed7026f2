with

customers as (
    select
        id as customer_id,
        email,
        first_name,
        last_name,
        state,
        created_at,
        true as is_known
    from {{ ref('int_shopify__customers') }}
),

ordered as (
    select distinct customer_id
    from {{ ref('int_shopify__orders') }}
    where customer_id is not null
),

everyone as (
    select * from customers
    union all by name
    -- Who ordered before the lake began to read customers is known by the order alone.
    select customer_id, false as is_known
    from ordered
    where customer_id not in (select customer_id from customers)
),

bought as (
    select
        customer_id,
        count(*) as orders,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at,
        count(*) filter (where total is null) as orders_without_total,
        count(distinct currency) as currencies,
        max(currency) as currency,
        sum(total) as total
    from {{ ref('fct_sales') }}
    where cancelled_at is null
    group by customer_id
)

select
    everyone.*,
    coalesce(bought.orders, 0) as orders,
    bought.first_ordered_at,
    bought.last_ordered_at,
    coalesce(bought.orders_without_total, 0) as orders_without_total,
    case when bought.currencies = 1 then bought.currency end as currency,
    -- Amounts that are not known, or of several currencies, have no sum.
    case
        when bought.customer_id is null then 0
        when bought.orders_without_total = 0 and bought.currencies <= 1 then bought.total
    end as total
from everyone
left join bought on everyone.customer_id = bought.customer_id
