"""The commands of `lotus` and `make` that a text has, held against the command itself and the Makefile."""

import re
import shlex
from collections.abc import Iterator

import click

from lotus_infra.commands.cli import lotus
from tests.engine.harness import REPOSITORY

PROGRAMS = [
    "airbyte-twin",
    "aws",
    "cd",
    "curl",
    "dagster",
    "dbt",
    "docker",
    "echo",
    "eval",
    "export",
    "gh",
    "git",
    "kubectl",
    "lotus",
    "make",
    "openssl",
    "pip",
    "pulumi",
    "pytest",
    "python",
    "rm",
    "sh",
    "uv",
]
"""What a line of a block begins with that is for a shell."""
_SEPARATORS = re.compile(r"&&|\|\||[|;)]|\$\(|\n")
_TARGETS = frozenset(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def looks_like_shell(text: str) -> bool:
    """Whether a line of it begins with a program and goes on as a command does."""
    return re.search(rf"^\s*(\$ |\.?[\w./-]*\b(?:{'|'.join(PROGRAMS)}) [\w.<\"'$/-])", text, re.MULTILINE) is not None


def commands(text: str) -> Iterator[list[str]]:
    """The words of each simple command that begins with `lotus` or `make`."""
    joined = text.replace("\\\n", " ")
    for part in _SEPARATORS.split(joined):
        words = _words(part)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words = words[1:]
        if words and words[0] in {"lotus", "make"}:
            yield words


def _words(part: str) -> list[str]:
    try:
        return shlex.split(part, comments=True)
    except ValueError:  # a quote that was cut apart
        return part.split()


def mistake(words: list[str]) -> str:
    """What does not exist in a command; an empty text for one that is right."""
    program, *rest = words
    return _of_make(rest) if program == "make" else _of_lotus(rest)


def _of_make(words: list[str]) -> str:
    targets = [word.strip("\"'") for word in words if not word.startswith("-") and "=" not in word]
    return ", ".join(f"make has no target {target}" for target in targets if target not in _TARGETS)


def _of_lotus(words: list[str]) -> str:
    if not words or words[0].startswith("-"):
        return ""
    verb, *rest = words
    command = lotus.get_command(click.Context(lotus), verb)
    if command is None:
        return f"lotus has no verb {verb}"
    return _of_verb(command, verb, [word for word in rest if not re.match(r"[<>&]|\d>", word) or word.endswith(">")])


def _of_verb(command: click.Command, verb: str, words: list[str]) -> str:
    if isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.commands.get(words[0])
        return _of_verb(inner, f"{verb} {words[0]}", words[1:]) if inner else f"lotus {verb} has no verb {words[0]}"
    context = click.Context(command, **command.context_settings)
    try:
        command.make_parser(context).parse_args(words)
    except click.UsageError as error:
        return f"lotus {verb}: {error.format_message()}"
    return ""
