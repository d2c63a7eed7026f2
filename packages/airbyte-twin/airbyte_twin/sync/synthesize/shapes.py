"""Whole records of a JSON Schema: objects, arrays and the references between streams.

Knows how a schema is walked. Must not know which rows there are.

A schema is compiled once into nested functions. Each takes the seed of the object around it, so that a field's value
depends on the row and on its own path, and on no other field.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, as_object
from airbyte_twin.sync.synthesize import facts
from airbyte_twin.sync.synthesize.draws import between, chance, mixed, seed_of
from airbyte_twin.sync.synthesize.keys import Siblings, singular
from airbyte_twin.sync.synthesize.values import Leaf, RowOf, Value, key_value, leaf_value
from airbyte_twin.sync.synthesize.world import Change


class Absent(Enum):
    """Stands for a member that an object does not have."""

    ABSENT = "absent"


Made = JsonValue | Absent
Make = Callable[[int, Change], Made]


def own_row(change: Change) -> int:
    """The row that a record is about."""
    return change.index


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a record a schema is.

    Attributes:
        siblings: All streams of the source.
        stream: Whose record it is.
        key: Name of the top-level field that alone identifies a row.
        referent: The stream whose row the object around it is, if any.
        row: That row.
        money: What the amounts in the object around it are of, e.g. `total_tax` in a `total_tax_set`.
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
    part: bool = False
    fixed: frozenset[str] = frozenset()

    def about(self, name: str) -> "Place":
        """The place within a member: `customer` is about a row of `customers`; `data` is about what is around it."""
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


def compile_fields(schema: JsonObject, place: Place, wanted: Iterable[str]) -> dict[str, Make]:
    """What makes each of the wanted top-level fields, of a row's seed and its change."""
    properties = as_object(schema.get("properties"))
    return {
        name: _member(name, as_object(properties[name]), place, properties) for name in wanted if name in properties
    }


def _member(name: str, schema: JsonObject, place: Place, beside: JsonObject) -> Make:
    """What makes a member of an object."""
    schema = one_branch(schema)
    kinds = types_of(schema)
    kind = next((each for each in kinds if each != "null"), "string")
    if kind == "object":
        return _object(name, schema, place)
    if kind == "array":
        return _array(name, schema, place)
    told = place.money if name == "amount" and place.money else name
    leaf = Leaf(place.stream, told, schema, kind, place.row, place.part)
    return _reference(name, leaf, place, beside) or _leaf(name, leaf, place, nullable="null" in kinds)


def _object(name: str, schema: JsonObject, place: Place) -> Make:
    money = name.removesuffix("_set") if name.endswith("_set") else place.money
    inner = replace(place.about(name), money=money)
    properties = as_object(schema.get("properties"))
    members = {key: _member(key, as_object(value), inner, properties) for key, value in properties.items()}
    # All amounts of a `total_tax_set` are drawn as the `total_tax` beside it is: they are the same money.
    salt = 0 if money else seed_of(name)

    def make(seed: int, change: Change) -> Made:
        node = mixed(seed, salt) if salt else seed
        made = {key: member(node, change) for key, member in members.items()}
        return {key: value for key, value in made.items() if not isinstance(value, Absent)}

    return make


def _array(name: str, schema: JsonObject, place: Place) -> Make:
    items = schema.get("items")
    one = as_object(items[0] if isinstance(items, list) and items else items)
    inner = replace(place.about(name), money=None, part=True)
    item = _member(singular(name), one, inner, {})
    # A record refers to one row of a stream: a second item would be the same one.
    salt, most = seed_of(name), 2 if place.depth == 0 and inner.referent is None else 1
    least = 1 if place.depth < 2 else 0

    def make(seed: int, change: Change) -> Made:
        node = mixed(seed, salt)
        made = (item(mixed(node, number), change) for number in range(1, between(least, most, node) + 1))
        return [value for value in made if not isinstance(value, Absent)]

    return make


def _leaf(name: str, leaf: Leaf, place: Place, *, nullable: bool) -> Make:
    salt, made = seed_of(leaf.name), leaf_value(leaf)
    changes = bool(facts.VOLATILE.search(name))
    # A draw that decides about absence must tell nothing about the value.
    gap = 10 if nullable and name not in place.fixed else 0
    rare = bool(facts.RARE.search(name)) and leaf.type != "boolean" and name not in place.fixed

    def make(seed: int, change: Change) -> Made:
        draw = mixed(seed, salt + change.at if changes else salt)
        if rare and not chance(10, mixed(draw, 1)):
            return None if nullable else Absent.ABSENT
        if gap and chance(gap, mixed(draw, 2)):
            return None
        return made(draw, change)

    return make


def _reference(name: str, leaf: Leaf, place: Place, beside: JsonObject) -> Value | None:
    """What makes a key, of this row or of one that it refers to, or a key's `type`; None for any other field."""
    siblings, own = place.siblings, place.stream
    if place.depth == 0 and name == place.key:
        # A key that is another row's too, as `order_id` alone can be, has each of them once.
        return key_value(siblings.keys(siblings.of_key_field(name) or own), own_row, leaf)
    if name == "id" and place.referent is not None:
        return key_value(siblings.keys(place.referent), place.row, leaf)
    if name == "type" and "id" in beside and place.referent is not None and leaf.type == "string":
        kind = singular(place.referent)
        return None if "enum" in leaf.schema else lambda _draw, _change: kind
    stream = siblings.of_key_field(name)
    if stream is None or leaf.type not in {"integer", "number", "string"}:
        return None
    return key_value(siblings.keys(stream), place.referred(stream), leaf)


def types_of(schema: JsonObject) -> list[str]:
    """The JSON types that a schema allows, as far as it says."""
    told = schema.get("type")
    if isinstance(told, list):
        return [str(each) for each in told]
    if isinstance(told, str):
        return [told]
    return ["object"] if "properties" in schema else ["array"] if "items" in schema else []


def one_branch(schema: JsonObject) -> JsonObject:
    """The schema with the first of its branches that is not null."""
    for keyword in ("oneOf", "anyOf"):
        branches = schema.get(keyword)
        if isinstance(branches, list):
            found = next((as_object(each) for each in branches if as_object(each).get("type") != "null"), {})
            return one_branch({**{key: value for key, value in schema.items() if key != keyword}, **found})
    return schema
