"""One file that can't be read, in every way that a file can't be read."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_infra.lake.models import StreamConfig
from lotus_infra.lake.reading import Reader
from tests.support.lakes import problems_of, report_on, stream

UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "an empty file": ("", "shop/orders.json:1: (file): is empty"),
    "blanks alone": (" \n\t", "shop/orders.json:1: (file): is empty"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "shop/orders.json:1: (file): starts with a byte order mark"),
    "UTF-16": ('{"stream": "orders"}'.encode("utf-16"), "shop/orders.json:1: (file): is not UTF-8"),
    "Latin 1 on its third line": (b'{\n\n"stream": "\xe9"}', "shop/orders.json:3: (file): is not UTF-8"),
    "bad JSON on its second line": ('{\n"stream": orders}', "shop/orders.json:2: (file): is not JSON"),
    "a trailing comma": ('{"stream": "orders",}', "shop/orders.json:1: (file): is not JSON"),
    "two documents": ("{}\n{}", "shop/orders.json:2: (file): is not JSON"),
    "a list": ("[1]", "shop/orders.json:1: (file): must hold one JSON object"),
    "null": ("null", "shop/orders.json:1: (file): must hold one JSON object"),
    "NaN": ('{"backfill": NaN}', "shop/orders.json:1: (file): can't be read as JSON (NaN is not a JSON number)"),
    "endless nesting": ("[" * 100_000, "shop/orders.json:1: (file): can't be read as JSON (nested too deeply)"),
    "a number of ten thousand digits": (
        '{"stream": ' + "9" * 10_000 + "}",
        "shop/orders.json:1: (file): can't be read",
    ),
    "half of a surrogate pair": ('{"stream": "\\ud800"}', "shop/orders.json:1: (file): can't be read"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_is_no_json_document_is_reported_with_its_line(name: str, tmp_path: Path) -> None:
    content, expected = UNREADABLE[name]

    problems = problems_of(tmp_path, {"shop/orders.json": content})

    assert len(problems) == 1
    assert problems[0].startswith(expected)


def test_a_file_that_can_not_be_read_hides_nothing_about_the_others(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, {"shop/orders.json": "", "shop/_source.json": "["})

    assert [problem.split(":")[0] for problem in problems] == ["shop/_source.json", "shop/orders.json"]


def test_a_duplicate_key_is_reported_where_it_is_repeated(tmp_path: Path) -> None:
    text = '{"stream": "orders",\n"fields": {"id": {"type": "string"},\n"id": {"type": "integer"}}}'

    assert problems_of(tmp_path, {"shop/orders.json": text}) == [
        "shop/orders.json:3: fields.id: is a duplicate key: delete one of the two"
    ]


def test_a_discovered_file_that_can_not_be_read_is_reported_as_exactly_as_any_other(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, {"shop/_discovered/orders.json": '{\n"stream": }'})

    assert len(problems) == 1
    assert problems[0].startswith("shop/_discovered/orders.json:2: (file): is not JSON")


def test_a_link_to_nowhere_is_a_file_that_a_lake_does_not_have(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "lost.json").symlink_to(tmp_path / "nowhere")

    assert problems_of(tmp_path, {})[0].startswith("shop/lost.json:1: (file): is not a file that a lake has")


def test_a_file_that_vanishes_between_listing_and_reading_is_reported(tmp_path: Path) -> None:
    reader = Reader(tmp_path)

    assert reader.read("gone.json", StreamConfig) is None
    assert reader.diagnostics[0].what == "can't be read (No such file or directory)"


def test_a_file_name_that_no_terminal_can_show_is_escaped(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, {"shop/new\nline.txt": "", "shop/\udcff.txt": ""})

    assert [problem.split(":")[0] for problem in problems] == ["shop/new\\nline.txt", "shop/\\udcff.txt"]


@given(st.binary(max_size=60))
def test_no_bytes_make_the_reader_raise(data: bytes) -> None:
    reader = _InMemory(data)

    assert (reader.read("any.json", StreamConfig) is None) == bool(reader.diagnostics)
    reader.diagnostics.clear()
    assert (reader.read_light("any.json", StreamConfig) is None) == bool(reader.diagnostics)


def test_the_clean_lake_that_all_of_this_breaks_is_clean(tmp_path: Path) -> None:
    report = report_on(tmp_path, {"shop/orders.json": stream()})

    assert report.problems == ()
    assert report.notices == ()
    assert report.summary == "1 stream in 1 source: no problems"


class _InMemory(Reader):
    """A reader to which every file has the same bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(Path())
        self.data = data

    def _raw(self, file: str) -> bytes:
        return self.data
