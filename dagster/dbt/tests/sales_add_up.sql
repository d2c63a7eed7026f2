-- Every order has one row, and its amounts add up.
select order_id, total
from {{ ref('fct_sales') }}
where total != gross - discounts - returns + shipping + taxes
