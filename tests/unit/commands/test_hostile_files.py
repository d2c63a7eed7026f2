"""`lotus check` of files that no lake should have: it ends, says which file is wrong, and takes no more than its share.

The command runs as a process with a limit of memory. The deadline only ends a test that would never end.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.lakes import Document, Files, clean_files, discovered, source, stream, write

DEADLINE = 240
MEMORY = 2 << 30
UUID = "9e1b3c3e-7f0b-4b26-8d5f-0f1f6f2c9a11"
EVIL = ["^(a|aa)+$", "^(a|a)*$", "^(?:(?:a{0,1000}){0,1000}){0,1000}$", r"^(?!(a|aa)+\d).*$"]


def check(lake: Path, *arguments: str) -> tuple[int, list[str]]:
    """The exit code of `lotus check`, and its lines without the lake's folder."""
    ran = subprocess.run(
        [Path(sys.executable).with_name("lotus"), "check", "--streams", lake, *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
        cwd=lake,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    assert "Traceback" not in ran.stderr, ran.stderr[-2000:]
    return ran.returncode, (ran.stdout + ran.stderr).splitlines()


def lake_with(directory: Path, changes: Files) -> Path:
    return write(directory / "streams", clean_files() | dict(changes))


def connector(spec: Document) -> Document:
    return {"connector": "source-odd", "definition_id": UUID, "spec": spec}


def pinned(spec: Document, **configuration: object) -> Files:
    return {
        "_connectors/source-odd.json": connector(spec),
        "shop/_source.json": source(connector="source-odd", configuration=configuration),
    }


NOT_FILES: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "a link to itself": lambda path: path.symlink_to(path.name),
    "an endless device": lambda path: path.symlink_to("/dev/zero"),
    "a folder": Path.mkdir,
    "a link to nothing": lambda path: path.symlink_to("gone"),
}
PLACES = ["shop/orders.json", "shop/_source.json", "shop/_discovered/orders.json", "_connectors/source-faker.json"]


@pytest.mark.parametrize("name", NOT_FILES)
@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_file_is_one_mistake_and_never_opened(name: str, place: str, tmp_path: Path) -> None:
    lake = lake_with(tmp_path, {place: None})
    (lake / place).parent.mkdir(exist_ok=True)
    NOT_FILES[name](lake / place)
    code, lines = check(lake)
    assert code == 1
    assert any(line.startswith(f"{place}:1: (file): ") for line in lines), lines
    assert len(lines) <= 4


TOO_MUCH: dict[str, tuple[Callable[[], str], str]] = {
    "55 MB": (lambda: json.dumps(stream()) + " " * 55_000_000, "has 55 MB, and a file may have 8"),
    "ten million values": (
        lambda: '{"primary_key": [' + "0," * 10_000_000 + "0]}",
        "has 20 MB, and a file may have 8",
    ),
    "three million values": (lambda: '{"primary_key": [' + "0," * 3_000_000 + "0]}", "has more than 200,000 values"),
    "a hundred thousand mistakes": (lambda: '{"primary_key": [' + "0," * 100_000 + "0]}", "has 100,00"),
    "a hundred thousand duplicates": (lambda: "{" + '"a": 0,' * 100_000 + '"a": 0}', "is a duplicate key"),
    "five hundred levels": (lambda: '{"fields": ' + '{"a": ' * 500 + "0" + "}" * 501, "deeper than 100 levels"),
    "a million levels": (lambda: '{"fields": ' + "[" * 1_000_000, "nested too deeply"),
    "a huge integer": (lambda: '{"stream": ' + "9" * 5_000_000 + "}", "can't be read as JSON"),
    "a huge exponent": (lambda: '{"stream": 1e999999999}', "1e999999999 is too large a number"),
    "a line of five million characters": (lambda: '{"stream": "' + "x" * 5_000_000 + '"}', "is missing"),
    "NUL": (lambda: "\0" * 1000, "is not JSON"),
    "two thousand unknown fields": (
        lambda: json.dumps(stream(fields={f"field_{number}": {"type": "string"} for number in range(2_000)})),
        "is not a field that the source has",
    ),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_file_with_too_much_in_it_is_reported_in_a_few_lines(name: str, tmp_path: Path) -> None:
    make, expected = TOO_MUCH[name]
    code, lines = check(lake_with(tmp_path, {"shop/orders.json": make()}))
    assert code == 1
    assert any(line.startswith("shop/orders.json:") and expected in line for line in lines), lines[:5]
    assert len(lines) < 500


def test_a_generated_file_has_the_same_limits(tmp_path: Path) -> None:
    files = {
        "shop/_discovered/orders.json": '{"source_defined_primary_key": [' + "0," * 3_000_000 + "0]}",
        "_connectors/source-faker.json": '{"spec": ' + "[" * 3_000_000,
    }
    code, lines = check(lake_with(tmp_path, files))
    assert code == 1
    assert any(line.startswith("shop/_discovered/orders.json:1: (file): has more than") for line in lines)
    assert any(line.startswith("_connectors/source-faker.json:1: (file): can't be read") for line in lines)


LEFTOVERS = [
    "shop/.orders.json.new",
    "shop/._discovered.partial/orders.json",
    "shop/._discovered.old/orders.json",
    "_destinations/.s3.json.new",
    ".README.md.swp",
    "shop/.orders.json.swp",
    "shop/.#orders.json",
    "shop/#orders.json#",
    "shop/orders.json~",
    "shop/4913",
    "shop/_discovered/orders.json~",
    "_connectors/source-faker.json~",
]
OF_SYSTEMS = [".DS_Store", "shop/.DS_Store", "shop/_discovered/.DS_Store", "shop/._orders.json", "shop/Thumbs.db"]


def test_leftovers_of_killed_commands_and_editors_are_notices_and_not_read(tmp_path: Path) -> None:
    lake = lake_with(tmp_path, dict.fromkeys((*LEFTOVERS, *OF_SYSTEMS), "{ half"))
    code, lines = check(lake)
    assert code == 0, lines
    noticed = {line.split(":")[1].strip() for line in lines if "is left by a killed command or an editor" in line}
    assert noticed == {name.removesuffix("/orders.json") if "._disc" in name else name for name in LEFTOVERS}
    assert not any("DS_Store" in line or "Thumbs" in line for line in lines)


@pytest.mark.parametrize("name", ["shop/.orders.json", "shop/_orders.json", "shop/orders.jsn", "orders.json"])
def test_a_stream_file_that_is_misnamed_is_still_a_mistake(name: str, tmp_path: Path) -> None:
    code, lines = check(lake_with(tmp_path, {name: stream()}))
    assert code == 1
    assert lines[0].startswith(f"{name}:1: (file): is not a file that a lake has")


def test_a_folder_with_more_entries_than_a_lake_has_is_one_mistake(tmp_path: Path) -> None:
    lake = lake_with(tmp_path, {})
    for number in range(50_001):
        os.close(os.open(lake / "shop" / "_discovered" / f"s{number}.json", os.O_CREAT | os.O_WRONLY))
    code, lines = check(lake)
    assert code == 1
    assert "has more than 50,000 entries" in lines[-1]


@pytest.mark.parametrize("pattern", EVIL)
def test_a_pattern_that_backtracks_for_ever_is_a_notice(pattern: str, tmp_path: Path) -> None:
    spec: Document = {"type": "object", "properties": {"name": {"type": "string", "pattern": pattern}}}
    code, lines = check(lake_with(tmp_path, pinned(spec, name="a" * 200 + "!")))
    assert code == 0, lines
    assert any("_source.json:5: configuration.name: is not checked offline: its pattern" in line for line in lines), (
        lines
    )


def test_hundreds_of_such_patterns_take_no_longer_together(tmp_path: Path) -> None:
    names = [f"name_{number}" for number in range(300)]
    spec: Document = {
        "type": "object",
        "properties": {name: {"type": "string", "pattern": f"^(a|aa|{name})+$"} for name in names},
    }
    code, lines = check(lake_with(tmp_path, pinned(spec, **dict.fromkeys(names, "a" * 200 + "!"))))
    assert code == 0, lines[:3]
    assert any("is not checked offline" in line for line in lines)


def test_a_specification_whose_references_multiply_is_a_notice(tmp_path: Path) -> None:
    doubled = {f"d{level}": {"allOf": [{"$ref": f"#/definitions/d{level + 1}"}] * 2} for level in range(60)}
    spec: Document = {"definitions": {**doubled, "d60": {"type": "string"}}, "$ref": "#/definitions/d0"}
    code, lines = check(lake_with(tmp_path, pinned(spec, name="x")))
    assert code == 0, lines
    assert any("is not checked offline: the specification of source-odd takes more than" in line for line in lines)


def test_a_pattern_that_is_slow_hides_no_secret_in_plain_text(tmp_path: Path) -> None:
    names = [f"name_{number}" for number in range(200)]
    properties: Document = {name: {"type": "string", "pattern": "^(a|aa)+$"} for name in names}
    properties["token"] = {"type": "string", "airbyte_secret": True}
    spec: Document = {"type": "object", "properties": properties}
    values = dict.fromkeys(names, "a" * 200 + "!") | {"token": "in plain text"}
    code, lines = check(lake_with(tmp_path, pinned(spec, **values)))
    assert code == 1
    assert any("configuration.token: is a secret in plain text" in line for line in lines)


def test_a_field_s_description_may_be_long_and_the_source_may_offer_thousands_of_streams(tmp_path: Path) -> None:
    fields = {"id": {"type": "integer"}, "updated_at": {"type": "string", "description": "x" * 100_000}}
    files: dict[str, Document | str | bytes | None] = {
        f"shop/_discovered/s{number}.json": discovered(stream=f"s{number}") for number in range(3_000)
    }
    code, lines = check(lake_with(tmp_path, {**files, "shop/orders.json": stream(fields=fields)}))
    assert code == 0, lines


BEFORE_IT_RENAMES = "import os, pathlib; os.replace = pathlib.Path.rename = lambda *_: os._exit(9); "
BACKFILL = "from lotus_infra.commands.cli import main; main()"
DISCOVER = (
    "from pathlib import Path; from lotus_infra.commands.discover import _DiscoveredFile, _replace_files; "
    "_replace_files(Path('shop/_discovered'), {}, {'new': _DiscoveredFile(b'{}', None)})"
)


def run(lake: Path, code: str) -> int:
    arguments = ["backfill", "shop", "orders", "--yes", "--streams", "."]
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=lake, capture_output=True, timeout=DEADLINE, check=False
    ).returncode


@pytest.mark.parametrize(
    ("command", "leftover"), [(BACKFILL, "shop/.orders.json.new"), (DISCOVER, "shop/._discovered.partial")]
)
def test_a_killed_command_blocks_no_check_and_the_next_one_clears_up(
    command: str, leftover: str, tmp_path: Path
) -> None:
    lake = lake_with(tmp_path, {})
    before = (lake / "shop" / "orders.json").read_bytes()
    assert run(lake, BEFORE_IT_RENAMES + command) == 9
    assert (lake / leftover).exists()
    assert (lake / "shop" / "orders.json").read_bytes() == before
    code, lines = check(lake)
    assert code == 0
    assert lines[0].startswith(f"note: {leftover}:1: (file): is left by a killed command")
    assert run(lake, command) == 0
    assert not (lake / leftover).exists()
