"""The reference of the Airbyte provider, made of its field tables and of the SDK's classes of arguments and answers.

The texts are the tables' and the docstrings'; this module only lays them out.
"""

import dataclasses
import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Any, Final, ForwardRef, Literal, Union, get_args, get_origin

import pulumi_airbyte
from pulumi_airbyte.provider import schema
from pulumi_airbyte.provider.functions import FUNCTIONS
from pulumi_airbyte.provider.registry import RESOURCES
from pulumi_airbyte.provider.resource import ResourceType
from pulumi_airbyte.provider.tables import PROVIDER_CONFIG, Field

INTRODUCTION: Final = """\
# Reference

Every setting, resource and look-up of `pulumi-airbyte`. It is generated from the plugin's field tables and the
SDK's classes; a test fails when it is stale, and `make bless` updates it.

Names are those of the Python SDK. Plans, states and `ignore_changes` have them in the API's spelling: `source_id` is
`sourceId`. Resources and look-ups take the engine's options, as `opts`, too. An input that *replaces* makes a new
object when it changes.
"""
PROVIDER: Final = "How to reach an Airbyte server; in the stack's configuration as `airbyte:serverUrl` and so on."
FLAGS: Final[Mapping[str, Callable[[Field], bool]]] = {
    "required": lambda field: field.required,
    "replaces": lambda field: field.replace,
    "secret": lambda field: field.secret,
    "the provider's own": lambda field: field.local,
    "never shown": lambda field: field.unshown,
}
ALWAYS: Final = "always set"
"""The flag `required` of an output or answer."""
TYPES: Final = {
    "ConnectionConfigurations": "[ConnectionConfigurationsArgs](#connectionconfigurationsargs)",
    "ConnectionSchedule": "[ConnectionScheduleArgs](#connectionscheduleargs)",
    "ConnectionTag": "[TagArgs](#tagargs)",
    "object": "mapping",
    "objects": "list of mappings",
    "paths": "list of lists of strings",
    "texts": "list of strings",
}
"""Fields, by name, by object type or by type, that are another type in Python."""
CLASSES: Final[Mapping[str, Any]] = {
    name: getattr(pulumi_airbyte, name)
    for name in sorted(pulumi_airbyte.__all__)
    if name == getattr(pulumi_airbyte, name).__name__
    and (name.endswith("Args") or name in {each.name for each in schema.object_types()})
}


def reference() -> str:
    """The whole reference, as Markdown."""
    provider = _section("Provider", PROVIDER, _table("argument", PROVIDER_CONFIG))
    parts = [provider, *map(_resource, RESOURCES), *map(_function, FUNCTIONS), *map(_class, CLASSES)]
    return "\n".join([INTRODUCTION, *(line for part in parts for line in part)])


def _resource(resource: type[ResourceType]) -> Iterator[str]:
    inputs, outputs = _table("input", resource.inputs), _table("output", resource.outputs)
    return _section(_last(resource.token), f"{resource.summary} Its token is `{resource.token}`.", inputs, outputs)


def _function(token: str) -> Iterator[str]:
    function = FUNCTIONS[token]
    tables = _table("argument", function.inputs), _table("answer", function.outputs)
    return _section(_snake(_last(token)), function.summary, *tables)


def _class(name: str) -> Iterator[str]:
    text = inspect.getdoc(CLASSES[name]) or ""
    meanings = dict(re.findall(r"^    (\w+): ((?:.|\n     )*)", text, re.MULTILINE))
    rows = [
        [
            f"`{field.name}`",
            _python_type(field.type),
            _default(field.default) if name.endswith("Args") else "",
            _sentence(meanings.get(field.name, "")),
        ]
        for field in dataclasses.fields(CLASSES[name])
    ]
    return _section(name, text.partition("\n")[0], _rows(["attribute", "type", "default", "meaning"], rows))


def _section(title: str, text: str, *tables: Iterable[str]) -> Iterator[str]:
    yield f"## {title}\n\n{text}\n"
    for table in tables:
        yield from table
        yield ""


def _table(kind: str, fields: tuple[Field, ...]) -> Iterator[str]:
    flags = {name: has for name, has in FLAGS.items() if any(map(has, fields))}
    rows = []
    for field in fields:
        meaning, _, default = field.doc.partition(" Default: ")
        marks = ["yes" if has(field) else "" for has in flags.values()]
        rows.append([f"`{_snake(field.name)}`", _type(field), *marks, default.removesuffix("."), meaning])
    words = [ALWAYS if name == "required" and kind in {"output", "answer"} else name for name in flags]
    return _rows([kind, "type", *words, "default", "meaning"], rows)


def _rows(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    filled = [place for place in range(len(head)) if any(row[place] for row in rows)]
    for row in [head, ["---"] * len(head), *rows]:
        yield f"| {' | '.join(row[place].replace('|', chr(92) + '|') for place in filled)} |"


def _type(field: Field) -> str:
    if field.values:
        return _choices(field.values)
    if field.of is not None:
        of = TYPES.get(field.of.name) or f"[{field.of.name}](#{field.of.name.lower()})"
        return f"list of {of}" if field.type == "objects" else of
    return TYPES.get(field.name) or TYPES.get(field.type) or field.type


def _python_type(annotation: Any) -> str:
    """A type in the words of the tables."""
    inner, origin = get_args(annotation), get_origin(annotation)
    if origin is Literal:
        return _choices(inner)
    if origin in {Union, UnionType}:
        # An engine's input is its type, or an output of that type; the field's description names the case.
        later = (NoneType, ForwardRef("Output[T]"))
        plain = [one for one in inner if one not in later and get_origin(one) is not Awaitable]
        return " or ".join(_python_type(one) for one in plain)
    if origin is not None:
        return "mapping" if issubclass(origin, Mapping) else f"list of {_python_type(inner[0])}"
    if annotation.__name__ in CLASSES:
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return {str: "string", int: "integer", bool: "boolean"}.get(annotation) or str(annotation.__name__)


def _choices(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _default(value: object) -> str:
    if value is dataclasses.MISSING:
        return "required"
    return "" if value is None else f"`{value}`"


def _sentence(text: str) -> str:
    """A docstring's text as one line that begins and ends like a sentence."""
    joined = " ".join(text.split())
    return f"{joined[:1].upper()}{joined[1:]}"


def _last(token: str) -> str:
    return token.rpartition(":")[2]


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
