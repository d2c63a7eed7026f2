"""Jinja of a dbt model's file, read without dbt: jinja2 finds the tags and parses the expressions; nothing is rendered.

The result is SQL with as many lines as the template, so that lines in diagnostics are those of the file. A call of
`arrivals`, `ref` or `source` becomes the name of a table, `latest` becomes a query, `exact` a cast, `config` becomes
nothing. Any other expression becomes a placeholder name and is listed with its line.

It is apart from `sql` because only this module imports jinja2, and `sql` needs no Jinja.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import jinja2
from jinja2 import nodes

from lotus_infra.dbt.sql import META, METADATA, PLACEHOLDER

_JINJA = jinja2.Environment(keep_trailing_newline=True)  # noqa: S701, it renders nothing


class TemplateError(Exception):
    """The text is not a Jinja template.

    Attributes:
        line: 1-based.
    """

    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.line = line


@dataclass(frozen=True, slots=True)
class MacroCall:
    """A call of one of the known macros.

    Attributes:
        name: The macro.
        arguments: The arguments that are literals, by name.
        line: 1-based.
        placeholder: The table name that stands for the call in the SQL.
    """

    name: str
    arguments: Mapping[str, object]
    line: int
    placeholder: str

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
    """A model's template.

    Attributes:
        sql: The text with each tag replaced and each line kept.
        calls: The calls of known macros.
        unknown: The line and text of each statement and of each expression that is not a call of a known macro.
        has_statements: Whether there are `{% … %}`, which can change the query in any way.
    """

    sql: str
    calls: tuple[MacroCall, ...]
    unknown: tuple[tuple[int, str], ...]
    has_statements: bool

    def may_call(self, macro: str) -> bool:
        """Whether an unknown tag mentions a macro."""
        return any(macro in tag for _, tag in self.unknown)


@dataclass(frozen=True, slots=True)
class _Macro:
    parameters: tuple[str, ...]
    sql: Callable[[MacroCall], str]
    required: int = 0


def _latest(call: MacroCall) -> str:
    """A query that reads the columns that the macro `latest` reads."""
    key, cursor = ", ".join(call.texts("key")), call.text("cursor")
    deleted = filter(None, [call.text("deleted")])
    columns = ", ".join((cursor, *(name for name, _ in METADATA if name != META), *deleted))
    # The text is parsed and never run.
    return f"select * from {call.text('rows')} qualify row_number() over (partition by {key} order by {columns}) = 1"  # noqa: S608


_MACROS = {
    "arrivals": _Macro(("source_name", "stream"), lambda call: call.placeholder, 2),
    "ref": _Macro(("model",), lambda call: call.placeholder, 1),
    "source": _Macro(("source_name", "stream"), lambda call: call.placeholder, 2),
    "latest": _Macro(("rows", "key", "cursor", "deleted"), _latest, 3),
    "exact": _Macro(("value", "type"), lambda call: f"cast({call.text('value')} as {call.text('type')})", 2),
    "config": _Macro((), lambda _: ""),
}


def read_template(text: str) -> Template:
    """Read a model's text.

    Raises:
        TemplateError: It is not a Jinja template.
    """
    calls: list[MacroCall] = []
    unknown: list[tuple[int, str]] = []
    has_statements = False
    sql: list[str] = []
    line, tags = 1, 0
    for start, kind, source in _pieces(text):
        written = source
        if kind != "data":
            placeholder, tags, written = f"{PLACEHOLDER}{tags}", tags + 1, ""
            call = _call(source, start, placeholder) if kind == "variable" else None
            if call is not None:
                calls.append(call)
                written = _MACROS[call.name].sql(call).replace("\n", " ")
            elif kind != "comment":
                unknown.append((start, source))
                has_statements |= kind == "block"
                written = placeholder if kind == "variable" else ""
        # The line ends inside of the tags before this piece, and those that `-%}` strips.
        sql += ["\n" * (start - line), written]
        line = start + written.count("\n")
    sql.append("\n" * (1 + text.count("\n") - line))
    return Template("".join(sql), tuple(calls), tuple(unknown), has_statements)


def _pieces(text: str) -> Iterator[tuple[int, str, str]]:
    """Split a template into its data and whole tags: the line, the kind as jinja2 calls it, and the text of each.

    Raises:
        TemplateError: jinja2 can't split it, or a tag is not closed.
    """
    kind, start, tag = "", 1, ""
    try:
        for line, token, value in _JINJA.lex(text):
            if token.startswith("raw_"):
                yield line, "block", value.rstrip()
            elif kind:
                tag += value
                if token == f"{kind}_end":
                    yield start, kind, tag.rstrip()
                    kind = ""
            elif token.endswith("_begin"):
                kind, start, tag = token.removesuffix("_begin"), line, value
            else:
                yield line, "data", value
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(error.message or "syntax error", error.lineno) from error
    if kind:
        raise TemplateError(f"'{tag[:2]}' is not closed", start)


def _call(tag: str, line: int, placeholder: str) -> MacroCall | None:
    """Parse a tag as a call of a known macro; None for any other expression, or if a required argument is computed."""
    try:
        body = _JINJA.parse(tag).body
    except (jinja2.TemplateSyntaxError, ValueError, RecursionError):
        return None
    match body:
        case [nodes.Output(nodes=[nodes.Call(node=nodes.Name(name=name)) as call])] if name in _MACROS:
            macro = _MACROS[name]
        case _:
            return None
    # `ref` may name a package first: the model is the last of its arguments.
    positional = call.args[-1:] if name == "ref" else call.args
    given = dict(zip(macro.parameters, positional, strict=False))
    given |= {keyword.key: keyword.value for keyword in call.kwargs}
    arguments = {argument: value for argument, node in given.items() if (value := _literal(node)) is not ...}
    if any(parameter not in arguments for parameter in macro.parameters[: macro.required]):
        return None
    return MacroCall(name, arguments, line, placeholder)


def _literal(node: nodes.Expr) -> object:
    """The value of a literal; an ellipsis for a computed value."""
    # `as_const` would also run filters and operators, such as a power that takes hours.
    if not isinstance(node, nodes.Literal) or not all(
        isinstance(part, nodes.Literal) for part in node.find_all(nodes.Expr)
    ):
        return ...
    try:
        return node.as_const()
    except TypeError:  # a dictionary whose key is a list
        return ...
