-- The definitions are in docs/marts.md. What can't be known is null, and never 0.
with

orders as (
    select
        *,
        coalesce(taxes_included, false) as has_taxes_in_prices,
        coalesce(line_items, '') not in ('', 'null') as has_line_items,
        {{ has_lost(['taxes_included', 'duties_included']) }} as has_lost_basis,
        {{ has_lost(['line_items']) }} or {{ is_unreadable('line_items') }} as has_lost_lines,
        {{ has_lost(['shipping_lines']) }} or {{ is_unreadable('shipping_lines') }} as has_lost_shipping,
        {{ has_lost(['original_total_additional_fees_set']) }} as has_lost_fees
    from {{ ref('int_shopify__orders') }}
    where not coalesce(test, false)
),

refunds as (
    select
        refunds.*,
        orders.currency,
        orders.has_taxes_in_prices,
        coalesce(orders.duties_included, false) as has_duties_in_prices,
        orders.presentment_rate,
        {{ has_lost(['refund_line_items', 'order_adjustments', 'transactions', 'total_duties_set']) }}
        or {{ is_unreadable('refund_line_items') }}
        or {{ is_unreadable('order_adjustments') }}
        or {{ is_unreadable('transactions') }} as has_lost_money
    from {{ ref('int_shopify__order_refunds') }} as refunds
    inner join (select * exclude (_airbyte_meta) from orders) as orders on refunds.order_id = orders.id
),

shipping_lines as (
    select
        id as order_id,
        has_taxes_in_prices,
        {{ each_of('shipping_lines', ['price', 'discount_allocations', 'tax_lines']) }} as line
    from orders
),

shipping_amounts as (
    select
        order_id,
        has_taxes_in_prices,
        {{ amount('line.price') }} as price,
        {{ sum_in('line.discount_allocations', '$.amount') }} as discounts,
        {{ sum_in('line.tax_lines', '$.price') }} as taxes
    from shipping_lines
),

shipping as (
    select
        order_id,
        {{ sum_of('price - discounts') }} as charged,
        {{ sum_of('discounts') }} as discounts,
        {{ sum_of('taxes') }} as taxes
    from shipping_amounts
    group by order_id
),

line_items as (
    select
        id as order_id,
        has_taxes_in_prices,
        currency,
        {{ each_of(
            'line_items', ['id', 'price', 'quantity', 'gift_card', 'discount_allocations', 'tax_lines', 'duties']
        ) }} as line
    from orders
),

line_amounts as (
    select
        order_id,
        has_taxes_in_prices,
        currency,
        line.id as line_id,
        coalesce(line.gift_card = 'true', false) as is_gift_card,
        ({{ amount('line.price') }} * {{ amount('line.quantity') }})::decimal(18, 4) as price,
        {{ sum_in('line.discount_allocations', '$.amount') }} as discounts,
        {{ sum_in('line.tax_lines', '$.price') }} as taxes,
        {{ sum_in('line.tax_lines', '$.rate') }} as tax_rate,
        {{ sum_in('line.duties', '$.shop_money.amount') }} as duties
    from line_items
    union all by name
    -- An order that landed without its lines counts as one line with the order's totals.
    select
        id as order_id,
        has_taxes_in_prices,
        currency,
        false as is_gift_card,
        total_line_items_price as price,
        (total_discounts - coalesce(shipping.discounts, 0))::decimal(18, 4) as discounts,
        (total_tax - coalesce(shipping.taxes, 0))::decimal(18, 4) as taxes,
        0 as duties
    from orders
    left join shipping on orders.id = shipping.order_id
    where not has_line_items
),

line_sales as (
    -- The part of a price that isn't tax is the same in what a line costs before discounts and in what is paid for it.
    select
        *,
        (price - discounts - case when has_taxes_in_prices then taxes else 0 end)::decimal(18, 4) as net,
        case
            when not has_taxes_in_prices then price
            when price = discounts
            then {{ in_units_of('currency', 'price::double / (1 + coalesce(tax_rate, 0)::double)') }}
            else {{ in_units_of('currency', 'price::double * net::double / (price - discounts)::double') }}
        end as gross
    from line_amounts
),

goods as (
    select
        orders.id as order_id,
        {{ sum_of('gross', 'not is_gift_card') }} as gross,
        {{ sum_of('gross - net', 'not is_gift_card') }} as discounts,
        {{ sum_of('net', 'is_gift_card') }} as gift_cards,
        {{ sum_of('duties', 'is_gift_card is not null') }} as duties
    from orders
    left join line_sales on orders.id = line_sales.order_id
    group by orders.id
),

refund_line_items as (
    select
        id as refund_id,
        order_id,
        has_taxes_in_prices,
        {{ each_of('refund_line_items', ['line_item_id', 'line_item', 'subtotal', 'total_tax']) }} as line
    from refunds
),

gift_cards as (
    select distinct order_id, line_id from line_amounts where is_gift_card
),

returned_lines as (
    select
        refund_line_items.refund_id,
        gift_cards.line_id is not null
        or coalesce(json_extract_string(line.line_item, '$.gift_card') = 'true', false) as is_gift_card,
        {{ amount('line.subtotal') }} as subtotal,
        {{ amount("coalesce(line.total_tax, '0')") }} as taxes,
        subtotal - case when has_taxes_in_prices then taxes else 0 end as net,
        subtotal + case when has_taxes_in_prices then 0 else taxes end as paid
    from refund_line_items
    left join gift_cards
        on refund_line_items.order_id = gift_cards.order_id
        and refund_line_items.line.line_item_id = gift_cards.line_id
),

returned_goods as (
    select
        refunds.id as refund_id,
        {{ sum_of('net', 'not is_gift_card') }} as net,
        {{ sum_of('net', 'is_gift_card') }} as gift_cards,
        {{ sum_of('taxes', 'is_gift_card is not null') }} as taxes,
        {{ sum_of('paid', 'is_gift_card is not null') }} as paid
    from refunds
    left join returned_lines on refunds.id = returned_lines.refund_id
    group by refunds.id
),

adjustments as (
    select id as refund_id, {{ each_of('order_adjustments', ['kind', 'amount', 'tax_amount']) }} as adjustment
    from refunds
),

adjustment_amounts as (
    -- In Shopify's rows, an adjustment that lowers the sale is negative.
    select
        refund_id,
        coalesce(adjustment.kind = 'shipping_refund', false) as is_shipping,
        -{{ amount('adjustment.amount') }} as net,
        -{{ amount("coalesce(adjustment.tax_amount, '0')") }} as taxes
    from adjustments
),

adjusted as (
    select
        refunds.id as refund_id,
        {{ sum_of('net', 'is_shipping') }} as shipping,
        {{ sum_of('net', 'not is_shipping') }} as other,
        {{ sum_of('taxes', 'is_shipping is not null') }} as taxes,
        {{ sum_of('net + taxes', 'is_shipping is not null') }} as paid
    from refunds
    left join adjustment_amounts on refunds.id = adjustment_amounts.refund_id
    group by refunds.id
),

payments as (
    select id as refund_id, {{ each_of('transactions', ['kind', 'status', 'amount', 'currency']) }} as payment
    from refunds
),

paid_back as (
    select
        refund_id,
        {{ sum_of(amount('payment.amount')) }} as paid,
        max(payment.currency) as currency
    from payments
    where payment.kind = 'refund' and coalesce(payment.status, 'success') not in ('failure', 'error')
    group by refund_id
),

explained as (
    select
        refunds.id as refund_id,
        refunds.order_id,
        refunds.has_lost_money,
        coalesce(refunds.returned_duties, 0) as duties,
        returned_goods.net as goods,
        returned_goods.gift_cards,
        returned_goods.taxes as goods_taxes,
        adjusted.shipping,
        adjusted.other,
        adjusted.taxes as adjusted_taxes,
        returned_goods.paid + adjusted.paid
        + case when refunds.has_duties_in_prices then 0 else coalesce(refunds.returned_duties, 0) end as explained,
        coalesce(paid_back.currency != refunds.currency, false) as is_converted,
        -- In the shop's currency.
        case
            when paid_back.refund_id is null then 0
            when is_converted
            then {{ in_units_of('refunds.currency', 'paid_back.paid::double / refunds.presentment_rate') }}
            else paid_back.paid
        end as paid
    from refunds
    inner join returned_goods on refunds.id = returned_goods.refund_id
    inner join adjusted on refunds.id = adjusted.refund_id
    left join paid_back on refunds.id = paid_back.refund_id
),

refund_amounts as (
    -- Money can be paid back for no line and no adjustment: for shipping, or as an amount alone. A conversion rounds.
    select
        *,
        case when is_converted then greatest(paid / 500, 0.05) else 0 end as rounded,
        case
            when paid is null and explained = 0 then null
            when paid - explained > rounded then paid - explained
            else 0
        end as unexplained
    from explained
),

refunded as (
    -- All refunds that the lake has of an order, whenever they came: a later one never hides an earlier one.
    select
        order_id,
        count(*) as refunds,
        bool_or(has_lost_money) or {{ sum_of('goods + other + unexplained') }} is null as has_lost_money,
        {{ sum_of('goods + other + unexplained') }} as returned_net,
        {{ sum_of('gift_cards') }} as returned_gift_cards,
        {{ sum_of('goods_taxes + adjusted_taxes') }} as returned_taxes,
        {{ sum_of('shipping') }} as returned_shipping,
        {{ sum_of('duties') }} as returned_duties
    from refund_amounts
    group by order_id
),

ordered as (
    -- What each order came to before refunds.
    select
        orders.*,
        case when not has_lost_lines and not has_lost_basis then goods.gross end as ordered_gross,
        case when not has_lost_lines and not has_lost_basis then goods.discounts end as ordered_discounts,
        case when not has_lost_lines then goods.gift_cards end as ordered_gift_cards,
        case
            when has_lost_lines or has_lost_basis then null
            when orders.duties_included then 0
            else goods.duties
        end as ordered_duties,
        case when not has_lost_fees then coalesce(orders.fees_amount, 0) end as ordered_fees,
        case
            when has_lost_shipping or has_lost_basis then null
            when coalesce(orders.shipping_lines, '') in ('', 'null') then orders.shipping_amount
            when shipping.order_id is null then 0
            else shipping.charged - case when has_taxes_in_prices then shipping.taxes else 0 end
        end as ordered_shipping
    from orders
    inner join goods on orders.id = goods.order_id
    left join shipping on orders.id = shipping.order_id
),

lost as (
    -- The fields for which an amount of the order can't be known.
    select
        ordered.id as order_id,
        concat_ws(
            ', ',
            case when not has_line_items and ordered.total_line_items_price is null then 'total_line_items_price' end,
            case when not has_line_items and ordered.total_discounts is null then 'total_discounts' end,
            case
                when has_lost_lines
                or has_line_items and not has_lost_basis and ordered_gross + ordered_discounts + ordered_gift_cards + ordered_duties is null
                then 'line_items'
            end,
            case when has_lost_basis then 'taxes_included, duties_included' end,
            case when ordered_shipping is null and not has_lost_basis then 'shipping_lines' end,
            case when ordered_fees is null then 'original_total_additional_fees_set' end,
            case when total_tax is null then 'total_tax' end,
            case when refunded.has_lost_money then 'order_refunds' end
        ) as fields
    from ordered
    left join refunded on ordered.id = refunded.order_id
)

select
    ordered.id as order_id,
    ordered.created_at as ordered_at,
    ordered.created_at::date as order_date,
    ordered.customer_id,
    ordered.currency,
    ordered.financial_status,
    ordered.fulfillment_status,
    ordered.cancelled_at,
    coalesce(refunded.refunds, 0) as refunds,
    ordered_gross::decimal(18, 4) as gross,
    ordered_discounts::decimal(18, 4) as discounts,
    {{ left_of('gross - discounts', 'refunded.returned_net') }} as net,
    gross - discounts - net as returns,
    {{ left_of('ordered_shipping', 'refunded.returned_shipping') }} as shipping,
    {{ left_of('ordered.total_tax', 'refunded.returned_taxes') }} as taxes,
    {{ left_of('ordered_duties', 'case when duties_included then 0 else refunded.returned_duties end') }} as duties,
    case when ordered.cancelled_at is not null then 0 else ordered_fees end::decimal(18, 4) as fees,
    net + shipping + taxes + duties + fees as total,
    {{ left_of('ordered_gift_cards', 'refunded.returned_gift_cards') }} as gift_cards,
    ordered.total_tip_received::decimal(18, 4) as tips,
    (
        gross - discounts + ordered_shipping + ordered.total_tax + ordered_duties + ordered_fees + ordered_gift_cards
        + coalesce(tips, 0)
    )::decimal(18, 4) as charged,
    nullif(lost.fields, '') as missing
from ordered
left join refunded on ordered.id = refunded.order_id
left join lost on ordered.id = lost.order_id
