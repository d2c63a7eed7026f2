"""Every command, option, target, key and page that a message names exists, and the command that prints it has it."""

import re
from pathlib import Path

import click
import pytest

from lotus_infra.config.settings import StackSettings
from tests.docs.commands import commands as shell_commands
from tests.docs.commands import mistake
from tests.docs.pages import names, page
from tests.engine.harness import REPOSITORY
from tests.support.messages import (
    QUOTED,
    Said,
    commands,
    everything,
    options_nearby,
    options_of,
    options_said,
    printed,
)

KNOWN_ELSEWHERE = {
    ("status", "--all"): "`select_sources` is called with every=True there, so that it refuses nothing",
    ("drift", "--dbt"): "it checks the dbt project of the lake's own folder, and only if there is one",
    ("migrate", "--no-state"): "it prints the message of that error without its hint",
    ("init", "--dbt"): "the new lake has its dbt project at its place",
    ("init", "--force"): "the new folder is empty, so that no model is replaced",
    ("init", "--streams"): "the new folder has its streams at their place",
    ("scaffold", "--profiles-dir"): "an option of dbt, in the next command",
}


def test_the_options_of_a_message_are_told_apart_from_those_of_other_programs() -> None:
    assert options_said("pass --yes to confirm") == {"--yes"}
    assert options_said("`lotus sync --all` or pass --dry-run") == {"--dry-run"}
    assert options_said("run it: pulumi config set --secret X") == set()
    assert "--cursor" in options_nearby("`lotus add stream` takes one with --cursor")


@pytest.mark.parametrize(("words", "command"), list(commands()), ids=lambda each: each if isinstance(each, str) else "")
def test_a_command_names_no_option_that_it_lacks(words: str, command: click.Command) -> None:
    own = options_of(command)
    wrong = [
        f"{said.where}: {option}: {said.text}"
        for said in printed(command)
        for option in sorted(options_said(said.text) - own - options_nearby(said.text))
        if (words, option) not in KNOWN_ELSEWHERE
    ]
    assert wrong == []


def test_every_command_of_lotus_and_make_that_a_message_names_exists() -> None:
    quoted = [(said, text) for said in everything() for text in QUOTED.findall(said.text)]
    bare = [(said, said.text) for said in everything() if said.text.startswith("lotus ")]
    wrong = [
        f"{said.where}: {told}"
        for said, text in [*quoted, *bare]
        for words in shell_commands(text)
        if "COMMAND" not in words and (told := mistake(words))
    ]
    assert wrong == []


def test_every_command_of_the_makefile_and_the_scripts_exists() -> None:
    scripts = [REPOSITORY / "Makefile", *sorted((REPOSITORY / ".ci").iterdir())]
    found = [(file.name, text) for file in scripts if file.is_file() for text in _told_by(file)]
    wrong = [f"{name}: {told}" for name, text in found for words in shell_commands(text) if (told := mistake(words))]
    assert wrong == []


def _told_by(file: Path) -> list[str]:
    """What the lines of a script print."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [text for line in lines if "echo" in line or "printf" in line for text in QUOTED.findall(line)]


def test_every_key_of_the_stack_that_a_message_names_exists() -> None:
    fields = StackSettings.model_fields
    known = {
        namespace: {each.alias or name for name, each in fields[namespace].annotation.model_fields.items()}  # type: ignore[union-attr]
        for namespace in ("lotus", "airbyte")
    }
    # Names in one case are those of values that files refer to, which a stack may have any of.
    named = re.compile(r"(?<![\w:/`'\"{])(lotus|airbyte):([a-z]+[A-Z][A-Za-z]*)\b(?!:)")
    wrong = [
        f"{said.where}: {found[0]}"
        for said in everything()
        for found in named.finditer(said.text)
        if found[2] not in known[found[1]]
    ]
    assert wrong == []


def test_every_page_that_a_message_names_exists() -> None:
    wrong = [f"{said.where}: {told}" for said in everything() for told in _broken(said)]
    assert wrong == []


def _broken(said: Said) -> list[str]:
    # A value in a message is an X: DOCS, or a constant that begins with it.
    found = re.finditer(r"(?<![\w/-])(?:docs|X)/([\w/.-]+\.md)(?:#([\w-]+))?", said.text)
    return [
        each[0]
        for each in found
        if f"docs/{each[1]}" not in names() or (each[2] is not None and each[2] not in page(f"docs/{each[1]}").headings)
    ]
