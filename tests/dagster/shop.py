"""A made-up shop: what it sold and took back, as Shopify sends it, and the sales that follow from it.

The sales are reckoned from prices, rates and decisions, by the definitions in docs/marts.md. They never read the rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any, Literal

Row = dict[str, Any]
Fate = Literal["", "cancelled", "test", "destroyed"]
Style = Literal["adjustments", "bare", "unselected"]
"""How Shopify's API and the stream's fields report what a refund is for, besides lines: as adjustments of the order, as
adjustments without shipping (since 2024), or not at all."""

ZERO = Decimal(0)
RATE = Decimal("1.25")
"""How much of the customer's currency the shop's currency is."""


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True)
class Priced:
    """Something with a price, a discount and a tax, at the shop's prices: with the tax in them or without.

    Attributes:
        price: Of all units, before discounts.
        discount: Off the whole.
        rate: Of the tax.
    """

    price: Decimal
    discount: Decimal
    rate: Decimal

    @property
    def paid(self) -> Decimal:
        return self.price - self.discount

    def tax(self, *, included: bool) -> Decimal:
        return cents(self.paid * self.rate / (1 + self.rate) if included else self.paid * self.rate)

    def net(self, *, included: bool) -> Decimal:
        return self.paid - (self.tax(included=included) if included else ZERO)

    def gross(self, *, included: bool) -> Decimal:
        return self.price / (1 + self.rate) if included else self.price


@dataclass(frozen=True)
class Line:
    sold: Priced
    quantity: int
    gift_card: bool
    duty: Decimal


@dataclass(frozen=True)
class Refund:
    """What was decided to give back.

    Attributes:
        lines: Indexes of lines, which are returned whole.
        shipping: What is given back of the shipping, without its tax.
        shipping_tax: The tax of it.
        amount: Given back for nothing in particular.
        kept: Kept of what the lines cost, as a fee.
        duties: Duties given back.
        style: How it is reported.
    """

    lines: tuple[int, ...]
    shipping: Decimal
    shipping_tax: Decimal
    amount: Decimal
    kept: Decimal
    duties: Decimal
    style: Style


@dataclass(frozen=True)
class Order:
    number: int
    currency: str
    foreign: bool
    included: bool
    lines: tuple[Line, ...]
    shipping: Priced | None
    tip: Decimal
    fee: Decimal
    refunds: tuple[Refund, ...] = ()
    fate: Fate = ""

    @property
    def taxes(self) -> Decimal:
        parts = [line.sold for line in self.lines] + ([self.shipping] if self.shipping else [])
        return sum((part.tax(included=self.included) for part in parts), ZERO)

    @property
    def charged(self) -> Decimal:
        paid = sum((line.sold.paid + line.duty for line in self.lines), ZERO)
        paid += self.shipping.paid if self.shipping else ZERO
        return paid + (ZERO if self.included else self.taxes) + self.tip + self.fee


# The shop's decisions.


def orders_of_a_shop(random: Random, count: int) -> list[Order]:
    return [_order(random, number) for number in range(1, count + 1)]


def _amount(random: Random, low: int, high: int) -> Decimal:
    return Decimal(random.randint(low * 100, high * 100)) / 100


def _priced(random: Random, low: int, high: int, rate: Decimal, quantity: int = 1) -> Priced:
    price = _amount(random, low, high) * quantity
    share = random.choice([ZERO, ZERO, Decimal("0.1"), Decimal("0.333"), Decimal(1)])
    return Priced(price, cents(price * share), rate)


def _order(random: Random, number: int) -> Order:
    included = random.random() < 0.5
    rates = [Decimal("0.19"), Decimal("0.07"), ZERO]
    lines = tuple(_line(random, random.choice(rates)) for _ in range(random.randint(1, 4)))
    shipping = random.choice([None, _priced(random, 3, 20, random.choice(rates))])
    foreign = random.random() < 0.3
    order = Order(
        number,
        random.choice(["EUR", "USD"]),
        foreign,
        included,
        lines,
        shipping,
        random.choice([ZERO, ZERO, _amount(random, 1, 9)]),
        random.choice([ZERO, ZERO, ZERO, _amount(random, 1, 3)]),
    )
    fates: list[Fate] = ["", "cancelled", "test", "destroyed"]
    fate = random.choices(fates, [12, 1, 1, 1])[0]
    refunds = tuple(_refunds(random, order)) if random.random() < 0.6 else ()
    return replace(order, refunds=refunds, fate=fate)


def _line(random: Random, rate: Decimal) -> Line:
    gift_card = random.random() < 0.15
    quantity = random.randint(1, 3)
    sold = _priced(random, 1, 80, ZERO if gift_card else rate, quantity)
    duty = ZERO if gift_card or random.random() < 0.8 else _amount(random, 1, 5)
    return Line(sold, quantity, gift_card, duty)


def _refunds(random: Random, order: Order) -> Iterator[Refund]:
    unreturned = list(range(len(order.lines)))
    shipping = order.shipping
    duties = random.choice([ZERO, sum((line.duty for line in order.lines), ZERO)])
    for _ in range(random.randint(1, 3)):
        lines = tuple(sorted(random.sample(unreturned, random.randint(0, len(unreturned)))))
        unreturned = [line for line in unreturned if line not in lines]
        with_shipping = shipping is not None and shipping.paid >= 2 and random.random() < 0.5
        given = shipping if with_shipping and shipping else Priced(ZERO, ZERO, ZERO)
        if with_shipping:
            shipping = None
        style: Style = random.choice(["adjustments", "bare", "unselected"])
        returned = sum((order.lines[line].sold.net(included=order.included) for line in lines), ZERO)
        yield Refund(
            lines,
            given.net(included=order.included),
            given.tax(included=order.included),
            random.choice([ZERO, _amount(random, 2, 9)]),
            Decimal(1) if returned > 5 and style != "unselected" and random.random() < 0.3 else ZERO,
            duties,
            style,
        )
        duties = ZERO


# The sales, from the decisions.


def sales_of(order: Order) -> dict[str, Decimal] | None:
    """The amounts of an order in the mart; None for an order that is no sale."""
    if order.fate in ("test", "destroyed"):
        return None
    goods = [line.sold for line in order.lines if not line.gift_card]
    net = sum((sold.net(included=order.included) for sold in goods), ZERO)
    gross = sum((sold.gross(included=order.included) for sold in goods), ZERO)
    left = {
        "net": net,
        "shipping": order.shipping.net(included=order.included) if order.shipping else ZERO,
        "taxes": order.taxes,
        "duties": sum((line.duty for line in order.lines), ZERO),
        "fees": order.fee,
        "gift_cards": sum((line.sold.paid for line in order.lines if line.gift_card), ZERO),
    }
    for refund in order.refunds:
        for name, amount in _taken_back(order, refund).items():
            left[name] -= amount
    if order.fate == "cancelled":
        left = dict.fromkeys(left, ZERO)
    total = sum((left[name] for name in ("net", "shipping", "taxes", "duties", "fees")), ZERO)
    return left | {
        "gross": gross,
        "discounts": gross - net,
        "returns": net - left["net"],
        "total": total,
        "charged": order.charged,
        "tips": order.tip,
    }


def _taken_back(order: Order, refund: Refund) -> dict[str, Decimal]:
    """What a refund lowers. What its rows don't say the purpose of lowers the goods."""
    lines = [order.lines[index] for index in refund.lines]
    sold = [line.sold for line in lines if not line.gift_card]
    unsaid = refund.amount - refund.kept
    shipping, tax = refund.shipping, refund.shipping_tax
    if refund.style != "adjustments":
        unsaid, shipping, tax = unsaid + shipping + tax, ZERO, ZERO
    duties = refund.duties
    if refund.style == "unselected":
        unsaid, duties = unsaid + duties, ZERO
    return {
        "net": sum((part.net(included=order.included) for part in sold), ZERO) + unsaid,
        "gift_cards": sum((line.sold.paid for line in lines if line.gift_card), ZERO),
        "taxes": sum((part.tax(included=order.included) for part in sold), ZERO) + tax,
        "shipping": shipping,
        "duties": duties,
    }


# The rows, as Shopify sends them.


def order_row(order: Order, updated: str) -> Row:
    discounts = sum((line.sold.discount for line in order.lines), ZERO)
    discounts += order.shipping.discount if order.shipping else ZERO
    return {
        "id": order.number,
        "created_at": "2026-01-02T10:00:00Z",
        "updated_at": updated,
        "test": order.fate == "test",
        "currency": order.currency,
        "taxes_included": order.included,
        "duties_included": False,
        "total_line_items_price": float(sum((line.sold.price for line in order.lines), ZERO)),
        "total_discounts": float(discounts),
        "total_tax": float(order.taxes),
        "total_price": float(order.charged),
        "total_price_set": _set(order, order.charged),
        "total_tip_received": float(order.tip),
        "original_total_additional_fees_set": _set(order, order.fee) if order.fee else None,
        "total_shipping_price_set": _set(order, order.shipping.price if order.shipping else ZERO),
        "financial_status": "paid",
        "fulfillment_status": None,
        "cancelled_at": "2026-01-04T00:00:00Z" if order.fate == "cancelled" else None,
        "cancel_reason": None,
        "customer": {"id": 7 + order.number % 3},
        "line_items": [_line_row(order, place) for place in range(len(order.lines))],
        "shipping_lines": [_shipping_row(order, order.shipping)] if order.shipping else [],
    }


def _set(order: Order, amount: Decimal) -> Row:
    shown = cents(amount * RATE) if order.foreign else amount
    return {
        "shop_money": {"amount": float(amount), "currency_code": order.currency},
        "presentment_money": {"amount": float(shown), "currency_code": _currency_of_customer(order)},
    }


def _currency_of_customer(order: Order) -> str:
    return "CHF" if order.foreign else order.currency


def _allocations(discount: Decimal) -> list[Row]:
    """A discount in two parts, as of a line and of the order."""
    first = cents(discount / 3)
    return [{"amount": str(part)} for part in (first, discount - first) if part]


def _tax_lines(part: Priced, *, included: bool) -> list[Row]:
    return [{"price": float(part.tax(included=included)), "rate": float(part.rate)}] if part.rate else []


def _line_row(order: Order, place: int) -> Row:
    line = order.lines[place]
    return {
        "id": order.number * 10 + place,
        "price": float(line.sold.price / line.quantity),
        "quantity": line.quantity,
        "gift_card": line.gift_card,
        "discount_allocations": _allocations(line.sold.discount),
        "tax_lines": _tax_lines(line.sold, included=order.included),
        "duties": [{"shop_money": {"amount": str(line.duty)}}] if line.duty else [],
    }


def _shipping_row(order: Order, shipping: Priced) -> Row:
    return {
        "id": order.number,
        "price": float(shipping.price),
        "discount_allocations": _allocations(shipping.discount),
        "tax_lines": _tax_lines(shipping, included=order.included),
    }


def refund_rows(order: Order) -> list[Row]:
    return [_refund_row(order, place) for place in range(len(order.refunds))]


def _refund_row(order: Order, place: int) -> Row:
    refund = order.refunds[place]
    lines = [_returned_row(order, index) for index in refund.lines]
    paid = sum((order.lines[index].sold.paid for index in refund.lines), ZERO)
    if not order.included:
        paid += sum((order.lines[index].sold.tax(included=False) for index in refund.lines), ZERO)
    paid += refund.shipping + refund.shipping_tax + refund.amount - refund.kept + refund.duties
    if order.foreign:
        paid = cents(paid * RATE)
    transaction = {"kind": "refund", "status": "success", "amount": str(paid), "currency": _currency_of_customer(order)}
    unselected = refund.style == "unselected"
    return {
        "id": order.number * 10 + place,
        "order_id": order.number,
        "created_at": f"2026-01-0{3 + place}T10:00:00Z",
        "refund_line_items": lines,
        "transactions": [transaction, transaction | {"status": "failure"}] if paid else [],
        "order_adjustments": None if unselected else _adjustments(refund),
        "total_duties_set": None if unselected else _set(order, refund.duties),
    }


def _returned_row(order: Order, index: int) -> Row:
    line = order.lines[index]
    return {
        "line_item_id": order.number * 10 + index,
        "quantity": line.quantity,
        "subtotal": float(line.sold.paid),
        "total_tax": float(line.sold.tax(included=order.included)),
    }


def _adjustments(refund: Refund) -> list[Row]:
    made = []
    if refund.shipping and refund.style == "adjustments":
        parts = {"amount": str(-refund.shipping), "tax_amount": str(-refund.shipping_tax)}
        made.append({"kind": "shipping_refund", **parts})
    difference = refund.kept - refund.amount
    if difference:
        made.append({"kind": "refund_discrepancy", "amount": str(difference), "tax_amount": "0.00"})
    return made
