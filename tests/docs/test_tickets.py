"""The page of the old lake's tickets names a test for each of them."""

import re
from pathlib import Path

from tests.engine.harness import REPOSITORY

PAGE = (REPOSITORY / "docs" / "tickets.md").read_text(encoding="utf-8")
ROWS = [row for row in PAGE.splitlines() if row.startswith("| ") and not row.startswith(("| ticket", "| defect"))]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_ticket_names_tests_that_exist() -> None:
    assert [row for row in ROWS if not NAMED.search(row)] == []
    named = sorted({pair for row in ROWS for pair in NAMED.findall(row)})
    assert [f"{file}::{name}" for file, name in named if f"def {name}(" not in text(REPOSITORY / file)] == []


def test_no_ticket_is_left_out() -> None:
    names = [row.split("|")[1].split()[0] for row in ROWS]
    tickets = [f"TODO-{number:03}" for number in range(1, 5)] + [
        f"TICKET-{number:03}" for number in (*range(1, 7), 6, 7)
    ]
    assert sorted(names) == sorted([*tickets, '"Stable"', "secrets.md", "order_lines", *"123456789"])


def text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
