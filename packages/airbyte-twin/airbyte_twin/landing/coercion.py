"""Coerce records to their stream's type; a value that does not fit becomes null and is reported.

Source: airbytehq/airbyte, bulk CDK: AirbyteValueDeepCoercingMapper, AirbyteValueCoercer, NullOutOfRangeIntegers,
SchemalessValuesToJsonString, UnionValueToDisjointRecord.
"""

import calendar
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

from pydantic import JsonValue

from airbyte_twin.documents import JsonObject, dump_json
from airbyte_twin.landing.airbyte_types import AirbyteType, JsonText, ListOf, Scalar, Struct, Union, option_name

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_GAP = r"-?/?\.? ?"
_DAY = rf"(?P<year>\d{{4}}){_GAP}(?P<month>\d{{1,2}}|[A-Z][a-z]{{2}}){_GAP}(?P<day>\d{{1,2}})"
_CLOCK = r"(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?"
_ZONE = r" ?(?P<zone>[Zz]|(?:UTC|GMT)?(?:[+-]\d{1,2}(?::?\d{2}){0,2})?)"
_MOMENT = re.compile(f"{_DAY}(?P<clock>(?: ?[Tt]| ){_CLOCK}{_ZONE})?", re.ASCII)
_TIME = re.compile(_CLOCK + _ZONE, re.ASCII)
_OFFSET = re.compile(r"([+-])(\d{1,2}):?(\d{2})?:?(\d{2})?", re.ASCII)
_WIDEST_OFFSET = timedelta(hours=18)


def parse_date(text: str) -> date:
    """The day of a date or of a moment, whatever its zone.

    Raises:
        ValueError: it is neither.
    """
    return _day(_matched(_MOMENT, text))


def parse_timestamp(text: str, *, with_timezone: bool) -> datetime:
    """A timestamp in UTC, the default for a missing zone.

    Args:
        text: a day with a time.
        with_timezone: whether a zone moves the time; else it is as good as not written.

    Raises:
        ValueError: it is none.
        OverflowError: in UTC it is outside of the years 1 to 9999.
    """
    found = _matched(_MOMENT, text)
    if found["clock"] is None:
        raise ValueError("a day without a time")
    zone = _zone(found["zone"])
    return datetime.combine(_day(found), _clock(found), zone if with_timezone else UTC).astimezone(UTC)


def parse_time(text: str, *, with_timezone: bool) -> time:
    """A time of day, in UTC if a zone counts.

    Raises:
        ValueError: it is none.
    """
    clock = parse_offset_time(text)
    some_day = datetime.combine(date(2000, 1, 1), clock if with_timezone else clock.replace(tzinfo=UTC))
    return some_day.astimezone(UTC).time()


def parse_offset_time(text: str) -> time:
    """A time of day with its own offset, by default UTC.

    Raises:
        ValueError: it is none.
    """
    found = _matched(_TIME, text)
    return _clock(found).replace(tzinfo=_zone(found["zone"]))


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise ValueError("an unknown notation")
    return found


def _day(found: re.Match[str]) -> date:
    """The day; one that its month lacks, up to the 31st, is the month's last, as Java's smart resolver has it."""
    year, month, day = int(found["year"]), found["month"], int(found["day"])
    number = _MONTHS.index(month) + 1 if month.isalpha() else int(month)
    if 28 < day <= 31 and 1 <= number <= 12:
        day = min(day, calendar.monthrange(year, number)[1])
    return date(year, number, day)


def _clock(found: re.Match[str]) -> time:
    micros = int((found["fraction"] or "").ljust(6, "0")[:6])
    return time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0), micros)


def _zone(text: str) -> timezone:
    found = _OFFSET.search(text)
    if found is None:
        return UTC
    hours, minutes, seconds = (int(part or 0) for part in found.group(2, 3, 4))
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if offset > _WIDEST_OFFSET:
        raise ValueError("an offset of more than 18 hours")
    return timezone(-offset if found[1] == "-" else offset)


UNFIT = "DESTINATION_SERIALIZATION_ERROR"
TOO_LARGE = "DESTINATION_FIELD_SIZE_LIMITATION"
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

Change = dict[str, str]
Row = dict[str, object]


class UnfitError(Exception):
    """A value that a type can't hold."""

    def __init__(self, reason: str = UNFIT) -> None:
        super().__init__(reason)
        self.reason = reason


def fit_record(record: JsonObject, airbyte_type: Struct) -> tuple[Row, list[Change]]:
    """A record by column, and the changes that set values to null."""
    changes: list[Change] = []
    return _members(airbyte_type, record, "", changes), changes


def _members(airbyte_type: Struct, value: JsonObject, path: str, changes: list[Change]) -> Row:
    return {
        member.column: _fit(member.airbyte_type, value.get(member.name), f"{path}{member.name}", changes)
        for member in airbyte_type.members
    }


def _fit(airbyte_type: AirbyteType, value: JsonValue, path: str, changes: list[Change]) -> object:
    """A value of a type, or null; nested values are null by themselves."""
    if value is None:
        return None
    try:
        return _fitted(airbyte_type, value, path, changes)
    except UnfitError as unfit:
        changes.append(nulled(path, unfit))
        return None


def nulled(path: str, unfit: UnfitError) -> Change:
    """How `_airbyte_meta` reports a value that became null."""
    return {"field": path, "change": "NULLED", "reason": unfit.reason}


def _fitted(airbyte_type: AirbyteType, value: JsonValue, path: str, changes: list[Change]) -> object:
    match airbyte_type:
        case Scalar():
            return SCALARS[airbyte_type](value)
        case JsonText():
            return _json_text(airbyte_type, value)
        case Struct():
            if not isinstance(value, dict):
                raise UnfitError
            return _members(airbyte_type, value, f"{path}.", changes)
        case ListOf():
            if not isinstance(value, list):
                raise UnfitError
            return [_fit(airbyte_type.items, item, f"{path}.[{index}]", changes) for index, item in enumerate(value)]
        case Union():
            return _one_of(airbyte_type, value, path, changes)


def _one_of(union: Union, value: JsonValue, path: str, changes: list[Change]) -> Row | None:
    """A union's record: the first option of the value's own type, else the first that it can be made to fit."""
    chosen = next((option for option in union.options if type(value) is _own_type(option)), None)
    if chosen is None:
        chosen = next((option for option in union.options if _fit(option, value, path, []) is not None), None)
    if chosen is None:
        raise UnfitError
    fitted = _fit(chosen, value, path, changes)
    name = option_name(chosen)
    return None if fitted is None else {"type": name, name: fitted}


def _own_type(airbyte_type: AirbyteType) -> type:
    """The Python type of a type's JSON values."""
    match airbyte_type:
        case Struct():
            return dict
        case ListOf():
            return list
        case JsonText():
            return airbyte_type.holds
        case Scalar():
            return OWN_TYPES.get(airbyte_type, str)
    return object


def _json_text(airbyte_type: JsonText, value: JsonValue) -> str:
    if not isinstance(value, airbyte_type.holds):
        raise UnfitError
    return dump_json(value).decode()


def _string(value: JsonValue) -> str:
    """Any value as text; numbers as Java's BigDecimal writes them."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return str(Decimal(repr(value)))
    return dump_json(value).decode()


def _boolean(value: JsonValue) -> bool:
    if not isinstance(value, bool):
        raise UnfitError
    return value


def _integer(value: JsonValue) -> int:
    match value:
        case bool():
            raise UnfitError
        case int():
            whole = value
        case float() if value.is_integer():
            whole = int(value)
        case str() if _INTEGER.fullmatch(value):
            whole = int(value) if len(value) < 100 else 1 << 64
        case _:
            raise UnfitError
    if not -(1 << 63) <= whole < 1 << 63:
        raise UnfitError(TOO_LARGE)
    return whole


def _number(value: JsonValue) -> float:
    """A double; larger numbers become infinite, as in Java's BigDecimal.doubleValue."""
    match value:
        case bool():
            raise UnfitError
        case float():
            return value
        case int():
            try:
                return float(value)
            except OverflowError:
                return math.inf if value > 0 else -math.inf
        case str() if NUMBER.fullmatch(value):
            return float(value)
    raise UnfitError


def _moment(parse: Callable[[str], object]) -> Callable[[JsonValue], object]:
    def fit(value: JsonValue) -> object:
        if not isinstance(value, str):
            raise UnfitError
        try:
            return parse(value)
        except (ValueError, OverflowError):
            raise UnfitError from None

    return fit


OWN_TYPES: dict[Scalar, type] = {Scalar.BOOLEAN: bool, Scalar.INTEGER: int, Scalar.NUMBER: float}
SCALARS: dict[Scalar, Callable[[JsonValue], object]] = {
    Scalar.STRING: _string,
    Scalar.BOOLEAN: _boolean,
    Scalar.INTEGER: _integer,
    Scalar.NUMBER: _number,
    Scalar.DATE: _moment(parse_date),
    Scalar.TIME_WITH_TIMEZONE: _moment(lambda text: parse_time(text, with_timezone=True)),
    Scalar.TIME_WITHOUT_TIMEZONE: _moment(lambda text: parse_time(text, with_timezone=False)),
    Scalar.TIMESTAMP_WITH_TIMEZONE: _moment(lambda text: parse_timestamp(text, with_timezone=True)),
    Scalar.TIMESTAMP_WITHOUT_TIMEZONE: _moment(lambda text: parse_timestamp(text, with_timezone=False)),
}
