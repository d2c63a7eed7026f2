select
    purchases.id as purchase_id,
    purchases.user_id,
    purchases.product_id,
    users.country,
    products.make,
    products.model,
    products.price,
    purchases.added_to_cart_at,
    purchases.purchased_at,
    purchases.returned_at,
    case
        when purchases.returned_at is not null then 'returned'
        when purchases.purchased_at is not null then 'purchased'
        else 'in_cart'
    end as status,
    -- Null for a product that is not known, or whose price is not: not 0, which would be a sale for nothing.
    case when status = 'purchased' then products.price else 0 end as revenue
from {{ ref('int_faker__purchases') }} as purchases
left join {{ ref('int_faker__users') }} as users on purchases.user_id = users.id
left join {{ ref('int_faker__products') }} as products on purchases.product_id = products.id
