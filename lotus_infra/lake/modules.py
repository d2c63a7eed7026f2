"""The module of a source that dlt reads, as its text shows it: never imported, so that a check runs no code of a lake.

`read_module` finds the source's function, `@dlt.source def erp(url, api_key=dlt.secrets.value)`, its parameters, which
are the keys of the source's configuration, and the names of its resources where the text has all of them.
"""

import ast
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_DLT: Final = "dlt"
_REQUIRED: Final = {"dlt.secrets.value", "dlt.config.value"}
"""Defaults that dlt replaces by a value of the configuration; without one, it refuses to run."""
_SECRET_TYPES: Final = {"TSecretValue", "TSecretStrValue"}
_TYPES: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
Kind = Literal["source", "coroutine", "other", "missing"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a source's function.

    Attributes:
        name: The key of the configuration.
        required: Whether it has no value of its own.
        secret: Whether its value must stay secret: its default is `dlt.secrets.value`, or its type is dlt's of secrets.
        type: The JSON type of its value, by its annotation or its default; empty if these don't show it.
    """

    name: str
    required: bool
    secret: bool = False
    type: str = ""


@dataclass(frozen=True, slots=True)
class SourceModule:
    """A module.

    Attributes:
        mistake: Why its text is no Python, or can't be read; empty if it is.
        kind: What has the module's name in it: a source of dlt, one that has to be awaited, something else, or nothing.
        sources: The names of all its functions that are sources of dlt.
        parameters: Of the source's function.
        takes_all: Whether the function takes any further key, by `**name`.
        resources: The names of its resources, as far as the text has them.
        has_others: Whether it may have further resources.
    """

    mistake: str = ""
    kind: Kind = "missing"
    sources: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    takes_all: bool = False
    resources: frozenset[str] = frozenset()
    has_others: bool = True


def read_module(name: str, data: bytes) -> SourceModule:
    """Read a module.

    Args:
        name: The name of the source's function: that of the file, without the suffix.
        data: The content of the file.
    """
    try:
        with warnings.catch_warnings():
            # Python warns of odd texts, such as unknown escapes, when it runs them.
            warnings.simplefilter("ignore")
            # The encoding is in the text itself.
            tree = ast.parse(data)
    except SyntaxError as error:
        return SourceModule(mistake=f"line {error.lineno or 1} is not Python ({error.msg})")
    except (ValueError, RecursionError, MemoryError) as error:
        return SourceModule(mistake=f"is not Python ({error})")
    names = _imported(tree)
    functions = {each.name: each for each in tree.body if isinstance(each, _Function)}
    sources = tuple(each.name for each in functions.values() if _decorated(each, "source", names) is not None)
    function = functions.get(name)
    if function is None:
        return SourceModule(kind="other" if name in _bound(tree) else "missing", sources=sources)
    if name not in sources:
        return SourceModule(kind="other", sources=sources)
    if isinstance(function, ast.AsyncFunctionDef):
        return SourceModule(kind="coroutine", sources=sources)
    found = _Resources.of(tree, function, names).all()
    return SourceModule(
        kind="source",
        sources=sources,
        parameters=tuple(_parameters(function, names)),
        takes_all=function.args.kwarg is not None,
        resources=frozenset(name for name in found if name is not None),
        has_others=None in found,
    )


def _imported(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for: `{"d": "dlt", "source": "dlt.source"}`."""
    names: dict[str, str] = {}
    for each in ast.walk(tree):
        if isinstance(each, ast.Import):
            for alias in each.names:
                # `import dlt.sources` binds `dlt`.
                bound = alias.asname or alias.name.partition(".")[0]
                names[bound] = alias.name if alias.asname else bound
        elif isinstance(each, ast.ImportFrom) and each.module and not each.level:
            names |= {alias.asname or alias.name: f"{each.module}.{alias.name}" for alias in each.names}
    return names


def _bound(tree: ast.Module) -> set[str]:
    """The names that the module's own statements bind."""
    found = set(_imported(tree))
    for each in tree.body:
        if isinstance(each, ast.ClassDef | _Function):
            found.add(each.name)
        targets = (
            each.targets if isinstance(each, ast.Assign) else [each.target] if isinstance(each, ast.AnnAssign) else []
        )
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def _dotted(node: ast.expr | None, names: Mapping[str, str]) -> str:
    """What an expression names, with imported names in full: `dlt.secrets.value`; empty if it is no name."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value, names)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def _is_dlts(node: ast.expr, word: str, names: Mapping[str, str]) -> bool:
    """Whether an expression names `dlt.source` or `dlt.resource`, wherever dlt has it."""
    parts = _dotted(node, names).split(".")
    return len(parts) > 1 and parts[0] == _DLT and parts[-1] == word


def _decorated(function: _Function, word: str, names: Mapping[str, str]) -> ast.expr | None:
    """The decorator of dlt that a function has, with or without arguments; None if it has none."""
    for each in function.decorator_list:
        if _is_dlts(each.func if isinstance(each, ast.Call) else each, word, names):
            return each
    return None


def _parameters(function: _Function, names: Mapping[str, str]) -> Iterator[Parameter]:
    """The parameters that can be given by name."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = [*zip(positional, defaults, strict=True), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    for argument, default in pairs:
        value = _dotted(default, names)
        typed = _dotted(argument.annotation, names).rpartition(".")[2] in _SECRET_TYPES
        secret = typed or value == "dlt.secrets.value"
        kind = _TYPES.get(_dotted(argument.annotation, names) or _class_of(default), "")
        yield Parameter(argument.arg, default is None or value in _REQUIRED, secret, "string" if secret else kind)


def _class_of(node: ast.expr | None) -> str:
    return type(node.value).__name__ if isinstance(node, ast.Constant) else ""


@dataclass(frozen=True)
class _Resources:
    """Finds the resources that a source returns or yields; one whose name the text does not show is None.

    Attributes:
        function: The source's function.
        functions: The functions that it may call: the module's, and those in it.
        values: What names of the module and of the function are bound to, where they are bound once.
        names: What imported names stand for.
        uses: How often the module reads each name.
    """

    function: ast.FunctionDef
    functions: Mapping[str, _Function]
    values: Mapping[str, ast.expr | None]
    names: Mapping[str, str]
    uses: Counter[str]

    @classmethod
    def of(cls, tree: ast.Module, function: ast.FunctionDef, names: Mapping[str, str]) -> "_Resources":
        bodies = [*tree.body, *function.body]
        functions = {each.name: each for each in bodies if isinstance(each, _Function)}
        values: dict[str, ast.expr | None] = {}
        for each in (node for top in bodies for node in _own_nodes(top)):
            for target, value in _assignments(each):
                values[target] = None if target in values else value
        read = (each.id for each in ast.walk(tree) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load))
        return cls(function, functions, values, names, Counter(read))

    def all(self) -> set[str | None]:
        """The names of all resources."""
        found: set[str | None] = set()
        for each in (node for top in self.function.body for node in _own_nodes(top)):
            if isinstance(each, ast.Return | ast.Yield | ast.YieldFrom):
                found |= self._of_expression(each.value)
        return found or {None}

    def _of_expression(self, node: ast.expr | None) -> set[str | None]:
        if isinstance(node, ast.Tuple | ast.List):
            return {name for each in node.elts for name in self._of_expression(each)}
        if isinstance(node, ast.Starred):
            return self._of_expression(node.value)
        if isinstance(node, ast.Name):
            if node.id in self.functions:
                return {self._of_function(self.functions[node.id])}
            value = self.values.get(node.id)
            return self._of_expression(value) if isinstance(value, ast.Call) else {None}
        return self._of_call(node) if isinstance(node, ast.Call) else {None}

    def _of_call(self, call: ast.Call) -> set[str | None]:
        if isinstance(call.func, ast.Name) and call.func.id in self.functions:
            return {self._of_function(self.functions[call.func.id])}
        if _is_dlts(call.func, "resource", self.names):
            return {_text(_named(call, "name"))}
        if _is_dlts(call.func, "rest_api_resources", self.names) and len(call.args) == 1:
            return self._of_rest_api(call.args[0])
        return {None}

    def _of_function(self, function: _Function) -> str | None:
        decorator = _decorated(function, "resource", self.names)
        if decorator is None:
            return None
        given = _named(decorator, "name") if isinstance(decorator, ast.Call) else None
        return function.name if given is None else _text(given)

    def _of_rest_api(self, configuration: ast.expr) -> set[str | None]:
        """The names in the configuration of dlt's source for REST APIs, if that is a literal."""
        value: ast.expr | None = configuration
        if isinstance(configuration, ast.Name):
            # A configuration that is read elsewhere may be changed there.
            value = self.values.get(configuration.id) if self.uses[configuration.id] == 1 else None
        resources = _entry(value, "resources")
        if not isinstance(resources, ast.List):
            return {None}
        return {
            _text(each) if isinstance(each, ast.Constant) else _text(_entry(each, "name")) for each in resources.elts
        }


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and what is in it, without the insides of functions and classes."""
    yield node
    if not isinstance(node, _Function | ast.Lambda | ast.ClassDef):
        for child in ast.iter_child_nodes(node):
            yield from _own_nodes(child)


def _assignments(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """The names that a statement binds, each with its value; None where it is no plain assignment."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        yield node.targets[0].id, node.value
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, node.value


def _named(call: ast.expr, name: str) -> ast.expr | None:
    """The argument of a name."""
    keywords = call.keywords if isinstance(call, ast.Call) else []
    return next((each.value for each in keywords if each.arg == name), None)


def _entry(node: ast.expr | None, key: str) -> ast.expr | None:
    """The value of a key of a dictionary that is written out."""
    if not isinstance(node, ast.Dict):
        return None
    return next((value for each, value in zip(node.keys, node.values, strict=True) if _text(each) == key), None)


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
