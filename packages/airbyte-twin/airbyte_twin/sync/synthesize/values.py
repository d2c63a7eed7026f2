"""Values of single fields, by type, format and name.

Knows leaves of JSON Schemas. Must not know how they are put together.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject
from airbyte_twin.sync.synthesize import facts
from airbyte_twin.sync.synthesize.draws import between, chance, mixed, pick
from airbyte_twin.sync.synthesize.keys import KeySpace
from airbyte_twin.sync.synthesize.times import date, time_of_day, timestamp
from airbyte_twin.sync.synthesize.world import Change

Value = Callable[[int, Change], JsonValue]
"""Makes a field's value of a draw and the row's change."""
RowOf = Callable[[Change], int]
"""The index of the row that a record, or an object in it, is about."""

DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field that holds no others.

    Attributes:
        stream: Whose field it is.
        name: Of the field, or of the array whose item it is.
        schema: Its JSON Schema.
        type: The one JSON type that is made of those that it may have.
        row: The row that the object around it is about.
        part: Whether it is in an array, as the lines of an order are.
    """

    stream: str
    name: str
    schema: JsonObject
    type: str
    row: RowOf
    part: bool

    @property
    def format(self) -> str:
        """Its format, or what its name says if it has none: `date-time`, `date`, `time`, `uuid`, `email` or another."""
        told = self.schema.get("format")
        if isinstance(told, str):
            return told
        guesses = ((facts.TIME, "date-time"), (facts.DATE, "date"), (facts.ID, "id"))
        return next((kind for pattern, kind in guesses if pattern.search(self.name)), self.name)

    @property
    def zoned(self) -> bool:
        """Whether its times say their zone."""
        return not str(self.schema.get("airbyte_type", "")).endswith("without_timezone")


def key_value(keys: KeySpace, row: RowOf, leaf: Leaf) -> Value:
    """The key of a row, as the field's type wants it."""
    if leaf.type in {"integer", "number"}:
        return lambda _draw, change: keys.integer(row(change))
    if leaf.schema.get("format") == "uuid":
        return lambda _draw, change: keys.uuid(row(change))
    return lambda _draw, change: keys.text(row(change))


def leaf_value(leaf: Leaf) -> Value:
    """A plausible value."""
    if "const" in leaf.schema:
        constant = leaf.schema["const"]
        return lambda _draw, _change: constant
    choices = _choices(leaf)
    if choices:
        return lambda draw, _change: pick(choices, draw)
    makers = {"integer": _integer, "number": _number, "boolean": _boolean, "string": _string}
    maker = makers.get(leaf.type)
    return maker(leaf) if maker else lambda _draw, _change: None


def _choices(leaf: Leaf) -> tuple[JsonValue, ...]:
    told = leaf.schema.get("enum")
    if isinstance(told, list):
        return tuple(each for each in told if each is not None)
    if leaf.type != "string":
        return ()
    return facts.STREAM_CHOICES.get((leaf.stream, leaf.name)) or facts.CHOICES.get(leaf.name, ())


def _integer(leaf: Leaf) -> Value:
    name = leaf.name
    if facts.TIME.search(name):
        return lambda draw, change: _moment(name, draw, change) // 1000
    if facts.ID.search(name):
        return lambda draw, _change: between(10**9, 10**12, draw)
    if name in {"number", "order_number", "position"}:
        return lambda _draw, change: leaf.row(change) + 1001
    low, high = (2000, 2026) if "year" in name else (1, 12) if "month" in name else (1, 5)
    return lambda draw, _change: _bounded(leaf.schema, between(low, high, draw))


def _number(leaf: Leaf) -> Value:
    name = leaf.name
    if facts.MONEY.search(name):
        return lambda draw, _change: cents(leaf, draw) / 100
    if leaf.schema.get("airbyte_type") in {"integer", "big_integer"} or facts.ID.search(name):
        return _integer(leaf)
    top = 1 if any(word in name for word in ("rate", "ratio", "probability")) else 90
    return lambda draw, _change: _bounded(leaf.schema, round(draw % 10_001 / 10_000 * top, 4))


def _boolean(leaf: Leaf) -> Value:
    percent = 2 if facts.RARE.search(leaf.name) else 50
    return lambda draw, _change: chance(percent, draw)


def _string(leaf: Leaf) -> Value:
    name, kind = leaf.name, leaf.format
    if kind in PEOPLE:
        write = PEOPLE[kind]
        return lambda _draw, change: write(leaf.row(change))
    if kind in FORMATS:
        return FORMATS[kind](leaf)
    if facts.LINK.search(name) or kind == "uri":
        return lambda draw, _change: f"https://example.com/{name}/{draw % 1_000_000}"
    if facts.MONEY.search(name):
        return lambda draw, _change: f"{cents(leaf, draw) / 100:.2f}"
    return lambda draw, _change: f"{name.replace('_', ' ').capitalize()} {draw % 1000}"


def _date_time(leaf: Leaf) -> Value:
    return lambda draw, change: timestamp(_moment(leaf.name, draw, change), zone=leaf.zoned)


def _date(leaf: Leaf) -> Value:
    return lambda draw, change: date(_moment(leaf.name, draw, change))


def _time(leaf: Leaf) -> Value:
    return lambda draw, _change: time_of_day(draw % DAY) + ("Z" if leaf.zoned else "")


def cents(leaf: Leaf, draw: int) -> int:
    """An amount of money by what it is called, in hundredths."""
    low, high = next(span for pattern, span in facts.MONEY_RANGES if pattern.search(leaf.name))
    return between(low * 100, high * 100, draw) // (facts.PARTS if leaf.part else 1)


def _moment(name: str, draw: int, change: Change) -> int:
    if name in {"created_at", "created"}:
        return change.created
    if name.startswith(("updated", "modified")) or change.at == change.created:
        return change.at
    return between(change.created, max(change.created, change.at), draw)


def _bounded(schema: JsonObject, value: float) -> JsonValue:
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(low, int | float) and value < low:
        return low
    return high if isinstance(high, int | float) and value > high else value


def first_name(row: int) -> str:
    """Given name of a person."""
    return pick(facts.FIRST_NAMES, mixed(row, 1))


def last_name(row: int) -> str:
    """Family name of a person."""
    return pick(facts.LAST_NAMES, mixed(row, 2))


def email(row: int) -> str:
    """Address of a person; the same row of any stream of any source has the same one."""
    return f"{first_name(row)}.{last_name(row)}.{row + 1}@example.com".lower()


PEOPLE: dict[str, Callable[[int], str]] = {
    "first_name": first_name,
    "last_name": last_name,
    "email": email,
    "contact_email": email,
    "phone": lambda row: f"+1555{row + 1:07d}",
    "phone_number": lambda row: f"+1555{row + 1:07d}",
}
"""By format or name: what belongs to a person, who is the row of that number."""

FORMATS: dict[str, Callable[[Leaf], Value]] = {
    "date-time": _date_time,
    "date": _date,
    "time": _time,
    "uuid": lambda _leaf: lambda draw, _change: KeySpace(draw).uuid(0),
    "id": lambda _leaf: lambda draw, _change: KeySpace(draw).text(0),
}
"""By format, told or guessed: what makes a text."""
