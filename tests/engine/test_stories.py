"""The table of stories names tests that exist."""

from pathlib import Path

from tests.engine.stories import BY_DAY

HERE = Path(__file__).parent


def test_every_story_names_tests_that_exist() -> None:
    named = sorted(test.split("::") for test in BY_DAY)
    assert [name for file, name in named if f"def {name}(" not in (HERE / file).read_text(encoding="utf-8")] == []
