"""Messages of the server's JSON mapper (Jackson) about a body that does not fit its class.

Source: recorded answers; texts for which there is no record are the mapper's known wordings.
"""

import json
import re
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, ValidationError

from airbyte_twin.java_order import enum_order

BLANK = re.compile(r"[ \t\n\r]*")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
SCALAR = re.compile(r"[^,\]}\s]+")

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Span:
    """The first and the last character of a value, counted from 0."""

    start: int
    end: int


def spans(text: str) -> dict[Path, Span]:
    """The span of every value of a valid document, by its path; of a repeated key, the last one counts."""
    found: dict[Path, Span] = {}
    _value(text, _after_blank(text, 0), (), found)
    return found


def line_and_column(text: str, position: int) -> tuple[int, int]:
    """A position as a line and a column, both counted from 1; columns count bytes, as the server's parser does."""
    before = text[:position]
    line_start = before.rfind("\n") + 1
    return before.count("\n") + 1, len(before[line_start:].encode()) + 1


def broken_at(text: str) -> int:
    """The position of the first character that cannot be JSON; behind the last one if more was expected."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        unended = error.msg.startswith("Unterminated string")
        return len(text) if unended else error.pos
    except RecursionError:
        return 0
    return len(text)


def _after_blank(text: str, at: int) -> int:
    found = BLANK.match(text, at)
    return found.end() if found else at


def _value(text: str, start: int, path: Path, found: dict[Path, Span]) -> int:
    """Note a value and those within it; gives the position behind it."""
    opener = text[start]
    if opener == "{":
        end = _members(text, start + 1, path, found)
    elif opener == "[":
        end = _items(text, start + 1, path, found)
    else:
        scalar = (STRING if opener == '"' else SCALAR).match(text, start)
        end = scalar.end() if scalar else start + 1
    found[path] = Span(start, end - 1)
    return end


def _members(text: str, at: int, path: Path, found: dict[Path, Span]) -> int:
    at = _after_blank(text, at)
    while text[at] != "}":
        key = STRING.match(text, at)
        if key is None:
            return at
        colon = _after_blank(text, key.end())
        name: str = json.loads(key[0])
        at = _separated(text, _value(text, _after_blank(text, colon + 1), (*path, name), found))
    return at + 1


def _items(text: str, at: int, path: Path, found: dict[Path, Span]) -> int:
    at, index = _after_blank(text, at), 0
    while text[at] != "]":
        at = _separated(text, _value(text, at, (*path, index), found))
        index += 1
    return at + 1


def _separated(text: str, at: int) -> int:
    """The start of the next element, or of the bracket that ends them."""
    at = _after_blank(text, at)
    return _after_blank(text, at + 1) if text[at] == "," else at


SOURCE = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {}{}]"
SCALARS = {str: "java.lang.String", int: "java.lang.Integer", bool: "java.lang.Boolean", UUID: "java.util.UUID"}
LIST = "java.util.ArrayList"


@dataclass(frozen=True)
class JavaEnum:
    """Mark of a field: the name of the enum that its literals are."""

    name: str


def java_name(model: type[BaseModel]) -> str:
    """The simple name of the class that a model stands for."""
    name = getattr(model, "java", "")
    return name if isinstance(name, str) and name else model.__name__


class MissingMemberError(Exception):
    """A missing member that passes the mapper and fails later in the server's code."""


@dataclass(frozen=True)
class Target:
    """The Java type of a value.

    Attributes:
        java: Its class.
        model: The model that stands for the class, if there is one.
        choices: Of an enum.
        items: Type of the elements of a list.
    """

    java: str
    model: type[BaseModel] | None = None
    choices: tuple[str, ...] = ()
    items: Any = None


@dataclass(frozen=True)
class Mapper:
    """The mapper of one API.

    Attributes:
        package: Of the API's classes.
        kotlin: Whether its classes are Kotlin's, which refuse null and absent members; those of the Config API are
            Java's and do not.
    """

    package: str
    kotlin: bool

    def refusal(self, raw: bytes, model: type[BaseModel], class_name: str, error: ValidationError) -> str:
        """The reason for the first thing in a document that does not fit.

        Raises:
            MissingMemberError: Only an absent or null member is wrong, and the API's classes do not check that.
        """
        text = raw.decode()
        where = spans(text)
        root = Target(self.package + class_name, model)
        faults = [_fault(detail["loc"], where, text) for detail in error.errors(include_url=False)]
        reported = [fault for fault in faults if not fault.absent or self._checks(root, fault)]
        if not reported:
            raise MissingMemberError
        first = min(reported, key=lambda fault: fault.position)
        line, column = line_and_column(text, first.position)
        steps = [self._step(root, first.path[:depth], key) for depth, key in enumerate(first.path)]
        chain = f" (through reference chain: {'->'.join(steps)})" if steps else ""
        return f"{self._reason(root, first)}\n at {SOURCE.format(line, f', column: {column}')}{chain}"

    def _checks(self, root: Target, fault: "Fault") -> bool:
        return self.kotlin and self._target(root, fault.path).model is not None

    def _step(self, root: Target, owner: Path, key: str | int) -> str:
        if isinstance(key, int):
            return f"{LIST}[{key}]"
        return f'{self._target(root, owner).java}["{key}"]'

    def _target(self, root: Target, path: Path) -> Target:
        for key in path:
            if isinstance(key, int):
                root = self._of(root.items, ())
                continue
            fields = root.model.model_fields if root.model else {}
            field = next((each for name, each in fields.items() if key in {name, each.alias}), None)
            root = self._of(field.annotation, field.metadata) if field else Target("java.lang.Object")
        return root

    def _of(self, annotation: Any, marks: Any) -> Target:
        """The Java type of an annotation, without `None` and other metadata."""
        origin, inner = get_origin(annotation), get_args(annotation)
        if hasattr(annotation, "__metadata__"):
            return self._of(annotation.__origin__, annotation.__metadata__)
        if origin is UnionType or str(origin) == "typing.Union":
            return self._of(next(each for each in inner if each is not NoneType), marks)
        if origin is Literal:
            name = next((mark.name for mark in marks if isinstance(mark, JavaEnum)), "Enum")
            return Target(self.package + name, choices=inner)
        if origin is tuple:
            return Target(LIST, items=inner[0])
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return Target(self.package + java_name(annotation), annotation)
        return Target(SCALARS.get(annotation, "java.lang.Object"))

    def _reason(self, root: Target, fault: "Fault") -> str:
        target = self._target(root, fault.path)
        if fault.absent:
            return (
                f"Cannot construct instance of `{target.java}`, problem: Parameter specified as non-null is null: "
                f"method {target.java}.<init>, parameter {_parameter(fault.absent)}"
            )
        value = fault.value
        if target.choices:
            return self._enum_reason(target, value)
        if target.model is not None and not isinstance(value, (list, dict)):
            return (
                f"Cannot construct instance of `{target.java}` (although at least one Creator exists): "
                f"no {_creator(value)}"
            )
        if isinstance(value, (list, dict)):
            kind, token = ("Array", "START_ARRAY") if isinstance(value, list) else ("Object", "START_OBJECT")
            return f"Cannot deserialize value of type `{target.java}` from {kind} value (token `JsonToken.{token}`)"
        if target.java == SCALARS[UUID] and isinstance(value, str):
            why = "UUID has to be represented by standard 36-char representation"
        else:
            why = f"not a valid `{target.java}` value"
        return f"Cannot deserialize value of type `{target.java}` from {_shown(value)}: {why}"

    def _enum_reason(self, target: Target, value: Any) -> str:
        if not self.kotlin:
            return f"Cannot construct instance of `{target.java}`, problem: Unexpected value '{value}'"
        if value == "":
            return (
                f'Cannot coerce empty String ("") to `{target.java}` value '
                "(but could if coercion was enabled using `CoercionConfig`)"
            )
        names = ", ".join(enum_order(target.choices))
        return (
            f"Cannot deserialize value of type `{target.java}` from {_shown(value)}: "
            f"not one of the values accepted for Enum class: [{names}]"
        )


PUBLIC_MAPPER = Mapper("io.airbyte.publicApi.server.generated.models.", kotlin=True)
CONFIG_MAPPER = Mapper("io.airbyte.api.model.generated.", kotlin=False)


@dataclass(frozen=True)
class Fault:
    """One thing that does not fit: a value, or a member of an object that is absent or null.

    Attributes:
        path: Of the value, or of the object.
        position: Where the mapper notices it.
        value: The value, as it was sent.
        absent: Name of the member.
    """

    path: Path
    position: int
    value: Any = None
    absent: str = ""


def _fault(path: Path, where: dict[Path, Span], text: str) -> Fault:
    at: Path = ()
    for depth, key in enumerate(path):
        if (*at, key) in where:
            at = (*at, key)
        elif key != 0:  # 0 may be a value that stands for a list of one
            return Fault(path[:depth], where[at].end, absent=str(key))
    span = where[at]
    value = json.loads(text[span.start : span.end + 1])
    if value is None:
        return Fault(path[:-1], where[at[:-1]].end, absent=str(path[-1]))
    # Of a list, the mapper has seen the bracket before it gives up.
    return Fault(path, span.start + isinstance(value, list), value)


def no_content(raw: bytes) -> str:
    """The reason when a body holds nothing but blanks."""
    lines = raw.count(b"\n") + 1
    return f"No content to map due to end-of-input\n at {SOURCE.format(lines, '')}"


def syntax_error(raw: bytes) -> str:
    """The message for a body that is not JSON."""
    text = raw.decode("utf-8", "replace")
    position = broken_at(text)
    line, column = line_and_column(text, position)
    if position < len(text):
        found = text[position]
        reason = f"Unexpected character ('{found}' (code {ord(found)})): expected a valid value"
    else:
        kind = "Array" if _open_bracket(text) == "[" else "Object"
        reason = f"Unexpected end-of-input within/between {kind} entries"
    return f"Invalid JSON: {reason}\n at {SOURCE.format(line, f', column: {column}')}"


def _open_bracket(text: str) -> str:
    """The innermost bracket that is not closed."""
    depth = 0
    for character in reversed(text):
        depth += character in "}]"
        if character in "{[":
            if depth == 0:
                return character
            depth -= 1
    return "{"


def _parameter(name: str) -> str:
    first, *others = name.split("_")
    return "".join([first, *(part[:1].upper() + part[1:] for part in others)])


def _creator(value: Any) -> str:
    tail = "argument constructor/factory method to deserialize from"
    if isinstance(value, bool):
        return f"boolean/Boolean-{tail} boolean value ({str(value).lower()})"
    if isinstance(value, (int, float)):
        kind = "int/Int" if isinstance(value, int) else "double/Double"
        return f"{kind}-{tail} Number value ({value})"
    return f"String-{tail} String value ('{value}')"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"String {json.dumps(value, ensure_ascii=False)}"
    if isinstance(value, bool):
        return f"Boolean value (token `JsonToken.VALUE_{str(value).upper()}`)"
    kind = "Integer" if isinstance(value, int) else "Floating-point"
    return f"{kind} value (token `JsonToken.VALUE_NUMBER_{'INT' if isinstance(value, int) else 'FLOAT'}`)"
