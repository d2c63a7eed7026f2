"""A record of a source as a row of the lake: the fields that the stream selects, with their types, and Lotus's columns.

Files are those that destination-s3 would write, as far as models can tell: the same columns under the same names, and
JSON text for what is nested. A value that its field's type can't hold becomes null, and `_airbyte_meta` names it: marts
read there whether a null is a lost value. The run goes on, since one bad value must not hold back the rows behind it.
A key or a cursor is different: a row without it is lost, or hides newer ones, so the run fails before anything lands.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from airbyte_model.places import column_name

from lotus_dagster.lake import Ingestion
from lotus_infra.errors import LotusError
from lotus_infra.lake.models import Field

RAW_ID: Final = "_airbyte_raw_id"
EXTRACTED_AT: Final = "_airbyte_extracted_at"
GENERATION_ID: Final = "_airbyte_generation_id"
META: Final = "_airbyte_meta"
Row = dict[str, object]
Hint = dict[str, object]

_UNFIT: Final = "DESTINATION_SERIALIZATION_ERROR"
"""Airbyte's reason for a value that a type can't hold (airbytehq/airbyte, CDK: AirbyteRecordMessageMetaChange)."""
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_LARGEST_INTEGER: Final = 1 << 63
_MOMENT: Final[Hint] = {"data_type": "timestamp", "timezone": True, "precision": 6}
_TEXT: Final[Hint] = {"data_type": "text"}
_OWN: Final[Mapping[str, Hint]] = {
    RAW_ID: _TEXT,
    EXTRACTED_AT: _MOMENT,
    GENERATION_ID: {"data_type": "bigint"},
    META: _TEXT,
}


class UnfitError(ValueError):
    """A value that a type can't hold."""


class RecordError(LotusError):
    """A record can't be a row."""


class Rows:
    """Makes rows of records.

    Args:
        ingestion: How dlt reads the stream.
        shown: The stream for messages: `erp/orders`.
        generation: Of the rows.
    """

    def __init__(self, ingestion: Ingestion, shown: str, generation: int) -> None:
        self._known = {name: _Column(name, each) for name, each in ingestion.fields.items()}
        self._takes_all, self._shown, self._generation = ingestion.takes_all, shown, generation
        needed = [*ingestion.key, *([ingestion.cursor] if ingestion.cursor else [])]
        self._needed = frozenset(path[0] for path in needed)

    @property
    def hints(self) -> dict[str, Hint]:
        """The columns that are known before a record is, each with dlt's type."""
        known = {column.name: dict(column.hint, nullable=True) for column in self._known.values()}
        return known | {name: dict(hint, nullable=True) for name, hint in _OWN.items()}

    def of(self, item: object) -> Iterator[Row]:
        """The rows of an item that a resource has yielded: a record, or a table of Arrow or pandas.

        Raises:
            RecordError: It is no record, or a value of its key or cursor does not fit.
        """
        return (self._row(record) for record in self._records(item))

    def _records(self, item: object) -> Iterator[Mapping[str, object]]:
        match item:
            case Mapping():
                yield item
            case _ if hasattr(item, "to_pylist"):
                yield from item.to_pylist()
            case _ if hasattr(item, "to_dict"):
                for record in item.to_dict("records"):
                    yield {name: None if _is_missing(value) else value for name, value in record.items()}
            case _ if hasattr(item, "model_dump"):
                yield item.model_dump()
            case _:
                kind = type(item).__name__
                raise RecordError(
                    f"{self._shown}: the module yields a {kind}, which is no record", "yield dicts, or lists of them"
                )

    def _row(self, record: Mapping[str, object]) -> Row:
        changes: list[dict[str, str]] = []
        row: Row = {}
        for name, column in self._columns(record):
            if column.name not in row:
                row[column.name] = self._value(column, record.get(name), changes)
            elif record.get(name) is not None:
                changes.append({"field": str(name), "change": "NULLED", "reason": _UNFIT})
        return row | {
            RAW_ID: str(uuid4()),
            EXTRACTED_AT: datetime.now(UTC),
            GENERATION_ID: self._generation,
            META: json.dumps({"changes": changes}),
        }

    def _columns(self, record: Mapping[str, object]) -> "Iterator[tuple[str, _Column]]":
        yield from self._known.items()
        if self._takes_all:
            yield from ((name, _Column(str(name), Field("unknown"))) for name in record if name not in self._known)

    def _value(self, column: "_Column", value: object, changes: list[dict[str, str]]) -> object:
        if value is None:
            return None
        try:
            return column.fit(value)
        except (UnfitError, ValueError, OverflowError) as error:
            if column.field in self._needed:
                raise RecordError(
                    f'{self._shown}: "{column.field}" is a {type(value).__name__} that is no {column.kind}',
                    "correct its type in the stream's file, or the module",
                ) from error
            changes.append({"field": column.field, "change": "NULLED", "reason": _UNFIT})
            return None


def _is_missing(value: object) -> bool:
    """Whether pandas means no value by it."""
    return (isinstance(value, float) and math.isnan(value)) or type(value).__name__ in {"NaTType", "NAType"}


class _Column:
    """A field's column: its name, dlt's type, and how a value becomes one of it."""

    def __init__(self, field: str, of: Field) -> None:
        self.field, self.name = field, column_name(field)
        self.kind, self.hint, self._fit = _type_of(of)
        self._inside = of

    def fit(self, value: object) -> object:
        """The value as the column holds it.

        Raises:
            ValueError: The type can't hold it.
        """
        return self._fit(_named(value, self._inside))


def _type_of(field: Field) -> tuple[str, Hint, Callable[[Any], object]]:
    (kind,) = field.types if len(field.types) == 1 else ("unknown",)
    closer = field.format if field.format in {"date", "date-time"} else None
    if kind == "string" and (closer == "date-time" or (field.airbyte_type or "").startswith("timestamp")):
        return "moment", _MOMENT, _moment
    if kind == "string" and closer == "date":
        return "date", {"data_type": "date"}, _date
    return _TYPES[kind]


def _named(value: object, field: Field) -> object:
    """A value whose members have the names that columns' members have in the lake's files."""
    if isinstance(value, dict) and field.properties:
        known = field.properties
        return {
            column_name(name) if name in known else name: _named(one, known[name]) if name in known else one
            for name, one in value.items()
        }
    if isinstance(value, list) and field.items is not None:
        return [_named(one, field.items) for one in value]
    return value


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case bool() | dict() | list() | tuple() | float():
            return _json(value)
        case bytes():
            raise UnfitError
    return str(value)


def _integer(value: Any) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float | Decimal) and value == int(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and -_LARGEST_INTEGER <= value < _LARGEST_INTEGER:
        return value
    raise UnfitError


def _number(value: Any) -> float:
    is_text = isinstance(value, str) and _NUMBER.fullmatch(value.strip()) is not None
    if isinstance(value, bool) or not (is_text or isinstance(value, int | float | Decimal)):
        raise UnfitError
    number = float(value)
    if not math.isfinite(number):
        raise UnfitError
    return number


def _boolean(value: Any) -> bool:
    found = {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise UnfitError
    return found


def _moment(value: Any) -> datetime:
    """In UTC, which is also the default for a missing zone."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime):
        raise UnfitError
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _date(value: Any) -> date:
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    if isinstance(value, datetime):
        return value.date()
    if not isinstance(value, date):
        raise UnfitError
    return value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_text, allow_nan=False)


def _object(value: Any) -> str:
    if not isinstance(value, dict):
        raise UnfitError
    return _json(value)


def _array(value: Any) -> str:
    if not isinstance(value, list | tuple):
        raise UnfitError
    return _json(value)


_TYPES: Final[Mapping[str, tuple[str, Hint, Callable[[Any], object]]]] = {
    "string": ("text", _TEXT, _text),
    "integer": ("integer", {"data_type": "bigint"}, _integer),
    "number": ("number", {"data_type": "double"}, _number),
    "boolean": ("boolean", {"data_type": "bool"}, _boolean),
    "object": ("object", _TEXT, _object),
    "array": ("list", _TEXT, _array),
    "null": ("JSON", _TEXT, _json),
    "unknown": ("JSON", _TEXT, _json),
}
