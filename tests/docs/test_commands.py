"""Every command and every link that a page has leads somewhere."""

import re
from pathlib import PurePosixPath

import pytest

from tests.docs.commands import commands, looks_like_shell, mistake
from tests.docs.pages import MARKS, names, page, pages
from tests.engine.harness import REPOSITORY
from tests.support.lotus import LOADED


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("lotus check --stack prod && make lint", []),
        ("lotus chekc", ["chekc"]),
        ("lotus sync shopify --now", ["--now"]),
        ("job=$(lotus sync --no-wait shopify)", []),
        ('eval "$(make -s env)"\nmake  sandbox-up PORT=3', ["sandbox-up"]),
        ("echo lotus chekc  # lotus chekc", []),
        ("lotus discover <source> > found.txt", []),
        ("PORT=1 lotus graph \\\n  --ouput lake.svg", ["--ouput"]),
    ],
)
def test_what_does_not_exist_in_a_command_is_told_by_name(text: str, wrong: list[str]) -> None:
    told = [found for words in commands(text) if (found := mistake(words))]
    assert len(told) == len(wrong)
    assert all(name in found for name, found in zip(wrong, told, strict=True))


def test_every_command_of_every_page_exists() -> None:
    shell = [(block.where, block.text) for each in pages() for block in each.blocks if block.is_shell]
    inline = [(f"{each.name}:{line}", text) for each in pages() for line, text in each.inline]
    wrong = [
        f"{where}: {told}" for where, text in [*shell, *inline] for words in commands(text) if (told := mistake(words))
    ]
    assert wrong == []


def test_every_command_of_every_page_is_in_a_block_that_says_so() -> None:
    blocks = [block for each in pages() for block in each.blocks]
    unsaid = [each.where for each in blocks if each.language in {"", "text", "console"} and looks_like_shell(each.text)]
    unknown = [f"{each.where}: {each.word}" for each in blocks if each.is_shell and each.word not in {"", *MARKS}]
    assert (unsaid, unknown) == ([], [])


def test_every_verb_is_on_the_page_of_commands() -> None:
    listed = {code.split()[1] for _, code in page("docs/commands.md").inline if code.startswith("lotus ")}
    assert sorted(LOADED.keys() - listed) == []


def test_every_page_for_a_procedure_or_a_symptom_is_in_an_index() -> None:
    indexes = ("docs/README.md", "docs/runbooks/README.md")
    linked = {
        str((REPOSITORY / PurePosixPath(index).parent / link.partition("#")[0]).resolve().relative_to(REPOSITORY))
        for index in indexes
        for _, link in page(index).links
        if "://" not in link
    }
    wanted = {name for name in names() if re.match(r"docs/(how-to/|runbooks/)?[^/]+$", name)}
    assert sorted(wanted - linked - {"docs/README.md"}) == []


def test_every_link_within_the_repository_leads_somewhere() -> None:
    links = [(each.name, line, link) for each in pages() for line, link in each.links]
    assert [f"{name}:{line}: {link}" for name, line, link in links if is_broken(name, link)] == []


def is_broken(name: str, link: str) -> bool:
    """Whether a link of a page names a file or a heading that the repository doesn't have."""
    path, _, anchor = link.partition("#")
    if "://" in link or link.startswith("mailto:"):
        return False
    target = (REPOSITORY / PurePosixPath(name).parent / path).resolve() if path else REPOSITORY / name
    if not target.exists():
        return True
    found = str(target.relative_to(REPOSITORY))
    return bool(anchor) and found in names() and anchor not in page(found).headings
