"""Generators of records, compiled from a JSON Schema.

A schema is compiled once into nested functions. Each takes the seed of the enclosing object, so that a field's value
depends on the row and on its own path, and on no other field.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.sync.synthesize import conventions
from airbyte_twin.sync.synthesize.history import Change
from airbyte_twin.sync.synthesize.keys import KeySpace, Siblings, singular
from airbyte_twin.sync.synthesize.pseudorandom import between, chance, mixed, pick, seed_of
from airbyte_twin.sync.synthesize.times import date, time_of_day, timestamp

Value = Callable[[int, Change], JsonValue]
"""Makes a field's value of a draw and the row's change."""
RowOf = Callable[[Change], int]
"""The index of the row that a record, or an object in it, is about."""

DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class ScalarField:
    """A field that holds no others.

    Attributes:
        stream: Whose field it is.
        name: Of the field, or of the array whose item it is.
        schema: Its JSON Schema.
        type: JSON type of the generated values.
        row: The row that the object around it is about.
        part: Whether it is in an array, as the lines of an order are.
    """

    stream: str
    name: str
    schema: JsonObject
    type: str
    row: RowOf
    in_array: bool

    @property
    def format(self) -> str:
        """Its format, or one guessed from its name: `date-time`, `date`, `time`, `uuid`, `email` or another."""
        declared = self.schema.get("format")
        if isinstance(declared, str):
            return declared
        guesses = ((conventions.TIME, "date-time"), (conventions.DATE, "date"), (conventions.ID, "id"))
        return next((kind for pattern, kind in guesses if pattern.search(self.name)), self.name)

    @property
    def zoned(self) -> bool:
        """Whether its times have a zone."""
        return not str(self.schema.get("airbyte_type", "")).endswith("without_timezone")


def key_value(keys: KeySpace, row: RowOf, scalar: ScalarField) -> Value:
    """Generator of a row's key in the field's type."""
    if scalar.type in {"integer", "number"}:
        return lambda _draw, change: keys.integer(row(change))
    if scalar.schema.get("format") == "uuid":
        return lambda _draw, change: keys.uuid(row(change))
    return lambda _draw, change: keys.text(row(change))


def scalar_value(scalar: ScalarField) -> Value:
    """Generator of a plausible value."""
    if "const" in scalar.schema:
        constant = scalar.schema["const"]
        return lambda _draw, _change: constant
    choices = _choices(scalar)
    if choices:
        return lambda draw, _change: pick(choices, draw)
    makers = {"integer": _integer, "number": _number, "boolean": _boolean, "string": _string}
    maker = makers.get(scalar.type)
    return maker(scalar) if maker else lambda _draw, _change: None


def _choices(scalar: ScalarField) -> tuple[JsonValue, ...]:
    declared = scalar.schema.get("enum")
    if isinstance(declared, list):
        return tuple(each for each in declared if each is not None)
    if scalar.type != "string":
        return ()
    return conventions.STREAM_CHOICES.get((scalar.stream, scalar.name)) or conventions.CHOICES.get(scalar.name, ())


def _integer(scalar: ScalarField) -> Value:
    name = scalar.name
    if conventions.TIME.search(name):
        return lambda draw, change: _moment(name, draw, change) // 1000
    if conventions.ID.search(name):
        return lambda draw, _change: between(10**9, 10**12, draw)
    if name in {"number", "order_number", "position"}:
        return lambda _draw, change: scalar.row(change) + 1001
    low, high = (2000, 2026) if "year" in name else (1, 12) if "month" in name else (1, 5)
    return lambda draw, _change: _bounded(scalar.schema, between(low, high, draw))


def _number(scalar: ScalarField) -> Value:
    name = scalar.name
    if conventions.MONEY.search(name):
        return lambda draw, _change: cents(scalar, draw) / 100
    if scalar.schema.get("airbyte_type") in {"integer", "big_integer"} or conventions.ID.search(name):
        return _integer(scalar)
    top = 1 if any(word in name for word in ("rate", "ratio", "probability")) else 90
    return lambda draw, _change: _bounded(scalar.schema, round(draw % 10_001 / 10_000 * top, 4))


def _boolean(scalar: ScalarField) -> Value:
    percent = 2 if conventions.RARE.search(scalar.name) else 50
    return lambda draw, _change: chance(percent, draw)


def _string(scalar: ScalarField) -> Value:
    name, kind = scalar.name, scalar.format
    if kind in PEOPLE:
        write = PEOPLE[kind]
        return lambda _draw, change: write(scalar.row(change))
    if kind in FORMATS:
        return FORMATS[kind](scalar)
    if conventions.LINK.search(name) or kind == "uri":
        return lambda draw, _change: f"https://example.com/{name}/{draw % 1_000_000}"
    if conventions.MONEY.search(name):
        return lambda draw, _change: f"{cents(scalar, draw) / 100:.2f}"
    return lambda draw, _change: f"{name.replace('_', ' ').capitalize()} {draw % 1000}"


def _date_time(scalar: ScalarField) -> Value:
    return lambda draw, change: timestamp(_moment(scalar.name, draw, change), zone=scalar.zoned)


def _date(scalar: ScalarField) -> Value:
    return lambda draw, change: date(_moment(scalar.name, draw, change))


def _time(scalar: ScalarField) -> Value:
    return lambda draw, _change: time_of_day(draw % DAY) + ("Z" if scalar.zoned else "")


def cents(scalar: ScalarField, draw: int) -> int:
    """An amount of money in hundredths, in a range for the field's name."""
    low, high = next(span for pattern, span in conventions.MONEY_RANGES if pattern.search(scalar.name))
    return between(low * 100, high * 100, draw) // (conventions.ITEM_DIVISOR if scalar.in_array else 1)


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
    return pick(conventions.FIRST_NAMES, mixed(row, 1))


def last_name(row: int) -> str:
    """Family name of a person."""
    return pick(conventions.LAST_NAMES, mixed(row, 2))


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
"""Personal data by format or name; the argument is the row of the person."""

FORMATS: dict[str, Callable[[ScalarField], Value]] = {
    "date-time": _date_time,
    "date": _date,
    "time": _time,
    "uuid": lambda _scalar: lambda draw, _change: KeySpace(draw).uuid(0),
    "id": lambda _scalar: lambda draw, _change: KeySpace(draw).text(0),
}
"""Generators of strings by format."""


class Absent(Enum):
    """Marks an absent member."""

    ABSENT = "absent"


Made = JsonValue | Absent
Make = Callable[[int, Change], Made]


def own_row(change: Change) -> int:
    """The row that a record is about."""
    return change.index


@dataclass(frozen=True, slots=True)
class SchemaContext:
    """The context of a schema within a record.

    Attributes:
        siblings: All streams of the source.
        stream: Whose record it is.
        key: Name of the top-level field that alone identifies a row.
        referent: The stream whose row the object around it is, if any.
        row: That row.
        money: Field whose amounts the enclosing object has, e.g. `total_tax` in a `total_tax_set`.
        depth: How many objects and arrays are around it.
        part: Whether it is in an array.
        fixed: Fields that are never absent: keys and cursors.
    """

    siblings: Siblings
    stream: str
    key: str
    referent: str | None
    row: RowOf = own_row
    money: str | None = None
    depth: int = 0
    in_array: bool = False
    fixed: frozenset[str] = frozenset()

    def about(self, name: str) -> "SchemaContext":
        """The context within a member: `customer` refers to a row of `customers`, `data` to the enclosing row."""
        if name == "data":
            return replace(self, depth=self.depth + 1)
        found = self.siblings.named(name)
        if found is None or found == self.stream:
            return replace(self, referent=None, row=own_row, depth=self.depth + 1)
        return replace(self, referent=found, row=self.referred(found), depth=self.depth + 1)

    def referred(self, stream: str) -> RowOf:
        """The row of another stream that the record refers to."""
        own, siblings = self.stream, self.siblings
        return lambda change: siblings.referred(own, stream, change.index)


def compile_fields(schema: JsonObject, context: SchemaContext, wanted: Iterable[str]) -> dict[str, Make]:
    """Generators of the wanted top-level fields, from a row's seed and its change."""
    properties = as_object(schema.get("properties"))
    return {
        name: _member(name, as_object(properties[name]), context, properties) for name in wanted if name in properties
    }


def _member(name: str, schema: JsonObject, context: SchemaContext, beside: JsonObject) -> Make:
    """Generator of an object's member."""
    schema = one_branch(schema)
    kinds = types_of(schema)
    kind = next((each for each in kinds if each != "null"), "string")
    if kind == "object":
        return _object(name, schema, context)
    if kind == "array":
        return _array(name, schema, context)
    declared = context.money if name == "amount" and context.money else name
    scalar = ScalarField(context.stream, declared, schema, kind, context.row, context.in_array)
    return _reference(name, scalar, context, beside) or _scalar(name, scalar, context, nullable="null" in kinds)


def _object(name: str, schema: JsonObject, context: SchemaContext) -> Make:
    money = name.removesuffix("_set") if name.endswith("_set") else context.money
    inner = replace(context.about(name), money=money)
    properties = as_object(schema.get("properties"))
    members = {key: _member(key, as_object(value), inner, properties) for key, value in properties.items()}
    # All amounts of a `total_tax_set` are drawn as the `total_tax` beside it is: they are the same money.
    salt = 0 if money else seed_of(name)

    def make(seed: int, change: Change) -> Made:
        node = mixed(seed, salt) if salt else seed
        made = {key: member(node, change) for key, member in members.items()}
        return {key: value for key, value in made.items() if not isinstance(value, Absent)}

    return make


def _array(name: str, schema: JsonObject, context: SchemaContext) -> Make:
    items = schema.get("items")
    one = as_object(items[0] if isinstance(items, list) and items else items)
    if not one:
        # Nothing says whether its items are texts or objects: a guess would mislead who reads them.
        return lambda _seed, _change: []
    inner = replace(context.about(name), money=None, in_array=True)
    item = _member(singular(name), one, inner, {})
    # A record refers to one row of a stream: a second item would be the same one.
    salt, most = seed_of(name), 2 if context.depth == 0 and inner.referent is None else 1
    least = 1 if context.depth < 2 else 0

    def make(seed: int, change: Change) -> Made:
        node = mixed(seed, salt)
        made = (item(mixed(node, number), change) for number in range(1, between(least, most, node) + 1))
        return [value for value in made if not isinstance(value, Absent)]

    return make


def _scalar(name: str, scalar: ScalarField, context: SchemaContext, *, nullable: bool) -> Make:
    salt, made = seed_of(scalar.name), scalar_value(scalar)
    changes = bool(conventions.VOLATILE.search(name))
    # Absence and value use independent draws, so that they do not correlate.
    gap = 10 if nullable and name not in context.fixed else 0
    rare = bool(conventions.RARE.search(name)) and scalar.type != "boolean" and name not in context.fixed

    def make(seed: int, change: Change) -> Made:
        draw = mixed(seed, salt + change.at if changes else salt)
        if rare and not chance(10, mixed(draw, 1)):
            return None if nullable else Absent.ABSENT
        if gap and chance(gap, mixed(draw, 2)):
            return None
        return made(draw, change)

    return make


def _reference(name: str, scalar: ScalarField, context: SchemaContext, beside: JsonObject) -> Value | None:
    """Generator of a key, of a reference or of a reference's `type`; None for any other field."""
    siblings, own = context.siblings, context.stream
    if context.depth == 0 and name == context.key:
        # A key that is another row's too, as `order_id` alone can be, has each of them once.
        return key_value(siblings.keys(siblings.of_key_field(name) or own), own_row, scalar)
    if name == "id" and context.referent is not None:
        return key_value(siblings.keys(context.referent), context.row, scalar)
    if name == "type" and "id" in beside and context.referent is not None and scalar.type == "string":
        kind = singular(context.referent)
        return None if "enum" in scalar.schema else lambda _draw, _change: kind
    stream = siblings.of_key_field(name)
    if stream is None or scalar.type not in {"integer", "number", "string"}:
        return None
    return key_value(siblings.keys(stream), context.referred(stream), scalar)


def types_of(schema: JsonObject) -> list[str]:
    """The JSON types that a schema allows; empty if unspecified."""
    declared = schema.get("type")
    if isinstance(declared, list):
        return [str(each) for each in declared]
    if isinstance(declared, str):
        return [declared]
    return ["object"] if "properties" in schema else ["array"] if "items" in schema else []


def one_branch(schema: JsonObject) -> JsonObject:
    """The schema with the first of its branches that is not null."""
    for keyword in ("oneOf", "anyOf"):
        branches = schema.get(keyword)
        if isinstance(branches, list):
            found = next((as_object(each) for each in branches if as_object(each).get("type") != "null"), {})
            return one_branch({**{key: value for key, value in schema.items() if key != keyword}, **found})
    return schema
