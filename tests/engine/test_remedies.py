"""Every command of the engine that a message or a page names exists, with its options."""

import re
import shlex
from functools import cache

from tests.docs.pages import pages
from tests.engine.harness import Pulumi
from tests.support.messages import HOLE, everything

QUOTED = re.compile(r"`([^`]+)`")
BARE = re.compile(r"(?<![\w./-])pulumi (?:config|import|preview|up|refresh|stack|state|cancel|destroy)[^:;`]*--[^:;`]*")
SEPARATORS = re.compile(r"&&|\|\||[|;)]|\$\(|\n")
AN_OPTION = re.compile(r"(?:^|[\s,])(--?[a-zA-Z][a-z-]*)")


HIDDEN: dict[tuple[str, ...], set[str]] = {("stack", "history"): {"--json"}}
"""Options that the engine has, and leaves out of its help."""


class Help:
    """What the engine's help says of its commands."""

    def __init__(self, pulumi: Pulumi) -> None:
        self._shown = cache(lambda words: pulumi.run(*words, "--help").output)

    def mistake(self, words: list[str]) -> str:
        """What does not exist in a command; an empty text for one that is right."""
        verbs: tuple[str, ...] = ()
        for word in words:
            if word.startswith("-") or not re.fullmatch(r"[a-z-]+", word):
                break
            # The engine shows a command's own help for a word that it does not know.
            if self._shown((*verbs, word)) == self._shown(verbs):
                if " [command]\n" in self._shown(verbs):
                    return f"pulumi {' '.join(verbs)} has no {word}"
                break
            verbs = (*verbs, word)
        known = {*AN_OPTION.findall(self._shown(verbs).rpartition("Usage:")[2]), "--help"}
        # A value at the end of an option begins a word of its own.
        given = [word.partition("=")[0].removesuffix(HOLE) for word in words if re.match(r"--[a-z]", word)]
        return ", ".join(
            f"pulumi {' '.join(verbs)} has no {option}"
            for option in given
            if option not in known | HIDDEN.get(verbs, set())
        )


def named() -> list[tuple[str, list[str]]]:
    """Every command of the engine in messages and pages: where it is, and its words."""
    texts = [
        (said.where, text) for said in everything() for text in [*QUOTED.findall(said.text), *BARE.findall(said.text)]
    ]
    texts += [(block.where, block.text) for page in pages() for block in page.blocks if block.is_shell]
    texts += [(f"{page.name}:{line}", text) for page in pages() for line, text in page.inline]
    parts = [(where, part) for where, text in texts for part in SEPARATORS.split(text.replace("\\\n", " "))]
    return [
        (where, words[1:]) for where, part in parts if (words := _words(part)) and words[0] == "pulumi" and words[1:]
    ]


def _words(part: str) -> list[str]:
    try:
        words = shlex.split(part, comments=True)
    except ValueError:
        words = part.split()
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    return words


def test_every_command_of_the_engine_that_a_message_or_a_page_names_exists(pulumi: Pulumi) -> None:
    shown = Help(pulumi)
    assert shown.mistake(["up", "--no-such-thing"]) == "pulumi up has no --no-such-thing"
    assert shown.mistake(["stack", "initt"]) == "pulumi stack has no initt"
    found = named()
    assert len(found) > 50
    assert [f"{where}: {told}" for where, words in found if (told := shown.mistake(words))] == []
