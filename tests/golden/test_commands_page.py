"""The list of commands in docs/commands.md is the list of `lotus --help`, in its groups and order."""

import re
from collections.abc import Iterator

from click.testing import CliRunner

from lotus_infra.commands.cli import lotus
from tests.engine.harness import REPOSITORY
from tests.support.golden import assert_matches

PAGE = REPOSITORY / "docs" / "commands.md"
BEGIN = "<!-- commands: written by `make bless` from `lotus --help` -->\n"
END = "<!-- commands: end -->\n"


def test_the_page_lists_the_commands_as_the_help_does() -> None:
    shown = CliRunner().invoke(lotus, ["--help"], terminal_width=200, max_content_width=200)
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin
    assert end

    assert_matches(PAGE, "".join([before, begin, *tables(shown.output), end, after]))


def tables(help_text: str) -> Iterator[str]:
    """A table for each group of commands, under its heading."""
    for section in re.split(r"\n(?=\S)", help_text):
        title, _, lines = section.partition(":\n")
        rows = re.findall(r"^  ([a-z][a-z-]*)  +(\S.*)$", lines, re.MULTILINE)
        if rows and title != "Options":
            yield f"\n### {title}\n\n| command | what it does |\n|---|---|\n"
            yield from (f"| `lotus {name}` | {text} |\n" for name, text in rows)
    yield "\n"
