"""Real command lines on a terminal of 80 columns, in a pipe, and without colours."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.lab import Lab
from tests.support.commands import write_stack
from tests.support.lakes import clean_files, write
from tests.support.terminal import COLUMNS, on_terminal

LOTUS = Path(sys.executable).parent / "lotus"
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
LONG = "orders_of_every_shop_in_europe_and_america_since_the_first"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS"}}
ENVIRONMENT["TERM"] = "xterm-256color"
PLAIN = [{"NO_COLOR": "1"}, {"TERM": "dumb"}]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A lake with a mistake and a notice."""
    write(tmp_path / "streams", clean_files() | {"shop/orders.json": "", "shop/_catalog.json": ""})
    return tmp_path


def piped(folder: Path, *arguments: str) -> str:
    command = [str(LOTUS), *arguments]
    ran = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr


def test_a_check_on_a_terminal_is_coloured_and_says_the_same_without(broken: Path) -> None:
    shown = on_terminal([LOTUS, "check"], broken, ENVIRONMENT)
    assert shown.exit_code == 1
    assert "\x1b[31m\x1b[1mstreams/shop/orders.json:1:\x1b[0m (file): is empty" in shown.text
    assert "\x1b[33mnote:\x1b[0m " in shown.text
    plain = piped(broken, "check")
    assert ESCAPES.sub("", shown.text) == plain
    for variables in PLAIN:
        assert on_terminal([LOTUS, "check"], broken, ENVIRONMENT | variables).text == plain


def test_a_document_on_a_terminal_has_no_colours(broken: Path) -> None:
    shown = on_terminal([LOTUS, "check", "--json"], broken, ENVIRONMENT)
    assert json.loads(shown.text)["ok"] is False


def test_an_error_on_a_terminal_starts_with_a_coloured_name(tmp_path: Path) -> None:
    shown = on_terminal([LOTUS, "check"], tmp_path, ENVIRONMENT)
    assert shown.text.startswith("\x1b[31m\x1b[1mlotus:\x1b[0m streams does not exist: ")
    for variables in PLAIN:
        assert "\x1b" not in on_terminal([LOTUS, "check"], tmp_path, ENVIRONMENT | variables).text


@pytest.fixture
def wide(lab: Lab, tmp_path: Path) -> Path:
    """A lake that is live in a twin, with a source of a long name."""
    (tmp_path / "streams" / "store").rename(tmp_path / "streams" / LONG)
    (tmp_path / "Pulumi.yaml").write_text("name: lotus\n")
    write_stack(tmp_path, "dev", lab.values | {"lotus:landing_bucket": "landing"})
    return tmp_path


def test_no_name_is_cut_in_a_status_of_80_columns(wide: Path) -> None:
    shown = on_terminal([LOTUS, "status"], wide, ENVIRONMENT)

    text = ESCAPES.sub("", shown.text)
    assert LONG in text
    assert "shop" in text
    assert "…" not in text
    tables = [line for line in text.splitlines() if "│" in line or "┃" in line]
    assert max(map(len, tables), default=0) <= COLUMNS
    assert "\x1b[32mactive" in shown.text
    for variables in PLAIN:
        assert "\x1b" not in on_terminal([LOTUS, "status"], wide, ENVIRONMENT | variables).text


@pytest.mark.parametrize("verb", ["audit", "status"])
def test_in_a_pipe_each_row_is_one_whole_line(verb: str, lab: Lab, wide: Path) -> None:
    text = piped(wide, verb, *(["--no-state"] if verb == "audit" else []))

    name = LONG if verb == "status" else lab.connection_id("shop")
    assert [line for line in text.splitlines() if name in line]
    assert "\x1b" not in text


def test_an_id_of_an_audit_is_whole_at_80_columns(lab: Lab, wide: Path) -> None:
    shown = on_terminal([LOTUS, "audit", "--no-state"], wide, ENVIRONMENT)

    assert lab.connection_id("shop") in shown.text
    assert "…" not in shown.text
