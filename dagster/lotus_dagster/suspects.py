"""Find the files that break a build, by building with parts of them. Pure: the build is a function.

A file is bad if the build fails with it alone, twice, and passes without it. Everything else is no file's fault.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

File = TypeVar("File")
MOST: Final = 20
"""Bad files that one search looks for: it costs some builds for each."""


@dataclass(frozen=True, slots=True)
class Verdict(Generic[File]):
    """What a search found.

    Attributes:
        systemic: The build fails whatever it reads, or with every file, or with no file alone.
        bad: The files that fail alone, with the error; none if systemic.
    """

    systemic: bool
    bad: Mapping[File, str] = field(default_factory=dict)


def search(files: Sequence[File], build: Callable[[Sequence[File]], str | None]) -> Verdict[File]:
    """Search the files of a build that failed with all of them.

    Args:
        files: The files.
        build: Builds with some of the files, and returns the error if it fails. What it has built stays.
    """
    if not files or build(()) is not None:
        return Verdict(systemic=True)
    bad: dict[File, str] = {}
    has_passed = len(files) == 1
    ahead = [files]
    while ahead and len(bad) < MOST:
        failed = ahead.pop()
        middle = len(failed) // 2
        for part in (failed[:middle], failed[middle:]) if middle else (failed,):
            error = build(part)
            if error is None:
                has_passed = True
            elif len(failed) == 1:
                bad[failed[0]] = error
            else:
                ahead.append(part)
    if bad and has_passed and build(()) is None:
        return Verdict(systemic=False, bad=bad)
    # With no bad file, the parts have passed one by one, or fail together alone: the build with all of them tells.
    return Verdict(systemic=bool(bad) or not has_passed)
