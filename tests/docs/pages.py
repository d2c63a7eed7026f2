"""The project's Markdown pages: their blocks, inline code and links.

The word after a block's language says what is to be done with it:

| block | here |
|---|---|
| `sh` | is run |
| `sh refused` | is run, and must end with exit code 1 |
| `sh production` | needs what only a company has: a cloud, a cluster, GitHub, something in <angle brackets> |
| `sh long` | is what a test or CI does as a whole: `LONG` in `test_pages.py` says which |
| `json <file>`, `sql <file>` | is written there; members without the braces of their object are added to it |
| `diff <file>` | is done to it: each line begins with a blank, `-` or `+` |
| `text shown` | is what the block before shows, line by line; `…` stands for anything |
"""

import itertools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.engine.harness import REPOSITORY

MARKS = ("production", "long", "refused")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: the file.
        line: of its fence, from 1.
        language: the first word after the fence, or an empty text.
        word: what follows it.
        text: what is in it.
    """

    page: str
    line: int
    language: str
    word: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def is_shell(self) -> bool:
        return self.language in {"sh", "bash"}

    @property
    def is_run(self) -> bool:
        return self.is_shell and self.word in {"", "refused"}

    @property
    def target(self) -> str:
        """The file that a block is written to; an empty text for one that is only shown."""
        return self.word if self.language in {"json", "sql", "diff"} else ""


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        name: the file, from the root of the repository.
        blocks: fenced ones, in their order.
        inline: what stands between backticks, with the line of its paragraph.
        links: where its links lead, with the line of the paragraph.
        headings: as anchors.
    """

    name: str
    blocks: tuple[Block, ...]
    inline: tuple[tuple[int, str], ...]
    links: tuple[tuple[int, str], ...]
    headings: frozenset[str]


@cache
def names() -> tuple[str, ...]:
    """Every Markdown file of the repository, those not committed yet included."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    found = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.splitlines()
    return tuple(sorted(name for name in set(found) if (REPOSITORY / name).exists()))


@cache
def page(name: str) -> Page:
    """Parses a page."""
    tokens = MarkdownIt("commonmark").enable("table").parse((REPOSITORY / name).read_text(encoding="utf-8"))
    inline = [token for token in tokens if token.type == "inline"]
    return Page(
        name=name,
        blocks=tuple(_block(name, token) for token in tokens if token.type in {"fence", "code_block"}),
        inline=tuple((line, child.content) for line, child in _children(inline) if child.type == "code_inline"),
        links=tuple((line, str(child.attrs["href"])) for line, child in _children(inline) if child.type == "link_open"),
        headings=frozenset(
            _anchor(text.content) for opening, text in itertools.pairwise(tokens) if opening.type == "heading_open"
        ),
    )


def pages() -> Iterator[Page]:
    return map(page, names())


def _block(name: str, token: Token) -> Block:
    language, _, word = token.info.partition(" ")
    return Block(name, _line(token), language, word.strip(), token.content)


def _children(tokens: list[Token]) -> Iterator[tuple[int, Token]]:
    return ((_line(token), child) for token in tokens for child in token.children or [])


def _line(token: Token) -> int:
    return (token.map or [0])[0] + 1


def _anchor(heading: str) -> str:
    """As GitHub makes it."""
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")
