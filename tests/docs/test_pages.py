"""Every command block of the pages runs, or says why it can't here."""

import json
import re
from collections import Counter
from dataclasses import replace

import pytest

from tests.docs.pages import Block, page, pages
from tests.docs.stage import Shown, Stage
from tests.engine.harness import REPOSITORY

LONG = {
    "README.md": ("make sandbox", "tests/engine/test_sandbox.py"),
}
"""Pages whose blocks take a test or a workflow of their own: a command of each, and where it is run."""
PRODUCTION: dict[str, int] = {}
"""How many blocks of a page need what only a company has."""
GIVEN: dict[str, str] = {}
"""What a page takes for granted beyond a lake that is applied, as lines for a shell."""

RUN = [each.name for each in pages() if any(block.is_run for block in each.blocks)]


def test_blocks_that_can_not_run_here_are_counted() -> None:
    marked = Counter(block.page for each in pages() for block in each.blocks if block.word == "production")
    assert dict(marked) == PRODUCTION


def test_every_long_block_is_run_where_it_is_said_to_be() -> None:
    found = {block.page: block.text for each in pages() for block in each.blocks if block.word == "long"}
    assert found.keys() == LONG.keys()
    for name, (command, where) in LONG.items():
        assert command in found[name]
        assert (REPOSITORY / where).exists()


@pytest.mark.engine
@pytest.mark.parametrize("name", RUN)
def test_every_block_of_a_page_runs(name: str, stage: Stage) -> None:
    if name in GIVEN:
        given = stage.run(GIVEN[name])
        assert given.exit_code == 0, given.output
    shown = Shown(0, "", stage.environment)
    for block in page(name).blocks:
        if block.is_run:
            shown = stage.run(block.text)
            stage = stage.after(shown)
            expected = 1 if block.word == "refused" else 0
            assert shown.exit_code == expected, f"{block.where} ended with {shown.exit_code}:\n{shown.output}"
        elif block.target:
            write(stage, block)
        elif block.word == "shown":
            missing = [line for line in block.text.splitlines() if not is_in(line, shown.output)]
            assert missing == [], f"{block.where} is not what is shown:\n{shown.output}"


def write(stage: Stage, block: Block) -> None:
    """Writes a file as somebody does who follows the page."""
    file = stage.project / block.target
    if not block.text.startswith("{"):
        document = json.loads(file.read_text(encoding="utf-8")) | json.loads(f"{{{block.text}}}")
        block = replace(block, text=json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block.text, encoding="utf-8")


def is_in(line: str, output: str) -> bool:
    """Whether an output has a line, spaces and what `…` stands for left out."""
    parts = (re.escape(" ".join(part.split())) for part in line.split("…"))
    return re.search(".*".join(parts), "\n".join(" ".join(each.split()) for each in output.splitlines())) is not None
