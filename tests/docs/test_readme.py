"""What the README shows of Lotus is what Lotus makes: the comment on a pull request, and the picture."""

import re

from tests.engine.harness import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_the_quoted_comment_begins_as_the_golden_one() -> None:
    quoted = re.findall(r"^<!-- comment: the beginning of (\S+) -->\n((?:>.*\n)+)", README, re.MULTILINE)
    assert len(quoted) == 1
    for golden, text in quoted:
        comment = (REPOSITORY / golden).read_text(encoding="utf-8").partition("\n")[2]
        shown = re.sub(r"^> ?", "", text, flags=re.MULTILINE)
        assert comment.startswith(shown.rstrip("\n") + "\n"), f"README.md does not quote {golden} as it is"


def test_every_picture_of_the_readme_is_in_the_repository() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures
    assert [picture for picture in pictures if not (REPOSITORY / picture).is_file()] == []
