"""What pydantic refused, in the words of someone who edits a JSON file.

It knows the models only as classes with fields, and repeats no value of a file's `configuration`: it may be secret.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields as dataclass_fields

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from lotus_infra.streams.fields import Field
from lotus_infra.streams.locate import child
from lotus_infra.streams.problems import Finding, JsonPath, nearest, suggestion
from lotus_infra.streams.values import REFUSED

NOT_A_KEY = "is not a known key"
_UNKNOWN_KEY = {"extra_forbidden", "unexpected_keyword_argument"}
_WANTED = {
    "string_type": "a string",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "dataclass_type": "an object",
}


def explain(error: ValidationError, model: type[BaseModel], document: JsonValue, file: str) -> Iterator[Finding]:
    """Yield one finding for each place that a model refused; of a place and one inside it, the inner is told.

    Args:
        error: What pydantic raised.
        model: The model that refused the document.
        document: The document as `json` parsed it.
        file: The file, relative to the lake's folder.
    """
    refused = [(_place(document, details), details) for details in error.errors(include_url=False)]
    told: set[JsonPath] = set()
    vague = {path[:length] for path, _ in refused for length in range(len(path))}
    for path, details in refused:
        if path not in told and path not in vague:
            told.add(path)
            what, remedy = _words(details, model, path)
            yield Finding(file, path, what, remedy)


def as_meant(document: JsonValue, found: Iterable[Finding], model: type[BaseModel]) -> JsonValue:
    """The document with misspelt keys as the keys that they most likely are, and without those that are like none."""
    meant = dict(document) if isinstance(document, dict) else {}
    for finding in found:
        if finding.what == NOT_A_KEY and len(finding.path) == 1:
            misspelt = str(finding.path[0])
            value = meant.pop(misspelt)
            likely = nearest(misspelt, _known_keys(model, finding.path) - meant.keys())
            if likely is not None:
                meant[likely] = value
    return meant


def _place(document: JsonValue, details: ErrorDetails) -> JsonPath:
    """Where in the document an error is; a key that is missing or unknown is named all the same."""
    loc = details["loc"]
    if details["type"] == "missing" or details["type"] in _UNKNOWN_KEY:
        return (*_inside(document, loc[:-1]), loc[-1])
    return _inside(document, loc)


def _inside(document: JsonValue, loc: JsonPath) -> JsonPath:
    """The part of pydantic's location that the document has: tags of unions and steps we inserted drop out."""
    path: list[str | int] = []
    here = document
    for step in loc:
        found = child(here, step)
        if found:
            here = found[0]
            path.append(step)
    return tuple(path)


def _words(details: ErrorDetails, model: type[BaseModel], path: JsonPath) -> tuple[str, str]:
    """What is wrong and what to do, for one of pydantic's errors."""
    kind, context = details["type"], details.get("ctx", {})
    if kind == REFUSED:
        return str(context["what"]), str(context["remedy"])
    if kind == "missing":
        return "is missing", f'add "{path[-1]}"'
    if kind in _UNKNOWN_KEY:
        known = _known_keys(model, path)
        return NOT_A_KEY, suggestion(str(path[-1]), known, f"known keys are {', '.join(sorted(known))}")
    if kind == "literal_error":
        return _one_of(details["input"], re.findall(r"'([^']*)'", str(context.get("expected", ""))))
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {_json_type(details['input'])}", f"write {_WANTED[kind]}"
    return f"can't be read ({details['msg']})", "see the field reference in the README of the lake's folder"


def _one_of(given: object, allowed: list[str]) -> tuple[str, str]:
    choice = f"write one of {', '.join(allowed)}"
    if not isinstance(given, str):
        return f"must be a word, not {_json_type(given)}", choice
    return f'"{given}" is not one of the words it may be', suggestion(given, allowed, choice)


def _known_keys(model: type[BaseModel], path: JsonPath) -> set[str]:
    """The keys that the object around a path may have."""
    if len(path) == 1:
        owner: object = model
    else:
        owner = model.model_fields[str(path[0])].annotation
    if isinstance(owner, type) and issubclass(owner, BaseModel):
        return {field.alias or name for name, field in owner.model_fields.items()}
    return {field.name for field in dataclass_fields(Field)}


def _json_type(value: object) -> str:
    """What JSON calls a value."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")
