"""The picture of imports in the documentation."""

import pytest

from toolchain.import_picture import PAGE, direct, mermaid, placed, rooms


def test_the_page_has_the_picture_of_the_code_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == placed(page, mermaid(direct(rooms()))), "run `python -m toolchain.import_picture --write`"


def test_an_arrow_that_follows_from_others_is_left_out() -> None:
    arrows = {"a": frozenset({"b", "c"}), "b": frozenset({"c"}), "c": frozenset[str]()}
    assert direct(arrows) == {"a": {"b"}, "b": {"c"}, "c": frozenset()}


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="imports: end"):
        placed("# Architecture\n", "")
