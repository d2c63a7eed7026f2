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
    case when status = 'purchased' then coalesce(products.price, 0) else 0 end as revenue
from {{ ref('int_faker__purchases') }} as purchases
left join {{ ref('int_faker__users') }} as users on purchases.user_id = users.id
left join {{ ref('int_faker__products') }} as products on purchases.product_id = products.id
