"""What `lotus --help` and the help of each command have in common, at 80 columns."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import click
import pytest

from lotus_infra.commands.cli import COMMANDS, GROUPS, lotus
from tests.support.lotus import LOADED

WIDTH = 80
MARGIN = 2
"""Columns that click leaves free at the right."""
LAST = ("--dry-run", "--yes", "--output", "--stack", "--streams", "--dbt", "--json")
"""Shared options, which come after a command's own in this order."""
OWN_WORDS = {
    # What "all" selects, what a label or a namespace is of, and what is asked for depend on the command.
    "--all": {"sync", "discover", "scaffold", "connector update", "add stream"},
    "--connector": {"add source", "add destination"},
    "--format": {"drift", "graph", "query"},
    "--from": {"connector add", "migrate"},
    "--into": {"add source", "migrate"},
    "--label": {"add source", "add destination"},
    "--namespace": {"add source", "add stream"},
    # A review is a folder of files.
    "--output": {"preview"},
    # These do not select one stack, or have another default than the selected one.
    "--stack": {"check", "diff", "graph", "comment", "gate", "init"},
}
"""Options that mean something else on these commands; they have one short form there too."""


def each_command() -> Iterator[tuple[str, click.Command]]:
    """Every command, also those of groups, by its words."""
    for name, command in LOADED.items():
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", each) for inner, each in command.commands.items())


EVERY = dict(each_command())


def help_of(words: str) -> list[str]:
    """The lines of a command's help on a terminal of 80 columns."""
    context = click.Context(lotus, info_name="lotus", terminal_width=WIDTH - MARGIN)
    command: click.Command = lotus
    for word in words.split():
        command = EVERY[word] if command is lotus else EVERY[words]
        context = click.Context(command, parent=context, info_name=word)
    return command.get_help(context).splitlines()


def first_line(command: click.Command) -> str:
    """The first paragraph of a command's help, as one line."""
    return " ".join((command.help or "").split("\n\n")[0].split())


def test_no_command_is_in_two_groups() -> None:
    assert sum(map(len, GROUPS.values())) == len(COMMANDS)


def test_the_groups_of_help_follow_the_work() -> None:
    headings = [line for line in help_of("") if line.endswith(":") and not line.startswith((" ", "Usage", "Options"))]
    assert headings == ["Author:", "Review and deploy:", "Operate:", "Take over:"]


@pytest.mark.parametrize("words", ["", "add", "connector"])
def test_each_command_of_a_list_is_one_whole_line(words: str) -> None:
    lines = help_of(words)
    names = COMMANDS if not words else [name.split()[1] for name in EVERY if name.startswith(f"{words} ")]
    for name in names:
        [line] = [line for line in lines if line.startswith(f"  {name} ")]
        command = EVERY[f"{words} {name}".strip()]
        assert line.split(maxsplit=1)[1] == first_line(command)
        assert len(line) <= WIDTH


@pytest.mark.parametrize("words", EVERY)
def test_the_help_of_a_command_starts_with_a_sentence_on_one_line_and_fits_the_terminal(words: str) -> None:
    lines = help_of(words)
    assert lines[2].strip() == first_line(EVERY[words])
    assert lines[2].endswith(".")
    assert max(map(len, lines)) <= WIDTH


@pytest.mark.parametrize("words", EVERY)
def test_shared_options_come_last_and_in_one_order(words: str) -> None:
    long = [option.opts[-1] for option in EVERY[words].params if isinstance(option, click.Option)]
    # `--write` is an older name of --yes.
    long = ["--yes" if "--yes" in option else option for option in long]
    shared = [name for name in long if name in LAST]
    assert shared == sorted(shared, key=LAST.index)
    assert long[len(long) - len(shared) :] == shared


def test_an_option_has_one_short_form_one_type_and_one_help_on_every_command() -> None:
    forms: dict[str, dict[tuple[object, ...], list[str]]] = defaultdict(lambda: defaultdict(list))
    shorts: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for words, command in EVERY.items():
        for option in (each for each in command.params if isinstance(each, click.Option)):
            name = next(each for each in option.opts if each.startswith("--"))
            shorts[name].add(tuple(each for each in option.opts if not each.startswith("--")))
            if words not in OWN_WORDS.get(name, ()):
                kind = (type(option.type).__name__, option.is_flag, option.multiple, option.metavar, option.help)
                forms[name][kind].append(words)
    assert {name: each for name, each in shorts.items() if len(each) > 1} == {}
    assert {name: dict(each) for name, each in forms.items() if len(each) > 1} == {}


def test_every_default_stack_is_worded_by_one_maker() -> None:
    helps = {
        words: option.help or ""
        for words, command in EVERY.items()
        for option in command.params
        if isinstance(option, click.Option) and "--stack" in option.opts
    }
    assert {words for words, text in helps.items() if not text.startswith("The stack")} == set()
    assert helps["sync"] == "The stack; default: $PULUMI_STACK, else the selected or the only one."
    assert Counter(helps.values()).most_common(1)[0][0] == helps["sync"]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("chekc", 'did you mean "check"?'),
        ("CHECK", 'did you mean "check"?'),
        ("x", "`lotus --help` lists the commands"),
    ],
)
def test_an_unknown_command_is_refused_with_the_nearest(words: str, hint: str) -> None:
    with pytest.raises(click.UsageError, match=re.escape(hint)):
        lotus.main([words], standalone_mode=False)
