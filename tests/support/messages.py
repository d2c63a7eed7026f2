"""The texts of messages in the code, and which of them a command can print.

A function's texts are its string literals. A command can print those of the functions that its own function reaches, by
names and by attributes. An attribute reaches the methods of that name in its own module, and in those that it imports
from: more than it really calls, so that no text is missed.
"""

import ast
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import click

from tests.docs.commands import commands as shell_commands
from tests.engine.harness import REPOSITORY
from tests.support.lotus import LOADED

HOLE: Final = "X"
"""Stands for a value in a text."""
CODE: Final = ("lotus_infra", "packages/pulumi-airbyte/pulumi_airbyte", "sandbox", "toolchain", "dagster")
OPTION = re.compile(r"(?<![\w/`<'=-])--[a-z][a-z-]+")
QUOTED = re.compile(r"`([^`]+)`")
OTHER_PROGRAM = re.compile(r"\b(pulumi|kubectl|docker|openssl|git|dbt|pip|diff)( [a-zX]\S*)* [^:;]*")
"""A command of another program, to the end of its sentence."""
PART_OF_A_COMMAND = re.compile(r"--[a-z-]+[ =]\S+")
"""A text that code joins to a command."""
Key = tuple[str, str]


@dataclass(frozen=True)
class Said:
    """A text of the code.

    Attributes:
        where: file and line.
        text: with HOLE for each value.
    """

    where: str
    text: str


@dataclass
class Code:
    """A function, method or constant.

    Attributes:
        names: the names that it reads.
        attributes: the attributes that it reads.
        said: its texts of more than one word, without its docstring.
    """

    names: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    said: list[Said] = field(default_factory=list)


@dataclass(frozen=True)
class Program:
    """All code of `lotus_infra`."""

    code: Mapping[Key, Code]
    imports: Mapping[str, Mapping[str, Key]]
    methods: Mapping[str, list[Key]]

    def reached(self, start: Key) -> set[Key]:
        """What a function reaches, itself included."""
        seen: set[Key] = set()
        left = [start]
        while left:
            key = left.pop()
            if key in seen or key not in self.code:
                continue
            seen.add(key)
            module, here = key[0], self.code[key]
            near = {module, *(found for found, _ in self.imports[module].values())}
            left += [found for name in here.names for found in self._named(module, name)]
            left += [found for name in here.attributes for found in self.methods.get(name, []) if found[0] in near]
        return seen

    def _named(self, module: str, name: str) -> list[Key]:
        module, name = self.imports[module].get(name, (module, name))
        made = [(module, f"{name}.{maker}") for maker in ("__init__", "__post_init__")]
        return [key for key in [(module, name), *made] if key in self.code]


@cache
def files() -> tuple[str, ...]:
    """The Python files of the repository that can print something."""
    listed = subprocess.run(
        ["git", "ls-files", *CODE],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    return tuple(name for name in listed.stdout.split() if name.endswith(".py"))


@cache
def parsed(name: str) -> ast.Module:
    """A file, parsed."""
    return ast.parse((REPOSITORY / name).read_text(encoding="utf-8"))


def texts(node: ast.AST, name: str) -> Iterator[Said]:
    """The texts inside of a node, without docstrings."""
    skipped: set[int] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.JoinedStr):
            skipped |= {id(part) for part in each.values}
        if isinstance(each, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            skipped |= {id(part.value) for part in each.body[:1] if isinstance(part, ast.Expr)}
    for each in ast.walk(node):
        text = None if id(each) in skipped else _text(each)
        if text is not None and " " in text.strip():
            yield Said(f"{name}:{getattr(each, 'lineno', 0)}", " ".join(text.split()))


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = [each.value if isinstance(each, ast.Constant) else HOLE for each in node.values]
        # A value right before an option is another option, or nothing.
        return re.sub(rf"{HOLE}(?=--)", "", "".join(map(str, parts)))
    return None


@cache
def everything() -> tuple[Said, ...]:
    """All texts of the code."""
    return tuple(said for name in files() for said in texts(parsed(name), name))


@cache
def program() -> Program:
    """The code of `lotus_infra`."""
    code: dict[Key, Code] = {}
    imports: dict[str, dict[str, Key]] = {}
    for name in files():
        module = name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        tree = parsed(name)
        froms = [each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom) and each.module]
        imports[module] = {
            alias.asname or alias.name: (str(each.module), alias.name) for each in froms for alias in each.names
        }
        code |= {(module, label): _code(node, name) for label, node in _definitions(tree)}
    methods: dict[str, list[Key]] = defaultdict(list)
    for key in code:
        if "." in key[1]:
            methods[key[1].rpartition(".")[2]].append(key)
    return Program(code, imports, methods)


def _definitions(node: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + each.name, each
        elif isinstance(each, ast.ClassDef):
            yield from _definitions(each, f"{each.name}.")
        elif isinstance(each, ast.Assign | ast.AnnAssign):
            targets = each.targets if isinstance(each, ast.Assign) else [each.target]
            yield from ((prefix + target.id, each) for target in targets if isinstance(target, ast.Name))


def _code(node: ast.AST, name: str) -> Code:
    walked = list(ast.walk(node))
    return Code(
        {each.id for each in walked if isinstance(each, ast.Name)},
        {each.attr for each in walked if isinstance(each, ast.Attribute)},
        list(texts(node, name)),
    )


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command of `lotus` that does something, by its words."""
    for verb, command in LOADED.items():
        yield from _inner(verb, command)


def _inner(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for verb, each in command.commands.items():
            yield from _inner(f"{words} {verb}", each)
    else:
        yield words, command


def printed(command: click.Command) -> Iterator[Said]:
    """The texts that a command can print."""
    callback = command.callback
    assert callback is not None
    found = program().reached((callback.__module__, callback.__name__))
    yield from (said for key in sorted(found) for said in program().code[key].said)


def options_of(command: click.Command) -> frozenset[str]:
    """The options of a command."""
    return frozenset(each for one in command.params for each in (*one.opts, *one.secondary_opts)) | {"--help"}


def options_said(text: str) -> set[str]:
    """The options that a text names without a program: not those of a text that is a whole command."""
    if PART_OF_A_COMMAND.fullmatch(text) or text.startswith("lotus "):
        return set()
    return set(OPTION.findall(OTHER_PROGRAM.sub("", QUOTED.sub("", text)))) - {"--option"}


def options_nearby(text: str) -> frozenset[str]:
    """The options of the commands of `lotus` that a text names in full: `lotus add stream` takes one with --cursor."""
    found = [command_of(words[1:]) for quoted in QUOTED.findall(text) for words in shell_commands(quoted)]
    return frozenset().union(*(options_of(each) for each in found if each is not None))


def command_of(words: list[str]) -> click.Command | None:
    """The command that words begin with."""
    command: click.Command | None = LOADED.get(words[0]) if words else None
    for word in words[1:]:
        if not isinstance(command, click.Group):
            break
        command = command.commands.get(word)
    return command
