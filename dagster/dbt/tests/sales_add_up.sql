-- The amounts of every order add up, as far as they are known.
select order_id, total
from {{ ref('fct_sales') }}
where total != gross - discounts - returns + shipping + taxes + duties + fees
