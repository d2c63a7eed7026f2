"""Every command and every link that a page has leads somewhere."""

import re
from pathlib import PurePosixPath

import pytest

from lotus_infra.commands.cli import COMMANDS
from tests.docs.commands import commands, looks_like_shell, mistake
from tests.docs.pages import MARKS, names, page
from tests.engine.harness import REPOSITORY


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


@pytest.mark.parametrize("name", names())
def test_every_command_of_a_page_exists(name: str) -> None:
    shell = [(block.line, block.text) for block in page(name).blocks if block.is_shell]
    wrong = [
        f"{name}:{line}: {told}"
        for line, text in [*shell, *page(name).inline]
        for words in commands(text)
        if (told := mistake(words))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", names())
def test_every_command_of_a_page_is_in_a_block_that_says_so(name: str) -> None:
    blocks = page(name).blocks
    unsaid = [each.where for each in blocks if each.language in {"", "text", "console"} and looks_like_shell(each.text)]
    unknown = [f"{each.where}: {each.word}" for each in blocks if each.is_shell and each.word not in {"", *MARKS}]
    assert (unsaid, unknown) == ([], [])


def test_every_verb_is_in_the_table_of_the_readme() -> None:
    table = {code.split()[1] for _, code in page("README.md").inline if code.startswith("lotus ")}
    assert sorted(COMMANDS.keys() - table) == []


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


@pytest.mark.parametrize("name", names())
def test_every_link_within_the_repository_leads_somewhere(name: str) -> None:
    broken = []
    for line, link in page(name).links:
        path, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = (REPOSITORY / PurePosixPath(name).parent / path).resolve() if path else REPOSITORY / name
        found = str(target.relative_to(REPOSITORY)) if target.exists() else ""
        if not target.exists() or (anchor and found in names() and anchor not in page(found).headings):
            broken.append(f"{name}:{line}: {link}")
    assert broken == []
