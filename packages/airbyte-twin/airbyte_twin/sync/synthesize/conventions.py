"""Naming conventions of fields: plausible values by the name of a field."""

import re

STREAM_CHOICES: dict[tuple[str, str], tuple[str, ...]] = {
    ("campaigns", "status"): ("Draft", "Scheduled", "Sent", "Sent", "Sent", "Cancelled"),
    ("flows", "status"): ("draft", "manual", "live", "live"),
    ("flows", "trigger_type"): ("Added to List", "Metric", "Date Based"),
    ("customers", "state"): ("disabled", "invited", "enabled", "enabled", "declined"),
    ("order_refunds", "kind"): ("refund",),
    ("order_refunds", "status"): ("success",),
    ("products", "status"): ("active", "active", "active", "archived", "draft"),
}
"""By stream and field; a value that is more frequent stands here more often."""

CHOICES: dict[str, tuple[str, ...]] = {
    "financial_status": (
        "paid", "paid", "paid", "paid", "paid", "pending", "authorized", "partially_paid", "partially_refunded",
        "refunded", "voided", "expired",
    ),
    "fulfillment_status": ("fulfilled", "fulfilled", "partial", "restocked"),
    "cancel_reason": ("customer", "fraud", "inventory", "declined", "other"),
    "restock_type": ("no_restock", "cancel", "return"),
    "currency": ("USD",),
    "currency_code": ("USD",),
    "presentment_currency": ("USD",),
    "channel": ("email", "sms", "mobile_push"),
    "consent": ("SUBSCRIBED", "UNSUBSCRIBED", "NEVER_SUBSCRIBED"),
    "opt_in_process": ("single_opt_in", "double_opt_in"),
    "gateway": ("shopify_payments", "paypal", "manual"),
    "source_name": ("web", "pos", "web"),
    "vendor": ("Acme", "Globex", "Initech", "Umbrella"),
    "country": ("United States", "Canada", "Germany"),
    "country_code": ("US", "CA", "DE"),
    "city": ("Springfield", "Ottawa", "Bremen"),
    "region": ("Oregon", "Ontario", "Bremen"),
    "province": ("Oregon", "Ontario", "Bremen"),
    "province_code": ("OR", "ON", "HB"),
    "zip": ("97477", "K1A 0A6", "28195"),
    "timezone": ("America/Los_Angeles", "America/Toronto", "Europe/Berlin"),
    "locale": ("en-US", "en-CA", "de-DE"),
    "tags": ("", "vip", "wholesale", "vip, wholesale"),
    "ip": ("192.0.2.1", "198.51.100.7", "203.0.113.9"),
}  # fmt: skip
"""By field."""

FIRST_NAMES = (
    "Ada",
    "Alan",
    "Barbara",
    "Claude",
    "Edsger",
    "Frances",
    "Grace",
    "Hedy",
    "John",
    "Katherine",
    "Margaret",
)
LAST_NAMES = (
    "Allen",
    "Baker",
    "Clark",
    "Diaz",
    "Evans",
    "Fischer",
    "Garcia",
    "Hughes",
    "Ito",
    "Jansen",
    "Khan",
    "Lopez",
)

MONEY = re.compile(r"(^|_)(prices?|total|subtotal|amount|tax(es)?|discounts?|spent|cost|fees?|clv)(_usd)?$")
MONEY_RANGES = (
    (re.compile(r"shipping"), (4, 15)),
    (re.compile(r"discount|rounding|dut(y|ies)"), (0, 8)),
    (re.compile(r"tax"), (8, 40)),
    (re.compile(r""), (80, 400)),
)
"""Lowest and highest, in whole units, by the first pattern that a name matches."""
ITEM_DIVISOR = 24
"""An amount in a list of parts, as the lines of an order are, is smaller by so much: two refunds of two lines each stay
below the cheapest order less its discount."""

RARE_STREAMS, RARE_PERCENT = re.compile(r"(^|_)(refunds|disputes)$"), 15
"""Streams with a row for only this percentage of the rows that they refer to."""

RARE = re.compile(r"^(is_)?(cancel|close|delete|return|test|archive|gift|expire|void|error|reject|disable|trash)")
"""Rare conditions: times are mostly absent, booleans mostly false."""

VOLATILE = re.compile(r"(^|_)(status|state|tags|note|count|spent|archived)(_|$)")
"""Fields that an update of a row changes."""

EVENTS = frozenset({"created_at", "created", "datetime", "timestamp", "occurred_at", "date"})
"""Cursors of rows that never change."""

TIME = re.compile(r"(^|_)(at|datetime|timestamp|created|updated|modified|time)$")
"""Texts without a format that are times."""

DATE = re.compile(r"(^|_)date(_|$)")
"""Texts without a format that are days."""

ID = re.compile(r"(^|_)id$")
"""Keys of something."""

LINK = re.compile(r"(^|_)(url|link|self|related|href)$")
"""Texts that are addresses on the web."""
