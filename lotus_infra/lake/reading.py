"""Read one JSON file into one model, with every reason why it can't be.

Bytes become a document, the document becomes a model; whatever is in the way becomes a diagnostic, in the words of
someone who edits a JSON file. This module knows no folder, and the models only as classes with keys. It never repeats
a value of a file's `configuration`, which may be secret.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields as dataclass_fields
from itertools import islice
from pathlib import Path
from typing import Final, NoReturn, TypeVar, get_args

from airbyte_model.suggestions import nearest, suggestion
from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from lotus_infra.lake.diagnostics import Diagnostic, JsonPath
from lotus_infra.lake.disk import UnreadableError, read_file
from lotus_infra.lake.json_text import child, duplicates
from lotus_infra.lake.models import MISPLACED, REFUSED, Field

_BOM = b"\xef\xbb\xbf"
_SYNTAX = "use double quotes, a comma between entries and none after the last"
_MANY = 10_000
"""Commas from which a document's values are counted: most files have some dozen."""
_MOST_VALUES: Final = 200_000
_DEEPEST: Final = 100
"""Levels of objects and lists; no specification of a connector has 30."""
_MOST_MISTAKES: Final = 100
"""Reported for one file; the text is searched for the line of each."""
_UNKNOWN_KEY = "is not a known key"
_UNKNOWN_KEY_ERRORS = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
_WANTED_TYPES: Final = {
    "string_type": "a string",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "dataclass_type": "an object",
}
"""Pydantic's error types for a value of the wrong JSON type, with the right type."""

Model = TypeVar("Model", bound=BaseModel)


class Reader:
    """Reads the files of one lake and collects what is wrong with them.

    Attributes:
        diagnostics: What is wrong with the files read so far.
    """

    def __init__(self, directory: Path) -> None:
        self._folder = str(directory)
        self.diagnostics: list[Diagnostic] = []
        self._has_duplicates = False
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_constant=_refuse_constant, parse_float=_finite
        )

    def read(self, file: str, model: type[Model]) -> Model | None:
        """Read a file that people write.

        Args:
            file: Relative to the lake's folder.
            model: The model of the file.

        Returns:
            The model; None if anything but a misspelt key is wrong.
        """
        before = len(self.diagnostics)
        data = self._bytes(file)
        text = self._text(file, data) if data else None
        if data is None or text is None:
            return None
        document = self._document(file, text)
        if len(self.diagnostics) > before:
            return None
        return self._model(file, data, document, model)

    def read_light(self, file: str, model: type[Model]) -> Model | None:
        """Read a generated file: like `read`, twice as fast, but duplicate keys are not reported in a valid file."""
        data = self._bytes(file)
        if data is None:
            return None
        if data.count(b",") >= _MANY:
            return self.read(file, model)
        try:
            return model.model_validate_json(data)
        except ValidationError:
            return self.read(file, model)

    def has(self, folder: str, name: str) -> bool:
        """Whether a folder of the lake has a file."""
        return Path(self._folder, folder, name).is_file()

    def _report(self, file: str, what: str, remedy: str, *, line: int = 1) -> None:
        """Add a diagnostic about a whole file."""
        self.diagnostics.append(Diagnostic(file, (), what, remedy, line))

    def _bytes(self, file: str) -> bytes | None:
        try:
            # Making a Path takes longer than reading a small file, and a lake has many thousand.
            data = read_file(f"{self._folder}/{file}")
        except UnreadableError as error:
            self._report(file, error.what, error.remedy)
            return None
        if not data.strip():
            self._report(file, "is empty", "write a JSON object into it, or delete it")
            return None
        return data

    def _text(self, file: str, data: bytes) -> str | None:
        if data.startswith(_BOM):
            self._report(file, "starts with a byte order mark", "save it as UTF-8 without one (BOM)")
            return None
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self._report(file, "is not UTF-8", "save it as UTF-8", line=line)
            return None

    def _document(self, file: str, text: str) -> JsonValue:
        self._has_duplicates = False
        try:
            document: JsonValue = self._decoder.decode(text)
        except json.JSONDecodeError as error:
            what = f"is not JSON ({error.msg[:1].lower()}{error.msg[1:]}, column {error.colno})"
            self._report(file, what, _SYNTAX, line=error.lineno)
            return None
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            self._report(file, f"can't be read as JSON ({reason})", "simplify it")
            return None
        too_much = excess_of(document, text)
        if too_much:
            self._report(file, too_much, "see if it is the right file")
            return None
        if self._has_duplicates:
            for path, line in islice(duplicates(text), _MOST_MISTAKES):
                self.diagnostics.append(Diagnostic(file, path, "is a duplicate key", "delete one of the two", line))
        if not isinstance(document, dict):
            self._report(file, "must hold one JSON object", "write the settings between { and }")
        return document

    def _object(self, pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        # The decoder's hook sees pairs but no offsets: it only notes that a search for duplicates is worth its time.
        entries = dict(pairs)
        if len(entries) != len(pairs):
            self._has_duplicates = True
        return entries

    def _model(self, file: str, data: bytes, document: JsonValue, model: type[Model]) -> Model | None:
        try:
            return model.model_validate_json(data)
        except ValidationError as error:
            if error.error_count() > _MOST_MISTAKES:
                what = f"has {error.error_count():,} mistakes"
                self._report(file, what, "see if it is the right file, and compare it with the field reference")
                return None
            diagnostics = tuple(explain_validation_error(error, model, document, file))
            self.diagnostics.extend(diagnostics)
        # A misspelt key must not hide other mistakes: the rules check the document with its keys corrected.
        try:
            return model.model_validate_json(json.dumps(_with_likely_keys(document, diagnostics, model)))
        except ValidationError:
            return None


def excess_of(document: JsonValue, text: str) -> str:
    """What a document has too much of; empty if it has nothing."""
    if text.count("[") + text.count("{") <= _DEEPEST and text.count(",") < _MANY:
        return ""
    values, level = 0, [document]
    for _ in range(_DEEPEST):
        inner = [part for value in level for part in _parts(value)]
        values += len(inner)
        if values > _MOST_VALUES:
            return f"has more than {_MOST_VALUES:,} values"
        if not inner:
            return ""
        level = inner
    return f"nests objects and lists deeper than {_DEEPEST} levels"


def _parts(value: JsonValue) -> Iterable[JsonValue]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def explain_validation_error(
    error: ValidationError, model: type[BaseModel], document: JsonValue, file: str
) -> Iterator[Diagnostic]:
    """Yield one diagnostic for each path that a model refused; of a path and one inside it, only the inner.

    Args:
        error: The error that pydantic raised.
        model: The model that refused the document.
        document: The document as `json` parsed it.
        file: The file, relative to the lake's folder.
    """
    refused = [(_path_of(details, document), details) for details in error.errors(include_url=False)]
    reported: set[JsonPath] = set()
    outer = {path[:length] for path, _ in refused for length in range(len(path))}
    for path, details in refused:
        if path not in reported and path not in outer:
            reported.add(path)
            what, remedy = _describe(details, model, path)
            yield Diagnostic(file, path, what, remedy)


def _path_of(details: ErrorDetails, document: JsonValue) -> JsonPath:
    """The path of an error in the document; one of a missing or unknown key ends in that key."""
    loc = details["loc"]
    if details["type"] == "missing" or details["type"] in _UNKNOWN_KEY_ERRORS:
        return (*_existing_path(document, loc[:-1]), loc[-1])
    return _existing_path(document, loc)


def _existing_path(document: JsonValue, loc: JsonPath) -> JsonPath:
    """The steps of pydantic's location that the document has.

    The others are tags of unions, and the "properties" that the models insert around a bare map of fields.
    """
    path: list[str | int] = []
    here = document
    for step in loc:
        found = child(here, step)
        if found:
            here = found[0]
            path.append(step)
    return tuple(path)


def _describe(details: ErrorDetails, model: type[BaseModel], path: JsonPath) -> tuple[str, str]:
    """Translate one of pydantic's errors to what is wrong and what to do."""
    kind, context = details["type"], details.get("ctx", {})
    if kind == REFUSED:
        return str(context["what"]), str(context["remedy"])
    if kind == "missing":
        return "is missing", f'add "{path[-1]}"'
    if kind in _UNKNOWN_KEY_ERRORS:
        return _UNKNOWN_KEY, _remedy_of_unknown(model, path)
    if kind == "literal_error":
        return _describe_choice(details["input"], re.findall(r"'([^']*)'", str(context.get("expected", ""))))
    if kind in _WANTED_TYPES:
        wanted = _WANTED_TYPES[kind]
        return f"must be {wanted}, not {_json_type(details['input'])}", f"write {wanted}"
    return f"can't be read ({details['msg']})", "see the field reference in the README of the lake's folder"


def _remedy_of_unknown(model: type[BaseModel], path: JsonPath) -> str:
    """What to do about a key that is not known."""
    key = str(path[-1])
    if len(path) == 1 and key in MISPLACED.get(model, {}):
        return MISPLACED[model][key]
    known = _known_keys(model, path)
    return suggestion(key, known, f"known keys are {', '.join(sorted(known))}")


def _describe_choice(given: object, allowed: list[str]) -> tuple[str, str]:
    choice = f"write one of {', '.join(allowed)}"
    if not isinstance(given, str):
        return f"must be a string, not {_json_type(given)}", choice
    return f'"{given}" is not a valid value', suggestion(given, allowed, choice)


def _with_likely_keys(document: JsonValue, found: Iterable[Diagnostic], model: type[BaseModel]) -> JsonValue:
    """The document with each unknown top-level key renamed to the known key nearest to it, or removed."""
    corrected = dict(document) if isinstance(document, dict) else {}
    for diagnostic in found:
        if diagnostic.what == _UNKNOWN_KEY and len(diagnostic.path) == 1:
            misspelt = str(diagnostic.path[0])
            value = corrected.pop(misspelt)
            likely = nearest(misspelt, _known_keys(model, diagnostic.path) - corrected.keys())
            if likely is not None:
                corrected[likely] = value
    return corrected


def _known_keys(model: type[BaseModel], path: JsonPath) -> set[str]:
    """The keys that the object around a path may have."""
    owner: object = model
    inside = iter(path[:-1])
    for step in inside:
        if not (isinstance(owner, type) and issubclass(owner, BaseModel)):
            break
        annotation = owner.model_fields[str(step)].annotation
        owner = _model_in(annotation)
        if owner is not annotation and not _is_optional(annotation):
            # The model is an entry of a list or a map: the next step is its index or its key.
            next(inside, None)
    if isinstance(owner, type) and issubclass(owner, BaseModel):
        return {field.alias or name for name, field in owner.model_fields.items()}
    # Whatever is not a model is the map "fields", whose objects are all fields, at any depth.
    return {field.name for field in dataclass_fields(Field)}


def _model_in(annotation: object) -> object:
    """The model in a type such as `tuple[Mapper, ...]`; None if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)


def _is_optional(annotation: object) -> bool:
    """Whether a type is a model or None."""
    return any(part is _model_in(annotation) for part in get_args(annotation)) and type(None) in get_args(annotation)


def _json_type(value: object) -> str:
    """The name of a value's JSON type, with an article."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")


def _finite(number: str) -> float:
    """A number with a fraction or an exponent; one such as 1e999 would be written back as text that is no JSON."""
    value = float(number)
    if value in {math.inf, -math.inf}:
        message = f"{number[:20]} is too large a number"
        raise ValueError(message)
    return value


def _refuse_constant(constant: str) -> NoReturn:
    message = f"{constant} is not a JSON number"
    raise ValueError(message)
