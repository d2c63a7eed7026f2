"""From a model's file, which is a Jinja template, to SQL of as many lines that a parser can read.

The macros of the project's own are known: a call of `arrivals`, `ref` or `source` becomes the name of a table, `latest`
the query that it stands for, `config` nothing. Whatever else is between braces is noted with its line, and stands as a
name.
"""

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

STAND_IN = "lotus_stand_in_"

_TAG = re.compile(
    r"""\{\#.*?\#\} | \{%.*?%\} | \{\{ (?: [^"'}] | "[^"]*" | '[^']*' | \}(?!\}) )* \}\}""", re.DOTALL | re.VERBOSE
)
_CONSTANTS = {"true": True, "false": False, "none": None}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one of the project's macros.

    Attributes:
        name: The macro.
        arguments: Its arguments by name, as far as they are written out.
        line: 1-based.
        stand_in: The table that the call stands for in the SQL; empty where it is none.
    """

    name: str
    arguments: Mapping[str, object]
    line: int
    stand_in: str = ""

    def text(self, argument: str) -> str:
        """An argument that is a string; empty when it isn't given."""
        value = self.arguments.get(argument)
        return value if isinstance(value, str) else ""

    def texts(self, argument: str) -> tuple[str, ...]:
        """An argument that is a string or a list of strings."""
        value = self.arguments.get(argument)
        values = value if isinstance(value, list) else [value]
        return tuple(one for one in values if isinstance(one, str))


@dataclass(frozen=True, slots=True)
class Template:
    """A model's text, understood.

    Attributes:
        sql: The text with every tag replaced, line by line the same.
        calls: The calls of known macros.
        unknown: Tags that stand for something unknown, with their lines.
        has_statements: Whether there are `{% … %}`, with which the query can become any other.
    """

    sql: str
    calls: tuple[Call, ...]
    unknown: tuple[tuple[int, str], ...]
    has_statements: bool


@dataclass(frozen=True, slots=True)
class _Macro:
    parameters: tuple[str, ...]
    sql: Callable[[Call], str]
    required: int = 0


_MACROS = {
    "arrivals": _Macro(("source_name", "stream"), lambda call: call.stand_in, 2),
    "ref": _Macro(("model",), lambda call: call.stand_in, 1),
    "source": _Macro(("source_name", "table"), lambda call: call.stand_in, 2),
    "latest": _Macro(("rows", "key", "cursor"), lambda call: f"from {call.text('rows')}", 3),
    "config": _Macro((), lambda _: ""),
}


def read_template(text: str) -> Template:
    """Replace the Jinja of a model's text."""
    calls: list[Call] = []
    unknown: list[tuple[int, str]] = []
    has_statements = False
    parts: list[str] = []
    end = line = 0
    for place, tag in enumerate(_TAG.finditer(text)):
        parts.append(text[end : tag.start()])
        line += text.count("\n", end, tag.start())
        written, end = tag[0], tag.end()
        replacement = ""
        if written.startswith("{{"):
            call = _call(written[2:-2].strip("-").strip(), line + 1, f"{STAND_IN}{place}")
            if call is None:
                unknown.append((line + 1, written))
                replacement = f"{STAND_IN}{place}"
            else:
                calls.append(call)
                replacement = _MACROS[call.name].sql(call)
        elif written.startswith("{%"):
            has_statements = True
            unknown.append((line + 1, written))
        parts.append(replacement + "\n" * written.count("\n"))
        line += written.count("\n")
    parts.append(text[end:])
    return Template("".join(parts), tuple(calls), tuple(unknown), has_statements)


def _call(expression: str, line: int, stand_in: str) -> Call | None:
    """A call of a known macro with all it needs written out; None for anything else.

    A call that a model makes looks the same in Jinja and in Python, whose parser reads it here.
    """
    try:
        body = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(body, ast.Call) or not isinstance(body.func, ast.Name) or body.func.id not in _MACROS:
        return None
    macro = _MACROS[body.func.id]
    # `ref` may name a package first: the model is the last of its arguments.
    positional = body.args[-1:] if body.func.id == "ref" else body.args
    given = dict(zip(macro.parameters, positional, strict=False))
    given |= {keyword.arg: keyword.value for keyword in body.keywords if keyword.arg is not None}
    arguments = {name: value for name, node in given.items() if (value := _literal(node)) is not ...}
    if any(name not in arguments for name in macro.parameters[: macro.required]):
        return None
    return Call(body.func.id, arguments, line, stand_in)


def _literal(node: ast.expr) -> object:
    """What an argument says; an ellipsis when it is computed."""
    if isinstance(node, ast.Name) and node.id in _CONSTANTS:
        return _CONSTANTS[node.id]
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return ...
