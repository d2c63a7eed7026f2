"""The parts that all models of a stack's configuration are built from, and their mistakes in words.

A value is in the form that YAML has or in the one that `pulumi config set` writes: a number may be a text of digits,
and a text of digits a number. Any other mix of types is an error: `"ja"` is no boolean, and `true` is no number.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, NamedTuple, TypeAlias, get_args

from airbyte_model.suggestions import suggestion
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from lotus_infra.lake.diagnostics import JsonPath, format_path

_RULE: Final = "value_error"
_NO_FLAG: Final = "no_flag"
_OF_CONTENT: Final = frozenset({"missing", _RULE})
_CONTAINERS: Final = {
    "model_type": ("is not an object", "write its keys below it"),
    "dict_type": ("is not an object", "write its keys below it"),
    "tuple_type": ("is not a list", "write its items below it, each after a hyphen"),
    "frozen_set_type": ("is not a list", "write its items below it, each after a hyphen"),
}


class Section(BaseModel):
    """A section of the configuration, with camelCase keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, defer_build=True)


class Mistake(NamedTuple):
    """A mistake in a section.

    Attributes:
        path: Keys and indexes from the section's root.
        what: What is wrong, without a full stop.
        remedy: What to do about it.
        is_of_content: Whether something is missing or breaks a rule; else a key or a type is wrong.
    """

    path: JsonPath
    what: str
    remedy: str
    is_of_content: bool = False

    def __str__(self) -> str:
        return f"{format_path(self.path)}: {self.what}: {self.remedy}"


def matching(pattern: str, message: str) -> AfterValidator:
    """A validator that refuses a text unless the whole of it matches.

    Args:
        pattern: A regular expression.
        message: The reason, and after a colon the remedy: `is not a size: write one such as 20Gi`.
    """
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(message)
        return text

    return AfterValidator(check)


def _flag(value: object) -> object:
    if isinstance(value, str) and value in {"true", "false"}:
        return value == "true"
    if not isinstance(value, bool):
        raise PydanticCustomError(_NO_FLAG, "is neither true nor false: write true or false")
    return value


def number_as_text(value: object) -> object:
    """Accept a number where a text is expected: YAML reads `cpu: 2` as a number."""
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _whole_as_text(value: object) -> object:
    # A number with a fraction lost its form: 1.10 is read as 1.1.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _digits_as_number(value: object) -> object:
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value) else value


Flag: TypeAlias = Annotated[bool, BeforeValidator(_flag)]
Text: TypeAlias = Annotated[str, BeforeValidator(_whole_as_text)]
Name: TypeAlias = Annotated[str, BeforeValidator(_whole_as_text), Field(min_length=1)]
Whole: TypeAlias = Annotated[int, BeforeValidator(_digits_as_number), Field(strict=True)]


def known_keys(*models: type[Section]) -> frozenset[str]:
    """The keys that an object of the models may have."""
    return frozenset(field.alias or name for model in models for name, field in model.model_fields.items())


def secret_keys(model: type[Section]) -> frozenset[str]:
    """The keys of a model's secrets."""
    fields = model.model_fields.items()
    return frozenset(field.alias or name for name, field in fields if _is_secret(field.annotation))


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(map(_is_secret, get_args(annotation)))


def unknown_key(key: str, *models: type[Section]) -> tuple[str, str]:
    """What is wrong with a key that the models lack, and what to do."""
    known = sorted(known_keys(*models))
    return "unknown key", suggestion(key, known, f"known keys are {', '.join(known)}")


def object_for_text(key: str) -> tuple[str, str]:
    """What is wrong with a key of an object that should be a text, and what to do."""
    return "stands where a text should be", suggestion(key, ("secure",), "write the text itself")


def mistakes(error: ValidationError, root: type[Section]) -> Iterator[Mistake]:
    """The mistakes behind pydantic's error, in the order of the model's fields.

    Args:
        error: The error.
        root: The model that raised it.
    """
    for each in error.errors(include_url=False):
        yield _mistake(each, root)


def _mistake(error: Any, root: type[Section]) -> Mistake:
    location: Sequence[str | int] = error["loc"]
    found, models = _resolve_location(location, root)
    # pydantic marks an invalid key of a map with "[key]" after the key.
    path, kind = tuple(step for step in found if step != "[key]"), error["type"]
    if kind == "union_tag_invalid":
        return Mistake((*path, "kind"), "invalid value", f"write one of {error['ctx']['expected_tags']}")
    if kind == "string_type" and isinstance(error["input"], dict) and len(error["input"]) == 1:
        [key] = error["input"]
        return Mistake((*path, key), *object_for_text(key))
    what, remedy = _words(error, models)
    return Mistake(path, what, remedy, kind in _OF_CONTENT)


def _words(error: Any, models: Sequence[type[Section]]) -> tuple[str, str]:
    """What is wrong, and what to do."""
    kind = error["type"]
    if kind == "extra_forbidden":
        return unknown_key(str(error["loc"][-1]), *models)
    if kind == "missing":
        return "is missing", "add it"
    if kind in _CONTAINERS:
        return _CONTAINERS[kind]
    if kind in {_RULE, _NO_FLAG}:
        what, _, remedy = error["msg"].removeprefix("Value error, ").partition(": ")
        return what, remedy or "correct it"
    return "invalid value", re.sub(r"(Input|String|Value) should", "it should", error["msg"])


def _resolve_location(location: Sequence[str | int], root: type[Section]) -> tuple[JsonPath, list[type[Section]]]:
    """The path of keys behind a pydantic location, and the models whose fields may stand beside the last key.

    In a discriminated union, pydantic puts the tag of the chosen model into the location; the tag is not a key.
    """
    path: JsonPath = ()
    siblings, children = [root], [root]
    for step in location:
        tagged = [model for model in children if step in get_args(_tags(model))]
        if tagged and len(children) > 1:
            children = tagged
            continue
        path, siblings, children = (*path, step), children, _models_at(children, step)
    return path, siblings


def _tags(model: type[Section]) -> object:
    kind = model.model_fields.get("kind")
    return kind.annotation if kind is not None else None


def _models_at(models: Sequence[type[Section]], step: str | int) -> list[type[Section]]:
    """The models of the value at a key of the given models; an index of a list keeps the models of its items."""
    if isinstance(step, int):
        return list(models)
    fields = [(field.alias or name, field.annotation) for model in models for name, field in model.model_fields.items()]
    return [inner for name, annotation in fields if name == step for inner in _sections_in(annotation)]


def _sections_in(annotation: object) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections_in(inner)
