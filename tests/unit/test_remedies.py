"""Every command, option, target, key and page that a message names exists, and the command that prints it has it."""

import re
from collections import defaultdict
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
    commands,
    everything,
    files,
    options_nearby,
    options_of,
    options_said,
    printed,
)

PAGE_IN_CODE = re.compile(r"{DOCS}/([\w/.-]+\.md)(?:#([\w-]+))?")
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


def test_a_message_names_a_page_by_its_address_because_a_lake_of_ones_own_has_no_copy() -> None:
    own = [said for said in everything() if said.where.startswith("lotus_infra/")]
    assert [said for said in own if re.search(r"(?<![\w/-])docs/[\w/-]+\.md", said.text)] == []


def test_every_page_and_heading_that_a_message_names_exists() -> None:
    constants: dict[str, set[str]] = defaultdict(set)
    named: set[tuple[str, str]] = set()
    sources = [(REPOSITORY / name).read_text(encoding="utf-8") for name in files()]
    for source in sources:
        named |= {(f"docs/{path}", heading) for path, heading in PAGE_IN_CODE.findall(source)}
        for constant, path in re.findall(r'(?m)^(\w+)(?:: Final)? = f"{DOCS}/([\w/.-]+)"', source):
            constants[constant].add(f"docs/{path}")
    for source in sources:
        for constant, heading in re.findall(r"{(\w+)}#([\w-]+)", source):
            named |= {(path, heading) for path in constants[constant]}
    assert len(named) > 5
    wrong = [each for each in named if each[0] not in names() or (each[1] and each[1] not in page(each[0]).headings)]
    assert wrong == []
