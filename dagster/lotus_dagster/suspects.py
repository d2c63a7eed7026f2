"""Find the files that break a build, by building with parts of them. Pure: the build is a function.

A file is bad if the build fails with it alone, passes without it, and fails with it again at the end of the search.
Everything else is no file's fault.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

File = TypeVar("File")
FEW: Final = 20
"""Bad files after which a search goes on only if some file passes."""
MOST: Final = 100
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
    suspects: list[File] = []
    has_passed = len(files) == 1
    ahead = [files]
    while ahead and len(suspects) < MOST:
        if len(suspects) >= FEW and not has_passed:
            has_passed = _passes_somewhere(ahead, build)
            if not has_passed:
                break
        failed = ahead.pop()
        middle = len(failed) // 2
        for part in (failed[:middle], failed[middle:]) if middle else (failed,):
            if build(part) is None:
                has_passed = True
            elif len(part) == 1:
                suspects.append(part[0])
            else:
                ahead.append(part)
    if not suspects or not has_passed or build(()) is not None:
        # With no suspect, the parts have passed one by one, or fail together alone: the build with all of them decides.
        return Verdict(systemic=bool(suspects))
    # Once more, and later: a server that was away for a while fails files that are good.
    errors = {file: build((file,)) for file in suspects}
    if build(()) is not None:
        return Verdict(systemic=True)
    return Verdict(systemic=False, bad={file: error for file, error in errors.items() if error is not None})


def _passes_somewhere(parts: Sequence[Sequence[File]], build: Callable[[Sequence[File]], str | None]) -> bool:
    """Whether one of some files passes alone: the first, the middle and the last one of each part."""
    chosen = dict.fromkeys(file for part in parts for file in (part[0], part[len(part) // 2], part[-1]))
    return any(build((file,)) is None for file in chosen)
